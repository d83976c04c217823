//! Lower bounds on the time that sealing and opening take: a memory copy, the bare cipher, and a
//! file copy.

use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::seeded;
use crate::threads::Threads;

/// Bytes in an AES-GCM tag (NIST SP 800-38D, 5.2.1.2).
pub const TAG: usize = 16;
/// Bytes that a thread copies, or reads and writes, in one step.
const PIECE: usize = 1 << 20;
/// Bytes per write call.
const WRITE: usize = 256 << 10;

/// Copies `from` to `to`, which has the same length.
pub fn copy(threads: &Threads, from: &[u8], to: &mut [u8]) {
    match threads.pool() {
        None => to.copy_from_slice(from),
        Some(pool) => pool.install(|| {
            to.par_chunks_mut(PIECE)
                .zip(from.par_chunks(PIECE))
                .for_each(|(to, from)| to.copy_from_slice(from));
        }),
    }
}

/// Ring's AES-256-GCM in a loop over chunks.
///
/// It copies each chunk to the output and runs the cipher there. Sealing from one buffer into
/// another cannot do less work than this.
pub struct BareCipher {
    key: LessSafeKey,
    chunk: usize,
}

impl BareCipher {
    /// Prepares a loop over chunks with `chunk` bytes of plaintext each.
    pub fn new(chunk: usize) -> BareCipher {
        let key = UnboundKey::new(&AES_256_GCM, &seeded::KEY).expect("the key has 32 bytes");
        BareCipher { key: LessSafeKey::new(key), chunk }
    }

    /// Returns the sealed length of `plaintext_len` bytes.
    pub fn sealed_len(&self, plaintext_len: usize) -> usize {
        plaintext_len + plaintext_len.div_ceil(self.chunk) * TAG
    }

    /// Seals `from` into `to`, which is [`sealed_len`](BareCipher::sealed_len) bytes long.
    pub fn seal(&self, threads: &Threads, from: &[u8], to: &mut [u8]) {
        let seal = |(index, (plain, slot)): (usize, (&[u8], &mut [u8]))| {
            let (text, tag) = slot.split_at_mut(plain.len());
            text.copy_from_slice(plain);
            let sealed = self.key.seal_in_place_separate_tag(nonce(index), Aad::empty(), text);
            tag.copy_from_slice(sealed.expect("a chunk is within the cipher's limit").as_ref());
        };
        let (plain, sealed) = (self.chunk, self.chunk + TAG);
        match threads.pool() {
            None => from.chunks(plain).zip(to.chunks_mut(sealed)).enumerate().for_each(seal),
            Some(pool) => pool.install(|| {
                from.par_chunks(plain).zip(to.par_chunks_mut(sealed)).enumerate().for_each(seal);
            }),
        }
    }

    /// Opens the output of [`seal`](BareCipher::seal) into `to`, which is as long as the plaintext.
    pub fn open(&self, threads: &Threads, from: &[u8], to: &mut [u8]) {
        let open = |(index, (sealed, slot)): (usize, (&[u8], &mut [u8]))| {
            let (text, tag) = sealed.split_last_chunk::<TAG>().expect("each chunk has a tag");
            slot.copy_from_slice(text);
            let opened = self.key.open_in_place_separate_tag(
                nonce(index),
                Aad::empty(),
                (*tag).into(),
                slot,
                0..,
            );
            opened.expect("the ciphertext is authentic");
        };
        let (plain, sealed) = (self.chunk, self.chunk + TAG);
        match threads.pool() {
            None => from.chunks(sealed).zip(to.chunks_mut(plain)).enumerate().for_each(open),
            Some(pool) => pool.install(|| {
                from.par_chunks(sealed).zip(to.par_chunks_mut(plain)).enumerate().for_each(open);
            }),
        }
    }
}

/// Copies the first `len` bytes of `input` to the same offsets in `output`, on all threads.
///
/// Each thread reads 1 MiB, then writes it in 256 KiB pieces under a lock that all threads share.
/// This is the fastest of the approaches that were tried.
///
/// # Errors
///
/// Returns the first error from either file.
#[cfg(unix)]
pub fn read_and_write(
    threads: &Threads,
    input: &File,
    output: &File,
    len: usize,
) -> io::Result<()> {
    use std::os::unix::fs::FileExt;

    output.set_len(len as u64)?;
    let turn = Mutex::new(());
    let piece = |buffer: &mut Vec<u8>, start: usize| {
        buffer.resize(PIECE.min(len - start), 0);
        input.read_exact_at(buffer, start as u64)?;
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts = (start as u64..).step_by(WRITE).zip(buffer.chunks(WRITE));
        parts.try_for_each(|(offset, part)| output.write_all_at(part, offset))
    };
    match threads.pool() {
        None => {
            let mut buffer = Vec::new();
            (0..len).step_by(PIECE).try_for_each(|start| piece(&mut buffer, start))
        }
        Some(pool) => pool.install(|| {
            (0..len.div_ceil(PIECE))
                .into_par_iter()
                .try_for_each_init(Vec::new, |buffer, index| piece(buffer, index * PIECE))
        }),
    }
}

fn nonce(index: usize) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_cipher_opens_its_own_output() {
        let plaintext = seeded::bytes(10_000);
        let bare = BareCipher::new(4096);
        let mut sealed = vec![0; bare.sealed_len(plaintext.len())];
        let mut opened = vec![0; plaintext.len()];
        for threads in [Threads::new(1), Threads::new(2)] {
            bare.seal(&threads, &plaintext, &mut sealed);
            bare.open(&threads, &sealed, &mut opened);
            assert_eq!(opened, plaintext);
            opened.fill(0);
        }
    }
}
