//! How a vector is made: pieces that the reference lays out, a change to one stage of that, and the
//! outcome stated by hand.

use sha2::{Digest, Sha256};

use super::{Entry, Failure, Modified, Note, Step, Vector};
use crate::archive::{self, Archive, Draft, Fault, Item, Layout, Piece, Record, Row, kind};
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
    /// What was to be archived; the outcome is held against it.
    items: Vec<Item>,
    stage: Stage,
}

/// How far the archive is laid out.
enum Stage {
    Draft(Draft),
    Layout(Layout),
    Records(Vec<Record>),
    Plaintext(Vec<u8>),
    Container(Vec<u8>),
}

/// A vector of items as they are.
pub(super) fn case(
    name: &str,
    clause: &'static str,
    comment: &'static str,
    items: &[Item],
) -> Case {
    let pieces: Vec<_> = items.iter().cloned().map(Piece::Entry).collect();
    of_pieces(name, clause, comment, &pieces)
}

/// A vector of items and other records.
pub(super) fn of_pieces(
    name: &str,
    clause: &'static str,
    comment: &'static str,
    pieces: &[Piece],
) -> Case {
    with_rows(name, clause, comment, &[], pieces)
}

/// A vector of an archive that refers to other containers.
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
    let stage = Stage::Draft(Draft::new(rows, pieces));
    let (content, context, others) = (archive::CONTENT, None, Vec::new());
    Case { name: name.to_owned(), clause, comment, content, context, others, items, stage }
}

