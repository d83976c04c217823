//! Short messages, each in its own container, compared with a minimal implementation.

use std::hint::black_box;

use bulla::Options;
use bulla_benches::{minimal_container, seeded, units::size_label};
use criterion::{Criterion, Throughput};

pub(crate) fn benches(criterion: &mut Criterion) {
    let (key, options) = (seeded::key(), Options::new());
    for len in [64, 1 << 10, 16 << 10] {
        let (name, plaintext) = (size_label(len), seeded::bytes(len));
        let container = minimal_container::seal(&seeded::KEY, &plaintext);

        let mut group = criterion.benchmark_group("message/seal");
        group.throughput(Throughput::Bytes(len as u64)).sample_size(50);
        group.bench_function(&name, |bencher| {
            bencher.iter(|| {
                bulla::seal(&key, black_box(&plaintext), &options).expect("sealing succeeds")
            });
        });
        drop(group);
        let mut group = criterion.benchmark_group("limit/message/seal");
        group.throughput(Throughput::Bytes(len as u64)).sample_size(50);
        group.bench_function(&name, |bencher| {
            bencher.iter(|| minimal_container::seal(&seeded::KEY, black_box(&plaintext)));
        });
        drop(group);

        let mut group = criterion.benchmark_group("message/open");
        group.throughput(Throughput::Bytes(len as u64)).sample_size(50);
        group.bench_function(&name, |bencher| {
            bencher.iter(|| {
                bulla::open(&key, black_box(&container), &options).expect("opening succeeds")
            });
        });
        drop(group);
        let mut group = criterion.benchmark_group("limit/message/open");
        group.throughput(Throughput::Bytes(len as u64)).sample_size(50);
        group.bench_function(&name, |bencher| {
            bencher.iter(|| {
                minimal_container::open(&seeded::KEY, black_box(&container))
                    .expect("opening succeeds")
            });
        });
    }
}
