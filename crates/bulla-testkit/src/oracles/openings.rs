//! Whole containers, opened by every way.

use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::sync::Mutex;

use bulla::{Error, Key, Opener, RangeReader, ReadAt};

use super::known;
use super::script::Script;
use crate::library::{self, fault, options};
use crate::reference::{self, Fault, StreamOutcome};

/// **The bytes are a container**, opened as a stream under [`known::KEY`], without a context and
/// with [`known::CONTEXT`].
///
/// - The library releases what the reference releases, byte for byte, and ends as it ends: with the
///   same state of the copies or the same error (F-3.4 to F-3.8, F-4.4, F-7.1, F-7.2, F-7.4). So
///   all that is released before an error is a prefix of what was sealed, and nothing unverified is
///   among it.
/// - It does so whether it is asked to copy all or is read in small steps, from a reader that gives
///   small pieces.
/// - After an error it gives the same error again and releases nothing more (F-7.8).
/// - It never panics.
pub fn open_stream(bytes: &[u8]) {
    for context in [None, Some(known::CONTEXT)] {
        stream(bytes, context);
    }
}

/// **The bytes are two numbers and a container.** The numbers, of two bytes each, big-endian, are
/// the ends of a range of the plaintext, in whichever order. The container is opened for ranges
/// under [`known::KEY`], without a context and with [`known::CONTEXT`].
///
/// - The library gives the range that the reference gives, byte for byte, or refuses with the same
///   error (F-5.3, F-7.5, F-7.6). So the length is authenticated before anything is read, and
///   damage elsewhere costs the range nothing.
/// - All ways to read a range agree: into a new buffer, into one of the caller's, as [`ReadAt`],
///   extent by extent.
/// - It never panics, not for a range beyond the end either.
pub fn open_range(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (a, b) = (script.number(2), script.number(2));
    let container = script.rest();
    for context in [None, Some(known::CONTEXT)] {
        range(container, context, a.min(b)..a.max(b));
        range(container, context, a.max(b)..a.min(b));
    }
}

/// **The bytes are a container**, opened from memory under [`known::KEY`], without a context and
/// with [`known::CONTEXT`].
///
/// - The library gives the plaintext and the state of the copies that the reference gives, or
///   refuses with the same error, of several damaged chunks the first (F-3.4 to F-3.8, F-4.4,
///   F-7.1, F-7.3 to F-7.6).
/// - Opened into a buffer of the caller's, the same comes of it; a buffer of another length is
///   refused.
/// - What a stream releases of the same bytes is a prefix of this plaintext. Where the stream
///   opens, this opens, to the same; where only this opens, the header was made up for by the
///   footer.
/// - It never panics.
pub fn open_slice(bytes: &[u8]) {
    for context in [None, Some(known::CONTEXT)] {
        slice(bytes, context);
    }
}

/// The promise of [`open_stream`] for one context.
pub(super) fn stream(container: &[u8], context: Option<&[u8]>) {
    let expected = reference::open_stream(container, &known::KEY, context);
    let copied = library::open_stream(container, &known::KEY, context);
    same_stream("copied", &copied, &expected);
    // Steps of many sizes, each for an input of its own.
    let step = 1 + container.len() % 4099;
    same_stream("read in steps", &read_in_steps(container, context, step), &expected);
}

/// The promise of [`open_range`] for one context and one range.
pub(super) fn range(container: &[u8], context: Option<&[u8]>, range: Range<u64>) {
    let expected = reference::open_range(container, &known::KEY, context, range.clone());
    let found = library::open_range(container, &known::KEY, context, range.clone());
    assert!(
        found == expected,
        "{range:?}: {:?} by library, {:?} by reference",
        described(&found),
        described(&expected)
    );
    let Ok(reader) = RangeReader::new(&Key::from_bytes(&known::KEY), container, &options(context))
    else {
        return;
    };
    match expected {
        Ok(Some(plaintext)) => by_every_way(&reader, range, Ok(&plaintext)),
        Ok(None) => out_of_range(&reader, range),
        Err(fault) => by_every_way(&reader, range, Err(fault)),
    }
}

