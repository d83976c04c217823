//! Shared helpers: a key, options, and archives of in-memory entries.

use bulla::{ChunkSize, Key, Options, ReadAt, Workers};
use bulla_archive::{ArchiveBuilder, ArchiveReader, Entry, Metadata, Result};
use bytes::Bytes;

pub(crate) fn key() -> Key {
    Key::from_bytes(&[0x4B; 32])
}

/// Returns options for the smallest chunks and no worker threads.
pub(crate) fn options<'a>() -> Options<'a> {
    Options::new().chunk_size(ChunkSize::MIN).workers(Workers::Serial)
}

/// Returns `len` pseudo-random bytes that differ between seeds and between chunks.
pub(crate) fn bytes(seed: u64, len: usize) -> Bytes {
    let mix = |i: u64| {
        (i ^ seed << 32)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(23)
            .wrapping_mul(0x2545_F491)
    };
    (0..len as u64).map(|i| (mix(i) >> 24) as u8).collect()
}

/// Paths and contents of files, in the order in which they are planned.
pub(crate) type Files = Vec<(String, Bytes)>;

/// Returns files with sizes around multiples of the chunk size.
pub(crate) fn files() -> Files {
    let sizes = [0, 1, 100, 4000, 4096, 4097, 9000, 0, 30_000, 5, 4095, 70_000];
    (0..).zip(sizes).map(|(i, len)| (format!("media/{i:02}-{len}.bin"), bytes(i, len))).collect()
}

pub(crate) fn plan(files: &Files) -> ArchiveBuilder<Bytes> {
    let mut builder = ArchiveBuilder::new();
    builder.directory(b"media", &Metadata::new().mode(0o750)).unwrap();
    for (path, content) in files {
        builder
            .file(path.as_bytes(), &Metadata::new(), content.len() as u64, content.clone())
            .unwrap();
    }
    builder.symlink(b"newest", &Metadata::new(), b"media/11-70000.bin").unwrap();
    builder
}

pub(crate) fn archive(files: &Files) -> Vec<u8> {
    let (archive, report) = plan(files).seal_to(&key(), Vec::new(), &options()).unwrap();
    assert_eq!(report.entries, files.len() as u64 + 2);
    assert!(report.notes.is_empty());
    archive
}

pub(crate) fn open<S: ReadAt>(archive: S) -> Result<ArchiveReader<'static, S>> {
    ArchiveReader::new(&key(), archive, &options())
}

pub(crate) fn all<S: ReadAt>(reader: &ArchiveReader<'_, S>) -> Vec<Entry> {
    reader.entries().collect::<Result<_>>().unwrap()
}
