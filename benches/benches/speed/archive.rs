//! Archives: sealing many small files in memory, and finding one of a million entries.

use std::cell::LazyCell;
use std::hint::black_box;

use bulla::Options;
use bulla_archive::ArchiveReader;
use bulla_benches::seeded;
use bulla_benches::small_files::SmallFiles;
use bulla_benches::threads::Threads;
use bulla_benches::units::size_label;
use criterion::Criterion;

use crate::{large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    make(criterion);
    find(criterion);
}

/// Plans an archive and seals it in memory. The bound is the same as for `stream/seal`.
fn make(criterion: &mut Criterion) {
    let key = seeded::key();
    let count = scaled(10_000, 100);
    let files = SmallFiles::new(count, seeded::bytes(8 << 10));
    for threads in Threads::each() {
        let options = Options::new().workers(threads.workers());
        let name = format!("{count}x{}/threads={}", size_label(8 << 10), threads.count());
        large(&mut criterion.benchmark_group("archive/make"), &name, files.len(), |bencher| {
            let mut output = files.archive(&key, &options);
            bencher.iter(|| {
                let made = files.plan().seal_to(&key, black_box(&mut output[..]), &options);
                made.expect("the output is long enough");
            });
        });
    }
}

/// Looks up a different path each time, so that processor caches do not help more than they would
/// in practice.
fn find(criterion: &mut Criterion) {
    let (key, options) = (seeded::key(), Options::new());
    let count = scaled(1_000_000, 2000);
    let archive =
        LazyCell::new(|| SmallFiles::new(count, &b"a message"[..]).archive(&key, &options));
    let paths = LazyCell::new(|| {
        let numbers = seeded::offsets(1000, count as u64);
        numbers.into_iter().map(|number| SmallFiles::path(number as usize)).collect::<Vec<_>>()
    });
    let reader = || ArchiveReader::new(&key, &archive[..], &options).expect("opening succeeds");

    let mut group = criterion.benchmark_group("archive/open");
    group.bench_function(format!("{count}"), |bencher| {
        LazyCell::force(&archive);
        bencher.iter(reader);
    });
    drop(group);
    let mut group = criterion.benchmark_group("archive/lookup");
    group.bench_function(format!("{count}"), |bencher| {
        let reader = reader();
        let mut paths = paths.iter().cycle();
        bencher.iter(|| {
            reader
                .lookup(paths.next().expect("the iterator is endless"))
                .expect("opening succeeds")
                .expect("the entry exists")
        });
    });
    drop(group);
    let mut group = criterion.benchmark_group("archive/read-one");
    group.bench_function(format!("{count}"), |bencher| {
        let reader = reader();
        let mut paths = paths.iter().cycle();
        bencher.iter(|| {
            let path = paths.next().expect("the iterator is endless");
            let entry = reader.lookup(path).expect("opening succeeds").expect("the entry exists");
            reader
                .content(&entry)
                .and_then(|content| content.range(0..entry.len()))
                .expect("opening succeeds")
        });
    });
}