/// The promise of [`open_slice`] for one context.
pub(super) fn slice(container: &[u8], context: Option<&[u8]>) {
    let expected = reference::open_positional(container, &known::KEY, context);
    let found = library::open_positional(container, &known::KEY, context);
    assert!(found == expected, "{:?} by library, {:?} by reference", found.err(), expected.err());

    let key = Key::from_bytes(&known::KEY);
    let len = bulla::plaintext_len(container).unwrap_or(0) as usize; // at most the container's
    let mut buffer = vec![0xEE; len];
    let into = bulla::open_into(&key, container, &mut buffer, &options(context));
    match (&expected, into) {
        (Ok(opened), Ok(found)) => {
            assert!(buffer == opened.plaintext, "into a buffer");
            assert_eq!(library::copies(found.header_state), opened.header_state);
            let longer =
                bulla::open_into(&key, container, &mut vec![0; len + 1], &options(context));
            assert!(matches!(longer, Err(Error::BufferLength { .. })), "{longer:?}");
        }
        (Err(expected), Err(error)) => assert_eq!(fault(error), *expected),
        (expected, found) => {
            panic!(
                "into a buffer: {found:?} by library, {:?} by reference",
                expected.as_ref().err()
            );
        }
    }

    let stream = library::open_stream(container, &known::KEY, context);
    match (expected, stream.result) {
        (Ok(opened), Ok(copies)) => {
            assert!(
                opened.plaintext == stream.released,
                "stream and slice give different plaintexts"
            );
            assert_eq!(opened.header_state, copies);
        }
        (Ok(opened), Err(fault)) => {
            assert!(opened.plaintext.starts_with(&stream.released), "no prefix was released");
            assert_eq!(
                opened.header_state,
                reference::HeaderState::HeaderDamaged,
                "{fault:?} by stream"
            );
        }
        (Err(fault), Ok(_)) => panic!("a stream opens what a slice does not: {fault:?}"),
        (Err(_), Err(_)) => {}
    }
}

/// All three, and a range.
pub(super) fn all(container: &[u8], context: Option<&[u8]>, part: Range<u64>) {
    stream(container, context);
    slice(container, context);
    range(container, context, part);
}

fn same_stream(how: &str, found: &StreamOutcome, expected: &StreamOutcome) {
    assert_eq!(found.result, expected.result, "{how}: by library the left, by reference the right");
    assert!(
        found.released == expected.released,
        "{how}: {} bytes released by library, {} by reference",
        found.released.len(),
        expected.released.len()
    );
}

/// A reader of small pieces.
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
        Err(error) => return StreamOutcome { released, result: Err(fault(error)) },
    };
    let mut buffer = vec![0; step];
    loop {
        match opener.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => released.extend_from_slice(&buffer[..read]),
            Err(error) => {
                let first = fault(error.into());
                let again = |again: io::Error| {
                    assert_eq!(fault(again.into()), first, "the first error is final")
                };
                opener
                    .read(&mut buffer)
                    .map_err(again)
                    .expect_err("it gives nothing after an error");
                opener
                    .fill_buf()
                    .map(drop)
                    .map_err(again)
                    .expect_err("it gives nothing after an error");
                assert!(opener.opened().is_none());
                return StreamOutcome { released, result: Err(first) };
            }
        }
    }
    let opened = opener.opened().expect("it says what it found, at the end");
    assert_eq!(opened.plaintext_len, released.len() as u64);
    StreamOutcome { result: Ok(library::copies(opened.header_state)), released }
}

/// Reads a range by every other way that there is.
fn by_every_way(
    reader: &RangeReader<'_, &[u8]>,
    range: Range<u64>,
    expected: Result<&[u8], Fault>,
) {
    let len = (range.end - range.start) as usize;
    let compare = |how: &str, found: bulla::Result<Vec<u8>>| match (found, &expected) {
        (Ok(found), Ok(expected)) => assert!(found == *expected, "{how}: other bytes"),
        (Err(error), Err(expected)) => assert_eq!(fault(error), *expected, "{how}"),
        (found, expected) => panic!("{how}: {:?}, but {:?}", found.err(), expected.err()),
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
    compare("by extents", visited.map(|()| collected.into_inner().expect("no thread panicked")));
}

fn out_of_range(reader: &RangeReader<'_, &[u8]>, range: Range<u64>) {
    let len = reader.len();
    let refused = |result: bulla::Result<()>| {
        assert!(
            matches!(result, Err(Error::OutOfRange { len: told }) if told == len),
            "{range:?}: {result:?}"
        );
    };
    refused(reader.for_each_extent(std::slice::from_ref(&range), |_, _| Ok(())));
    refused(reader.read_into(&mut [0], len));
    refused(reader.read_into(&mut [0], u64::MAX));
    let beyond = reader.read_at(&mut [0; 4], len.saturating_add(range.start));
    assert!(matches!(beyond, Ok(0)), "{beyond:?}");
}

/// A range's length, or what is wrong.
fn described(found: &Result<Option<Vec<u8>>, Fault>) -> Result<Option<usize>, Fault> {
    found.as_ref().map(|found| found.as_ref().map(Vec::len)).map_err(|fault| *fault)
}
