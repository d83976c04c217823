//! In memory: the library against a bare loop over ring's AES-256-GCM on the same buffers, whatever the library's own backend.

use std::hint::black_box;
use std::time::Duration;

use bulla::{BACKEND, ChunkSize, Key, Options, Workers};
use rand::RngCore;
use rayon::{ThreadPool, prelude::*};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::pairs::{in_turn, time};

const TAG: usize = 16;

/// Prints a row for each direction, chunk size and number of threads.
pub(crate) fn compare(len: usize, rounds: usize) {
    println!(
        "\n| in memory, {} MiB | bulla on {BACKEND} | bare ring loop | ratio of time |\n|---|---|---|---|",
        len >> 20
    );
    let mut plaintext = vec![0; len];
    rand::rng().fill_bytes(&mut plaintext);
    for log2 in [12, 16, 20] {
        for threads in [1, 2] {
            compare_one(&plaintext, 1 << log2, threads, rounds);
        }
    }
}

fn compare_one(plaintext: &[u8], chunk: usize, threads: usize, rounds: usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    let workers = if threads == 1 { Workers::Serial } else { Workers::Pool(&pool) };
    let size = ChunkSize::from_bytes(chunk as u64).expect("a power of two");
    let options = Options::new().chunk_size(size).workers(workers);
    let key = Key::generate().expect("random bytes");
    let bare = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).expect("32 bytes"));

    let len = bulla::sealed_len(plaintext.len() as u64, &options).expect("within the limits");
    let mut container = vec![0; len as usize];
    let mut sealed = vec![0; plaintext.len().div_ceil(chunk) * (chunk + TAG)];
    let mut opened = vec![0; plaintext.len()];

    let name = |verb| format!("{verb}, {} KiB chunks, {threads} threads", chunk >> 10);
    let seal = in_turn(
        rounds,
        || time(|| bulla::seal_into(&key, plaintext, black_box(&mut container), &options).expect("seals")),
        || bare_seal(&pool, &bare, chunk, plaintext, black_box(&mut sealed)),
    );
    println!("| {} | {seal} |", name("seal"));
    let mut bare_opened = vec![0; plaintext.len()];
    let open = in_turn(
        rounds,
        || {
            time(|| {
                bulla::open_into(&key, &container, black_box(&mut opened), &options).expect("opens");
            })
        },
        || bare_open(&pool, &bare, chunk, &sealed, black_box(&mut bare_opened)),
    );
    assert_eq!(opened, plaintext);
    assert_eq!(bare_opened, plaintext);
    println!("| {} | {open} |", name("open"));
}

/// Copy and seal chunk by chunk: what any sealing into another buffer has to do.
fn bare_seal(pool: &ThreadPool, key: &LessSafeKey, chunk: usize, from: &[u8], to: &mut [u8]) -> Duration {
    let seal = |(index, (plain, slot)): (usize, (&[u8], &mut [u8]))| {
        let (text, tag) = slot.split_at_mut(plain.len());
        text.copy_from_slice(plain);
        let sealed = key.seal_in_place_separate_tag(nonce(index), Aad::empty(), text).expect("seals");
        tag[..TAG].copy_from_slice(sealed.as_ref());
    };
    time(|| match pool.current_num_threads() {
        1 => from.chunks(chunk).zip(to.chunks_mut(chunk + TAG)).enumerate().for_each(seal),
        _ => pool.install(|| {
            from.par_chunks(chunk).zip(to.par_chunks_mut(chunk + TAG)).enumerate().for_each(seal);
        }),
    })
}

/// Copy and open chunk by chunk.
fn bare_open(pool: &ThreadPool, key: &LessSafeKey, chunk: usize, from: &[u8], to: &mut [u8]) -> Duration {
    let open = |(index, (sealed, slot)): (usize, (&[u8], &mut [u8]))| {
        let (text, tag) = sealed.split_last_chunk::<TAG>().expect("a tag");
        slot.copy_from_slice(text);
        key.open_in_place_separate_tag(nonce(index), Aad::empty(), (*tag).into(), slot, 0..).expect("opens");
    };
    time(|| match pool.current_num_threads() {
        1 => from.chunks(chunk + TAG).zip(to.chunks_mut(chunk)).enumerate().for_each(open),
        _ => pool.install(|| {
            from.par_chunks(chunk + TAG).zip(to.par_chunks_mut(chunk)).enumerate().for_each(open);
        }),
    })
}

fn nonce(index: usize) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}
