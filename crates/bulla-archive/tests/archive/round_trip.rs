//! What goes in comes out: by file, by stream, by range, by all at once.

use std::fs::File;
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use bulla::{Options, Progress, ReadAt, Workers};
use bulla_archive::{ArchiveReader, ArchiveWriter, Error, Kind, Metadata, Time};
use bytes::Bytes;

use crate::sample::{Files, all, archive, bytes, files, key, open, options, plan};

fn check(archive: &[u8], files: &Files) {
    let reader = open(archive).unwrap();
    reader.verify().unwrap();
    assert_eq!(reader.len(), files.len() as u64 + 2);
    assert_eq!(
        reader.content_len(),
        files.iter().map(|(_, content)| content.len() as u64).sum::<u64>()
    );
    for (name, content) in files {
        let entry = reader.lookup(name.as_bytes()).unwrap().unwrap();
        assert_eq!((entry.kind(), entry.len()), (Kind::File, content.len() as u64));
        let mut read = Vec::new();
        reader.content(&entry).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == *content, "{name}");
    }
}

///
#[test]
fn by_stream() {
    check(&archive(&files()), &files());
    check(&archive(&vec![]), &vec![]);
}

/// extents are sealed in any order; the plaintext is the same as in a stream.
#[test]
fn by_file_on_any_number_of_threads() {
    let directory = tempfile::tempdir().unwrap();
    let mut files = files();
    files.push(("media/large".into(), bytes(99, 5_000_000)));
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for chunk in [bulla::ChunkSize::MIN, bulla::ChunkSize::default()] {
            let path = directory.path().join(format!("{threads}-{}", chunk.log2()));
            let (progress, done) = (Progress::new(), AtomicU64::new(0));
            let options =
                Options::new().chunk_size(chunk).workers(Workers::Pool(&pool)).progress(&progress);
            let report = plan(&files)
                .seal_counting(&key(), &File::create_new(&path).unwrap(), &options, &done)
                .unwrap();
            assert!(report.notes.is_empty());
            assert_eq!(done.into_inner(), report.entries);
            assert_eq!(progress.done(), report.sealed.plaintext_len);
            check(&std::fs::read(&path).unwrap(), &files);
        }
    }
}

