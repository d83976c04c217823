//! What the tests share: a key, options, and archives of entries in memory.

use bulla::{ChunkSize, Key, Options, ReadAt, Workers};
use bulla_archive::{ArchiveReader, ArchiveWriter, Entry, Metadata, Result};
use bytes::Bytes;

pub(crate) fn key() -> Key {
    Key::from_bytes(&[0x4B; 32])
}

/// The smallest chunks, on the calling thread.
pub(crate) fn options<'a>() -> Options<'a> {
    Options::new().chunk_size(ChunkSize::MIN).workers(Workers::Serial)
}

/// `len` bytes that differ from those of other seeds, and from chunk to chunk.
pub(crate) fn bytes(seed: u64, len: usize) -> Bytes {
    let mix = |i: u64| {
        (i ^ seed << 32)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(23)
            .wrapping_mul(0x2545_F491)
    };
    (0..len as u64).map(|i| (mix(i) >> 24) as u8).collect()
}

/// Names and contents of files, in the order in which they are planned.
pub(crate) type Files = Vec<(String, Bytes)>;

/// Files of all sizes around the edges of a chunk.
pub(crate) fn files() -> Files {
    let sizes = [0, 1, 100, 4000, 4096, 4097, 9000, 0, 30_000, 5, 4095, 70_000];
    (0..).zip(sizes).map(|(i, len)| (format!("media/{i:02}-{len}.bin"), bytes(i, len))).collect()
}

pub(crate) fn plan(files: &Files) -> ArchiveWriter<Bytes> {
    let mut writer = ArchiveWriter::new();
    writer.directory(b"media", &Metadata::new().mode(0o750)).unwrap();
    for (name, content) in files {
        writer
            .file(name.as_bytes(), &Metadata::new(), content.len() as u64, content.clone())
            .unwrap();
    }
    writer.symlink(b"newest", &Metadata::new(), b"media/11-70000.bin").unwrap();
    writer
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
