//! Measures the store with attachments of typical sizes.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use downstream::Store;

fn put(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("store/put");
    for (name, len) in [("1KiB", 1 << 10), ("1MiB", 1 << 20)] {
        let attachment = vec![7; len];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| Store::new().unwrap().put(&attachment).unwrap());
        });
    }
}

criterion_group!(benches, put);
criterion_main!(benches);
