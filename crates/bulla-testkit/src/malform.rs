//! Malformed containers, one fault at a time: a container of the reference taken apart, changed and
//! joined.
//!
//! What an attacker without the key can do needs no key here. Where a fault lies behind a check, a
//! commitment or a tag, and so must be sealed in, the key is asked for:
//!
//! ```
//! use bulla_testkit::malform::{Parts, Place, field};
//! use bulla_testkit::reference::{Fault, SealParams, open_stream, seal};
//!
//! let key = [1; 32];
//! let params =
//!     SealParams { key, salt: [2; 32], chunk_log2: 12, content: 0, context: None, envelope: b"", plaintext: b"hi" };
//! let container = seal(&params);
//!
//! let suite_2 = Parts::of(&container).edit(Place::Both, field::SUITE, &[0, 2]).remake_check(Place::Both).join();
//! assert_eq!(open_stream(&suite_2, &key, None).result, Err(Fault::UnsupportedSuite { suite: 2 }));
//! ```

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

use crate::reference::{self, HEADER_LEN, Schedule};

/// Offsets of the header's fields (section 2 of FORMAT.md).
#[expect(missing_docs, reason = "the names are those of the table there")]
pub mod field {
    pub const MAGIC: usize = 0;
    pub const MAJOR: usize = 8;
    pub const MINOR: usize = 9;
    pub const SUITE: usize = 10;
    pub const CHUNK_LOG2: usize = 12;
    pub const CONTENT: usize = 13;
    pub const FLAGS: usize = 14;
    pub const ENVELOPE_LEN: usize = 16;
    /// Reserved and bound by the key schedule, 12 bytes.
    pub const RESERVED_BOUND: usize = 20;
    pub const SALT: usize = 32;
    pub const COMMITMENT: usize = 64;
    /// Reserved and covered by the check only, 24 bytes.
    pub const RESERVED: usize = 96;
    /// In the footer, the first 8 of those.
    pub const CONTAINER_LEN: usize = 96;
    pub const CHECK: usize = 120;
}

/// Which of the two copies of the header to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first 128 bytes.
    Header,
    /// The last 128 bytes.
    Footer,
    /// Both.
    Both,
}

/// The parts of a container (F-2.1), each open to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The header.
    pub header: [u8; HEADER_LEN],
    /// The envelope after the header.
    pub envelope: Vec<u8>,
    /// The chunks, each with its tag.
    pub chunks: Vec<Vec<u8>>,
    /// The envelope before the footer.
    pub tail_envelope: Vec<u8>,
    /// The footer.
    pub footer: [u8; HEADER_LEN],
}

impl Parts {
    /// Takes a well-formed container apart.
    ///
    /// # Panics
    ///
    /// If its header is not valid or its length is none that a container has.
    pub fn of(container: &[u8]) -> Parts {
        let header: [u8; HEADER_LEN] = *container.first_chunk().expect("a container has a header");
        let footer = *container.last_chunk().expect("a container has a footer");
        let geometry = reference::look(container, false).expect("the header is valid").geometry;
        let chunks = (0..=geometry.n).map(|i| container[geometry.chunk(i)].to_vec()).collect();
        let (head, tail) = (geometry.start as usize, container.len() - geometry.start as usize);
        let envelope = container[HEADER_LEN..head].to_vec();
        let tail_envelope = container[tail..container.len() - HEADER_LEN].to_vec();
        Parts { header, envelope, chunks, tail_envelope, footer }
    }

    /// The parts one after the other.
    pub fn join(&self) -> Vec<u8> {
        [&self.header, &self.envelope[..], &self.chunks.concat(), &self.tail_envelope, &self.footer]
            .concat()
    }

    /// Overwrites bytes of the header or footer from offset `at`; the check is left as it was.
    pub fn edit(mut self, place: Place, at: usize, bytes: &[u8]) -> Parts {
        for copy in self.copies(place) {
            copy[at..at + bytes.len()].copy_from_slice(bytes);
        }
        self
    }

    /// Flips the lowest bit of the byte at offset `at`; the check is left as it was.
    pub fn flip(mut self, place: Place, at: usize) -> Parts {
        for copy in self.copies(place) {
            copy[at] ^= 1;
        }
        self
    }

