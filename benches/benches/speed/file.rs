//! From file to file in the temporary directory (`TMPDIR`), not synced, compared with a plain copy.

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::LazyLock;

use bulla::Options;
use bulla_benches::limits::read_and_write;
use bulla_benches::seeded;
use bulla_benches::threads::Threads;
use bulla_benches::units::size_label;
use criterion::{BatchSize, Bencher, Criterion};

use crate::{CHUNKS, large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    let len = scaled(128 << 20, 3 << 20);
    let plaintext = LazyLock::new(|| {
        let mut file = temporary();
        file.write_all(&seeded::bytes(len)).expect("the disk has enough space");
        file.rewind().expect("the file is seekable");
        file
    });
    let key = seeded::key();
    for threads in Threads::each() {
        for chunk in CHUNKS {
            let options = Options::new().chunk_size(chunk).workers(threads.workers());
            let name = format!(
                "{}/{}/threads={}",
                size_label(chunk.bytes()),
                size_label(len),
                threads.count()
            );
            large(&mut criterion.benchmark_group("file/seal"), &name, len, |bencher| {
                to_file(bencher, |output| {
                    bulla::seal_file(&key, &plaintext, output, &options).expect("sealing succeeds");
                });
            });
            large(&mut criterion.benchmark_group("file/open"), &name, len, |bencher| {
                let container = temporary();
                bulla::seal_file(&key, &plaintext, &container, &options).expect("sealing succeeds");
                to_file(bencher, |output| {
                    bulla::open_file(&key, &container, output, &options).expect("opening succeeds");
                });
            });
        }
        let name = format!("{}/threads={}", size_label(len), threads.count());
        large(&mut criterion.benchmark_group("limit/file"), &name, len, |bencher| {
            to_file(bencher, |output| {
                read_and_write(&threads, &plaintext, output, len).expect("copying succeeds")
            });
        });
    }
}

/// Measures `run` on a new file each time. Creating and removing the file is not timed.
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
    tempfile::tempfile().expect("the temporary directory is writable")
}
