//! From file to file, not synced, in the directory for temporary files (`TMPDIR`), beside reading
//! and writing alone.

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::LazyLock;

use bulla::Options;
use bulla_benches::limits::read_and_write;
use bulla_benches::names::size;
use bulla_benches::seeded;
use bulla_benches::threads::Threads;
use criterion::{BatchSize, Bencher, Criterion};

use crate::{CHUNKS, large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    let len = scaled(128 << 20, 3 << 20);
    let plaintext = LazyLock::new(|| {
        let mut file = temporary();
        file.write_all(&seeded::bytes(len)).expect("there is room on the disk");
        file.rewind().expect("a file");
        file
    });
    let key = seeded::key();
    for threads in Threads::each() {
        for chunk in CHUNKS {
            let options = Options::new().chunk_size(chunk).workers(threads.workers());
            let name = format!("{}/{}/threads={}", size(chunk.bytes()), size(len), threads.count());
            large(&mut criterion.benchmark_group("file/seal"), &name, len, |bencher| {
                to_file(bencher, |output| {
                    bulla::seal_file(&key, &plaintext, output, &options).expect("it seals");
                });
            });
            large(&mut criterion.benchmark_group("file/open"), &name, len, |bencher| {
                let container = temporary();
                bulla::seal_file(&key, &plaintext, &container, &options).expect("it seals");
                to_file(bencher, |output| {
                    bulla::open_file(&key, &container, output, &options).expect("it opens");
                });
            });
        }
        let name = format!("{}/threads={}", size(len), threads.count());
        large(&mut criterion.benchmark_group("limit/file"), &name, len, |bencher| {
            to_file(bencher, |output| {
                read_and_write(&threads, &plaintext, output, len).expect("it writes")
            });
        });
    }
}

/// Each run writes a new file; making it and removing it is not counted.
fn to_file(bencher: &mut Bencher<'_>, run: impl Fn(&File)) {
    bencher.iter_batched(
        temporary,
        |output| {
            run(&output);
            output
        },
        BatchSize::PerIteration,
    );
}

fn temporary() -> File {
    tempfile::tempfile().expect("a directory for temporary files")
}
