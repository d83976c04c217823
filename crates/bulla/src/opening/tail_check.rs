//! Diagnoses the end of a container: distinguishes a damaged last chunk, truncation and trailing
//! data (F-7.4).

use crate::crypto::backend::TAG_LEN;
use crate::error::{Error, Result};
use crate::format::geometry::{Body, HEADER_LEN};
use crate::format::header::Header;
use crate::io::read_at::{ReadAt, read_full_at};
use crate::opening::preamble::read_footer;

/// How far before the end to search for a footer, in bytes (F-7.4).
const TRAILING_WINDOW: u64 = 65536;

/// Returns the error for a container whose last chunk is missing or was rejected.
pub(super) fn diagnose_last_chunk<S: ReadAt + ?Sized>(
    source: &S,
    header: &Header,
    body: &Body,
) -> Result<Error> {
    if let Some(extra) = trailing_data(source, header)? {
        return Ok(Error::TrailingData { extra });
    }
    let footer = read_footer(source, source.size()?)?;
    let ends_with_footer = footer.is_some_and(|footer| header.matches_footer(&footer));
    Ok(if ends_with_footer && body.rest >= TAG_LEN as u64 {
        Error::ChunkRejected { index: body.full }
    } else {
        Error::Truncated { after: body.full }
    })
}

/// Returns the number of bytes after the last matching footer, or `None` if the window contains no
/// such footer.
pub(super) fn trailing_data<S: ReadAt + ?Sized>(
    source: &S,
    header: &Header,
) -> Result<Option<u64>> {
    let (size, footer_len, layout) = (source.size()?, HEADER_LEN as u64, header.layout());
    // The footer offset in the smallest container with this envelope length.
    let lowest = layout.head_len() + TAG_LEN as u64 + u64::from(layout.envelope_len);
    let start = size.saturating_sub(footer_len + TRAILING_WINDOW).max(lowest);
    let mut window = vec![0; size.saturating_sub(start) as usize];
    let read = read_full_at(source, &mut window, start)?;
    let is_footer =
        |at: &usize| window[*at..].first_chunk().is_some_and(|bytes| header.matches_footer(bytes));
    let last = (0..read.saturating_sub(HEADER_LEN)).rev().find(is_footer);
    Ok(last.map(|at| size - start - at as u64 - footer_len))
}
