//! Looking up entries by path and by directory.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use bulla::{Options, ReadAt};
use bulla_archive::{ArchiveBuilder, ArchiveReader, Metadata};
use bytes::Bytes;

use crate::sample::{all, archive, files, key, open, options};

fn paths(
    entries: impl Iterator<Item = bulla_archive::Result<bulla_archive::Entry>>,
) -> Vec<String> {
    entries.map(|entry| String::from_utf8(entry.unwrap().path().to_vec()).unwrap()).collect()
}

/// entries below a directory are not contiguous in the index: `a-b` is between `a` and
/// `a/x`.
#[test]
fn lists_a_directory_and_everything_below_it() {
    let mut builder = ArchiveBuilder::new();
    for path in ["a/x", "a-b", "a", "a/y/z", "ab/c", "b", "a/y", "Z"] {
        if ["a", "a/y"].contains(&path) {
            builder.directory(path.as_bytes(), &Metadata::new()).unwrap();
        } else {
            builder.file(path.as_bytes(), &Metadata::new(), 0, Bytes::new()).unwrap();
        }
    }
    let (archive, _) = builder.seal_to(&key(), Vec::new(), &options()).unwrap();
    let reader = open(archive).unwrap();
    assert_eq!(paths(reader.entries()), ["Z", "a", "a-b", "a/x", "a/y", "a/y/z", "ab/c", "b"]);
    assert_eq!(paths(reader.directory(b"a")), ["a", "a/x", "a/y", "a/y/z"]);
    assert_eq!(paths(reader.directory(b"a/y")), ["a/y", "a/y/z"]);
    assert_eq!(paths(reader.directory(b"ab")), ["ab/c"]);
    assert_eq!(paths(reader.directory(b"b")), ["b"]);
    assert_eq!(paths(reader.directory(b"c")), [""; 0]);
    assert_eq!(paths(reader.directory(b"")).len(), 8);
    for path in [&b"a/"[..], b"", b"x", b"A", b"a/x/"] {
        assert_eq!(reader.lookup(path).unwrap(), None);
    }
}

#[test]
fn reads_an_archive_without_entries() {
    let reader = open(archive(&vec![])).unwrap();
    assert_eq!(all(&reader).len(), 2);
    let (archive, _) =
        ArchiveBuilder::<Bytes>::new().seal_to(&key(), Vec::new(), &options()).unwrap();
    let reader = open(archive).unwrap();
    assert!(reader.is_empty() && reader.entries().next().is_none());
    assert_eq!(reader.lookup(b"x").unwrap(), None);
    reader.verify().unwrap();
}

/// A source that counts the bytes read from it.
struct CountingSource<'c>(Vec<u8>, &'c AtomicU64);

impl ReadAt for CountingSource<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buf, offset)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

/// Opening a large archive and reading one entry reads less than 1 MiB.
#[test]
fn reads_little_to_find_one_of_many_entries() {
    const COUNT: u32 = 200_000;
    let mut builder = ArchiveBuilder::new();
    for i in 0..COUNT {
        let path = format!("photos/{:03}/image-{i:07}.jpg", i / 1000);
        builder
            .file(
                path.as_bytes(),
                &Metadata::new().mode(0o644),
                4,
                Bytes::copy_from_slice(&i.to_be_bytes()),
            )
            .unwrap();
    }
    let (archive, _) = builder.seal_to(&key(), Vec::new(), &Options::new()).unwrap();
    let read = AtomicU64::new(0);
    let reader =
        ArchiveReader::new(&key(), CountingSource(archive, &read), &Options::new()).unwrap();
    let entry = reader.lookup(b"photos/123/image-0123456.jpg").unwrap().unwrap();
    assert_eq!(reader.content(&entry).unwrap().range(0..4).unwrap(), 123_456u32.to_be_bytes()[..]);
    assert!(
        read.load(Ordering::Relaxed) < 1 << 20,
        "{} bytes were read",
        read.load(Ordering::Relaxed)
    );
    assert_eq!(reader.entries().count(), COUNT as usize);
}

/// each entry is listed once, in ascending path order.
#[test]
fn finds_every_listed_entry() {
    let files = files();
    let reader = open(archive(&files)).unwrap();
    let entries = all(&reader);
    assert!(entries.windows(2).all(|pair| pair[0].path() < pair[1].path()));
    for entry in entries {
        assert_eq!(reader.lookup(entry.path()).unwrap().as_ref(), Some(&entry));
    }
}
