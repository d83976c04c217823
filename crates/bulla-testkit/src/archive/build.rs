//! Builds the plaintext of an archive in stages.
//!
//! The stages are [`Piece`]s, a [`CorruptibleArchive`], a [`Layout`], [`Record`]s and, finally,
//! bytes. If a test changes one stage, the later stages are derived from the changed one, and
//! nothing else changes.

use super::format::{HEAD_LEN, attribute, kind, tag};

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// A marker to use instead of the container's.
    pub marker: Option<[u8; 16]>,
    /// The kind.
    pub kind: u8,
    /// The encoding.
    pub encoding: u8,
    /// The name.
    pub name: Vec<u8>,
    /// The encoded attributes.
    pub attributes: Vec<u8>,
    /// The content.
    pub content: Vec<u8>,
    /// Lengths to write to the head instead of the actual ones.
    pub lengths: Option<Lengths>,
}

/// The lengths in a record's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in A-1.2")]
pub struct Lengths {
    pub name: u16,
    pub attributes: u32,
    pub content: u64,
}

impl Record {
    /// Creates a record without a name or attributes.
    pub fn new(kind: u8, content: &[u8]) -> Record {
        let (name, attributes, content) = (Vec::new(), Vec::new(), content.to_vec());
        Record { marker: None, kind, encoding: 0, name, attributes, content, lengths: None }
    }

    /// Returns the lengths of the name, the attributes and the content.
    pub fn actual_lengths(&self) -> Lengths {
        Lengths {
            name: self.name.len() as u16,
            attributes: self.attributes.len() as u32,
            content: self.content.len() as u64,
        }
    }

