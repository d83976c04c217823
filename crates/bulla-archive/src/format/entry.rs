//! Entries as the index describes them.

use crate::error::{Error, Result};
use crate::format::attributes::{self, MAX_ATTR_LEN, Metadata};
use crate::format::notes::State;
use crate::format::path;
use crate::format::record::RecordKind;

/// Bytes in an index entry before its path.
pub(crate) const ENTRY_LEN: usize = 32;

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
}

impl Kind {
    /// Returns the kind of the record that stores such an entry in its own container.
    pub(crate) fn record(self) -> RecordKind {
        match self {
            Kind::File => RecordKind::FILE,
            Kind::Directory => RecordKind::DIRECTORY,
            Kind::Symlink => RecordKind::SYMLINK,
        }
    }

    /// Returns the kind of entry that a record of this kind describes, or `None` if it describes
    /// none.
    pub(crate) fn of_record(kind: RecordKind) -> Option<Kind> {
        match kind {
            RecordKind::FILE | RecordKind::REFERENCE => Some(Kind::File),
            RecordKind::DIRECTORY => Some(Kind::Directory),
            RecordKind::SYMLINK => Some(Kind::Symlink),
            _ => None,
        }
    }
}

/// A file, directory or symbolic link in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(crate) kind: Kind,
    pub(crate) encoding: u8,
    pub(crate) state: State,
    pub(crate) container: u32,
    pub(crate) offset: u64,
    pub(crate) len: u64,
    path_len: u16,
    /// The path followed by the encoded attributes. Both are valid.
    path_and_attributes: Box<[u8]>,
}

impl Entry {
    /// Returns the path: a byte string whose components are separated by `/`.
    pub fn path(&self) -> &[u8] {
        &self.path_and_attributes[..self.path_len.into()]
    }

    /// Returns the kind of the entry.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the length of the content in bytes, which is 0 for directories and symbolic links.
    #[allow(clippy::len_without_is_empty, reason = "an entry is not a collection")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns the metadata that is stored with the entry.
    pub fn metadata(&self) -> Metadata {
        // The attributes were checked in `new`, so decoding cannot fail.
        attributes::decode(self.attributes()).unwrap_or_default().0
    }

    /// Returns the target of a symbolic link.
    pub fn target(&self) -> Option<&[u8]> {
        attributes::decode(self.attributes()).unwrap_or_default().1
    }

    /// Returns how the entry differs from what was planned when the archive was created.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns the encoded attributes.
    pub(crate) fn attributes(&self) -> &[u8] {
        &self.path_and_attributes[self.path_len.into()..]
    }

    /// Returns whether the entry is a file whose content is in the archive's own container.
    pub(crate) fn is_internal(&self) -> bool {
        self.kind == Kind::File && self.container == 0
    }

