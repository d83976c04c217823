//! Builds vectors: the reference builds an archive in stages, one stage is changed, and the
//! generator states the outcome, which the reference must confirm.

use sha2::{Digest, Sha256};

use super::model::{Modified, Step, Vector, VectorEntry, VectorFailure, VectorNote};
use crate::archive::{
    self, ArchiveError, CorruptibleArchive, Item, Layout, Piece, Record, ReferenceArchive, Row,
    kind,
};
use crate::reference::{self, SealParams};
use crate::vectors::label::bytes32;

/// A vector whose outcome has not been stated yet.
pub(super) struct Case {
    name: String,
    clause: &'static str,
    comment: &'static str,
    content: u8,
    context: Option<Vec<u8>>,
    others: Vec<Vec<u8>>,
    /// The archived items, which a successful listing must return.
    items: Vec<Item>,
    stage: Stage,
}

/// A stage in building an archive.
enum Stage {
    Archive(CorruptibleArchive),
    Layout(Layout),
    Records(Vec<Record>),
    Plaintext(Vec<u8>),
    Container(Vec<u8>),
}

/// Starts a vector with an archive of `items`.
pub(super) fn case(
    name: &str,
    clause: &'static str,
    comment: &'static str,
    items: &[Item],
) -> Case {
    let pieces: Vec<_> = items.iter().cloned().map(Piece::Entry).collect();
    of_pieces(name, clause, comment, &pieces)
}

/// Starts a vector with an archive that has records that belong to no entry.
pub(super) fn of_pieces(
    name: &str,
    clause: &'static str,
    comment: &'static str,
    pieces: &[Piece],
) -> Case {
    with_rows(name, clause, comment, &[], pieces)
}

/// Starts a vector with an archive that refers to other containers.
pub(super) fn with_rows(
    name: &str,
    clause: &'static str,
    comment: &'static str,
    rows: &[Row],
    pieces: &[Piece],
) -> Case {
    let item = |piece: &Piece| match piece {
        Piece::Entry(item) => Some(item.clone()),
        Piece::Other(_) => None,
    };
    let items = pieces.iter().filter_map(item).collect();
    let stage = Stage::Archive(CorruptibleArchive::new(rows, pieces));
    let (content, context, others) = (archive::CONTENT, None, Vec::new());
    Case { name: name.to_owned(), clause, comment, content, context, others, items, stage }
}

/// Seals a plaintext under the key that all vectors share.
pub(super) fn seal(label: &str, content: u8, context: Option<&[u8]>, plaintext: &[u8]) -> Vec<u8> {
    reference::seal(&SealParams {
        key: bytes32("key"),
        salt: bytes32(&format!("salt of {label}")),
        chunk_log2: 12,
        content,
        context,
        envelope: b"",
        plaintext,
    })
}

impl Case {
    /// Changes the archive before its index is divided into blocks.
    pub(super) fn archive(mut self, change: impl FnOnce(&mut CorruptibleArchive)) -> Case {
        match &mut self.stage {
            Stage::Archive(archive) => change(archive),
            _ => panic!("{}: the layout already exists", self.name),
        }
        self
    }

    /// Changes the blocks, the fence or the trailer.
    pub(super) fn layout(mut self, change: impl FnOnce(&mut Layout)) -> Case {
        let mut layout = match self.stage {
            Stage::Archive(archive) => archive.lay_out(),
            Stage::Layout(layout) => layout,
            _ => panic!("{}: the records already exist", self.name),
        };
        change(&mut layout);
        self.stage = Stage::Layout(layout);
        self
    }

    /// Changes the records. The last two are the fence and the trailer.
    pub(super) fn records(mut self, change: impl FnOnce(&mut Vec<Record>)) -> Case {
        let mut records = match self.stage {
            Stage::Archive(archive) => archive.lay_out().all(),
            Stage::Layout(layout) => layout.all(),
            Stage::Records(records) => records,
            _ => panic!("{}: the plaintext already exists", self.name),
        };
        change(&mut records);
        self.stage = Stage::Records(records);
        self
    }

