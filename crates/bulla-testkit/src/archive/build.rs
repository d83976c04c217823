//! Builds the plaintext of an archive in stages: pieces give a [`Draft`], a draft a [`Layout`], a
//! layout its records, and these the bytes. Whoever changes one stage gets all that follows from
//! the change, and no more.

use super::{attribute, kind, tag};

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Another marker than the container's.
    pub marker: Option<[u8; 16]>,
    /// Its kind.
    pub kind: u8,
    /// Its encoding.
    pub encoding: u8,
    /// Its name.
    pub name: Vec<u8>,
    /// Its attributes, as they stand.
    pub attributes: Vec<u8>,
    /// Its content.
    pub content: Vec<u8>,
    /// Lengths in the head that are not those of what follows.
    pub lens: Option<Lens>,
}

/// The lengths in a record's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of A-1.2")]
pub struct Lens {
    pub name: u16,
    pub attributes: u32,
    pub content: u64,
}

impl Record {
    /// A record without name and attributes.
    pub fn new(kind: u8, content: &[u8]) -> Record {
        let (name, attributes, content) = (Vec::new(), Vec::new(), content.to_vec());
        Record { marker: None, kind, encoding: 0, name, attributes, content, lens: None }
    }

    /// The lengths of what it holds.
    pub fn true_lens(&self) -> Lens {
        Lens {
            name: self.name.len() as u16,
            attributes: self.attributes.len() as u32,
            content: self.content.len() as u64,
        }
    }

    /// Its bytes.
    pub fn encode(&self, marker: &[u8; 16]) -> Vec<u8> {
        let lens = self.lens.unwrap_or(self.true_lens());
        [
            &self.marker.as_ref().unwrap_or(marker)[..],
            &[self.kind, self.encoding],
            &lens.name.to_be_bytes(),
            &lens.attributes.to_be_bytes(),
            &lens.content.to_be_bytes(),
            &self.name,
            &self.attributes,
            &self.content,
        ]
        .concat()
    }

    fn len(&self) -> u64 {
        self.encode(&[0; 16]).len() as u64
    }
}

/// The bytes of records, one behind the other.
pub fn join(records: &[Record], marker: &[u8; 16]) -> Vec<u8> {
    records.iter().flat_map(|record| record.encode(marker)).collect()
}

/// A row of the containers record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of A-3.4")]
pub struct Row {
    pub salt: [u8; 32],
    pub key: [u8; 32],
    pub commitment: [u8; 32],
}

/// A file, directory, symbolic link or reference that is to be archived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The kind in its index entry: 1, 2 or 3.
    pub kind: u8,
    /// The encoding in record and index entry.
    pub encoding: u8,
    /// Its state.
    pub state: u16,
    /// Its name.
    pub name: Vec<u8>,
    /// Its attributes, as they stand.
    pub attributes: Vec<u8>,
    /// The bytes that were there.
    pub content: Vec<u8>,
    /// Zeros that fill it up to the planned length.
    pub missing: usize,
    /// Of a reference: row, offset and len.
    pub reference: Option<(u32, u64, u64)>,
}

impl Item {
    /// A file without attributes.
    pub fn file(name: &[u8], content: &[u8]) -> Item {
        let (name, content, attributes) = (name.to_vec(), content.to_vec(), Vec::new());
        let kind = kind::FILE;
        Item { kind, encoding: 0, state: 0, name, attributes, content, missing: 0, reference: None }
    }

    /// A directory without attributes.
    pub fn directory(name: &[u8]) -> Item {
        Item { kind: kind::DIRECTORY, ..Item::file(name, b"") }
    }

    /// A symbolic link.
    pub fn link(name: &[u8], target: &[u8]) -> Item {
        Item { kind: kind::LINK, ..Item::file(name, b"").with(&attribute(tag::TARGET, target)) }
    }

    /// A file whose bytes lie in the container of a row.
    pub fn reference(name: &[u8], row: u32, offset: u64, len: u64) -> Item {
        Item { reference: Some((row, offset, len)), ..Item::file(name, b"") }
    }

    /// The same with further attributes, put in front so that tags can ascend.
    pub fn with(self, attributes: &[u8]) -> Item {
        Item { attributes: [attributes, &self.attributes].concat(), ..self }
    }

