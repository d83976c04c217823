//! Sources that differ from the plan: the entries are flagged and noted.

use std::io;

use bulla::ReadAt;
use bulla_archive::{ArchiveBuilder, ContentSource, Metadata, Source, State, Time};
use bytes::Bytes;

use crate::sample::{all, bytes, key, open, options};

/// A source whose content may differ from the plan when it is read.
enum UnreliableSource {
    Bytes(Bytes),
    Missing,
    /// Reading fails at this offset.
    FailsAt(Bytes, u64),
    /// The content has this mtime.
    Touched(Bytes, Time),
}

impl Source for UnreliableSource {
    type Content = UnreliableContent;

    fn open(&self, _path: &[u8]) -> io::Result<UnreliableContent> {
        let (bytes, fails_at, mtime) = match self {
            UnreliableSource::Missing => return Err(io::ErrorKind::NotFound.into()),
            UnreliableSource::Bytes(bytes) => (bytes, u64::MAX, None),
            UnreliableSource::FailsAt(bytes, at) => (bytes, *at, None),
            UnreliableSource::Touched(bytes, time) => (bytes, u64::MAX, Some(*time)),
        };
        Ok(UnreliableContent { bytes: bytes.clone(), fails_at, mtime })
    }
}

struct UnreliableContent {
    bytes: Bytes,
    fails_at: u64,
    mtime: Option<Time>,
}

impl ReadAt for UnreliableContent {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.fails_at {
            return Err(io::Error::other("input/output error"));
        }
        let len = usize::try_from(self.fails_at - offset).unwrap_or(usize::MAX).min(buf.len());
        self.bytes.read_at(&mut buf[..len], offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }
}

impl ContentSource for UnreliableContent {
    fn mtime(&self) -> io::Result<Option<Time>> {
        Ok(self.mtime)
    }
}

///
#[test]
fn notes_each_difference_from_the_plan() {
    let content = bytes(7, 10_000);
    let at = |seconds| Time { seconds, nanoseconds: 0 };
    let cases: [(&[u8], UnreliableSource, State, u64); 8] = [
        (b"fails", UnreliableSource::FailsAt(content.clone(), 5000), State::UNREADABLE, 5000),
        (b"fails-at-start", UnreliableSource::FailsAt(content.clone(), 0), State::UNREADABLE, 0),
        (b"gone", UnreliableSource::Missing, State::UNREADABLE, 0),
        (b"grew", UnreliableSource::Bytes(bytes(7, 10_001)), State::GREW, 10_000),
        (b"planned", UnreliableSource::Bytes(content.clone()), State::default(), 10_000),
        (b"short", UnreliableSource::Bytes(content.slice(..4097)), State::SHORT, 4097),
        (b"short-empty", UnreliableSource::Bytes(Bytes::new()), State::SHORT, 0),
        (b"touched", UnreliableSource::Touched(content.clone(), at(8)), State::CHANGED, 10_000),
    ];
    let mut builder = ArchiveBuilder::new();
    let mut expected = Vec::new();
    for (path, source, state, len) in cases {
        builder.file(path, &Metadata::new().mtime(at(7)), 10_000, source).unwrap();
        expected.push((path, state, len));
    }
    builder.skip(b"socket");
    let (archive, report) = builder.seal_to(&key(), Vec::new(), &options()).unwrap();
    assert_eq!(report.notes.len(), 8);

    let reader = open(archive).unwrap();
    reader.verify().unwrap();
    assert_eq!(reader.notes().unwrap(), report.notes);
    let entries = all(&reader);
    for (entry, (path, state, len)) in entries.iter().zip(expected) {
        assert_eq!((entry.path(), entry.state(), entry.len()), (path, state, len));
        let read = reader.content(entry).unwrap().range(0..len).unwrap();
        assert_eq!(read, content[..len as usize]);
        let note = report.notes.iter().find(|note| note.path == path);
        assert_eq!(
            note.map(|note| (note.state, note.found)),
            (!state.is_whole()).then_some((state, len))
        );
    }
    assert!(
        report.notes.iter().any(|note| note.path == b"socket" && note.state.has(State::SKIPPED))
    );
}

/// a file that was planned as empty has no bytes to read, but growth is detected.
#[test]
fn notes_an_empty_file_that_grew() {
    let mut builder = ArchiveBuilder::new();
    builder.file(b"log", &Metadata::new(), 0, UnreliableSource::Bytes(bytes(1, 3))).unwrap();
    let (_, report) = builder.seal_to(&key(), Vec::new(), &options()).unwrap();
    assert!(report.notes[0].state.has(State::GREW));
}

/// when several threads read one short file, it ends at the first byte that any of them
/// could not read.
#[test]
fn notes_a_short_file_read_by_several_threads() {
    let directory = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let options = bulla::Options::new().workers(bulla::Workers::Pool(&pool));
    let path = directory.path().join("archive");
    let mut builder = ArchiveBuilder::new();
    builder
        .file(b"video", &Metadata::new(), 20_000_000, UnreliableSource::Bytes(bytes(1, 3_000_000)))
        .unwrap();
    builder.file(b"next", &Metadata::new(), 5, UnreliableSource::Bytes(bytes(2, 5))).unwrap();
    let output = std::fs::File::create_new(&path).unwrap();
    let report = builder.seal(&key(), &output, &options).unwrap();
    assert_eq!((report.notes.len(), report.notes[0].found), (1, 3_000_000));
    let reader = open(std::fs::File::open(&path).unwrap()).unwrap();
    reader.verify().unwrap();
    let entry = reader.lookup(b"video").unwrap().unwrap();
    assert_eq!((entry.len(), entry.state()), (3_000_000, State::SHORT));
    assert_eq!(reader.content(&entry).unwrap().range(0..3_000_000).unwrap(), bytes(1, 3_000_000));
}
