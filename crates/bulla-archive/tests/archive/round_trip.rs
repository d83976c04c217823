//! Sealing archives to files and streams, and reading them as a whole, by range and in parallel.

use std::fs::File;
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use bulla::{Options, Progress, ReadAt, Workers};
use bulla_archive::{ArchiveBuilder, ArchiveReader, Error, Kind, Metadata, Time};
use bytes::Bytes;

use crate::sample::{Files, all, archive, bytes, files, key, open, options, plan};

/// Checks that the archive verifies and contains the files.
fn check(archive: &[u8], files: &Files) {
    let reader = open(archive).unwrap();
    reader.verify().unwrap();
    assert_eq!(reader.len(), files.len() as u64 + 2);
    assert_eq!(
        reader.content_len(),
        files.iter().map(|(_, content)| content.len() as u64).sum::<u64>()
    );
    for (path, content) in files {
        let entry = reader.lookup(path.as_bytes()).unwrap().unwrap();
        assert_eq!((entry.kind(), entry.len()), (Kind::File, content.len() as u64));
        let mut read = Vec::new();
        reader.content(&entry).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == *content, "{path}");
    }
}

///
#[test]
fn seals_to_a_stream() {
    check(&archive(&files()), &files());
    check(&archive(&vec![]), &vec![]);
}

/// the sources are read in any order when sealing to a file.
#[test]
fn seals_to_a_file_on_any_number_of_threads() {
    let directory = tempfile::tempdir().unwrap();
    let mut files = files();
    files.push(("media/large".into(), bytes(99, 5_000_000)));
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for chunk in [bulla::ChunkSize::MIN, bulla::ChunkSize::default()] {
            let path = directory.path().join(format!("{threads}-{}", chunk.log2()));
            let progress = Progress::new();
            let options =
                Options::new().chunk_size(chunk).workers(Workers::Pool(&pool)).progress(&progress);
            let builder = plan(&files);
            let entries = builder.progress();
            let report = builder.seal(&key(), &File::create_new(&path).unwrap(), &options).unwrap();
            assert!(report.notes.is_empty());
            assert_eq!(entries.done(), report.entries);
            assert_eq!(progress.done(), report.sealed.plaintext_len);
            check(&std::fs::read(&path).unwrap(), &files);
        }
    }
}

