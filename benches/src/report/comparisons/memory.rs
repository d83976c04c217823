//! In-memory comparison of the library with a bare loop over ring's AES-256-GCM on the same
//! buffers, by chunk size and by number of threads.

use std::cell::RefCell;
use std::hint::black_box;
use std::io;
use std::ops::Range;

use bulla::{ChunkSize, Options};
use bulla_benches::limits::BareCipher;
use bulla_benches::seeded;
use bulla_benches::threads::{Threads, counts};
use rand::RngCore;
use rayon::prelude::*;

use crate::measure::alternate::{Effort, Operation, PairedTimes, Summary, alternate, time};
use crate::measure::results::{Point, Results, Row, Table, Variable};
use crate::measure::settings::Settings;

/// Bytes before the first chunk in a container (FORMAT.md, section 2).
///
/// The bare loop leaves the same space before its first chunk, because the alignment of source and
/// destination within their pages changes times by up to a tenth.
const HEADER: usize = 128;
/// The default chunk size.
const DEFAULT_CHUNK: usize = 64 << 10;

/// Names of the series.
pub(crate) const SEAL: &str = "seal, in memory";
pub(crate) const OPEN: &str = "open, in memory";
pub(crate) const BARE_SEAL: &str = "bare loop, in memory";
pub(crate) const COPY: &str = "memcpy";

/// Seals, opens or copies from one buffer into another.
type Transform<'a> = &'a dyn Fn(&[u8], &mut [u8]) -> bulla::Result<()>;

/// Adds points by chunk size and by number of threads, and rows for some of them.
pub(crate) fn compare(results: &mut Results, settings: &Settings) -> io::Result<()> {
    let mut plaintext = vec![0; settings.memory];
    rand::rng().fill_bytes(&mut plaintext);
    let cores = std::thread::available_parallelism()?.get();
    for log2 in 12..=20 {
        compare_one(results, &plaintext, 1 << log2, 1, settings.effort)?;
    }
    for threads in counts(cores).into_iter().filter(|threads| *threads > 1) {
        compare_one(results, &plaintext, DEFAULT_CHUNK, threads, settings.effort)?;
    }
    if cores > 1 {
        compare_one(results, &plaintext, 4 << 10, cores, settings.effort)?;
        compare_one(results, &plaintext, 1 << 20, cores, settings.effort)?;
    }
    Ok(())
}

/// Measures one chunk size with one number of threads.
fn compare_one(
    results: &mut Results,
    plaintext: &[u8],
    chunk: usize,
    thread_count: usize,
    effort: Effort,
) -> io::Result<()> {
    let threads = Threads::new(thread_count);
    let size = ChunkSize::from_bytes(chunk as u64).expect("the size is a power of two");
    let options = Options::new().chunk_size(size).workers(threads.workers());
    let key = seeded::key();
    let bare = BareCipher::new(chunk);

    let len =
        bulla::sealed_len(plaintext.len() as u64, &options).map_err(io::Error::other)? as usize;
    let mut container = vec![0; len];
    bulla::seal_into(&key, plaintext, &mut container, &options).map_err(io::Error::other)?;
    let bare_end = HEADER + bare.sealed_len(plaintext.len());
    let mut bare_container = vec![0; bare_end];
    bare.seal(&threads, plaintext, &mut bare_container[HEADER..]);

    // All operations share two buffers. Because of its physical pages, a buffer can be up to a
    // tenth slower than another for the lifetime of the process.
    let buffers = RefCell::new((vec![0; len], vec![0; len]));
    let timed = |input: &[u8], to: Range<usize>, transform: Transform<'_>| {
        let (source, target) = &mut *buffers.borrow_mut();
        source[..input.len()].copy_from_slice(input);
        let mut result = Ok(());
        let taken = time(|| result = transform(&source[..input.len()], black_box(&mut target[to])));
        result.map(|()| taken).map_err(io::Error::other)
    };
    let plain = 0..plaintext.len();
    // Each of bulla's operations runs next to the bare loop that it is compared with.
    let mut operations: [Operation<'_>; 5] = [
        &mut || timed(plaintext, 0..len, &|from, to| bulla::seal_into(&key, from, to, &options)),
        &mut || {
            timed(plaintext, HEADER..bare_end, &|from, to| {
                bare.seal(&threads, from, to);
                Ok(())
            })
        },
        &mut || {
            timed(&container, plain.clone(), &|from, to| {
                bulla::open_into(&key, from, to, &options).map(drop)
            })
        },
        &mut || {
            timed(&bare_container, plain.clone(), &|from, to| {
                bare.open(&threads, &from[HEADER..], to);
                Ok(())
            })
        },
        &mut || {
            timed(plaintext, plain.clone(), &|from, to| {
                copy_chunks(&threads, chunk, from, to);
                Ok(())
            })
        },
    ];
    for (which, operation) in operations.iter_mut().enumerate() {
        operation()?;
        let writes_plaintext = which >= 2;
        assert!(!writes_plaintext || buffers.borrow().1[..plaintext.len()] == *plaintext);
    }
    let [seal, bare_seal, open, bare_open, copy] = alternate(effort, operations)?;

    for (series, seconds) in [(SEAL, &seal), (OPEN, &open), (BARE_SEAL, &bare_seal), (COPY, &copy)]
    {
        let mut add = |variable, x| {
            results.add_point(Point {
                variable,
                series: series.to_owned(),
                x,
                seconds: Summary::new(seconds.iter().copied()),
                bytes: plaintext.len() as u64,
                peak: None,
                stored: None,
            });
        };
        if thread_count == 1 {
            add(Variable::ChunkSize, chunk as u64);
        }
        if chunk == DEFAULT_CHUNK {
            add(Variable::Threads, thread_count as u64);
        }
    }
    // At least 90% of the bare loop's throughput for the smallest chunks, and 95% for the default.
    let target = match chunk {
        4096 => Some(1.0 / 0.90),
        DEFAULT_CHUNK => Some(1.0 / 0.95),
        _ => None,
    };
    if [4 << 10, DEFAULT_CHUNK, 1 << 20].contains(&chunk) {
        let plural = if thread_count == 1 { "" } else { "s" };
        for (verb, ours, theirs) in [("seal", &seal, &bare_seal), ("open", &open, &bare_open)] {
            let kib = chunk >> 10;
            results.add_row(Row {
                table: Table::Memory,
                operation: format!(
                    "{verb} in memory, {kib} KiB chunks, {thread_count} thread{plural}"
                ),
                peer: "bare loop".to_owned(),
                ours: format!("bulla::{verb}_into"),
                theirs: "copy each chunk, then ring's AES-256-GCM in place".to_owned(),
                bytes: plaintext.len() as u64,
                target,
                outcome: Ok(PairedTimes::new(ours, theirs)),
                stored: None,
            });
        }
    }
    Ok(())
}

/// Copies chunk by chunk, as sealing into another buffer does.
fn copy_chunks(threads: &Threads, chunk: usize, from: &[u8], to: &mut [u8]) {
    let copy = |(from, to): (&[u8], &mut [u8])| to.copy_from_slice(from);
    match threads.pool() {
        None => from.chunks(chunk).zip(to.chunks_mut(chunk)).for_each(copy),
        Some(pool) => {
            pool.install(|| from.par_chunks(chunk).zip(to.par_chunks_mut(chunk)).for_each(copy));
        }
    }
}