#[test]
fn metadata_and_links() {
    let time = Time { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
    let mut writer = ArchiveWriter::<Bytes>::new();
    writer.directory(b"empty", &Metadata::new().mtime(time).mode(0o2755)).unwrap();
    writer.file(b"\xff\xfename", &Metadata::new().mode(0o600), 0, Bytes::new()).unwrap();
    writer.symlink(b"link", &Metadata::new().mtime(time), b"/absolute/../target").unwrap();
    let (archive, _) = writer.seal_to(&key(), Vec::new(), &options()).unwrap();
    let reader = open(archive).unwrap();
    reader.verify().unwrap();
    let entries = all(&reader);
    let names: Vec<_> = entries.iter().map(|entry| entry.path()).collect();
    assert_eq!(names, [&b"empty"[..], b"link", b"\xff\xfename"]);
    assert_eq!(entries[0].metadata(), Metadata::new().mtime(time).mode(0o2755));
    assert_eq!(entries[1].target(), Some(&b"/absolute/../target"[..]));
    assert_eq!((entries[1].kind(), entries[1].metadata().mode), (Kind::Symlink, None));
    assert!(matches!(reader.content(&entries[0]), Err(Error::NoContent)));
}

#[test]
fn ranges_of_contents() {
    let files = files();
    let reader = open(archive(&files)).unwrap();
    let (name, expected) = &files[8];
    let content = reader.content(&reader.lookup(name.as_bytes()).unwrap().unwrap()).unwrap();
    for (start, end) in
        [(0, 0), (0, 30_000), (1, 2), (4000, 9000), (29_999, 30_000), (30_000, 30_000)]
    {
        assert_eq!(content.range(start..end).unwrap(), expected[start as usize..end as usize]);
    }
    assert!(content.range(0..30_001).is_err());
    #[allow(clippy::reversed_empty_ranges, reason = "that is what is tested")]
    let reversed = content.range(5..4);
    assert!(reversed.is_err());
    let mut buf = [0; 10];
    assert_eq!(content.read_at(&mut buf, 29_995).unwrap(), 5);
    assert_eq!(buf[..5], expected[29_995..]);
    assert_eq!(content.size().unwrap(), 30_000);
}

#[test]
fn all_at_once() {
    let files = files();
    let archive = archive(&files);
    for workers in [Workers::Serial, Workers::Ambient] {
        let reader = ArchiveReader::new(&key(), &archive[..], &options().workers(workers)).unwrap();
        let mut entries: Vec<_> =
            all(&reader).into_iter().filter(|entry| entry.kind() == Kind::File).collect();
        entries.reverse();
        for some in [&entries[..], &entries[3..4], &entries[..0], &entries[2..9]] {
            let read: Vec<_> =
                some.iter().map(|entry| Mutex::new(vec![0; entry.len() as usize])).collect();
            let total = AtomicU64::new(0);
            reader
                .read_all(some, |number, offset, bytes| {
                    let mut content = read[number].lock().unwrap();
                    content[offset as usize..offset as usize + bytes.len()].copy_from_slice(bytes);
                    total.fetch_add(bytes.len() as u64, std::sync::atomic::Ordering::Relaxed);
                    Ok(())
                })
                .unwrap();
            assert_eq!(total.into_inner(), some.iter().map(|entry| entry.len()).sum::<u64>());
            for (entry, content) in some.iter().zip(read) {
                let (_, expected) =
                    files.iter().find(|(name, _)| name.as_bytes() == entry.path()).unwrap();
                assert!(content.into_inner().unwrap() == *expected);
            }
        }
        let failed = reader.read_all(&entries, |_, _, _| Err(std::io::Error::other("full")));
        assert!(failed.unwrap_err().to_string().contains("full"));
    }
}

///
#[test]
fn padding() {
    let mut lengths = std::collections::BTreeSet::new();
    for len in (100_000..110_000).step_by(500) {
        let mut writer = plan(&vec![("media/x".into(), bytes(1, len))]);
        writer.pad(true);
        let (archive, report) = writer.seal_to(&key(), Vec::new(), &options()).unwrap();
        check(&archive, &vec![("media/x".into(), bytes(1, len))]);
        lengths.insert(report.sealed.plaintext_len);
    }
    assert!(lengths.len() <= 6, "{lengths:?}");
}

///
#[test]
fn plans_that_are_refused() {
    let mut writer = ArchiveWriter::<Bytes>::new();
    for name in [&b""[..], b"/a", b"a/../b", b"a\0"] {
        assert!(matches!(writer.directory(name, &Metadata::new()), Err(Error::InvalidPath { .. })));
    }
    assert!(writer.symlink(b"a", &Metadata::new(), b"").is_err());
    assert!(matches!(
        writer.file(b"huge", &Metadata::new(), 1 << 48, Bytes::new()),
        Err(Error::TooLarge { .. })
    ));
    assert!(writer.is_empty());

    for names in [[&b"a"[..], b"a"], [b"a", b"a/b"], [b"a/b", b"a"]] {
        let mut writer = ArchiveWriter::new();
        for name in names {
            writer.file(name, &Metadata::new(), 0, Bytes::new()).unwrap();
        }
        let refused = writer.seal_to(&key(), Vec::new(), &options()).err().unwrap();
        assert!(
            matches!(refused, Error::Duplicate { .. } | Error::ParentNotDirectory { .. }),
            "{refused}"
        );
    }
}

///
#[test]
fn not_an_archive() {
    let container = bulla::seal(&key(), b"a single stream", &options()).unwrap();
    assert!(matches!(open(container), Err(Error::NotAnArchive { content_type: 0 })));
}
