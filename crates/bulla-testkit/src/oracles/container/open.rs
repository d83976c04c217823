//! Whole containers, opened with every method.

use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::sync::Mutex;

use bulla::{Error, Key, Opener, RangeReader, ReadAt};

use crate::library::{self, container_error, options};
use crate::oracles::known;
use crate::oracles::script::Script;
use crate::reference::{self, ContainerError, StreamOutcome};

/// **Input: a container**, opened as a stream under [`known::KEY`], without a context and with
/// [`known::CONTEXT`].
///
/// - The library releases exactly the bytes that the reference releases, and ends with the same
///   header state or the same error (F-3.4 to F-3.8, F-4.4, F-7.1, F-7.2, F-7.4). Everything
///   released before an error is therefore a verified prefix of the plaintext.
/// - The result is the same whether the plaintext is copied in one call or read in small steps from
///   a source that returns small pieces.
/// - After an error, it returns the same error again and releases nothing more (F-7.8).
/// - It never panics.
pub fn open_stream(bytes: &[u8]) {
    for context in [None, Some(known::CONTEXT)] {
        stream(bytes, context);
    }
}

/// **Input: two numbers and a container.** The two-byte big-endian numbers are the bounds of a
/// plaintext range, in either order. The container is opened for random access under
/// [`known::KEY`], without a context and with [`known::CONTEXT`].
///
/// - The library returns the same range or the same error as the reference (F-5.3, F-7.5, F-7.6).
///   The length is therefore authenticated before anything is read, and damage outside the range
///   does not affect it.
/// - All methods of reading a range agree: into a new buffer, into a caller's buffer, through
///   [`ReadAt`], and extent by extent.
/// - It never panics, even for a range beyond the end.
pub fn open_range(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (a, b) = (script.number(2), script.number(2));
    let container = script.rest();
    for context in [None, Some(known::CONTEXT)] {
        range(container, context, a.min(b)..a.max(b));
        range(container, context, a.max(b)..a.min(b));
    }
}

/// **Input: a container**, opened from memory under [`known::KEY`], without a context and with
/// [`known::CONTEXT`].
///
/// - The library returns the same plaintext and header state as the reference, or the same error,
///   which names the first damaged chunk if there are several (F-3.4 to F-3.8, F-4.4, F-7.1, F-7.3
///   to F-7.6).
/// - Opening into a caller's buffer has the same result. A buffer of another length is rejected.
/// - Streaming the same container releases a prefix of this plaintext. If streaming succeeds,
///   opening from memory yields the same plaintext. If only opening from memory succeeds, the
///   footer replaced a damaged header.
/// - It never panics.
pub fn open_slice(bytes: &[u8]) {
    for context in [None, Some(known::CONTEXT)] {
        slice(bytes, context);
    }
}

/// Checks the guarantees of [`open_stream`] for one context.
pub(super) fn stream(container: &[u8], context: Option<&[u8]>) {
    let expected = reference::open_stream(container, &known::KEY, context);
    let copied = library::open_stream(container, &known::KEY, context);
    assert_same_stream("copied", &copied, &expected);
    // The input length determines the step size.
    let step = 1 + container.len() % 4099;
    assert_same_stream("read in steps", &read_in_steps(container, context, step), &expected);
}

/// Checks the guarantees of [`open_range`] for one context and one range.
pub(super) fn range(container: &[u8], context: Option<&[u8]>, range: Range<u64>) {
    let expected = reference::open_range(container, &known::KEY, context, range.clone());
    let found = library::open_range(container, &known::KEY, context, range.clone());
    assert!(
        found == expected,
        "{range:?}: library {:?}, reference {:?}",
        described(&found),
        described(&expected)
    );
    let Ok(reader) = RangeReader::new(&Key::from_bytes(&known::KEY), container, &options(context))
    else {
        return;
    };
    match expected {
        Ok(Some(plaintext)) => compare_methods(&reader, range, Ok(&plaintext)),
        Ok(None) => out_of_range(&reader, range),
        Err(error) => compare_methods(&reader, range, Err(error)),
    }
}

/// Checks the guarantees of [`open_slice`] for one context.
pub(super) fn slice(container: &[u8], context: Option<&[u8]>) {
    let expected = reference::open_positional(container, &known::KEY, context);
    let found = library::open_positional(container, &known::KEY, context);
    assert!(found == expected, "library {:?}, reference {:?}", found.err(), expected.err());

    let key = Key::from_bytes(&known::KEY);
    // At most the container length.
    let len = bulla::plaintext_len(container).unwrap_or(0) as usize;
    let mut buffer = vec![0xEE; len];
    let into = bulla::open_into(&key, container, &mut buffer, &options(context));
    match (&expected, into) {
        (Ok(opened), Ok(found)) => {
            assert!(buffer == opened.plaintext, "opened into a buffer: the bytes differ");
            assert_eq!(library::header_state(found.header_state), opened.header_state);
            let longer =
                bulla::open_into(&key, container, &mut vec![0; len + 1], &options(context));
            assert!(matches!(longer, Err(Error::BufferLength { .. })), "{longer:?}");
        }
        (Err(expected), Err(error)) => assert_eq!(container_error(error), *expected),
        (expected, found) => {
            panic!(
                "opened into a buffer: library {found:?}, reference {:?}",
                expected.as_ref().err()
            );
        }
    }

    let stream = library::open_stream(container, &known::KEY, context);
    match (expected, stream.result) {
        (Ok(opened), Ok(copies)) => {
            assert!(
                opened.plaintext == stream.released,
                "stream and slice yield different plaintexts"
            );
            assert_eq!(opened.header_state, copies);
        }
        (Ok(opened), Err(error)) => {
            assert!(
                opened.plaintext.starts_with(&stream.released),
                "released bytes are not a prefix"
            );
            assert_eq!(
                opened.header_state,
                reference::HeaderState::HeaderDamaged,
                "only the stream fails: {error:?}"
            );
        }
        (Err(error), Ok(_)) => panic!("only the slice fails: {error:?}"),
        (Err(_), Err(_)) => {}
    }
}

