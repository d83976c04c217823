//! Finding entries: by name, by directory, one among very many.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use bulla::{Options, ReadAt};
use bulla_archive::{ArchiveReader, ArchiveWriter, Metadata};
use bytes::Bytes;

use crate::sample::{all, archive, files, key, open, options};

fn names(
    entries: impl Iterator<Item = bulla_archive::Result<bulla_archive::Entry>>,
) -> Vec<String> {
    entries.map(|entry| String::from_utf8(entry.unwrap().path().to_vec()).unwrap()).collect()
}

/// names that begin alike lie together, but not all of them in one directory.
#[test]
fn directories() {
    let mut writer = ArchiveWriter::new();
    for name in ["a/x", "a-b", "a", "a/y/z", "ab/c", "b", "a/y", "Z"] {
        if ["a", "a/y"].contains(&name) {
            writer.directory(name.as_bytes(), &Metadata::new()).unwrap();
        } else {
            writer.file(name.as_bytes(), &Metadata::new(), 0, Bytes::new()).unwrap();
        }
    }
    let (archive, _) = writer.seal_to(&key(), Vec::new(), &options()).unwrap();
    let reader = open(archive).unwrap();
    assert_eq!(names(reader.entries()), ["Z", "a", "a-b", "a/x", "a/y", "a/y/z", "ab/c", "b"]);
    assert_eq!(names(reader.directory(b"a")), ["a", "a/x", "a/y", "a/y/z"]);
    assert_eq!(names(reader.directory(b"a/y")), ["a/y", "a/y/z"]);
    assert_eq!(names(reader.directory(b"ab")), ["ab/c"]);
    assert_eq!(names(reader.directory(b"b")), ["b"]);
    assert_eq!(names(reader.directory(b"c")), [""; 0]);
    assert_eq!(names(reader.directory(b"")).len(), 8);
    for name in [&b"a/"[..], b"", b"x", b"A", b"a/x/"] {
        assert_eq!(reader.lookup(name).unwrap(), None);
    }
}

#[test]
fn empty_archive() {
    let reader = open(archive(&vec![])).unwrap();
    assert_eq!(all(&reader).len(), 2);
    let (archive, _) =
        ArchiveWriter::<Bytes>::new().seal_to(&key(), Vec::new(), &options()).unwrap();
    let reader = open(archive).unwrap();
    assert!(reader.is_empty() && reader.entries().next().is_none());
    assert_eq!(reader.lookup(b"x").unwrap(), None);
    reader.verify().unwrap();
}

/// Counts the bytes that are read.
struct Counting<'c>(Vec<u8>, &'c AtomicU64);

impl ReadAt for Counting<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buf, offset)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

/// One of many entries costs few reads: at most 2 MiB beside the entry itself.
#[test]
fn one_among_many() {
    const COUNT: u32 = 200_000;
    let mut writer = ArchiveWriter::new();
    for i in 0..COUNT {
        let name = format!("photos/{:03}/image-{i:07}.jpg", i / 1000);
        writer
            .file(
                name.as_bytes(),
                &Metadata::new().mode(0o644),
                4,
                Bytes::copy_from_slice(&i.to_be_bytes()),
            )
            .unwrap();
    }
    let (archive, _) = writer.seal_to(&key(), Vec::new(), &Options::new()).unwrap();
    let read = AtomicU64::new(0);
    let reader = ArchiveReader::new(&key(), Counting(archive, &read), &Options::new()).unwrap();
    let entry = reader.lookup(b"photos/123/image-0123456.jpg").unwrap().unwrap();
    assert_eq!(reader.content(&entry).unwrap().range(0..4).unwrap(), 123_456u32.to_be_bytes()[..]);
    assert!(
        read.load(Ordering::Relaxed) < 1 << 20,
        "{} bytes were read",
        read.load(Ordering::Relaxed)
    );
    assert_eq!(reader.entries().count(), COUNT as usize);
}

/// every entry is found by its name, and listed once.
#[test]
fn every_entry() {
    let files = files();
    let reader = open(archive(&files)).unwrap();
    let entries = all(&reader);
    assert!(entries.windows(2).all(|pair| pair[0].path() < pair[1].path()));
    for entry in entries {
        assert_eq!(reader.lookup(entry.path()).unwrap().as_ref(), Some(&entry));
    }
}
