//! Ranges of a container in memory. Reading a range opens the chunks that it overlaps.

use std::cell::LazyCell;
use std::hint::black_box;

use bulla::{Options, RangeReader};
use bulla_benches::seeded;
use bulla_benches::threads::Threads;
use bulla_benches::units::size_label;
use criterion::{Criterion, Throughput};

use crate::{CHUNKS, large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    let plaintext = seeded::bytes(scaled(64 << 20, 3 << 20));
    let key = seeded::key();
    for chunk in CHUNKS {
        let options = Options::new().chunk_size(chunk);
        let container =
            LazyCell::new(|| bulla::seal(&key, &plaintext, &options).expect("sealing succeeds"));
        let mut group = criterion.benchmark_group("range");
        for len in [4 << 10, 1 << 20] {
            let threads = Threads::new(1);
            let name = format!("{}/{}/threads=1", size_label(chunk.bytes()), size_label(len));
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(name, |bencher| {
                let options = options.workers(threads.workers());
                let reader =
                    RangeReader::new(&key, &container[..], &options).expect("opening succeeds");
                let mut out = vec![1; len];
                let mut offsets =
                    seeded::offsets(1000, reader.len() - len as u64).into_iter().cycle();
                bencher.iter(|| {
                    let offset = offsets.next().unwrap_or_default();
                    reader.read_into(black_box(&mut out), offset).expect("opening succeeds");
                });
            });
        }
        for threads in Threads::each() {
            let name = format!("{}/whole/threads={}", size_label(chunk.bytes()), threads.count());
            large(&mut group, &name, plaintext.len(), |bencher| {
                let options = options.workers(threads.workers());
                let reader =
                    RangeReader::new(&key, &container[..], &options).expect("opening succeeds");
                let mut out = vec![1; plaintext.len()];
                bencher
                    .iter(|| reader.read_into(black_box(&mut out), 0).expect("opening succeeds"));
            });
        }
    }
}