    /// Makes the check hold again.
    pub fn remake_check(mut self, place: Place) -> Parts {
        for copy in self.copies(place) {
            reference::write_check(copy);
        }
        self
    }

    /// Edits both copies and seals everything anew under the keys that follow: commitment, chunks,
    /// checks.
    ///
    /// # Panics
    ///
    /// If the chunks do not open under the key and context.
    pub fn reseal(self, key: &[u8; 32], context: Option<&[u8]>, at: usize, bytes: &[u8]) -> Parts {
        let before = self.keys(key, context);
        let mut after = self.edit(Place::Both, at, bytes);
        let keys = after.keys(key, context);
        for (i, chunk) in (0..).zip(&mut after.chunks) {
            let plaintext =
                reference::open_chunk(&before, i, chunk).expect("the chunks open before the edit");
            *chunk = reference::seal_chunk(&keys, i, &plaintext);
        }
        after.edit(Place::Both, field::COMMITMENT, &keys.commitment).remake_check(Place::Both)
    }

    /// The key schedule over the header as it stands.
    pub fn keys(&self, key: &[u8; 32], context: Option<&[u8]>) -> Schedule {
        reference::schedule(key, &reference::bound(&self.header), context)
    }

    /// Replaces chunk `i`, to any length.
    pub fn replace_chunk(mut self, i: usize, chunk: Vec<u8>) -> Parts {
        self.chunks[i] = chunk;
        self
    }

    /// Flips the lowest bit of byte `at` of chunk `i`.
    pub fn flip_chunk(mut self, i: usize, at: usize) -> Parts {
        self.chunks[i][at] ^= 1;
        self
    }

    /// Lets two chunks change places.
    pub fn swap_chunks(mut self, i: usize, j: usize) -> Parts {
        self.chunks.swap(i, j);
        self
    }

    /// Takes chunk `i` out.
    pub fn drop_chunk(mut self, i: usize) -> Parts {
        self.chunks.remove(i);
        self
    }

    /// Puts a chunk in before chunk `i`.
    pub fn insert_chunk(mut self, i: usize, chunk: Vec<u8>) -> Parts {
        self.chunks.insert(i, chunk);
        self
    }

    /// Replaces both copies of the envelope, which may be given different lengths.
    pub fn envelopes(mut self, head: &[u8], tail: &[u8]) -> Parts {
        (self.envelope, self.tail_envelope) = (head.to_vec(), tail.to_vec());
        self
    }

    fn copies(&mut self, place: Place) -> impl Iterator<Item = &mut [u8; HEADER_LEN]> {
        let header = (place != Place::Footer).then_some(&mut self.header);
        let footer = (place != Place::Header).then_some(&mut self.footer);
        header.into_iter().chain(footer)
    }
}

/// A chunk sealed with associated data, which F-5.2 leaves empty.
pub fn seal_chunk_with_associated_data(
    keys: &Schedule,
    i: u64,
    plaintext: &[u8],
    aad: &[u8],
) -> Vec<u8> {
    let nonce = Nonce::from(reference::nonce(&keys.base_nonce, i));
    let payload = Payload { msg: plaintext, aad };
    Aes256Gcm::new(&keys.chunk_key.into())
        .encrypt(&nonce, payload)
        .expect("a chunk is shorter than 2^36 bytes")
}

/// The first `len` bytes.
pub fn truncate(container: &[u8], len: usize) -> Vec<u8> {
    container[..len].to_vec()
}

/// The container with bytes after its end.
pub fn extend(container: &[u8], trailing: &[u8]) -> Vec<u8> {
    [container, trailing].concat()
}

/// The container without the `len` bytes from offset `at`.
pub fn remove(container: &[u8], at: usize, len: usize) -> Vec<u8> {
    [&container[..at], &container[at + len..]].concat()
}

/// The container with bytes put in at offset `at`.
pub fn insert(container: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    [&container[..at], bytes, &container[at..]].concat()
}

/// The container with one bit changed; bit 0 is the lowest of the first byte.
pub fn flip_bit(container: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = container.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

/// The container with each CR LF made LF, as by a transfer as text.
pub fn convert_line_ends(container: &[u8]) -> Vec<u8> {
    let ends_line = |at: usize| container[at..].starts_with(b"\r\n");
    (0..container.len()).filter(|&at| !ends_line(at)).map(|at| container[at]).collect()
}
