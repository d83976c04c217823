//! Notes: what of an archive is not as it was meant to be.

/// Bytes in a note before its path.
const NOTE_LEN: usize = 16;

/// How an entry differs from what was planned.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct State(u16);

impl State {
    /// It had become shorter than planned; the entry ends where it ended.
    pub const SHORT: State = State(1);
    /// It had become longer than planned; the entry ends where it was planned to end.
    pub const GREW: State = State(2);
    /// It was written to while it was read.
    pub const CHANGED: State = State(4);
    /// It could not be read, or not to its end.
    pub const UNREADABLE: State = State(8);
    /// It is no entry of the archive at all.
    pub const SKIPPED: State = State(16);

    /// Whether all is as it should be.
    pub fn is_whole(self) -> bool {
        self.0 == 0
    }

    /// Whether all bits of `other` are set.
    pub fn has(self, other: State) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn with(self, other: State) -> State {
        State(self.0 | other.0)
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    /// Bits that have no meaning yet are ignored.
    pub(crate) fn from_bits(bits: u16) -> State {
        State(bits & 31)
    }

    /// Words for what the state says, `"is whole"` if it says nothing.
    pub fn describe(self) -> &'static str {
        match self {
            state if state.has(State::SKIPPED) => "was left out",
            state if state.has(State::UNREADABLE) => "could not be read",
            state if state.has(State::SHORT) => "became shorter while it was read",
            state if state.has(State::GREW) => {
                "grew while it was read, and is cut at its first length"
            }
            state if state.has(State::CHANGED) => "was changed while it was read",
            _ => "is whole",
        }
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.describe())
    }
}

/// What is to be said of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The entry's path; of what was left out, the path that it would have had.
    pub path: Vec<u8>,
    /// What happened.
    pub state: State,
    /// Bytes that were found of its content.
    pub found: u64,
}

/// Bytes in notes on such paths, as they are stored.
pub(crate) fn encoded_len<'n>(paths: impl Iterator<Item = &'n [u8]>) -> u64 {
    paths.map(|path| (NOTE_LEN + path.len()) as u64).sum()
}

/// Appends a note, as it is stored.
pub(crate) fn encode(path: &[u8], state: State, found: u64, out: &mut Vec<u8>) {
    out.extend(state.bits().to_be_bytes());
    out.extend((path.len() as u16).to_be_bytes());
    out.extend([0; 4]);
    out.extend(found.to_be_bytes());
    out.extend(path);
}

/// Reads all notes; `None` if their lengths are not right.
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
    fn there_and_back() {
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
