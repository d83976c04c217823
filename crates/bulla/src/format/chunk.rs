//! Seals and opens individual chunks in place (FORMAT.md, section 5). No other module builds a
//! nonce.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::crypto::backend::{
    AES_256_GCM, Aad, LessSafeKey, Nonce, TAG_LEN, UnboundKey, open_to_start,
};
use crate::error::{Error, Result};
use crate::format::geometry::MAX_CHUNK_INDEX;
use crate::format::schedule::Schedule;

/// Permission to seal the chunk with a particular number, exactly once (F-6.1).
///
/// Only a [`ChunkSealer`] issues tickets, and it issues each number only once. A ticket cannot be
/// cloned, and sealing consumes it, so no nonce is ever used for two plaintexts under one salt.
pub(crate) struct Ticket(u32);

/// Tickets for consecutive chunks.
pub(crate) struct Tickets {
    next: u64,
    end: u64,
}

/// Seals the chunks of one container.
pub(crate) struct ChunkSealer {
    cipher: Cipher,
    /// The lowest chunk number for which no ticket has been issued.
    next: AtomicU64,
}

/// Opens the chunks of one container.
pub(crate) struct ChunkOpener {
    cipher: Cipher,
}

/// The error for a chunk that failed authentication.
pub(crate) struct Rejected;

struct Cipher {
    key: LessSafeKey,
    base_nonce: [u8; 12],
}

impl Cipher {
    fn new(schedule: &Schedule) -> Cipher {
        let Ok(key) = UnboundKey::new(&AES_256_GCM, &schedule.chunk_key[..]) else {
            unreachable!("an AES-256 key has 32 bytes")
        };
        Cipher { key: LessSafeKey::new(key), base_nonce: schedule.base_nonce }
    }

