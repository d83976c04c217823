//! Archives: made of many small files in memory, and one entry found among a million.

use std::cell::LazyCell;
use std::hint::black_box;

use bulla::Options;
use bulla_archive::ArchiveReader;
use bulla_benches::names::size;
use bulla_benches::seeded;
use bulla_benches::small_files::SmallFiles;
use bulla_benches::threads::Threads;
use criterion::Criterion;

use crate::{large, scaled};

pub(crate) fn benches(criterion: &mut Criterion) {
    make(criterion);
    find(criterion);
}

/// Planned, sealed in order and written to memory. The limit is that of `stream/seal`.
fn make(criterion: &mut Criterion) {
    let key = seeded::key();
    let count = scaled(10_000, 100);
    let files = SmallFiles::new(count, seeded::bytes(8 << 10));
    for threads in Threads::each() {
        let options = Options::new().workers(threads.workers());
        let name = format!("{count}x{}/threads={}", size(8 << 10), threads.count());
        large(&mut criterion.benchmark_group("archive/make"), &name, files.len(), |bencher| {
            let mut room = files.archive(&key, &options);
            bencher.iter(|| {
                let made = files.plan().seal_to(&key, black_box(&mut room[..]), &options);
                made.expect("there is room");
            });
        });
    }
}

/// Each lookup is of another name, so no cache of the processor helps more than it would in use.
fn find(criterion: &mut Criterion) {
    let (key, options) = (seeded::key(), Options::new());
    let count = scaled(1_000_000, 2000);
    let archive =
        LazyCell::new(|| SmallFiles::new(count, &b"a message"[..]).archive(&key, &options));
    let names = LazyCell::new(|| {
        let numbers = seeded::offsets(1000, count as u64);
        numbers.into_iter().map(|number| SmallFiles::name(number as usize)).collect::<Vec<_>>()
    });
    let reader = || ArchiveReader::new(&key, &archive[..], &options).expect("it opens");

    let mut group = criterion.benchmark_group("archive/open");
    group.bench_function(format!("{count}"), |bencher| {
        LazyCell::force(&archive);
        bencher.iter(reader);
    });
    drop(group);
    let mut group = criterion.benchmark_group("archive/lookup");
    group.bench_function(format!("{count}"), |bencher| {
        let reader = reader();
        let mut names = names.iter().cycle();
        bencher.iter(|| {
            reader.lookup(names.next().expect("a cycle")).expect("it opens").expect("it is there")
        });
    });
    drop(group);
    let mut group = criterion.benchmark_group("archive/read-one");
    group.bench_function(format!("{count}"), |bencher| {
        let reader = reader();
        let mut names = names.iter().cycle();
        bencher.iter(|| {
            let name = names.next().expect("a cycle");
            let entry = reader.lookup(name).expect("it opens").expect("it is there");
            reader
                .content(&entry)
                .and_then(|content| content.range(0..entry.len()))
                .expect("it opens")
        });
    });
}