/// Seals a plaintext under the key of all vectors.
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
    /// Changes the draft.
    pub(super) fn draft(mut self, change: impl FnOnce(&mut Draft)) -> Case {
        match &mut self.stage {
            Stage::Draft(draft) => change(draft),
            _ => panic!("{}: the draft was laid out already", self.name),
        }
        self
    }

    /// Changes blocks, fence or trailer.
    pub(super) fn layout(mut self, change: impl FnOnce(&mut Layout)) -> Case {
        let mut layout = match self.stage {
            Stage::Draft(draft) => draft.lay_out(),
            Stage::Layout(layout) => layout,
            _ => panic!("{}: there are records already", self.name),
        };
        change(&mut layout);
        self.stage = Stage::Layout(layout);
        self
    }

    /// Changes records, of which the last two are fence and trailer.
    pub(super) fn records(mut self, change: impl FnOnce(&mut Vec<Record>)) -> Case {
        let mut records = match self.stage {
            Stage::Draft(draft) => draft.lay_out().all(),
            Stage::Layout(layout) => layout.all(),
            Stage::Records(records) => records,
            _ => panic!("{}: there are bytes already", self.name),
        };
        change(&mut records);
        self.stage = Stage::Records(records);
        self
    }

    /// Changes the bytes of the plaintext.
    pub(super) fn plaintext(self, change: impl FnOnce(&mut Vec<u8>)) -> Case {
        let marker = self.marker();
        let mut case =
            if let Stage::Plaintext(_) = self.stage { self } else { self.records(|_| ()) };
        let mut plaintext = match case.stage {
            Stage::Records(records) => archive::join(&records, &marker),
            Stage::Plaintext(plaintext) => plaintext,
            _ => unreachable!("one of the two"),
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
            _ => unreachable!("one of the two"),
        };
        change(&mut container);
        case.stage = Stage::Container(container);
        case
    }

    /// The plaintext.
    pub(super) fn bytes(self) -> Vec<u8> {
        match self.plaintext(|_| ()).stage {
            Stage::Plaintext(plaintext) => plaintext,
            _ => unreachable!("the stage that was asked for"),
        }
    }

    /// The containers of the rows.
    pub(super) fn others(self, others: &[Vec<u8>]) -> Case {
        Case { others: others.to_vec(), ..self }
    }

    /// Says in the header that the plaintext is something else.
    pub(super) fn content(self, content: u8) -> Case {
        Case { content, ..self }
    }

    /// Seals and opens with a context.
    pub(super) fn context(self, context: &[u8]) -> Case {
        Case { context: Some(context.to_vec()), ..self }
    }

    /// The container's marker, which follows from its header alone.
    pub(super) fn marker(&self) -> [u8; 16] {
        let context = self.context.as_deref();
        let empty = seal(&self.name, self.content, context, b"");
        let header = empty.first_chunk().expect("a container has a header");
        archive::marker(
            &reference::schedule(&bytes32("key"), &reference::bound(header), context).exporter,
        )
    }

    /// Nothing is wrong with it.
    pub(super) fn reads(self) -> Vector {
        self.complete(None)
    }

    /// Opening fails.
    pub(super) fn fails_to_open(self, error: &str) -> Vector {
        self.complete(Some((Step::Open, error, None)))
    }

    /// Listing fails, if opening does not.
    pub(super) fn fails_to_list(self, error: &str) -> Vector {
        self.complete(Some((Step::List, error, None)))
    }

    /// Listing is fine, but the content of this entry cannot be read.
    pub(super) fn fails_to_read(self, entry: &[u8], error: &str) -> Vector {
        self.complete(Some((Step::Content, error, Some(entry))))
    }

    /// Listing is fine, and so are all contents; verifying fails.
    pub(super) fn fails_to_verify(self, error: &str) -> Vector {
        self.complete(Some((Step::Verify, error, None)))
    }

    /// Verifying fails, if nothing did before: what is wrong stands where a reader MAY look
    /// earlier.
    pub(super) fn fails_to_verify_at_the_latest(self, error: &str) -> Vector {
        let vector = self.complete(Some((Step::Verify, error, None)));
        Vector { entries: None, notes: None, ..vector }
    }

    /// States the outcome.
    ///
    /// # Panics
    ///
    /// If the reference reports something else.
    fn complete(self, stated: Option<(Step, &str, Option<&[u8]>)>) -> Vector {
        let case = self.container(|_| ());
        let Stage::Container(container) = &case.stage else { unreachable!("the last stage") };
        let found = read(container, case.context.as_deref(), &case.others);
        let failure = found.error.as_ref();
        let reported = failure.map(|(step, fault, entry)| (*step, fault.name(), entry.as_deref()));
        assert_eq!(
            reported, stated,
            "{}: the reference reports the left ({failure:?}), the generator states the right",
            case.name
        );
        if found.error.is_none() {
            case.compare_with_items(found.entries.as_deref().unwrap_or_default());
        }
        let error = stated.map(|(step, name, entry)| Failure {
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

    /// What is in the archive is what was to be archived, as far as that can be told without
    /// reading it.
    fn compare_with_items(&self, entries: &[Entry]) {
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

/// What the reference makes of an archive, step by step, up to the first error.
struct Found {
    entries: Option<Vec<Entry>>,
    notes: Option<Vec<Note>>,
    error: Option<(Step, Fault, Option<Vec<u8>>)>,
}

fn read(container: &[u8], context: Option<&[u8]>, others: &[Vec<u8>]) -> Found {
    let failed =
        |step, fault| Found { entries: None, notes: None, error: Some((step, fault, None)) };
    let key = bytes32("key");
    let archive = match Archive::open(container, &key, context) {
        Ok(archive) => archive,
        Err(fault) => return failed(Step::Open, fault),
    };
    let listed = match archive.list() {
        Ok(listed) => listed,
        Err(fault) => return failed(Step::List, fault),
    };
    let mut error = None;
    let mut entries = Vec::new();
    for listed in listed {
        let content = match listed.kind {
            kind::FILE => archive.content(&listed, others).map(Some),
            _ => Ok(None),
        };
        let content = content.unwrap_or_else(|fault| {
            error.get_or_insert((Step::Content, fault, Some(listed.name.clone())));
            None
        });
        entries.push(entry(listed, content));
    }
    let notes = archive.notes().ok().map(|notes| {
        let note = |note: archive::Noted| {
            let (name, state, found) = (note.name.into(), words(note.state), note.found);
            Note { name, state, found }
        };
        notes.into_iter().map(note).collect()
    });
    let error = error.or_else(|| archive.verify().err().map(|fault| (Step::Verify, fault, None)));
    Found { entries: Some(entries), notes, error }
}

fn entry(listed: archive::Entry, content: Option<Vec<u8>>) -> Entry {
    let modified = listed.modified.map(|(seconds, nanoseconds)| Modified { seconds, nanoseconds });
    Entry {
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
        other => panic!("the index has no kind {other}"),
    }
}

/// A state in the words of.
fn words(state: u16) -> Vec<String> {
    let words = ["short", "grew", "changed", "unreadable", "left_out"];
    (0..)
        .zip(words)
        .filter(|(bit, _)| state >> bit & 1 == 1)
        .map(|(_, word)| word.to_owned())
        .collect()
}