    /// Changes the plaintext.
    pub(super) fn plaintext(self, change: impl FnOnce(&mut Vec<u8>)) -> Case {
        let marker = self.marker();
        let mut case =
            if let Stage::Plaintext(_) = self.stage { self } else { self.records(|_| ()) };
        let mut plaintext = match case.stage {
            Stage::Records(records) => archive::encode_records(&records, &marker),
            Stage::Plaintext(plaintext) => plaintext,
            _ => unreachable!("no other stage is possible"),
        };
        change(&mut plaintext);
        case.stage = Stage::Plaintext(plaintext);
        case
    }

    /// Changes the container.
    pub(super) fn container(self, change: impl FnOnce(&mut Vec<u8>)) -> Case {
        let mut case =
            if let Stage::Container(_) = self.stage { self } else { self.plaintext(|_| ()) };
        let mut container = match case.stage {
            Stage::Plaintext(plaintext) => {
                seal(&case.name, case.content, case.context.as_deref(), &plaintext)
            }
            Stage::Container(container) => container,
            _ => unreachable!("no other stage is possible"),
        };
        change(&mut container);
        case.stage = Stage::Container(container);
        case
    }

    /// Returns the plaintext.
    pub(super) fn bytes(self) -> Vec<u8> {
        match self.plaintext(|_| ()).stage {
            Stage::Plaintext(plaintext) => plaintext,
            _ => unreachable!("no other stage is possible"),
        }
    }

    /// Sets the containers that the rows name.
    pub(super) fn others(self, others: &[Vec<u8>]) -> Case {
        Case { others: others.to_vec(), ..self }
    }

    /// Sets the content type in the header.
    pub(super) fn content(self, content: u8) -> Case {
        Case { content, ..self }
    }

    /// Seals and opens with a context.
    pub(super) fn context(self, context: &[u8]) -> Case {
        Case { context: Some(context.to_vec()), ..self }
    }

    /// Derives the marker, which depends only on the header and the key.
    pub(super) fn marker(&self) -> [u8; 16] {
        let context = self.context.as_deref();
        let empty = seal(&self.name, self.content, context, b"");
        let header = empty.first_chunk().expect("a container has a header");
        archive::marker(
            &reference::schedule(&bytes32("key"), &reference::bound(header), context).exporter,
        )
    }

    /// States that the archive is well-formed.
    pub(super) fn reads(self) -> Vector {
        self.complete(None)
    }

    /// States that opening fails.
    pub(super) fn fails_to_open(self, error: &str) -> Vector {
        self.complete(Some((Step::Open, error, None)))
    }

    /// States that listing fails, or that opening already does.
    pub(super) fn fails_to_list(self, error: &str) -> Vector {
        self.complete(Some((Step::List, error, None)))
    }

    /// States that listing succeeds but reading the content of `entry` fails.
    pub(super) fn fails_to_read(self, entry: &[u8], error: &str) -> Vector {
        self.complete(Some((Step::Content, error, Some(entry))))
    }

    /// States that only verification fails.
    pub(super) fn fails_to_verify(self, error: &str) -> Vector {
        self.complete(Some((Step::Verify, error, None)))
    }

    /// States that verification or an earlier step fails, because a reader MAY check this earlier.
    pub(super) fn fails_by_verify(self, error: &str) -> Vector {
        let vector = self.complete(Some((Step::Verify, error, None)));
        Vector { entries: None, notes: None, ..vector }
    }

    /// States the outcome and completes the vector.
    ///
    /// # Panics
    /// If the reference disagrees.
    fn complete(self, stated: Option<(Step, &str, Option<&[u8]>)>) -> Vector {
        let case = self.container(|_| ());
        let Stage::Container(container) = &case.stage else { unreachable!("the last stage") };
        let found = read(container, case.context.as_deref(), &case.others);
        let failure = found.error.as_ref();
        let reported = failure.map(|(step, error, entry)| (*step, error.name(), entry.as_deref()));
        assert_eq!(
            reported, stated,
            "{}: reference (left, {failure:?}) and generator (right)",
            case.name
        );
        if found.error.is_none() {
            case.compare_with_items(found.entries.as_deref().unwrap_or_default());
        }
        let error = stated.map(|(step, name, entry)| VectorFailure {
            step,
            name: name.to_owned(),
            entry: entry.map(Into::into),
        });
        Vector {
            name: case.name,
            clause: case.clause.to_owned(),
            comment: case.comment.to_owned(),
            key: bytes32("key").into(),
            context: case.context.map(Into::into),
            container: container.into(),
            others: case.others.iter().map(Into::into).collect(),
            entries: found.entries,
            notes: found.notes,
            error,
        }
    }