///
#[test]
fn keeps_metadata_and_link_targets() {
    let time = Time { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
    let mut builder = ArchiveBuilder::<Bytes>::new();
    builder.directory(b"empty", &Metadata::new().mtime(time).mode(0o2755)).unwrap();
    builder.file(b"\xff\xfename", &Metadata::new().mode(0o600), 0, Bytes::new()).unwrap();
    builder.symlink(b"link", &Metadata::new().mtime(time), b"/absolute/../target").unwrap();
    let (archive, _) = builder.seal_to(&key(), Vec::new(), &options()).unwrap();
    let reader = open(archive).unwrap();
    reader.verify().unwrap();
    let entries = all(&reader);
    let paths: Vec<_> = entries.iter().map(|entry| entry.path()).collect();
    assert_eq!(paths, [&b"empty"[..], b"link", b"\xff\xfename"]);
    assert_eq!(entries[0].metadata(), Metadata::new().mtime(time).mode(0o2755));
    assert_eq!(entries[1].target(), Some(&b"/absolute/../target"[..]));
    assert_eq!((entries[1].kind(), entries[1].metadata().mode), (Kind::Symlink, None));
    assert!(matches!(reader.content(&entries[0]), Err(Error::NoContent)));
}

///
#[test]
fn reads_ranges_of_an_entry() {
    let files = files();
    let reader = open(archive(&files)).unwrap();
    let (path, expected) = &files[8];
    let content = reader.content(&reader.lookup(path.as_bytes()).unwrap().unwrap()).unwrap();
    for (start, end) in
        [(0, 0), (0, 30_000), (1, 2), (4000, 9000), (29_999, 30_000), (30_000, 30_000)]
    {
        assert_eq!(content.range(start..end).unwrap(), expected[start as usize..end as usize]);
    }
    assert!(content.range(0..30_001).is_err());
    #[allow(clippy::reversed_empty_ranges, reason = "the reversed range is the test")]
    let reversed = content.range(5..4);
    assert!(reversed.is_err());
    let mut buf = [0; 10];
    assert_eq!(content.read_at(&mut buf, 29_995).unwrap(), 5);
    assert_eq!(buf[..5], expected[29_995..]);
    assert_eq!(content.size().unwrap(), 30_000);
}

///
#[test]
fn reads_many_entries_in_parallel() {
    let files = files();
    let archive = archive(&files);
    for workers in [Workers::Serial, Workers::Ambient] {
        let reader = ArchiveReader::new(&key(), &archive[..], &options().workers(workers)).unwrap();
        let mut entries: Vec<_> =
            all(&reader).into_iter().filter(|entry| entry.kind() == Kind::File).collect();
        entries.reverse();
        for subset in [&entries[..], &entries[3..4], &entries[..0], &entries[2..9]] {
            let read: Vec<_> =
                subset.iter().map(|entry| Mutex::new(vec![0; entry.len() as usize])).collect();
            let total = AtomicU64::new(0);
            reader
                .read_all(subset, |number, offset, bytes| {
                    let mut content = read[number].lock().unwrap();
                    content[offset as usize..offset as usize + bytes.len()].copy_from_slice(bytes);
                    total.fetch_add(bytes.len() as u64, std::sync::atomic::Ordering::Relaxed);
                    Ok(())
                })
                .unwrap();
            assert_eq!(total.into_inner(), subset.iter().map(|entry| entry.len()).sum::<u64>());
            for (entry, content) in subset.iter().zip(read) {
                let (_, expected) =
                    files.iter().find(|(path, _)| path.as_bytes() == entry.path()).unwrap();
                assert!(content.into_inner().unwrap() == *expected);
            }
        }
        let failed = reader.read_all(&entries, |_, _, _| Err(std::io::Error::other("full")));
        assert!(failed.unwrap_err().to_string().contains("full"));
    }
}

/// 20 different sizes result in only a few different lengths.
#[test]
fn padding_hides_the_exact_size() {
    let mut lengths = std::collections::BTreeSet::new();
    for len in (100_000..110_000).step_by(500) {
        let mut builder = plan(&vec![("media/x".into(), bytes(1, len))]);
        builder.pad(true);
        let (archive, report) = builder.seal_to(&key(), Vec::new(), &options()).unwrap();
        check(&archive, &vec![("media/x".into(), bytes(1, len))]);
        lengths.insert(report.sealed.plaintext_len);
    }
    assert!(lengths.len() <= 6, "{lengths:?}");
}

///
#[test]
fn rejects_invalid_plans() {
    let mut builder = ArchiveBuilder::<Bytes>::new();
    for path in [&b""[..], b"/a", b"a/../b", b"a\0"] {
        assert!(matches!(
            builder.directory(path, &Metadata::new()),
            Err(Error::InvalidPath { .. })
        ));
    }
    assert!(builder.symlink(b"a", &Metadata::new(), b"").is_err());
    assert!(matches!(
        builder.file(b"huge", &Metadata::new(), 1 << 48, Bytes::new()),
        Err(Error::TooLarge { .. })
    ));
    assert!(builder.is_empty());

    for paths in [[&b"a"[..], b"a"], [b"a", b"a/b"], [b"a/b", b"a"]] {
        let mut builder = ArchiveBuilder::new();
        for path in paths {
            builder.file(path, &Metadata::new(), 0, Bytes::new()).unwrap();
        }
        let error = builder.seal_to(&key(), Vec::new(), &options()).err().unwrap();
        assert!(
            matches!(error, Error::Duplicate { .. } | Error::ParentNotDirectory { .. }),
            "{error}"
        );
    }
}

///
#[test]
fn rejects_other_content_types() {
    let container = bulla::seal(&key(), b"a single stream", &options()).unwrap();
    assert!(matches!(open(container), Err(Error::NotAnArchive { content_type: 0 })));
}
