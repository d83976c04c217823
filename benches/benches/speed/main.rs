//! What everything costs in time, each beside its limit. Names, and how to run some of them:
//! README.md beside this directory.

mod archive;
mod file;
mod message;
mod one_shot;
mod range;
mod salvage;
mod start;
mod stream;

use std::time::Duration;

use bulla::ChunkSize;
use criterion::{
    Bencher, BenchmarkGroup, Criterion, SamplingMode, Throughput, measurement::WallTime,
};

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    one_shot::benches(&mut criterion);
    stream::benches(&mut criterion);
    file::benches(&mut criterion);
    range::benches(&mut criterion);
    start::benches(&mut criterion);
    message::benches(&mut criterion);
    archive::benches(&mut criterion);
    salvage::benches(&mut criterion);
    criterion.final_summary();
}

/// The chunk sizes that are measured: smallest, default, largest.
const CHUNKS: [ChunkSize; 3] = match (ChunkSize::from_log2(16), ChunkSize::from_log2(20)) {
    (Some(default), Some(largest)) => [ChunkSize::MIN, default, largest],
    _ => unreachable!(),
};

/// `full` when it is measured; `quick` when each bench only runs once to see whether it works, as
/// `cargo test --benches` does. Names are made of the size that was taken.
fn scaled(full: usize, quick: usize) -> usize {
    let given = |flag| std::env::args().any(|arg| arg == flag);
    // As criterion decides: cargo bench gives `--bench`, cargo test does not.
    if given("--bench") && !given("--test") { full } else { quick }
}

/// One bench of something that takes milliseconds: bytes in a run, and the run.
fn large(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    bytes: usize,
    mut run: impl FnMut(&mut Bencher<'_>),
) {
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(name, |bencher| run(bencher));
}
