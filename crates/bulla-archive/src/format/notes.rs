//! Notes: the entries that differ from the plan, and the paths that were skipped.

/// Bytes in a note before its path.
const NOTE_LEN: usize = 16;

/// How an entry differs from its plan, as a set of flags. The default is the empty set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct State(u16);

impl State {
    /// The content was shorter than planned. The entry's length is the number of bytes read.
    pub const SHORT: State = State(1);
    /// The content was longer than planned. The entry is truncated to the planned length.
    pub const GREW: State = State(2);
    /// The mtime changed between planning and reading.
    pub const CHANGED: State = State(4);
    /// The content could not be read to its end, or not at all. The entry's length is the number of
    /// bytes read.
    pub const UNREADABLE: State = State(8);
    /// The path was skipped: the archive has no entry for it.
    pub const SKIPPED: State = State(16);

    /// Returns whether no flag is set: the entry is as planned.
    pub fn is_whole(self) -> bool {
        self.0 == 0
    }

    /// Returns whether all flags of `other` are set.
    pub fn has(self, other: State) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the union of both sets.
    pub(crate) fn with(self, other: State) -> State {
        State(self.0 | other.0)
    }

    /// Returns the stored form.
    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// Decodes the stored form, ignoring reserved bits.
    pub(crate) fn from_bits(bits: u16) -> State {
        State(bits & 31)
    }

    /// Returns a verb phrase that describes the most severe flag, such as `could not be read`, or
    /// `is complete` if no flag is set.
    pub fn describe(self) -> &'static str {
        match self {
            state if state.has(State::SKIPPED) => "was skipped",
            state if state.has(State::UNREADABLE) => "could not be read",
            state if state.has(State::SHORT) => "shrank while it was being read",
            state if state.has(State::GREW) => {
                "grew while it was being read and was truncated to its planned length"
            }
            state if state.has(State::CHANGED) => "was changed while it was being read",
            _ => "is complete",
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.describe())
    }
}

/// An entry that differs from the plan, or a path that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The path. A skipped path need not be valid.
    pub path: Vec<u8>,
    /// The difference from the plan.
    pub state: State,
    /// Number of content bytes that were read.
    pub found: u64,
}

/// Returns the encoded length of notes with the given paths.
pub(crate) fn encoded_len<'n>(paths: impl Iterator<Item = &'n [u8]>) -> u64 {
    paths.map(|path| (NOTE_LEN + path.len()) as u64).sum()
}

/// Appends an encoded note to `out`.
pub(crate) fn encode(path: &[u8], state: State, found: u64, out: &mut Vec<u8>) {
    out.extend(state.bits().to_be_bytes());
    out.extend((path.len() as u16).to_be_bytes());
    out.extend([0; 4]);
    out.extend(found.to_be_bytes());
    out.extend(path);
}

/// Decodes all notes, or returns `None` if the last one is truncated.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<Note>> {
    let mut notes = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<NOTE_LEN>()?;
        let path_len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (_, found) = head.split_first_chunk::<8>()?;
        let (path, rest) = rest.split_at_checked(path_len)?;
        notes.push(Note {
            path: path.to_vec(),
            state: State::from_bits(u16::from_be_bytes([head[0], head[1]])),
            found: u64::from_be_bytes(found.try_into().ok()?),
        });
        bytes = rest;
    }
    Some(notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    ///
    #[test]
    fn round_trip() {
        let mut bytes = Vec::new();
        encode(b"a/b", State::SHORT.with(State::CHANGED), 513, &mut bytes);
        encode(b"socket", State::SKIPPED, 0, &mut bytes);
        assert_eq!(bytes[..16], [0, 5, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1]);
        assert_eq!(encoded_len([&b"a/b"[..], b"socket"].into_iter()), bytes.len() as u64);
        let notes = decode(&bytes).unwrap();
        assert_eq!((notes[0].found, &notes[1].path[..]), (513, &b"socket"[..]));
        assert!(notes[0].state.has(State::CHANGED) && !notes[0].state.is_whole());
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(decode(&[]), Some(vec![]));
    }
}
