//! The archive writer, with sources that fail or change as the input describes.

use std::collections::BTreeMap;
use std::io;

use bulla::{ChunkSize, Key, ReadAt};
use bulla_archive::{ArchiveBuilder, ContentSource, Error, Metadata, Source, State, Time};

use super::records::compare_readers;
use crate::archive::{self, ReferenceArchive, ReferenceNote, kind, state};
use crate::library::options;
use crate::oracles::known;
use crate::oracles::script::{Script, stretch};

/// Maximum number of entries in an archive.
const ENTRIES_MAX: usize = 12;

/// **Input: a description of up to 12 planned entries** with names, kinds, times and modes. For
/// each source, the input also gives the actual length, which may differ from the planned one, and
/// states whether the source can be opened and read.
///
/// - The writer rejects exactly the names that forbid.
/// - Whatever the sources do, the reference verifies the sealed archive and finds the planned
///   entries, the bytes that the sources provided, and the resulting notes (A-2.1 to,
///   The writer reports the same notes.
/// - The library and the reference agree on the archive
///   ([`archive_records`](crate::oracles::archive_records())).
pub fn archive_roundtrip(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut writer = ArchiveBuilder::new();
    let padded = script.flag();
    writer.pad(padded);
    let mut planned: Vec<Planned> = Vec::new();
    for _ in 0..usize::from(script.byte()) % (ENTRIES_MAX + 1) {
        let plan = Planned::describe(&mut script, &planned);
        match plan.add_to(&mut writer) {
            Ok(()) => {
                assert!(is_name(&plan.name), "the writer accepted an invalid name");
                planned.push(plan);
            }
            Err(Error::InvalidPath { .. }) => {
                assert!(!is_name(&plan.name), "the writer rejected a valid name")
            }
            Err(error) => panic!("{error}"),
        }
    }
    let skipped = script.run();
    if !skipped.is_empty() {
        writer.skip(skipped);
    }
    assert_eq!(writer.len(), planned.len() as u64);

    let options = options(None).chunk_size(ChunkSize::MIN);
    let (container, report) =
        match writer.seal_to(&Key::from_bytes(&known::KEY), Vec::new(), &options) {
            Ok(sealed) => sealed,
            Err(Error::Duplicate { path }) => {
                assert!(
                    planned.iter().filter(|plan| plan.name == path).count() > 1,
                    "the name is unique"
                );
                return;
            }
            Err(Error::ParentNotDirectory { path }) => {
                assert!(has_invalid_parent(&planned, &path), "all parents are directories");
                return;
            }
            Err(error) => panic!("{error}"),
        };
    let names: BTreeMap<_, _> = planned.iter().map(|plan| (&plan.name, plan)).collect();
    assert_eq!(names.len(), planned.len(), "sealed two entries with the same name");
    assert!(
        !planned.iter().any(|plan| has_invalid_parent(&planned, &plan.name)),
        "sealed an entry below one that is not a directory"
    );

    compare_readers(&container).expect("the archive is well-formed");
    let archive =
        ReferenceArchive::open(&container, &known::KEY, None).expect("the archive is well-formed");
    let entries = archive.list().expect("the archive is well-formed");
    assert_eq!(report.entries, planned.len() as u64);
    assert_eq!(entries.len(), planned.len());
    for entry in &entries {
        let plan = names[&entry.name];
        assert_eq!((entry.kind, entry.state), (plan.kind, plan.expected_state()), "{plan:?}");
        assert_eq!(entry.modified, plan.modified);
        assert_eq!(entry.mode, plan.mode);
        assert_eq!(entry.target.as_ref(), Some(&plan.target).filter(|_| plan.kind == kind::LINK));
        if entry.kind == kind::FILE {
            let content = archive.content(entry, &[]).expect("the archive is well-formed");
            assert!(
                content == plan.expected_content(),
                "{plan:?}: the bytes differ from those of the source"
            );
        }
    }
    check_notes(&archive, &report.notes, &planned, skipped);
}

/// Checks that the notes follow from the plan, and that the writer reports the same notes.
fn check_notes(
    archive: &ReferenceArchive<'_>,
    reported: &[bulla_archive::Note],
    planned: &[Planned],
    skipped: &[u8],
) {
    let mut found = archive.notes().expect("the archive is well-formed");
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let of_entries = planned.iter().filter(|plan| plan.expected_state() != 0).map(|plan| {
        let (state, name) = (plan.expected_state(), plan.name.clone());
        ReferenceNote { state, found: plan.expected_content().len() as u64, name }
    });
    let of_others = (!skipped.is_empty()).then(|| ReferenceNote {
        state: state::SKIPPED,
        found: 0,
        name: skipped.to_vec(),
    });
    let mut expected: Vec<_> = of_entries.chain(of_others).collect();
    expected.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(found, expected, "found (left) and expected (right)");

    let states = [State::SHORT, State::GREW, State::CHANGED, State::UNREADABLE, State::SKIPPED];
    let bits =
        |state: State| (0..).zip(states).map(|(bit, of)| u16::from(state.has(of)) << bit).sum();
    let convert = |note: &bulla_archive::Note| ReferenceNote {
        state: bits(note.state),
        found: note.found,
        name: note.path.clone(),
    };
    let mut reported: Vec<_> = reported.iter().map(convert).collect();
    reported.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(reported, expected, "reported (left) and expected (right)");
}