    /// Returns base_nonce XOR the chunk number as a 96-bit big-endian integer (F-5.2).
    fn nonce(&self, index: u32) -> Nonce {
        let mut nonce = self.base_nonce;
        for (byte, number) in nonce[8..].iter_mut().zip(index.to_be_bytes()) {
            *byte ^= number;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

impl ChunkSealer {
    pub(crate) fn new(schedule: &Schedule) -> ChunkSealer {
        ChunkSealer { cipher: Cipher::new(schedule), next: AtomicU64::new(0) }
    }

    /// Issues the next `count` tickets.
    pub(crate) fn tickets(&self, count: u64) -> Result<Tickets> {
        let next = self.next.fetch_add(count, Ordering::Relaxed);
        let end = next + count;
        if end > MAX_CHUNK_INDEX + 1 {
            return Err(Error::TooLarge);
        }
        Ok(Tickets { next, end })
    }

    /// Seals `slot` in place. The slot holds the plaintext, followed by 16 bytes of space for the
    /// tag.
    pub(crate) fn seal(&self, ticket: Ticket, slot: &mut [u8]) {
        let (plaintext, space) = slot.split_at_mut(slot.len() - TAG_LEN);
        let nonce = self.cipher.nonce(ticket.0);
        let Ok(tag) = self.cipher.key.seal_in_place_separate_tag(nonce, Aad::empty(), plaintext)
        else {
            unreachable!("a chunk of at most 2^20 bytes is within AES-GCM's limits")
        };
        space.copy_from_slice(tag.as_ref());
    }
}

impl ChunkOpener {
    pub(crate) fn new(schedule: &Schedule) -> ChunkOpener {
        ChunkOpener { cipher: Cipher::new(schedule) }
    }

    /// Opens the ciphertext at `in_out[from..]` and moves the plaintext to the start of `in_out`.
    ///
    /// If the tag is invalid, all of `in_out` is zeroed, so that no unverified byte can be
    /// released.
    pub(crate) fn open(
        &self,
        index: u64,
        tag: [u8; TAG_LEN],
        in_out: &mut [u8],
        from: usize,
    ) -> std::result::Result<(), Rejected> {
        let index = u32::try_from(index).map_err(|_| Rejected)?;
        let nonce = self.cipher.nonce(index);
        if open_to_start(&self.cipher.key, nonce, tag, in_out, from) {
            Ok(())
        } else {
            in_out.fill(0);
            Err(Rejected)
        }
    }
}

impl Tickets {
    /// Returns the number of the first chunk.
    pub(crate) fn first(&self) -> u64 {
        self.next
    }

    /// Returns the number of tickets left.
    pub(crate) fn len(&self) -> u64 {
        self.end - self.next
    }

    /// Splits the tickets into runs of `count` consecutive chunks, in order.
    pub(crate) fn runs_of(mut self, count: u64) -> impl Iterator<Item = Tickets> + Send {
        std::iter::from_fn(move || {
            let cut = self.next + count.min(self.len());
            let next = std::mem::replace(&mut self.next, cut);
            (next < cut).then_some(Tickets { next, end: cut })
        })
    }
}

impl Iterator for Tickets {
    type Item = Ticket;

    fn next(&mut self) -> Option<Ticket> {
        let index = (self.next < self.end).then_some(self.next)?;
        self.next += 1;
        // `ChunkSealer::tickets` ensures that `index` fits in a `u32`.
        u32::try_from(index).ok().map(Ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::Key;
    use crate::format::geometry::{ChunkSize, Layout};
    use crate::format::header::{ContentType, Header};

    fn schedule() -> Schedule {
        let layout = Layout { chunk: ChunkSize::MIN, envelope_len: 0 };
        let header = Header::new(layout, ContentType::BYTES, false, &[3; 32]);
        Schedule::derive(&Key::from_bytes(&[4; 32]), header.bound(), None)
    }

    /// Seals `plaintext` as chunk 0.
    fn sealed(plaintext: &[u8]) -> Vec<u8> {
        let sealer = ChunkSealer::new(&schedule());
        let ticket = sealer.tickets(1).unwrap().next().unwrap();
        let mut slot = [plaintext, &[0; TAG_LEN]].concat();
        sealer.seal(ticket, &mut slot);
        slot
    }

    fn open(index: u64, sealed: &[u8], from: usize) -> (bool, Vec<u8>) {
        let (text, tag) = sealed.split_last_chunk().unwrap();
        let mut in_out = vec![0xEE; from];
        in_out.extend_from_slice(text);
        let opened = ChunkOpener::new(&schedule()).open(index, *tag, &mut in_out, from);
        (opened.is_ok(), in_out)
    }

    /// F-6.1: the nonce is built from the chunk number, so no number may be issued twice.
    #[test]
    fn issues_each_number_once() {
        let sealer = ChunkSealer::new(&schedule());
        assert!(sealer.tickets(3).unwrap().map(|ticket| ticket.0).eq([0, 1, 2]));
        let five = sealer.tickets(5).unwrap();
        assert_eq!((five.first(), five.len()), (3, 5));
        let runs: Vec<Vec<u32>> =
            five.runs_of(2).map(|run| run.map(|ticket| ticket.0).collect()).collect();
        assert_eq!(runs, [vec![3, 4], vec![5, 6], vec![7]]);

        let rest = sealer.tickets(MAX_CHUNK_INDEX - 7).unwrap();
        assert_eq!((rest.first(), rest.len()), (8, (1 << 32) - 8));
        assert!(matches!(sealer.tickets(1), Err(Error::TooLarge)));
    }

    /// F-5.2
    #[test]
    fn builds_the_nonce_from_the_chunk_number() {
        let cipher = Cipher::new(&Schedule { base_nonce: [0xA5; 12], ..schedule() });
        let nonce = cipher.nonce(0x0102_04FF);
        assert_eq!(nonce.as_ref()[..8], [0xA5; 8]);
        assert_eq!(nonce.as_ref()[8..], [0xA4, 0xA7, 0xA1, 0x5A]);
    }

    /// F-5.2
    #[test]
    fn opens_a_chunk_only_with_its_number() {
        for plaintext in [&b""[..], b"a", &[9; 4096]] {
            let sealed = sealed(plaintext);
            let (opened, in_out) = open(0, &sealed, 48);
            assert!(opened && in_out.starts_with(plaintext));
            assert!(!open(1, &sealed, 48).0);
        }
    }

    #[test]
    fn zeroes_the_buffer_of_a_rejected_chunk() {
        for from in [0, 16, 8192] {
            let mut sealed = sealed(&[9; 4096]);
            sealed[4095] ^= 1;
            let (opened, in_out) = open(0, &sealed, from);
            assert!(!opened);
            assert_eq!(in_out, vec![0; from + 4096]);
        }
    }
}
