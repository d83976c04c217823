//! What the black-box tests of several crates share: containers of every shape, and every way to
//! open one.

use std::io::Read;

use bulla::{ChunkSize, Error, HeaderState, Key, Opener, Options, RangeReader, Workers};

pub mod library;

/// Bytes of plaintext in the chunks of the test containers: the smallest there are, so that
/// exhaustive tests stay cheap.
pub const CHUNK: usize = 4096;

/// The key of the test containers.
pub fn key() -> Key {
    Key::from_bytes(&[0x4B; 32])
}

/// The smallest chunks, on the calling thread.
pub fn options<'a>() -> Options<'a> {
    Options::new().chunk_size(ChunkSize::MIN).workers(Workers::Serial)
}

/// `len` bytes, no two chunks of which are alike.
pub fn plaintext(len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

/// A container with its plaintext.
#[derive(Clone)]
pub struct Sample {
    /// What the sample is a case of.
    pub name: String,
    /// What was sealed.
    pub plaintext: Vec<u8>,
    /// What came of it.
    pub container: Vec<u8>,
    /// Bytes of envelope at either end.
    pub envelope_len: usize,
}

/// Containers of every shape that has a boundary in it: 0, 1, a chunk less one, a chunk, a chunk
/// and one, three chunks; with and without an envelope.
pub fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for envelope_len in [0, 40] {
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            samples.push(sample(len, envelope_len));
        }
    }
    samples
}

/// A container of one shape.
pub fn sample(len: usize, envelope_len: usize) -> Sample {
    let plaintext = plaintext(len);
    let options = options().envelope_len(envelope_len as u32);
    Sample {
        name: format!("{len} bytes, envelope of {envelope_len}"),
        container: bulla::seal(&key(), &plaintext, &options).expect("seals").into(),
        plaintext,
        envelope_len,
    }
}

/// What opening a container came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it, and the state of header and footer.
    Opened(Vec<u8>, HeaderState),
    /// The error, and the plaintext released before it.
    Refused(Error, Vec<u8>),
}

impl Outcome {
    /// Returns the error, or `None` if the container opened.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Outcome::Opened(..) => None,
            Outcome::Refused(error, _) => Some(error),
        }
    }
}

/// Opens by stream, with default key and options.
pub fn by_stream(container: &[u8]) -> Outcome {
    stream(container, &key(), &options())
}

/// Opens by stream.
pub fn stream(container: impl Read, key: &Key, options: &Options<'_>) -> Outcome {
    let mut opener = match Opener::new(key, container, options) {
        Ok(opener) => opener,
        Err(error) => return Outcome::Refused(error, Vec::new()),
    };
    let mut released = Vec::new();
    match opener.copy_to(&mut released) {
        Ok(opened) => Outcome::Opened(released, opened.header_state),
        Err(error) => Outcome::Refused(error, released),
    }
}

/// Opens from memory, with default key and options.
pub fn by_slice(container: &[u8]) -> Outcome {
    slice(container, &key(), &options())
}

/// Opens from memory, and by ranges too: both must come to the same.
pub fn slice(container: &[u8], key: &Key, options: &Options<'_>) -> Outcome {
    let whole = match bulla::open(key, container, options) {
        Ok((plaintext, opened)) => {
            assert_eq!(opened.plaintext_len, plaintext.len() as u64);
            Outcome::Opened(plaintext.into(), opened.header_state)
        }
        Err(error) => Outcome::Refused(error, Vec::new()),
    };
    let ranges = RangeReader::new(key, container, options).and_then(|reader| {
        let plaintext = reader.range(0..reader.len())?;
        Ok(Outcome::Opened(plaintext.into(), reader.opened().header_state))
    });
    match (&whole, ranges) {
        (Outcome::Opened(..), ranges) => assert_eq!(whole, ranges.expect("opens by range")),
        (Outcome::Refused(error, _), ranges) => {
            let by_range = ranges.expect_err("refused whole, so not opened by range");
            // A reader of ranges verifies the last chunk alone, and may reject it where the whole
            // container has a lower one to reject (F-7.5).
            match (error, &by_range) {
                (Error::ChunkRejected { index: lowest }, Error::ChunkRejected { index }) => {
                    assert!(index >= lowest, "{by_range:?} by range, {error:?} whole");
                }
                _ => assert_eq!(by_range, *error),
            }
        }
    }
    whole
}
