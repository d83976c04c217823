//! Builds containers with exactly one fault: a test splits a container that the reference sealed
//! into its parts, changes one part, and joins the parts again. Only functions that update a
//! commitment or a tag take the key, because an attacker could make all other changes without it:
//!
//! ```
//! use bulla_testkit::corrupt::{ContainerParts, HeaderCopy, field};
//! use bulla_testkit::reference::{ContainerError, SealParams, open_stream, seal};
//!
//! let key = [1; 32];
//! let container = seal(&SealParams {
//!     key,
//!     salt: [2; 32],
//!     chunk_log2: 12,
//!     content: 0,
//!     context: None,
//!     envelope: b"",
//!     plaintext: b"hi",
//! });
//!
//! let suite_2 = ContainerParts::split(&container)
//!     .edit(HeaderCopy::Both, field::SUITE, &[0, 2])
//!     .update_check(HeaderCopy::Both)
//!     .to_bytes();
//! let outcome = open_stream(&suite_2, &key, None);
//! assert_eq!(outcome.result, Err(ContainerError::UnsupportedSuite { suite: 2 }));
//! ```

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

use crate::reference::{self, HEADER_LEN, Schedule};

/// Offsets of the header fields (section 2 of FORMAT.md).
#[expect(missing_docs, reason = "named as in section 2")]
pub mod field {
    pub const MAGIC: usize = 0;
    pub const MAJOR: usize = 8;
    pub const MINOR: usize = 9;
    pub const SUITE: usize = 10;
    pub const CHUNK_LOG2: usize = 12;
    pub const CONTENT: usize = 13;
    pub const FLAGS: usize = 14;
    pub const ENVELOPE_LEN: usize = 16;
    /// 12 reserved bytes that the key schedule binds.
    pub const RESERVED_BOUND: usize = 20;
    pub const SALT: usize = 32;
    pub const COMMITMENT: usize = 64;
    /// 24 reserved bytes that only the check covers.
    pub const RESERVED: usize = 96;
    /// The first 8 of those bytes, which hold the container length in a footer.
    pub const CONTAINER_LEN: usize = 96;
    pub const CHECK: usize = 120;
}

/// The copy of the header to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderCopy {
    /// The first 128 bytes.
    Header,
    /// The last 128 bytes.
    Footer,
    /// Both copies.
    Both,
}

/// The parts of a container (F-2.1), each of which can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerParts {
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

impl ContainerParts {
    /// Splits a well-formed container into its parts.
    ///
    /// # Panics
    /// If the header is invalid, or if a container cannot have this length.
    pub fn split(container: &[u8]) -> ContainerParts {
        let header: [u8; HEADER_LEN] = *container.first_chunk().expect("a container has a header");
        let footer = *container.last_chunk().expect("a container has a footer");
        let geometry = reference::inspect(container, false).expect("the header is valid").geometry;
        let chunks = (0..=geometry.n).map(|i| container[geometry.chunk(i)].to_vec()).collect();
        let (head, tail) = (geometry.start as usize, container.len() - geometry.start as usize);
        let envelope = container[HEADER_LEN..head].to_vec();
        let tail_envelope = container[tail..container.len() - HEADER_LEN].to_vec();
        ContainerParts { header, envelope, chunks, tail_envelope, footer }
    }

