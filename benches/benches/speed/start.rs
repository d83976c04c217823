//! Fixed costs before the first byte: reading the header and deriving the keys.

use std::hint::black_box;

use bulla::{Draft, Options, Preamble, RangeReader};
use bulla_benches::seeded;
use criterion::Criterion;

pub(crate) fn benches(criterion: &mut Criterion) {
    let (key, options) = (seeded::key(), Options::new());
    // The last chunk is empty, so opening costs only the header and the key schedule.
    let container =
        bulla::seal(&key, &seeded::bytes(64 << 10), &options).expect("sealing succeeds");
    let mut group = criterion.benchmark_group("start");
    group.bench_function("header", |bencher| {
        bencher.iter(|| Preamble::read_at(black_box(&container[..])).expect("the header is valid"));
    });
    group.bench_function("range-reader", |bencher| {
        bencher.iter(|| {
            RangeReader::new(&key, black_box(&container[..]), &options).expect("opening succeeds")
        });
    });
    group.bench_function("key-schedule", |bencher| {
        bencher.iter(|| {
            Draft::new(black_box(&key), &options).expect("the system provides random bytes")
        });
    });
    group.bench_function("export", |bencher| {
        let draft = Draft::new(&key, &options).expect("the system provides random bytes");
        bencher.iter(|| draft.export(black_box(b"example.org purpose")));
    });
}
