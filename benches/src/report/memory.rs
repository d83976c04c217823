//! In memory: the library against a bare loop over ring's AES-256-GCM on the same buffers, by chunk
//! size and by threads.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::io;
use std::ops::Range;

use bulla::{ChunkSize, Key, Options, Workers};
use rand::RngCore;
use rayon::{ThreadPool, prelude::*};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::pairs::{Effort, Pair, Values, Work, rotate, time};
use crate::settings::Settings;
use crate::sheet::{Chart, Part, Point, Row, Sheet};

const TAG: usize = 16;
/// Bytes before the first chunk in a container (FORMAT.md, section 2). The bare loop's chunks begin
/// there too: where source and destination lie in their pages costs up to a tenth.
const HEADER: usize = 128;
/// The chunk size unless another is asked for.
const USUAL_CHUNK: usize = 64 << 10;

/// Lines of the charts.
pub(crate) const SEAL: &str = "bulla, seal";
pub(crate) const OPEN: &str = "bulla, open";
pub(crate) const BARE_SEAL: &str = "bare loop, seal";
pub(crate) const COPY: &str = "memcpy";

/// Seals, opens or copies, from one buffer into another.
type OneWay<'a> = &'a dyn Fn(&[u8], &mut [u8]) -> bulla::Result<()>;

/// Adds points for chunk sizes and numbers of threads, and a row for each direction at some of
/// them.
pub(crate) fn compare(sheet: &mut Sheet, settings: &Settings) -> io::Result<()> {
    let mut plaintext = vec![0; settings.memory];
    rand::rng().fill_bytes(&mut plaintext);
    let cores = std::thread::available_parallelism()?.get();
    for log2 in 12..=20 {
        one(sheet, &plaintext, 1 << log2, 1, settings.effort)?;
    }
    for threads in thread_counts(cores).into_iter().filter(|threads| *threads > 1) {
        one(sheet, &plaintext, USUAL_CHUNK, threads, settings.effort)?;
    }
    if cores > 1 {
        one(sheet, &plaintext, 4 << 10, cores, settings.effort)?;
        one(sheet, &plaintext, 1 << 20, cores, settings.effort)?;
    }
    Ok(())
}

/// 1, 2, 4 …, and the number of cores.
pub(crate) fn thread_counts(cores: usize) -> BTreeSet<usize> {
    let doubled = std::iter::successors(Some(1), |threads| Some(threads * 2));
    doubled.take_while(|threads| *threads < cores).chain([cores]).collect()
}

/// One chunk size, one number of threads.
fn one(
    sheet: &mut Sheet,
    plaintext: &[u8],
    chunk: usize,
    threads: usize,
    effort: Effort,
) -> io::Result<()> {
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(io::Error::other)?;
    let workers = if threads == 1 { Workers::Serial } else { Workers::Pool(&pool) };
    let size = ChunkSize::from_bytes(chunk as u64).expect("a power of two");
    let options = Options::new().chunk_size(size).workers(workers);
    let key = Key::generate().map_err(io::Error::other)?;
    let bare = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).expect("32 bytes"));

    let len =
        bulla::sealed_len(plaintext.len() as u64, &options).map_err(io::Error::other)? as usize;
    let mut container = vec![0; len];
    bulla::seal_into(&key, plaintext, &mut container, &options).map_err(io::Error::other)?;
    let bare_end = HEADER + plaintext.len().div_ceil(chunk) * (chunk + TAG);
    let mut bare_container = vec![0; bare_end];
    bare_seal(&pool, &bare, chunk, plaintext, &mut bare_container[HEADER..]);

    // All work on the same two buffers: which pages a buffer has costs up to a tenth for as long as
    // the process lives.
    let buffers = RefCell::new((vec![0; len], vec![0; len]));
    let on = |input: &[u8], to: Range<usize>, work: OneWay<'_>| {
        let (source, target) = &mut *buffers.borrow_mut();
        source[..input.len()].copy_from_slice(input);
        let mut done = Ok(());
        let taken = time(|| done = work(&source[..input.len()], black_box(&mut target[to])));
        done.map(|()| taken).map_err(io::Error::other)
    };
    let all = 0..plaintext.len();
    // Sealing, and opening, each beside the bare loop that it is compared with.
    let mut works: [Work<'_>; 5] = [
        &mut || on(plaintext, 0..len, &|from, to| bulla::seal_into(&key, from, to, &options)),
        &mut || {
            on(plaintext, HEADER..bare_end, &|from, to| {
                bare_seal(&pool, &bare, chunk, from, to);
                Ok(())
            })
        },
        &mut || {
            on(&container, all.clone(), &|from, to| {
                bulla::open_into(&key, from, to, &options).map(drop)
            })
        },
        &mut || {
            on(&bare_container, all.clone(), &|from, to| {
                bare_open(&pool, &bare, chunk, &from[HEADER..], to);
                Ok(())
            })
        },
        &mut || {
            on(plaintext, all.clone(), &|from, to| {
                copy(&pool, chunk, from, to);
                Ok(())
            })
        },
    ];
    for (which, work) in works.iter_mut().enumerate() {
        work()?;
        let opens = which >= 2;
        assert!(!opens || buffers.borrow().1[..plaintext.len()] == *plaintext);
    }
    let [seal, bare_sealing, open, bare_opening, copying] = rotate(effort, works)?;

    for (line, seconds) in
        [(SEAL, &seal), (OPEN, &open), (BARE_SEAL, &bare_sealing), (COPY, &copying)]
    {
        let mut add = |chart, x| {
            let seconds = Values::new(seconds.iter().copied());
            sheet.point(Point {
                chart,
                line: line.to_owned(),
                x,
                seconds,
                bytes: plaintext.len() as u64,
                peak: None,
                kept: None,
            });
        };
        if threads == 1 {
            add(Chart::Chunk, chunk as u64);
        }
        if chunk == USUAL_CHUNK {
            add(Chart::Threads, threads as u64);
        }
    }
    let asked = match chunk {
        4096 => Some(1.0 / 0.90),
        USUAL_CHUNK => Some(1.0 / 0.95),
        _ => None,
    };
    if [4 << 10, USUAL_CHUNK, 1 << 20].contains(&chunk) {
        let plural = if threads == 1 { "" } else { "s" };
        for (verb, ours, theirs) in [("seal", &seal, &bare_sealing), ("open", &open, &bare_opening)]
        {
            sheet.row(Row {
                part: Part::Memory,
                what: format!("{verb}, {} KiB chunks, {threads} thread{plural}", chunk >> 10),
                peer: "bare loop".to_owned(),
                ours: format!("bulla::{verb}_into"),
                theirs: "copy a chunk, then ring's AES-256-GCM in place".to_owned(),
                bytes: plaintext.len() as u64,
                asked,
                outcome: Ok(Pair::new(ours, theirs)),
                kept: None,
            });
        }
    }
    Ok(())
}

