//! Short messages, each a container of its own, beside the shortest way to make and to open one.

use std::hint::black_box;

use bulla::Options;
use bulla_benches::{message, names::size, seeded};
use criterion::{Criterion, Throughput};

pub(crate) fn benches(criterion: &mut Criterion) {
    let (key, options) = (seeded::key(), Options::new());
    for len in [64, 1 << 10, 16 << 10] {
        let (name, plaintext) = (size(len), seeded::bytes(len));
        let container = message::seal(&seeded::KEY, &plaintext);

        let mut group = criterion.benchmark_group("message/seal");
        group.throughput(Throughput::Bytes(len as u64)).sample_size(50);
        group.bench_function(&name, |bencher| {
            bencher.iter(|| bulla::seal(&key, black_box(&plaintext), &options).expect("it seals"));
        });
        drop(group);
        let mut group = criterion.benchmark_group("limit/message/seal");
        group.throughput(Throughput::Bytes(len as u64)).sample_size(50);
        group.bench_function(&name, |bencher| {
            bencher.iter(|| message::seal(&seeded::KEY, black_box(&plaintext)));
        });
        drop(group);

        let mut group = criterion.benchmark_group("message/open");
        group.throughput(Throughput::Bytes(len as u64)).sample_size(50);
        group.bench_function(&name, |bencher| {
            bencher.iter(|| bulla::open(&key, black_box(&container), &options).expect("it opens"));
        });
        drop(group);
        let mut group = criterion.benchmark_group("limit/message/open");
        group.throughput(Throughput::Bytes(len as u64)).sample_size(50);
        group.bench_function(&name, |bencher| {
            bencher.iter(|| message::open(&seeded::KEY, black_box(&container)).expect("it opens"));
        });
    }
}