    /// The same in a state, with zeros in the place of bytes that were not there.
    pub fn in_state(self, state: u16, missing: usize) -> Item {
        Item { state, missing, ..self }
    }

    fn record(&self) -> Record {
        let (kind, content) = match self.reference {
            // row u32, zero u32, offset u64, len u64.
            Some((row, offset, len)) => (
                kind::REFERENCE,
                [u64::from(row) << 32, offset, len].map(u64::to_be_bytes).concat(),
            ),
            None => (self.kind, [&self.content[..], &vec![0; self.missing]].concat()),
        };
        let (name, attributes) = (self.name.clone(), self.attributes.clone());
        Record { encoding: self.encoding, name, attributes, ..Record::new(kind, &content) }
    }
}

/// What stands before the notes: an entry's record, or any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// It has an index entry, and a note if its state is not zero.
    Entry(Item),
    /// It has neither.
    Other(Record),
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of A-4.1")]
pub struct Note {
    pub state: u16,
    pub zero: u32,
    pub found: u64,
    pub name: Vec<u8>,
    /// A length that is not the name's.
    pub name_len: Option<u16>,
}

impl Note {
    /// A note of `found` bytes.
    pub fn new(name: &[u8], state: u16, found: u64) -> Note {
        Note { state, zero: 0, found, name: name.to_vec(), name_len: None }
    }

    fn encode(&self) -> Vec<u8> {
        let name_len = self.name_len.unwrap_or(self.name.len() as u16);
        let head =
            [&self.state.to_be_bytes()[..], &name_len.to_be_bytes(), &self.zero.to_be_bytes()]
                .concat();
        [&head[..], &self.found.to_be_bytes(), &self.name].concat()
    }
}

/// An index entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of A-5.1")]
pub struct IndexEntry {
    pub kind: u8,
    pub encoding: u8,
    pub state: u16,
    pub zero: u16,
    pub container: u32,
    pub offset: u64,
    pub len: u64,
    pub name: Vec<u8>,
    pub attributes: Vec<u8>,
    /// Lengths that are not those of name and attributes.
    pub lens: Option<(u16, u32)>,
}

impl IndexEntry {
    fn encode(&self) -> Vec<u8> {
        let lens = (self.name.len() as u16, self.attributes.len() as u32);
        let (name_len, attr_len) = self.lens.unwrap_or(lens);
        [
            &[self.kind, self.encoding][..],
            &self.state.to_be_bytes(),
            &name_len.to_be_bytes(),
            &self.zero.to_be_bytes(),
            &attr_len.to_be_bytes(),
            &self.container.to_be_bytes(),
            &self.offset.to_be_bytes(),
            &self.len.to_be_bytes(),
            &self.name,
            &self.attributes,
        ]
        .concat()
    }
}

/// An archive before its index is cut into blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The records before the notes.
    pub records: Vec<Record>,
    /// The notes.
    pub notes: Vec<Note>,
    /// The index entries, sorted by name.
    pub index: Vec<IndexEntry>,
    /// Bytes that a block's content may have if it has more than one entry.
    pub block_max: usize,
    /// Number of rows.
    pub rows: u64,
}

impl Draft {
    /// A draft of pieces in the order in which their records are to stand.
    pub fn new(rows: &[Row], pieces: &[Piece]) -> Draft {
        let mut draft = Draft {
            records: vec![],
            notes: vec![],
            index: vec![],
            block_max: 1 << 16,
            rows: rows.len() as u64,
        };
        if !rows.is_empty() {
            let bytes: Vec<u8> =
                rows.iter().flat_map(|row| [row.salt, row.key, row.commitment].concat()).collect();
            draft.records.push(Record::new(kind::CONTAINERS, &bytes));
        }
        for piece in pieces {
            match piece {
                Piece::Other(record) => draft.records.push(record.clone()),
                Piece::Entry(item) => draft.push(item),
            }
        }
        draft.index.sort_by(|a, b| a.name.cmp(&b.name));
        draft
    }

