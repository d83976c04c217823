//! The cases to count, all on one thread. The setup of a case is not counted.

use std::hint::black_box;

use bulla::{ChunkSize, Draft, Key, Opener, Options, Preamble, RangeReader, Sealer, Workers};
use bulla_archive::{ArchiveReader, Salvage};
use bulla_benches::seeded;
use bulla_benches::small_files::SmallFiles;

/// The work that is counted.
type Work = Box<dyn FnMut()>;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The name of a case and the function that sets it up.
type Case = (&'static str, fn() -> Work);

/// All cases.
pub(crate) const ALL: &[Case] = &[
    ("seal/4KiB/1MiB", || seal(12)),
    ("seal/64KiB/1MiB", || seal(16)),
    ("open/4KiB/1MiB", || open(12)),
    ("open/64KiB/1MiB", || open(16)),
    ("stream/seal/4KiB/1MiB", || stream_seal(12)),
    ("stream/seal/64KiB/1MiB", || stream_seal(16)),
    ("stream/open/4KiB/1MiB", || stream_open(12)),
    ("stream/open/64KiB/1MiB", || stream_open(16)),
    ("range/4KiB/4KiB", || range(12, 4 * KIB)),
    ("range/64KiB/4KiB", || range(16, 4 * KIB)),
    ("range/64KiB/1MiB", || range(16, MIB)),
    ("start/header", header),
    ("start/range-reader", range_reader),
    ("start/key-schedule", key_schedule),
    ("message/seal/1KiB", message_seal),
    ("message/open/1KiB", message_open),
    ("archive/make/1000x1KiB", archive_make),
    ("archive/open/10000", archive_open),
    ("archive/lookup/10000", archive_lookup),
    ("salvage/1000x1KiB", salvage),
];

fn key() -> Key {
    seeded::key()
}

fn options(chunk_log2: u8) -> Options<'static> {
    let chunk = ChunkSize::from_log2(chunk_log2).expect("the logarithm is between 12 and 20");
    Options::new().chunk_size(chunk).workers(Workers::Serial)
}

/// Returns the options for cases whose cost does not depend on the chunk size.
fn default_chunks() -> Options<'static> {
    options(16)
}

fn sealed(len: usize, options: &Options<'_>) -> Vec<u8> {
    bulla::seal(&key(), &seeded::bytes(len), options).expect("sealing succeeds").to_vec()
}

fn seal(chunk_log2: u8) -> Work {
    let (key, options, plaintext) = (key(), options(chunk_log2), seeded::bytes(MIB));
    let mut out = sealed(MIB, &options);
    Box::new(move || {
        bulla::seal_into(&key, &plaintext, black_box(&mut out), &options).expect("sealing succeeds")
    })
}

fn open(chunk_log2: u8) -> Work {
    let (key, options) = (key(), options(chunk_log2));
    let container = sealed(MIB, &options);
    let mut out = vec![1; MIB];
    Box::new(move || {
        bulla::open_into(&key, &container, black_box(&mut out), &options)
            .expect("opening succeeds");
    })
}

fn stream_seal(chunk_log2: u8) -> Work {
    let (key, options, plaintext) = (key(), options(chunk_log2), seeded::bytes(MIB));
    let mut out = sealed(MIB, &options);
    Box::new(move || {
        let mut sealer =
            Sealer::new(&key, &mut out[..], &options).expect("the output is long enough");
        sealer.copy_from(&mut &plaintext[..]).expect("sealing succeeds");
        black_box(sealer.finish().expect("sealing succeeds"));
    })
}

fn stream_open(chunk_log2: u8) -> Work {
    let (key, options) = (key(), options(chunk_log2));
    let container = sealed(MIB, &options);
    let mut out = vec![1; MIB];
    Box::new(move || {
        let mut opener = Opener::new(&key, &container[..], &options).expect("opening succeeds");
        black_box(opener.copy_to(&mut &mut out[..]).expect("opening succeeds"));
    })
}

fn range(chunk_log2: u8, len: usize) -> Work {
    let options = options(chunk_log2);
    let reader =
        RangeReader::new(&key(), sealed(2 * MIB, &options), &options).expect("opening succeeds");
    let mut out = vec![1; len];
    Box::new(move || reader.read_into(black_box(&mut out), 100_000).expect("opening succeeds"))
}

fn header() -> Work {
    let container = sealed(64 * KIB, &default_chunks());
    Box::new(move || {
        black_box(Preamble::read_at(black_box(&container)).expect("the header is valid"));
    })
}

fn range_reader() -> Work {
    let (key, options) = (key(), default_chunks());
    // The last chunk is empty, so opening costs only the header and the key schedule.
    let container = sealed(64 * KIB, &options);
    Box::new(move || {
        black_box(RangeReader::new(&key, &container[..], &options).expect("opening succeeds"));
    })
}

fn key_schedule() -> Work {
    let (key, options) = (key(), default_chunks());
    Box::new(move || {
        let _ = black_box(
            Draft::new(black_box(&key), &options).expect("the system provides random bytes"),
        );
    })
}

fn message_seal() -> Work {
    let (key, options, message) = (key(), Options::new(), seeded::bytes(KIB));
    Box::new(move || {
        black_box(bulla::seal(&key, black_box(&message), &options).expect("sealing succeeds"));
    })
}

fn message_open() -> Work {
    let (key, options) = (key(), Options::new());
    let container = sealed(KIB, &options);
    Box::new(move || {
        black_box(bulla::open(&key, black_box(&container), &options).expect("opening succeeds"));
    })
}

fn archive_make() -> Work {
    let (key, options) = (key(), default_chunks());
    let files = SmallFiles::new(1000, seeded::bytes(KIB));
    let mut output = files.archive(&key, &options);
    Box::new(move || {
        let made = files.plan().seal_to(&key, black_box(&mut output[..]), &options);
        black_box(made.expect("the output is long enough"));
    })
}

fn archive_of_10_000() -> Vec<u8> {
    SmallFiles::new(10_000, &b"a message"[..]).archive(&key(), &default_chunks())
}

fn archive_open() -> Work {
    let (key, options, archive) = (key(), default_chunks(), archive_of_10_000());
    Box::new(move || {
        black_box(ArchiveReader::new(&key, &archive[..], &options).expect("opening succeeds"));
    })
}

fn archive_lookup() -> Work {
    let reader = ArchiveReader::new(&key(), archive_of_10_000(), &default_chunks())
        .expect("opening succeeds");
    let path = SmallFiles::path(6789);
    Box::new(move || {
        black_box(
            reader.lookup(black_box(&path)).expect("opening succeeds").expect("the entry exists"),
        );
    })
}

/// The archive has lost its second half, and the index with it, so salvage scans the records.
fn salvage() -> Work {
    let (key, options) = (key(), default_chunks());
    let mut archive = SmallFiles::new(1000, seeded::bytes(KIB)).archive(&key, &options);
    archive.truncate(archive.len() / 2);
    Box::new(move || {
        let salvage = Salvage::new(&key, &archive[..], &options).expect("the key matches");
        black_box(salvage.count());
    })
}