/// Copy and seal chunk by chunk: what any sealing into another buffer has to do.
fn bare_seal(pool: &ThreadPool, key: &LessSafeKey, chunk: usize, from: &[u8], to: &mut [u8]) {
    let seal = |(index, (plain, slot)): (usize, (&[u8], &mut [u8]))| {
        let (text, tag) = slot.split_at_mut(plain.len());
        text.copy_from_slice(plain);
        let sealed =
            key.seal_in_place_separate_tag(nonce(index), Aad::empty(), text).expect("seals");
        tag[..TAG].copy_from_slice(sealed.as_ref());
    };
    match pool.current_num_threads() {
        1 => from.chunks(chunk).zip(to.chunks_mut(chunk + TAG)).enumerate().for_each(seal),
        _ => pool.install(|| {
            from.par_chunks(chunk).zip(to.par_chunks_mut(chunk + TAG)).enumerate().for_each(seal);
        }),
    }
}

/// Copy and open chunk by chunk.
fn bare_open(pool: &ThreadPool, key: &LessSafeKey, chunk: usize, from: &[u8], to: &mut [u8]) {
    let open = |(index, (sealed, slot)): (usize, (&[u8], &mut [u8]))| {
        let (text, tag) = sealed.split_last_chunk::<TAG>().expect("a tag");
        slot.copy_from_slice(text);
        key.open_in_place_separate_tag(nonce(index), Aad::empty(), (*tag).into(), slot, 0..)
            .expect("opens");
    };
    match pool.current_num_threads() {
        1 => from.chunks(chunk + TAG).zip(to.chunks_mut(chunk)).enumerate().for_each(open),
        _ => pool.install(|| {
            from.par_chunks(chunk + TAG).zip(to.par_chunks_mut(chunk)).enumerate().for_each(open);
        }),
    }
}

/// Copy chunk by chunk, and nothing else.
fn copy(pool: &ThreadPool, chunk: usize, from: &[u8], to: &mut [u8]) {
    let copy = |(from, to): (&[u8], &mut [u8])| to.copy_from_slice(from);
    match pool.current_num_threads() {
        1 => from.chunks(chunk).zip(to.chunks_mut(chunk)).for_each(copy),
        _ => pool.install(|| from.par_chunks(chunk).zip(to.par_chunks_mut(chunk)).for_each(copy)),
    }
}

fn nonce(index: usize) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_double_up_to_the_number_of_cores() {
        assert_eq!(thread_counts(1), BTreeSet::from([1]));
        assert_eq!(thread_counts(2), BTreeSet::from([1, 2]));
        assert_eq!(thread_counts(6), BTreeSet::from([1, 2, 4, 6]));
    }
}