    /// Checks that the listed entries are the archived items.
    fn compare_with_items(&self, entries: &[VectorEntry]) {
        let mut items: Vec<_> = self.items.iter().collect();
        items.sort_by_key(|item| &item.name);
        assert_eq!(items.len(), entries.len(), "{}", self.name);
        for (item, entry) in items.into_iter().zip(entries) {
            let name = String::from_utf8_lossy(&item.name);
            assert_eq!(
                (&item.name[..], words(item.state)),
                (&entry.name[..], entry.state.clone()),
                "{name}"
            );
            assert_eq!(kind_name(item.kind), entry.kind, "{name}");
            if item.kind == kind::FILE && item.reference.is_none() {
                let digest = Sha256::digest(&item.content).into();
                assert_eq!(
                    (Some(digest), item.content.len() as u64),
                    (entry.sha256.clone(), entry.len)
                );
            }
        }
    }
}

/// The reference's results up to the first error.
struct Found {
    entries: Option<Vec<VectorEntry>>,
    notes: Option<Vec<VectorNote>>,
    error: Option<(Step, ArchiveError, Option<Vec<u8>>)>,
}

/// Reads an archive with the reference.
fn read(container: &[u8], context: Option<&[u8]>, others: &[Vec<u8>]) -> Found {
    let failed =
        |step, error| Found { entries: None, notes: None, error: Some((step, error, None)) };
    let key = bytes32("key");
    let archive = match ReferenceArchive::open(container, &key, context) {
        Ok(archive) => archive,
        Err(error) => return failed(Step::Open, error),
    };
    let listed = match archive.list() {
        Ok(listed) => listed,
        Err(error) => return failed(Step::List, error),
    };
    let mut error = None;
    let mut entries = Vec::new();
    for listed in listed {
        let content = match listed.kind {
            kind::FILE => archive.content(&listed, others).map(Some),
            _ => Ok(None),
        };
        let content = content.unwrap_or_else(|failure| {
            error.get_or_insert((Step::Content, failure, Some(listed.name.clone())));
            None
        });
        entries.push(entry(listed, content));
    }
    let notes = archive.notes().ok().map(|notes| {
        let note = |note: archive::ReferenceNote| {
            let (name, state, found) = (note.name.into(), words(note.state), note.found);
            VectorNote { name, state, found }
        };
        notes.into_iter().map(note).collect()
    });
    let error = error.or_else(|| archive.verify().err().map(|error| (Step::Verify, error, None)));
    Found { entries: Some(entries), notes, error }
}

fn entry(listed: archive::ReferenceEntry, content: Option<Vec<u8>>) -> VectorEntry {
    let modified = listed.modified.map(|(seconds, nanoseconds)| Modified { seconds, nanoseconds });
    VectorEntry {
        name: listed.name.into(),
        kind: kind_name(listed.kind).to_owned(),
        state: words(listed.state),
        container: listed.container,
        len: listed.len,
        sha256: content.map(|content| Sha256::digest(&content).into()),
        modified,
        mode: listed.mode,
        target: listed.target.map(Into::into),
    }
}

fn kind_name(kind: u8) -> &'static str {
    match kind {
        kind::FILE => "file",
        kind::DIRECTORY => "directory",
        kind::LINK => "link",
        other => panic!("no index entry has kind {other}"),
    }
}

/// Returns the names of a state's bits.
fn words(state: u16) -> Vec<String> {
    let words = ["short", "grew", "changed", "unreadable", "skipped"];
    (0..)
        .zip(words)
        .filter(|(bit, _)| state >> bit & 1 == 1)
        .map(|(_, word)| word.to_owned())
        .collect()
}