    /// Encodes the record.
    pub fn encode(&self, marker: &[u8; 16]) -> Vec<u8> {
        let lengths = self.lengths.unwrap_or(self.actual_lengths());
        [
            &self.marker.as_ref().unwrap_or(marker)[..],
            &[self.kind, self.encoding],
            &lengths.name.to_be_bytes(),
            &lengths.attributes.to_be_bytes(),
            &lengths.content.to_be_bytes(),
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

/// Encodes and concatenates records.
pub fn encode_records(records: &[Record], marker: &[u8; 16]) -> Vec<u8> {
    records.iter().flat_map(|record| record.encode(marker)).collect()
}

/// A row of the containers record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in A-3.4")]
pub struct Row {
    pub salt: [u8; 32],
    pub key: [u8; 32],
    pub commitment: [u8; 32],
}

/// A file, directory, symbolic link or reference to archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The kind in the index entry: 1, 2 or 3.
    pub kind: u8,
    /// The encoding, in both the record and the index entry.
    pub encoding: u8,
    /// The state.
    pub state: u16,
    /// The name.
    pub name: Vec<u8>,
    /// The encoded attributes.
    pub attributes: Vec<u8>,
    /// The bytes that the source provided.
    pub content: Vec<u8>,
    /// The number of zeros that pad the record to the planned length.
    pub missing: usize,
    /// The row, offset and length of a reference.
    pub reference: Option<(u32, u64, u64)>,
}

impl Item {
    /// Creates a file without attributes.
    pub fn file(name: &[u8], content: &[u8]) -> Item {
        let (name, content, attributes) = (name.to_vec(), content.to_vec(), Vec::new());
        let kind = kind::FILE;
        Item { kind, encoding: 0, state: 0, name, attributes, content, missing: 0, reference: None }
    }

    /// Creates a directory without attributes.
    pub fn directory(name: &[u8]) -> Item {
        Item { kind: kind::DIRECTORY, ..Item::file(name, b"") }
    }

    /// Creates a symbolic link.
    pub fn link(name: &[u8], target: &[u8]) -> Item {
        Item { kind: kind::LINK, ..Item::file(name, b"").with(&attribute(tag::TARGET, target)) }
    }

    /// Creates a file whose content is in the container that a row names.
    pub fn reference(name: &[u8], row: u32, offset: u64, len: u64) -> Item {
        Item { reference: Some((row, offset, len)), ..Item::file(name, b"") }
    }

    /// Prepends attributes. The caller keeps the tags in ascending order.
    pub fn with(self, attributes: &[u8]) -> Item {
        Item { attributes: [attributes, &self.attributes].concat(), ..self }
    }

    /// Sets the state and the number of zeros that replace missing bytes.
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

/// A record before the notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The record of an entry. The entry is also indexed, and gets a note if its state is not zero.
    Entry(Item),
    /// A record that belongs to no entry, and so has neither an index entry nor a note.
    Other(Record),
}

/// A note, which need not be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in A-4.1")]
pub struct RawNote {
    pub state: u16,
    pub zero: u32,
    pub found: u64,
    pub name: Vec<u8>,
    /// A name length to write instead of the actual one.
    pub name_len: Option<u16>,
}

impl RawNote {
    /// Creates a note that reports `found` bytes.
    pub fn new(name: &[u8], state: u16, found: u64) -> RawNote {
        RawNote { state, zero: 0, found, name: name.to_vec(), name_len: None }
    }

    fn encode(&self) -> Vec<u8> {
        let name_len = self.name_len.unwrap_or(self.name.len() as u16);
        let head =
            [&self.state.to_be_bytes()[..], &name_len.to_be_bytes(), &self.zero.to_be_bytes()]
                .concat();
        [&head[..], &self.found.to_be_bytes(), &self.name].concat()
    }
}

/// An index entry, which need not be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in A-5.1")]
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
    /// Name and attribute lengths to write instead of the actual ones.
    pub lengths: Option<(u16, u32)>,
}

impl IndexEntry {
    fn encode(&self) -> Vec<u8> {
        let lengths = (self.name.len() as u16, self.attributes.len() as u32);
        let (name_len, attr_len) = self.lengths.unwrap_or(lengths);
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

/// An archive before its index is divided into blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorruptibleArchive {
    /// The records before the notes.
    pub records: Vec<Record>,
    /// The notes.
    pub notes: Vec<RawNote>,
    /// The index entries, sorted by name.
    pub index: Vec<IndexEntry>,
    /// The maximum content length, in bytes, of a block with more than one entry.
    pub block_max: usize,
    /// The number of rows that the trailer states.
    pub rows: u64,
}

impl CorruptibleArchive {
    /// Creates an archive with a record for each piece, in the given order.
    pub fn new(rows: &[Row], pieces: &[Piece]) -> CorruptibleArchive {
        let mut archive = CorruptibleArchive {
            records: vec![],
            notes: vec![],
            index: vec![],
            block_max: 1 << 16,
            rows: rows.len() as u64,
        };
        if !rows.is_empty() {
            let bytes: Vec<u8> =
                rows.iter().flat_map(|row| [row.salt, row.key, row.commitment].concat()).collect();
            archive.records.push(Record::new(kind::CONTAINERS, &bytes));
        }
        for piece in pieces {
            match piece {
                Piece::Other(record) => archive.records.push(record.clone()),
                Piece::Entry(item) => archive.push(item),
            }
        }
        archive.index.sort_by(|a, b| a.name.cmp(&b.name));

        archive
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
            self.notes.push(RawNote::new(&item.name, item.state, len));
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
            lengths: None,
        });
    }

    /// Divides the index into blocks, and derives the fence and the trailer.
    pub fn lay_out(&self) -> Layout {
        let notes: Vec<u8> = self.notes.iter().flat_map(RawNote::encode).collect();
        let notes = Record::new(kind::NOTES, &notes);
        let notes_offset = self.records.iter().map(Record::len).sum();
        let index_offset = notes_offset + notes.len();

        let (mut blocks, mut fence): (Vec<Record>, Vec<FenceEntry>) = (Vec::new(), Vec::new());
        let mut offset = index_offset; // of the next block
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
                    offset += HEAD_LEN;
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

/// An archive before its fence and trailer are encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The records before the notes.
    pub records: Vec<Record>,
    /// The notes record.
    pub notes: Record,
    /// The index blocks.
    pub blocks: Vec<Record>,
    /// The fence, with an entry for each block.
    pub fence: Vec<FenceEntry>,
    /// The trailer.
    pub trailer: Trailer,
}

impl Layout {
    /// Returns all records in order: those before the notes, the notes, the blocks, the fence and
    /// the trailer.
    pub fn all(&self) -> Vec<Record> {
        let fence: Vec<u8> = self.fence.iter().flat_map(FenceEntry::encode).collect();
        let ends =
            [Record::new(kind::FENCE, &fence), Record::new(kind::TRAILER, &self.trailer.encode())];
        [&self.records[..], std::slice::from_ref(&self.notes), &self.blocks, &ends].concat()
    }
}

/// The fence's entry for a block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in A-5.2")]
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

/// The content of the trailer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in A-5.3")]
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