/// Checks the guarantees of [`open_stream`], [`open_slice`] and [`open_range`].
pub(super) fn all(container: &[u8], context: Option<&[u8]>, part: Range<u64>) {
    stream(container, context);
    slice(container, context);
    range(container, context, part);
}

fn assert_same_stream(how: &str, found: &StreamOutcome, expected: &StreamOutcome) {
    assert_eq!(found.result, expected.result, "{how}: library (left) and reference (right)");
    assert!(
        found.released == expected.released,
        "{how}: the library released {} bytes, the reference {}",
        found.released.len(),
        expected.released.len()
    );
}

/// A reader that returns small pieces.
struct Pieces<'b> {
    bytes: &'b [u8],
    len: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.len.min(buf.len());
        self.bytes.read(&mut buf[..len])
    }
}

fn read_in_steps(container: &[u8], context: Option<&[u8]>, step: usize) -> StreamOutcome {
    let mut released = Vec::new();
    let reader = Pieces { bytes: container, len: step };
    let mut opener = match Opener::new(&Key::from_bytes(&known::KEY), reader, &options(context)) {
        Ok(opener) => opener,
        Err(error) => return StreamOutcome { released, result: Err(container_error(error)) },
    };
    let mut buffer = vec![0; step];
    loop {
        match opener.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => released.extend_from_slice(&buffer[..read]),
            Err(error) => {
                let first = container_error(error.into());
                let is_same = |again: io::Error| {
                    assert_eq!(container_error(again.into()), first, "the error changed")
                };
                opener
                    .read(&mut buffer)
                    .map_err(is_same)
                    .expect_err("released bytes after an error");
                opener
                    .fill_buf()
                    .map(drop)
                    .map_err(is_same)
                    .expect_err("released bytes after an error");
                assert!(opener.opened().is_none());
                return StreamOutcome { released, result: Err(first) };
            }
        }
    }
    let opened = opener.opened().expect("a report after the end");
    assert_eq!(opened.plaintext_len, released.len() as u64);
    StreamOutcome { result: Ok(library::header_state(opened.header_state)), released }
}

/// Checks every other method of reading a range.
fn compare_methods(
    reader: &RangeReader<'_, &[u8]>,
    range: Range<u64>,
    expected: Result<&[u8], ContainerError>,
) {
    let len = (range.end - range.start) as usize;
    let compare = |how: &str, found: bulla::Result<Vec<u8>>| match (found, &expected) {
        (Ok(found), Ok(expected)) => assert!(found == *expected, "{how}: the bytes differ"),
        (Err(error), Err(expected)) => assert_eq!(container_error(error), *expected, "{how}"),
        (found, expected) => panic!("{how}: got {:?}, expected {:?}", found.err(), expected.err()),
    };
    let into = |read: &dyn Fn(&mut [u8]) -> bulla::Result<()>| {
        let mut buffer = vec![0xEE; len];
        read(&mut buffer).map(|()| buffer)
    };
    compare("into a buffer", into(&|buffer| reader.read_into(buffer, range.start)));
    compare("at an offset", into(&|buffer| Ok(reader.read_exact_at(buffer, range.start)?)));
    let collected = Mutex::new(vec![0xEE; len]);
    let visited = reader.for_each_extent(std::slice::from_ref(&range), |offset, piece| {
        let start = (offset - range.start) as usize;
        let mut collected = collected.lock().map_err(|_| io::Error::other("a thread panicked"))?;
        collected[start..start + piece.len()].copy_from_slice(piece);
        Ok(())
    });
    compare(
        "extent by extent",
        visited.map(|()| collected.into_inner().expect("no thread panicked")),
    );
}

/// Checks that every method rejects a range beyond the end.
fn out_of_range(reader: &RangeReader<'_, &[u8]>, range: Range<u64>) {
    let len = reader.len();
    let refused = |result: bulla::Result<()>| {
        assert!(
            matches!(result, Err(Error::OutOfRange { len: reported }) if reported == len),
            "{range:?}: {result:?}"
        );
    };
    refused(reader.for_each_extent(std::slice::from_ref(&range), |_, _| Ok(())));
    refused(reader.read_into(&mut [0], len));
    refused(reader.read_into(&mut [0], u64::MAX));
    let beyond = reader.read_at(&mut [0; 4], len.saturating_add(range.start));
    assert!(matches!(beyond, Ok(0)), "{beyond:?}");
}

/// Returns the length of a range or the error, for printing.
fn described(
    found: &Result<Option<Vec<u8>>, ContainerError>,
) -> Result<Option<usize>, ContainerError> {
    found.as_ref().map(|found| found.as_ref().map(Vec::len)).map_err(|error| *error)
}