    fn push(&mut self, item: &Item) {
        let start: u64 = self.records.iter().map(Record::len).sum();
        let record = item.record();
        let content = start + record.len() - record.content.len() as u64;
        self.records.push(record);
        let (container, offset, len) = match item.reference {
            Some(reference) => reference,
            None if item.kind == kind::FILE => (0, content, item.content.len() as u64),
            None => (0, 0, 0),
        };
        if item.state != 0 {
            self.notes.push(Note::new(&item.name, item.state, len));
        }
        let Item { kind, encoding, state, name, attributes, .. } = item.clone();
        self.index.push(IndexEntry {
            kind,
            encoding,
            state,
            zero: 0,
            container,
            offset,
            len,
            name,
            attributes,
            lens: None,
        });
    }

    /// Cuts the index into blocks, and makes fence and trailer of what comes out.
    pub fn lay_out(&self) -> Layout {
        let notes: Vec<u8> = self.notes.iter().flat_map(Note::encode).collect();
        let notes = Record::new(kind::NOTES, &notes);
        let notes_offset = self.records.iter().map(Record::len).sum();
        let index_offset = notes_offset + notes.len();

        let (mut blocks, mut fence): (Vec<Record>, Vec<FenceEntry>) = (Vec::new(), Vec::new());
        let mut offset = index_offset; // of the block that would be next
        for entry in &self.index {
            let bytes = entry.encode();
            match blocks
                .last_mut()
                .filter(|block| block.content.len() + bytes.len() <= self.block_max)
            {
                Some(block) => block.content.extend(&bytes),
                None => {
                    fence.push(FenceEntry {
                        offset,
                        content_len: 0,
                        zero: 0,
                        name: entry.name.clone(),
                    });
                    blocks.push(Record::new(kind::BLOCK, &bytes));
                    offset += super::HEAD_LEN;
                }
            }
            offset += bytes.len() as u64;
        }
        for (fence, block) in fence.iter_mut().zip(&blocks) {
            fence.content_len = block.content.len() as u32;
        }
        let trailer = Trailer {
            notes_offset,
            index_offset,
            fence_offset: offset,
            entries: self.index.len() as u64,
            blocks: blocks.len() as u64,
            rows: self.rows,
            len_sum: self.index.iter().fold(0, |sum, entry| sum.wrapping_add(entry.len)),
            rest: [0; 40],
        };
        Layout { records: self.records.clone(), notes, blocks, fence, trailer }
    }
}

/// An archive before the fence and the trailer are records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The records before the notes.
    pub records: Vec<Record>,
    /// The notes record.
    pub notes: Record,
    /// The index blocks.
    pub blocks: Vec<Record>,
    /// What the fence says of them.
    pub fence: Vec<FenceEntry>,
    /// What the trailer says.
    pub trailer: Trailer,
}

impl Layout {
    /// All records: those before the notes, the notes, the blocks, the fence, the trailer.
    pub fn all(&self) -> Vec<Record> {
        let fence: Vec<u8> = self.fence.iter().flat_map(FenceEntry::encode).collect();
        let ends =
            [Record::new(kind::FENCE, &fence), Record::new(kind::TRAILER, &self.trailer.encode())];
        [&self.records[..], std::slice::from_ref(&self.notes), &self.blocks, &ends].concat()
    }
}

/// What the fence says of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of A-5.2")]
pub struct FenceEntry {
    pub offset: u64,
    pub content_len: u32,
    pub zero: u16,
    pub name: Vec<u8>,
}

impl FenceEntry {
    fn encode(&self) -> Vec<u8> {
        let name_len = self.name.len() as u16;
        let head = [&self.offset.to_be_bytes()[..], &self.content_len.to_be_bytes()].concat();
        [&head[..], &name_len.to_be_bytes(), &self.zero.to_be_bytes(), &self.name].concat()
    }
}

/// The trailer's content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of A-5.3")]
pub struct Trailer {
    pub notes_offset: u64,
    pub index_offset: u64,
    pub fence_offset: u64,
    pub entries: u64,
    pub blocks: u64,
    pub rows: u64,
    pub len_sum: u64,
    pub rest: [u8; 40],
}

impl Trailer {
    fn encode(&self) -> Vec<u8> {
        let Trailer {
            notes_offset,
            index_offset,
            fence_offset,
            entries,
            blocks,
            rows,
            len_sum,
            rest,
        } = self;
        let fields = [notes_offset, index_offset, fence_offset, entries, blocks, rows, len_sum];
        fields.iter().flat_map(|field| field.to_be_bytes()).chain(*rest).collect()
    }
}
