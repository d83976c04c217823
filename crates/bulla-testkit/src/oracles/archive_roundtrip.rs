//! The writer of archives, whose sources are as bad as the bytes say.

use std::collections::BTreeMap;
use std::io;

use bulla::{ChunkSize, Key, ReadAt};
use bulla_archive::{ArchiveBuilder, ContentSource, Error, Metadata, Source, State, Time};

use super::archives::agree;
use super::known;
use super::script::{Script, stretch};
use crate::archive::{self, Archive, Noted, kind, state};
use crate::library::options;

/// Entries at most.
const ENTRIES_MAX: usize = 12;

/// **The bytes describe a plan of up to 12 entries**: names, kinds, times, modes; and for each
/// source how many bytes it has, which may be fewer or more than planned, and whether it can be
/// opened and read.
///
/// - The writer refuses exactly the names that do not allow.
/// - What it seals, whatever its sources do, is an archive in which the reference finds nothing
///   wrong, with the entries that were planned, the bytes that were there, and the notes that
///   follow. The writer reports the same notes.
/// - The library reads it as the reference does ([`archive_records`](super::archive_records)).
pub fn archive_roundtrip(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut writer = ArchiveBuilder::new();
    let padded = script.flag();
    writer.pad(padded);
    let mut planned: Vec<Planned> = Vec::new();
    for _ in 0..usize::from(script.byte()) % (ENTRIES_MAX + 1) {
        let plan = Planned::described(&mut script, &planned);
        match plan.add_to(&mut writer) {
            Ok(()) => {
                assert!(is_name(&plan.name), "a name that an archive cannot hold is planned");
                planned.push(plan);
            }
            Err(Error::InvalidPath { .. }) => {
                assert!(!is_name(&plan.name), "a good name is refused")
            }
            Err(error) => panic!("{error}"),
        }
    }
    let left_out = script.run();
    if !left_out.is_empty() {
        writer.skip(left_out);
    }
    assert_eq!(writer.len(), planned.len() as u64);

    let options = options(None).chunk_size(ChunkSize::MIN);
    let (container, report) =
        match writer.seal_to(&Key::from_bytes(&known::KEY), Vec::new(), &options) {
            Ok(sealed) => sealed,
            Err(Error::Duplicate { path }) => {
                assert!(
                    planned.iter().filter(|plan| plan.name == path).count() > 1,
                    "there is one of that name"
                );
                return;
            }
            Err(Error::ParentNotDirectory { path }) => {
                assert!(parent_is_no_directory(&planned, &path), "all above it are directories");
                return;
            }
            Err(error) => panic!("{error}"),
        };
    let names: BTreeMap<_, _> = planned.iter().map(|plan| (&plan.name, plan)).collect();
    assert_eq!(names.len(), planned.len(), "two entries of one name were sealed");
    assert!(
        !planned.iter().any(|plan| parent_is_no_directory(&planned, &plan.name)),
        "a file is a parent"
    );

    agree(&container).expect("the reference finds nothing wrong with it");
    let archive = Archive::open(&container, &known::KEY, None).expect("it was just read");
    let entries = archive.list().expect("it was just read");
    assert_eq!(report.entries, planned.len() as u64);
    assert_eq!(entries.len(), planned.len());
    for entry in &entries {
        let plan = names[&entry.name];
        assert_eq!((entry.kind, entry.state), (plan.kind, plan.expected_state()), "{plan:?}");
        assert_eq!(entry.modified, plan.modified);
        assert_eq!(entry.mode, plan.mode);
        assert_eq!(entry.target.as_ref(), Some(&plan.target).filter(|_| plan.kind == kind::LINK));
        if entry.kind == kind::FILE {
            let content = archive.content(entry, &[]).expect("it was just read");
            assert!(content == plan.expected_content(), "{plan:?}: other bytes than were there");
        }
    }
    notes(&archive, &report.notes, &planned, left_out);
}

/// The notes follow from the plan, and are those that the writer reports.
fn notes(
    archive: &Archive<'_>,
    reported: &[bulla_archive::Note],
    planned: &[Planned],
    left_out: &[u8],
) {
    let mut found = archive.notes().expect("it was just read");
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let of_entries = planned.iter().filter(|plan| plan.expected_state() != 0).map(|plan| {
        let (state, name) = (plan.expected_state(), plan.name.clone());
        Noted { state, found: plan.expected_content().len() as u64, name }
    });
    let of_others = (!left_out.is_empty()).then(|| Noted {
        state: state::SKIPPED,
        found: 0,
        name: left_out.to_vec(),
    });
    let mut expected: Vec<_> = of_entries.chain(of_others).collect();
    expected.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(found, expected, "found the left, expected the right");

    let states = [State::SHORT, State::GREW, State::CHANGED, State::UNREADABLE, State::SKIPPED];
    let bits =
        |state: State| (0..).zip(states).map(|(bit, of)| u16::from(state.has(of)) << bit).sum();
    let told = |note: &bulla_archive::Note| Noted {
        state: bits(note.state),
        found: note.found,
        name: note.path.clone(),
    };
    let mut reported: Vec<_> = reported.iter().map(told).collect();
    reported.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(reported, expected, "reported the left, expected the right");
}

/// What may happen to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Opens,
    DoesNotOpen,
    /// Reading fails from this offset on, if there are bytes.
    FailsAt(usize),
}

/// An entry that is planned, and the source of its content.
#[derive(Clone, Debug)]
struct Planned {
    kind: u8,
    name: Vec<u8>,
    modified: Option<(i64, u32)>,
    mode: Option<u32>,
    target: Vec<u8>,
    len: usize,
    bytes: Vec<u8>,
    fate: Fate,
}

impl Planned {
    fn described(script: &mut Script<'_>, before: &[Planned]) -> Planned {
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
        // Most are as long as planned.
        let has = match script.byte() % 4 {
            0 => script.within(0..=9000),
            _ => len,
        };
        let fate = match script.byte() % 8 {
            0 => Fate::DoesNotOpen,
            1 => Fate::FailsAt(script.within(0..=9000)),
            _ => Fate::Opens,
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
            fate,
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

    /// what was there of what was planned.
    fn expected_content(&self) -> &[u8] {
        let there = match self.fate {
            Fate::DoesNotOpen => 0,
            Fate::Opens => self.bytes.len(),
            Fate::FailsAt(at) => self.bytes.len().min(at),
        };
        if self.is_file() { &self.bytes[..there.min(self.len)] } else { &[] }
    }

    ///
    fn expected_state(&self) -> u16 {
        match self.fate {
            _ if !self.is_file() => 0,
            Fate::DoesNotOpen => state::UNREADABLE,
            Fate::FailsAt(at) if at < self.len.min(self.bytes.len()) => state::UNREADABLE,
            // Nobody can tell whether it has grown.
            Fate::FailsAt(at) if at == self.len && at < self.bytes.len() => 0,
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
        match self.fate {
            Fate::DoesNotOpen => Err(io::ErrorKind::PermissionDenied.into()),
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
        match self.fate {
            Fate::FailsAt(at) if at < self.bytes.len() => match offset >= at as u64 {
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

///
fn is_name(name: &[u8]) -> bool {
    let good = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
    name.len() <= archive::NAME_MAX && name.split(|byte| *byte == b'/').all(good)
}

///
fn parent_is_no_directory(planned: &[Planned], name: &[u8]) -> bool {
    planned.iter().any(|above| {
        let below = name.strip_prefix(&above.name[..]).is_some_and(|rest| rest.starts_with(b"/"));
        above.kind != kind::DIRECTORY && below
    })
}