/// The behavior of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behavior {
    Opens,
    DoesNotOpen,
    /// Reading fails at this offset if the source is longer.
    FailsAt(usize),
}

/// A planned entry and the source of its content.
#[derive(Clone, Debug)]
struct Planned {
    kind: u8,
    name: Vec<u8>,
    modified: Option<(i64, u32)>,
    mode: Option<u32>,
    target: Vec<u8>,
    len: usize,
    bytes: Vec<u8>,
    behavior: Behavior,
}

impl Planned {
    /// Builds the next entry that a script describes.
    fn describe(script: &mut Script<'_>, before: &[Planned]) -> Planned {
        let shape = script.byte();
        let parent = script.byte();
        let mut name = match before.len() {
            count @ 1.. if parent & 1 == 1 => {
                [&before[usize::from(parent / 2) % count].name[..], b"/"].concat()
            }
            _ => Vec::new(),
        };
        name.extend(script.take(1 + usize::from(shape / 4) % 4));
        let len = script.within(0..=9000);
        // Most sources are as long as planned.
        let has = match script.byte() % 4 {
            0 => script.within(0..=9000),
            _ => len,
        };
        let behavior = match script.byte() % 8 {
            0 => Behavior::DoesNotOpen,
            1 => Behavior::FailsAt(script.within(0..=9000)),
            _ => Behavior::Opens,
        };
        let kind = [kind::FILE, kind::FILE, kind::DIRECTORY, kind::LINK][usize::from(shape) % 4];
        Planned {
            kind,
            modified: script
                .flag()
                .then(|| (script.number(8) as i64, script.number(4) as u32 % 1_000_000_000)),
            mode: script.flag().then(|| script.number(2) as u32 & 0o7777),
            target: [b"t", script.take(3)].concat().into_iter().filter(|byte| *byte != 0).collect(),
            len: if kind == kind::FILE { len } else { 0 },
            bytes: stretch(&name, has),
            name,
            behavior,
        }
    }

    fn add_to(&self, writer: &mut ArchiveBuilder<Planned>) -> Result<(), Error> {
        let mut metadata = Metadata::new();
        if let Some((seconds, nanoseconds)) = self.modified {
            metadata = metadata.mtime(Time { seconds, nanoseconds });
        }
        if let Some(mode) = self.mode {
            metadata = metadata.mode(mode);
        }
        match self.kind {
            kind::FILE => writer.file(&self.name, &metadata, self.len as u64, self.clone()),
            kind::DIRECTORY => writer.directory(&self.name, &metadata),
            _ => writer.symlink(&self.name, &metadata, &self.target),
        }
    }

    fn is_file(&self) -> bool {
        self.kind == kind::FILE
    }

    /// Returns the planned bytes that the source provides.
    fn expected_content(&self) -> &[u8] {
        let provided = match self.behavior {
            Behavior::DoesNotOpen => 0,
            Behavior::Opens => self.bytes.len(),
            Behavior::FailsAt(at) => self.bytes.len().min(at),
        };
        if self.is_file() { &self.bytes[..provided.min(self.len)] } else { &[] }
    }

    /// Returns the expected state.
    fn expected_state(&self) -> u16 {
        match self.behavior {
            _ if !self.is_file() => 0,
            Behavior::DoesNotOpen => state::UNREADABLE,
            Behavior::FailsAt(at) if at < self.len.min(self.bytes.len()) => state::UNREADABLE,
            // The error hides the fact that the source has grown.
            Behavior::FailsAt(at) if at == self.len && at < self.bytes.len() => 0,
            _ if self.bytes.len() < self.len => state::SHORT,
            _ if self.bytes.len() > self.len => state::GREW,
            _ => 0,
        }
    }
}

impl Source for Planned {
    type Content = Planned;

    fn open(&self, name: &[u8]) -> io::Result<Planned> {
        assert_eq!(name, self.name);
        match self.behavior {
            Behavior::DoesNotOpen => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Ok(self.clone()),
        }
    }
}

impl ContentSource for Planned {
    fn mtime(&self) -> io::Result<Option<Time>> {
        Ok(self.modified.map(|(seconds, nanoseconds)| Time { seconds, nanoseconds }))
    }
}

impl ReadAt for Planned {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match self.behavior {
            Behavior::FailsAt(at) if at < self.bytes.len() => match offset >= at as u64 {
                true => Err(io::ErrorKind::Other.into()),
                false => self.bytes[..at].read_at(buf, offset),
            },
            _ => self.bytes.read_at(buf, offset),
        }
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }
}

/// Returns whether `name` is valid.
fn is_name(name: &[u8]) -> bool {
    let is_valid = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
    name.len() <= archive::NAME_MAX && name.split(|byte| *byte == b'/').all(is_valid)
}

/// Returns whether a parent of `name` is not a directory.
fn has_invalid_parent(planned: &[Planned], name: &[u8]) -> bool {
    planned.iter().any(|above| {
        let below = name.strip_prefix(&above.name[..]).is_some_and(|rest| rest.starts_with(b"/"));
        above.kind != kind::DIRECTORY && below
    })
}
