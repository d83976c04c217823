//! What a container shows before a key is at hand.

use bulla::{Header, Preamble};

use crate::library;
use crate::reference::{self, FOOTER_MAGIC, HEADER_LEN, HEADER_MAGIC};

/// **The bytes are a container**, or the beginning of one, of which header, footer and envelope are
/// looked at without a key.
///
/// By stream and by position, on the bytes as they are and once more with magic, version and check
/// of both copies made to hold: the library finds the same copy to count as the reference, the same
/// state of the copies, the same envelopes and the same length of the plaintext, or the same error
/// (F-3.3 to F-3.7, F-7.1, F-7.3, F-8.1). It never panics, and never allocates more than the two
/// envelopes, each of 1 MiB at most and no longer than the input.
pub fn header(bytes: &[u8]) {
    look(bytes);
    look(&made_to_hold(bytes));
}

fn look(bytes: &[u8]) {
    let found = reference::look(bytes, true);
    match (Preamble::read_at(bytes), &found) {
        (Ok(preamble), Ok(found)) => {
            same_header(preamble.header(), &found.copy);
            assert_eq!(preamble.header_state().map(library::copies), Some(found.header_state));
            let (head, tail) = reference::envelopes(bytes, found);
            assert_eq!((preamble.envelope(), preamble.envelope_copy()), (head, tail));
        }
        (Err(error), Err(fault)) => assert_eq!(library::fault(error), *fault),
        (preamble, found) => panic!("by position: {preamble:?} by library, {found:?} by reference"),
    }
    let mut stream = bytes;
    match (Preamble::read(&mut stream), reference::look(bytes, false)) {
        (Ok(preamble), Ok(found)) => {
            same_header(preamble.header(), &found.copy);
            assert_eq!(preamble.header_state(), None, "a stream tells it at its end");
            assert_eq!(preamble.envelope(), reference::envelopes(bytes, &found).0);
            assert_eq!(
                bytes.len() - stream.len(),
                found.geometry.start as usize,
                "it stands at chunk 0"
            );
        }
        (Err(error), Err(fault)) => assert_eq!(library::fault(error), fault),
        (preamble, found) => panic!("by stream: {preamble:?} by library, {found:?} by reference"),
    }
    match (bulla::plaintext_len(bytes), found) {
        (Ok(len), Ok(found)) => assert_eq!(len, found.geometry.plaintext_len()),
        (Err(error), found) => {
            // Without a key, only a missing last chunk shows.
            let expected = match found {
                Ok(found) => reference::Fault::Truncated { after: found.geometry.n },
                Err(fault) => fault,
            };
            assert_eq!(library::fault(error), expected);
        }
        (len, found) => panic!("{len:?} by library, {found:?} by reference"),
    }
}

/// Every field, where the table of section 2 puts it.
fn same_header(header: &Header, copy: &[u8; HEADER_LEN]) {
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

/// The same with magic, major version and check of both copies as they should be, as far as there
/// is room for them.
fn made_to_hold(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mend = |copy: Option<&mut [u8; HEADER_LEN]>, magic| {
        if let Some(copy) = copy {
            copy[..8].copy_from_slice(magic);
            copy[8] = 1;
            reference::write_check(copy);
        }
    };
    mend(bytes.last_chunk_mut(), &FOOTER_MAGIC);
    mend(bytes.first_chunk_mut(), &HEADER_MAGIC);
    bytes
}