    /// Creates an entry without content from a path and the attributes that follow it. The error is
    /// the rule that is violated.
    pub(crate) fn new(
        kind: Kind,
        encoding: u8,
        path_len: u16,
        path_and_attributes: &[u8],
    ) -> Result<Entry, &'static str> {
        let (path, attributes) =
            path_and_attributes.split_at_checked(path_len.into()).ok_or("an entry is truncated")?;
        if let Some(rule) = path::violation(path) {
            return Err(rule);
        }
        if attributes.len() > MAX_ATTR_LEN {
            return Err("attributes are longer than 65536 bytes");
        }
        let (_, target) = attributes::decode(attributes)?;
        if target.is_some() != (kind == Kind::Symlink) {
            return Err("every symbolic link must have a target, and no other entry may");
        }
        Ok(Entry {
            kind,
            encoding,
            state: State::default(),
            container: 0,
            offset: 0,
            len: 0,
            path_len,
            path_and_attributes: path_and_attributes.into(),
        })
    }

    /// Appends the encoded index entry to `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.kind.record().0);
        out.push(self.encoding);
        out.extend(self.state.bits().to_be_bytes());
        out.extend(self.path_len.to_be_bytes());
        out.extend([0; 2]);
        out.extend((self.attributes().len() as u32).to_be_bytes());
        out.extend(self.container.to_be_bytes());
        out.extend(self.offset.to_be_bytes());
        out.extend(self.len.to_be_bytes());
        out.extend(&self.path_and_attributes);
    }

    /// Decodes an index entry from the start of `bytes` and advances past it. The error is the rule
    /// that is violated.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Result<Entry, &'static str> {
        let (head, rest) =
            bytes.split_first_chunk::<ENTRY_LEN>().ok_or("an index entry is truncated")?;
        let u32_at =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let u64_at = |at: usize| u64::from(u32_at(at)) << 32 | u64::from(u32_at(at + 4));
        let path_len = u16::from_be_bytes([head[4], head[5]]);
        let attr_len = usize::try_from(u32_at(8)).map_err(|_| "an index entry is truncated")?;
        let len = attr_len.checked_add(path_len.into()).ok_or("an index entry is truncated")?;
        let (path_and_attributes, rest) =
            rest.split_at_checked(len).ok_or("an index entry is truncated")?;
        let kind = match RecordKind(head[0]) {
            RecordKind::REFERENCE => None,
            kind => Kind::of_record(kind),
        };
        let kind = kind.ok_or("invalid index entry kind")?;
        let entry = Entry {
            state: State::from_bits(u16::from_be_bytes([head[2], head[3]])),
            container: u32_at(12),
            offset: u64_at(16),
            len: u64_at(24),
            ..Entry::new(kind, head[1], path_len, path_and_attributes)?
        };
        if kind != Kind::File && (entry.container, entry.offset, entry.len) != (0, 0, 0) {
            return Err("a directory or symbolic link has content");
        }
        if entry.offset.checked_add(entry.len).is_none() {
            return Err("the end of an entry's content exceeds 2^64 - 1");
        }
        *bytes = rest;
        Ok(entry)
    }

    /// Checks that the entry is a file whose content can be read from the archive's own container.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoContent`], [`Error::ExternalContent`] or [`Error::UnknownEncoding`].
    pub fn check_readable(&self) -> Result<()> {
        match self {
            Entry { kind: Kind::Directory | Kind::Symlink, .. } => Err(Error::NoContent),
            Entry { container: container @ 1.., .. } => {
                Err(Error::ExternalContent { container: *container })
            }
            Entry { encoding: encoding @ 1.., .. } => {
                Err(Error::UnknownEncoding { encoding: *encoding })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
impl Entry {
    /// Creates a file entry whose content is in the given container, at the given offset.
    pub(crate) fn file_at(path: &[u8], container: u32, offset: u64, len: u64) -> Entry {
        Entry {
            container,
            offset,
            len,
            ..Entry::new(Kind::File, 0, path.len() as u16, path).unwrap()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::attributes::Time;

    fn entry() -> Entry {
        let mut bytes = b"a/b".to_vec();
        attributes::encode(
            &Metadata::new().mtime(Time { seconds: 1, nanoseconds: 2 }),
            None,
            &mut bytes,
        );
        let state = State::SHORT;
        Entry {
            state,
            offset: 0x0102,
            len: 0x0304,
            ..Entry::new(Kind::File, 0, 3, &bytes).unwrap()
        }
    }

    ///
    #[test]
    fn index_entry_byte_map() {
        let mut bytes = Vec::new();
        entry().encode(&mut bytes);
        assert_eq!(bytes[..16], [1, 0, 0, 1, 0, 3, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0]);
        assert_eq!(bytes[16..32], [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4]);
        assert_eq!(bytes[32..35], *b"a/b");
        let mut rest = &bytes[..];
        assert_eq!(Entry::decode(&mut rest), Ok(entry()));
        assert!(rest.is_empty());
        for len in 0..bytes.len() {
            assert!(Entry::decode(&mut &bytes[..len]).is_err(), "{len}");
        }
    }

    /// a file's content is readable if it is in this container and has encoding 0.
    #[test]
    fn only_internal_unencoded_files_are_readable() {
        assert!(entry().is_internal() && entry().check_readable().is_ok());
        for kind in [Kind::Directory, Kind::Symlink] {
            let entry = Entry { kind, ..entry() };
            assert!(!entry.is_internal());
            assert!(matches!(entry.check_readable(), Err(Error::NoContent)));
        }
        let external = Entry { container: 2, ..entry() };
        assert!(!external.is_internal());
        assert!(matches!(external.check_readable(), Err(Error::ExternalContent { container: 2 })));
        let encoded = Entry { encoding: 3, ..entry() };
        assert!(encoded.is_internal());
        assert!(matches!(encoded.check_readable(), Err(Error::UnknownEncoding { encoding: 3 })));
    }

    ///
    #[test]
    fn rejects_malformed_index_entries() {
        let mut bytes = Vec::new();
        entry().encode(&mut bytes);
        for (at, value) in [
            (0, 0),
            (0, 4),
            (0, 2),
            (0, 3),
            (0, 9),
            (4, 1),
            (8, 1),
            (32, b'/'),
            (16, 0xFF),
            (36, 0),
        ] {
            let mut changed = bytes.clone();
            changed[at] = value;
            if at == 16 {
                changed[16..32].fill(0xFF);
            }
            assert!(Entry::decode(&mut &changed[..]).is_err(), "{at}");
        }
    }
}
