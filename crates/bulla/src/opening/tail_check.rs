//! How a container ends: tells a damaged last chunk from a cut, and both from trailing data
//! (F-7.4).

use crate::error::{Error, Result};
use crate::format::geometry::{Body, HEADER_LEN, TAG_LEN};
use crate::format::header::Header;
use crate::io::read_at::{ReadAt, read_full_at};
use crate::opening::preamble::read_foot;

/// How far before the end a footer is looked for.
const TRAILING_WINDOW: u64 = 65536;

/// What is wrong with a container whose last chunk is not there, or was not verified.
pub(crate) fn failure_of_last<S: ReadAt + ?Sized>(
    source: &S,
    header: &Header,
    body: &Body,
) -> Result<Error> {
    if let Some(extra) = trailing_data(source, header)? {
        return Ok(Error::TrailingData { extra });
    }
    let stands = read_foot(source, source.size()?)?.is_some_and(|foot| header.stands_in(&foot));
    Ok(if stands && body.rest >= TAG_LEN as u64 {
        Error::ChunkRejected { index: body.full }
    } else {
        Error::Truncated { after: body.full }
    })
}

/// How many bytes lie behind a footer that stands a little before the end.
pub(crate) fn trailing_data<S: ReadAt + ?Sized>(
    source: &S,
    header: &Header,
) -> Result<Option<u64>> {
    let (size, foot, layout) = (source.size()?, HEADER_LEN as u64, header.layout());
    // The smallest container with this envelope has its footer there.
    let lowest = layout.head_len() + TAG_LEN as u64 + u64::from(layout.envelope_len);
    let start = size.saturating_sub(foot + TRAILING_WINDOW).max(lowest);
    let mut window = vec![0; size.saturating_sub(start) as usize];
    let read = read_full_at(source, &mut window, start)?;
    let stands =
        |at: &usize| window[*at..].first_chunk().is_some_and(|foot| header.stands_in(foot));
    let latest = (0..read.saturating_sub(HEADER_LEN)).rev().find(stands);
    Ok(latest.map(|at| size - start - at as u64 - foot))
}