    /// Concatenates the parts.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.header, &self.envelope[..], &self.chunks.concat(), &self.tail_envelope, &self.footer]
            .concat()
    }

    /// Overwrites bytes of a header copy, starting at offset `at`, without updating the check.
    pub fn edit(mut self, which: HeaderCopy, at: usize, bytes: &[u8]) -> ContainerParts {
        for copy in self.copies(which) {
            copy[at..at + bytes.len()].copy_from_slice(bytes);
        }
        self
    }

    /// Flips the lowest bit of byte `at` in a header copy without updating the check.
    pub fn flip(mut self, which: HeaderCopy, at: usize) -> ContainerParts {
        for copy in self.copies(which) {
            copy[at] ^= 1;
        }
        self
    }

    /// Recomputes the check.
    pub fn update_check(mut self, which: HeaderCopy) -> ContainerParts {
        for copy in self.copies(which) {
            reference::write_check(copy);
        }
        self
    }

    /// Overwrites bytes in both header copies, then re-encrypts the chunks and recomputes the
    /// commitment and the checks with the keys derived from the changed header.
    ///
    /// # Panics
    /// If the chunks do not open under `key` and `context`.
    pub fn reseal(
        self,
        key: &[u8; 32],
        context: Option<&[u8]>,
        at: usize,
        bytes: &[u8],
    ) -> ContainerParts {
        let before = self.keys(key, context);
        let mut after = self.edit(HeaderCopy::Both, at, bytes);
        let keys = after.keys(key, context);
        for (i, chunk) in (0..).zip(&mut after.chunks) {
            let plaintext =
                reference::open_chunk(&before, i, chunk).expect("the chunks open before the edit");
            *chunk = reference::seal_chunk(&keys, i, &plaintext);
        }
        after
            .edit(HeaderCopy::Both, field::COMMITMENT, &keys.commitment)
            .update_check(HeaderCopy::Both)
    }

    /// Derives the key schedule for the current header.
    pub fn keys(&self, key: &[u8; 32], context: Option<&[u8]>) -> Schedule {
        reference::schedule(key, &reference::bound(&self.header), context)
    }

    /// Replaces chunk `i`. The new chunk may have any length.
    pub fn replace_chunk(mut self, i: usize, chunk: Vec<u8>) -> ContainerParts {
        self.chunks[i] = chunk;
        self
    }

    /// Flips the lowest bit of byte `at` in chunk `i`.
    pub fn flip_chunk(mut self, i: usize, at: usize) -> ContainerParts {
        self.chunks[i][at] ^= 1;
        self
    }

    /// Swaps two chunks.
    pub fn swap_chunks(mut self, i: usize, j: usize) -> ContainerParts {
        self.chunks.swap(i, j);
        self
    }

    /// Removes chunk `i`.
    pub fn drop_chunk(mut self, i: usize) -> ContainerParts {
        self.chunks.remove(i);
        self
    }

    /// Inserts a chunk before chunk `i`.
    pub fn insert_chunk(mut self, i: usize, chunk: Vec<u8>) -> ContainerParts {
        self.chunks.insert(i, chunk);
        self
    }

    /// Replaces both copies of the envelope, whose lengths may differ.
    pub fn envelopes(mut self, head: &[u8], tail: &[u8]) -> ContainerParts {
        (self.envelope, self.tail_envelope) = (head.to_vec(), tail.to_vec());
        self
    }

    fn copies(&mut self, which: HeaderCopy) -> impl Iterator<Item = &mut [u8; HEADER_LEN]> {
        let header = (which != HeaderCopy::Footer).then_some(&mut self.header);
        let footer = (which != HeaderCopy::Header).then_some(&mut self.footer);
        header.into_iter().chain(footer)
    }
}

/// Seals a chunk with associated data, although F-5.2 requires it to be empty.
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

/// Returns the first `len` bytes.
pub fn truncate(container: &[u8], len: usize) -> Vec<u8> {
    container[..len].to_vec()
}

/// Returns the container followed by `trailing`.
pub fn extend(container: &[u8], trailing: &[u8]) -> Vec<u8> {
    [container, trailing].concat()
}

/// Returns the container without the `len` bytes at offset `at`.
pub fn remove(container: &[u8], at: usize, len: usize) -> Vec<u8> {
    [&container[..at], &container[at + len..]].concat()
}

/// Returns the container with `bytes` inserted at offset `at`.
pub fn insert(container: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    [&container[..at], bytes, &container[at..]].concat()
}

/// Returns the container with one bit flipped. Bit 0 is the lowest bit of the first byte.
pub fn flip_bit(container: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = container.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

/// Returns the container with every CR LF replaced by LF, as in a text-mode transfer.
pub fn convert_line_endings(container: &[u8]) -> Vec<u8> {
    let is_crlf = |at: usize| container[at..].starts_with(b"\r\n");
    (0..container.len()).filter(|&at| !is_crlf(at)).map(|at| container[at]).collect()
}
