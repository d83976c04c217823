//! Header, footer and envelopes, which are readable without a key.

use bulla::{Header, Preamble};

use crate::library;
use crate::reference::{self, FOOTER_MAGIC, HEADER_LEN, HEADER_MAGIC};

/// **Input: a container**, or a prefix of one, whose header, footer and envelope are read without a
/// key. The input is read twice: unchanged, and with valid magic, version and check in both copies.
/// In both cases, for a streaming and a positional reader:
///
/// - The library finds the same authoritative copy, header state, envelopes and plaintext length as
///   the reference, or the same error (F-3.3 to F-3.7, F-7.1, F-7.3, F-8.1).
/// - It never panics, and allocates no more than the size of the two envelopes, each of which is at
///   most 1 MiB and no longer than the input.
pub fn header(bytes: &[u8]) {
    compare(bytes);
    compare(&with_valid_checks(bytes));
}

/// Compares the library with the reference.
fn compare(bytes: &[u8]) {
    let found = reference::inspect(bytes, true);
    match (Preamble::read_at(bytes), &found) {
        (Ok(preamble), Ok(found)) => {
            assert_same_header(preamble.header(), &found.header);
            assert_eq!(
                preamble.header_state().map(library::header_state),
                Some(found.header_state)
            );
            let (head, tail) = reference::envelopes(bytes, found);
            assert_eq!((preamble.envelope(), preamble.envelope_copy()), (head, tail));
        }
        (Err(error), Err(expected)) => assert_eq!(library::container_error(error), *expected),
        (preamble, found) => panic!("positional: library {preamble:?}, reference {found:?}"),
    }
    let mut stream = bytes;
    match (Preamble::read(&mut stream), reference::inspect(bytes, false)) {
        (Ok(preamble), Ok(found)) => {
            assert_same_header(preamble.header(), &found.header);
            assert_eq!(
                preamble.header_state(),
                None,
                "a stream cannot know the state before its end"
            );
            assert_eq!(preamble.envelope(), reference::envelopes(bytes, &found).0);
            assert_eq!(
                bytes.len() - stream.len(),
                found.geometry.start as usize,
                "the reader is not at chunk 0"
            );
        }
        (Err(error), Err(expected)) => assert_eq!(library::container_error(error), expected),
        (preamble, found) => panic!("stream: library {preamble:?}, reference {found:?}"),
    }
    match (bulla::plaintext_len(bytes), found) {
        (Ok(len), Ok(found)) => assert_eq!(len, found.geometry.plaintext_len()),
        (Err(error), found) => {
            // Without a key, only a missing last chunk is detectable.
            let expected = match found {
                Ok(found) => reference::ContainerError::Truncated { after: found.geometry.n },
                Err(expected) => expected,
            };
            assert_eq!(library::container_error(error), expected);
        }
        (len, found) => panic!("plaintext length: library {len:?}, reference {found:?}"),
    }
}

/// Compares every field with the bytes at the offset that section 2 gives for it.
fn assert_same_header(header: &Header, copy: &[u8; HEADER_LEN]) {
    let number =
        |at: usize, len: usize| copy[at..at + len].iter().fold(0, |n, b| n << 8 | u64::from(*b));
    assert_eq!(header.version(), (copy[8], copy[9]));
    assert_eq!(u64::from(header.suite()), number(10, 2));
    assert_eq!(header.chunk_size().log2(), copy[12]);
    assert_eq!(header.content_type().0, copy[13]);
    assert_eq!(header.needs_context(), copy[15] & 1 == 1);
    assert_eq!(u64::from(header.envelope_len()), number(16, 4));
    assert_eq!((&header.salt()[..], &header.commitment()[..]), (&copy[32..64], &copy[64..96]));
}

/// Returns the input with a valid magic, major version and check in both copies, if it is long
/// enough.
fn with_valid_checks(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let fix = |copy: Option<&mut [u8; HEADER_LEN]>, magic| {
        if let Some(copy) = copy {
            copy[..8].copy_from_slice(magic);
            copy[8] = 1;
            reference::write_check(copy);
        }
    };
    fix(bytes.last_chunk_mut(), &FOOTER_MAGIC);
    fix(bytes.first_chunk_mut(), &HEADER_MAGIC);
    bytes
}
