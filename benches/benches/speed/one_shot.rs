//! `seal_into` and `open_into`, from one buffer into another, compared with a bare loop over the
//! cipher and with a plain copy.

use std::hint::black_box;

use bulla::{ChunkSize, Options};
use bulla_benches::limits::{self, BareCipher};
use bulla_benches::seeded;
use bulla_benches::threads::Threads;
use bulla_benches::units::size_label;
use criterion::Criterion;

use crate::{CHUNKS, large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    let plaintext = seeded::bytes(scaled(256 << 20, 3 << 20));
    for threads in Threads::each() {
        for chunk in CHUNKS {
            seal(criterion, &plaintext, chunk, &threads);
            open(criterion, &plaintext, chunk, &threads);
        }
        copy(criterion, &plaintext, &threads);
    }
}

fn seal(criterion: &mut Criterion, plaintext: &[u8], chunk: ChunkSize, threads: &Threads) {
    let name = name(plaintext, chunk, threads);
    let options = Options::new().chunk_size(chunk).workers(threads.workers());
    large(&mut criterion.benchmark_group("seal"), &name, plaintext.len(), |bencher| {
        let key = seeded::key();
        let mut out = touched_buffer(
            bulla::sealed_len(plaintext.len() as u64, &options)
                .expect("the length is within the format's limit") as usize,
        );
        bencher.iter(|| {
            bulla::seal_into(&key, plaintext, black_box(&mut out), &options)
                .expect("sealing succeeds")
        });
    });
    large(&mut criterion.benchmark_group("limit/seal"), &name, plaintext.len(), |bencher| {
        let bare = BareCipher::new(chunk.bytes());
        let mut out = touched_buffer(bare.sealed_len(plaintext.len()));
        bencher.iter(|| bare.seal(threads, plaintext, black_box(&mut out)));
    });
}

fn open(criterion: &mut Criterion, plaintext: &[u8], chunk: ChunkSize, threads: &Threads) {
    let name = name(plaintext, chunk, threads);
    let options = Options::new().chunk_size(chunk).workers(threads.workers());
    large(&mut criterion.benchmark_group("open"), &name, plaintext.len(), |bencher| {
        let key = seeded::key();
        let container = bulla::seal(&key, plaintext, &options).expect("sealing succeeds");
        let mut out = touched_buffer(plaintext.len());
        bencher.iter(|| {
            bulla::open_into(&key, &container, black_box(&mut out), &options)
                .expect("opening succeeds")
        });
    });
    large(&mut criterion.benchmark_group("limit/open"), &name, plaintext.len(), |bencher| {
        let bare = BareCipher::new(chunk.bytes());
        let mut sealed = touched_buffer(bare.sealed_len(plaintext.len()));
        bare.seal(threads, plaintext, &mut sealed);
        let mut out = touched_buffer(plaintext.len());
        bencher.iter(|| bare.open(threads, &sealed, black_box(&mut out)));
    });
}

fn copy(criterion: &mut Criterion, plaintext: &[u8], threads: &Threads) {
    let name = format!("{}/threads={}", size_label(plaintext.len()), threads.count());
    large(&mut criterion.benchmark_group("limit/copy"), &name, plaintext.len(), |bencher| {
        let mut out = touched_buffer(plaintext.len());
        bencher.iter(|| limits::copy(threads, plaintext, black_box(&mut out)));
    });
}

fn name(plaintext: &[u8], chunk: ChunkSize, threads: &Threads) -> String {
    format!(
        "{}/{}/threads={}",
        size_label(chunk.bytes()),
        size_label(plaintext.len()),
        threads.count()
    )
}

/// Returns a buffer whose pages the system has already backed with memory.
fn touched_buffer(len: usize) -> Vec<u8> {
    vec![1; len]
}
