//! Wall-time benches, each next to a bound that it cannot beat. benches/README.md explains their
//! names and how to select them.

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

/// The chunk sizes to measure: the smallest, the default and the largest.
const CHUNKS: [ChunkSize; 3] = match (ChunkSize::from_log2(16), ChunkSize::from_log2(20)) {
    (Some(default), Some(largest)) => [ChunkSize::MIN, default, largest],
    _ => unreachable!(),
};

/// Returns `full` for a measurement, or `quick` if `cargo test --benches` runs each bench once.
///
/// Bench names contain the returned size.
fn scaled(full: usize, quick: usize) -> usize {
    let has = |flag| std::env::args().any(|arg| arg == flag);
    // Criterion uses the same rule: `cargo bench` passes `--bench`, and `cargo test` does not.
    if has("--bench") && !has("--test") { full } else { quick }
}

/// Adds a bench whose iterations take milliseconds and process `bytes` bytes each.
fn large(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    bytes: usize,
    mut run: impl FnMut(&mut Bencher<'_>),
) {
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(name, |bencher| run(bencher));
}
