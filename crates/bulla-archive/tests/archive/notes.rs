//! Sources that are not as planned: noted, flagged, and never silently wrong.

use std::io;

use bulla::ReadAt;
use bulla_archive::{ArchiveWriter, ContentSource, Metadata, Source, State, Time};
use bytes::Bytes;

use crate::sample::{all, bytes, key, open, options};

/// A source whose content is something else by the time it is read.
enum Moody {
    As(Bytes),
    Gone,
    FailsAt(Bytes, u64),
    Touched(Bytes, Time),
}

impl Source for Moody {
    type Content = MoodyContent;

    fn open(&self, _name: &[u8]) -> io::Result<MoodyContent> {
        let (bytes, fails_at, modified) = match self {
            Moody::Gone => return Err(io::ErrorKind::NotFound.into()),
            Moody::As(bytes) => (bytes, u64::MAX, None),
            Moody::FailsAt(bytes, at) => (bytes, *at, None),
            Moody::Touched(bytes, time) => (bytes, u64::MAX, Some(*time)),
        };
        Ok(MoodyContent { bytes: bytes.clone(), fails_at, modified })
    }
}

struct MoodyContent {
    bytes: Bytes,
    fails_at: u64,
    modified: Option<Time>,
}

impl ReadAt for MoodyContent {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.fails_at {
            return Err(io::Error::other("a bad sector"));
        }
        let until = usize::try_from(self.fails_at - offset).unwrap_or(usize::MAX).min(buf.len());
        self.bytes.read_at(&mut buf[..until], offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }
}

impl ContentSource for MoodyContent {
    fn mtime(&self) -> io::Result<Option<Time>> {
        Ok(self.modified)
    }
}

///
#[test]
fn each_state() {
    let content = bytes(7, 10_000);
    let at = |seconds| Time { seconds, nanoseconds: 0 };
    let cases: [(&[u8], Moody, State, u64); 8] = [
        (b"fails", Moody::FailsAt(content.clone(), 5000), State::UNREADABLE, 5000),
        (b"fails-at-once", Moody::FailsAt(content.clone(), 0), State::UNREADABLE, 0),
        (b"gone", Moody::Gone, State::UNREADABLE, 0),
        (b"grew", Moody::As(bytes(7, 10_001)), State::GREW, 10_000),
        (b"right", Moody::As(content.clone()), State::default(), 10_000),
        (b"short", Moody::As(content.slice(..4097)), State::SHORT, 4097),
        (b"short-empty", Moody::As(Bytes::new()), State::SHORT, 0),
        (b"touched", Moody::Touched(content.clone(), at(8)), State::CHANGED, 10_000),
    ];
    let mut writer = ArchiveWriter::new();
    let mut expected = Vec::new();
    for (name, source, state, len) in cases {
        writer.file(name, &Metadata::new().mtime(at(7)), 10_000, source).unwrap();
        expected.push((name, state, len));
    }
    writer.skip(b"a socket");
    let (archive, report) = writer.seal_to(&key(), Vec::new(), &options()).unwrap();
    assert_eq!(report.notes.len(), 8);

    let reader = open(archive).unwrap();
    reader.verify().unwrap();
    assert_eq!(reader.notes().unwrap(), report.notes);
    let entries = all(&reader);
    for (entry, (name, state, len)) in entries.iter().zip(expected) {
        assert_eq!((entry.path(), entry.state(), entry.len()), (name, state, len));
        let read = reader.content(entry).unwrap().range(0..len).unwrap();
        assert_eq!(read, content[..len as usize]);
        let note = report.notes.iter().find(|note| note.path == name);
        assert_eq!(
            note.map(|note| (note.state, note.found)),
            (!state.is_whole()).then_some((state, len))
        );
    }
    assert!(
        report.notes.iter().any(|note| note.path == b"a socket" && note.state.has(State::SKIPPED))
    );
}

/// An empty file that has grown is looked at too.
#[test]
fn empty_file_that_grew() {
    let mut writer = ArchiveWriter::new();
    writer.file(b"log", &Metadata::new(), 0, Moody::As(bytes(1, 3))).unwrap();
    let (_, report) = writer.seal_to(&key(), Vec::new(), &options()).unwrap();
    assert!(report.notes[0].state.has(State::GREW));
}

/// Several threads read one short file: it ends at the first byte that any of them missed.
#[test]
fn short_file_read_by_many_threads() {
    let directory = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let options = bulla::Options::new().workers(bulla::Workers::Pool(&pool));
    let path = directory.path().join("archive");
    let mut writer = ArchiveWriter::new();
    writer.file(b"video", &Metadata::new(), 20_000_000, Moody::As(bytes(1, 3_000_000))).unwrap();
    writer.file(b"behind", &Metadata::new(), 5, Moody::As(bytes(2, 5))).unwrap();
    let output = std::fs::File::create_new(&path).unwrap();
    let report = writer.seal(&key(), &output, &options).unwrap();
    assert_eq!((report.notes.len(), report.notes[0].found), (1, 3_000_000));
    let reader = open(std::fs::File::open(&path).unwrap()).unwrap();
    reader.verify().unwrap();
    let entry = reader.lookup(b"video").unwrap().unwrap();
    assert_eq!((entry.len(), entry.state()), (3_000_000, State::SHORT));
    assert_eq!(reader.content(&entry).unwrap().range(0..3_000_000).unwrap(), bytes(1, 3_000_000));
}
