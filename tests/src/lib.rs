//! Fixtures for the black-box tests: containers of every shape, and functions that open them
//! through every API.

use std::io::Read;

use bulla::{ChunkSize, Error, HeaderState, Key, Opener, Options, RangeReader, Workers};

pub mod library;

/// Bytes of plaintext in each chunk of the test containers. This is the smallest chunk size, which
/// keeps exhaustive tests fast.
pub const CHUNK: usize = 4096;

/// Returns the test containers' key.
pub fn key() -> Key {
    Key::from_bytes(&[0x4B; 32])
}

/// Returns options with the smallest chunk size that use only the calling thread.
pub fn options<'a>() -> Options<'a> {
    Options::new().chunk_size(ChunkSize::MIN).workers(Workers::Serial)
}

/// Returns `len` bytes, of which no two chunks are identical.
pub fn plaintext(len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

/// A container and its plaintext.
#[derive(Clone)]
pub struct Sample {
    /// A description for assertion messages.
    pub name: String,
    /// The plaintext that was sealed.
    pub plaintext: Vec<u8>,
    /// The sealed container.
    pub container: Vec<u8>,
    /// Bytes in each copy of the envelope.
    pub envelope_len: usize,
}

/// Returns containers with a plaintext of 0, 1, `CHUNK - 1`, `CHUNK`, `CHUNK + 1` and `3 * CHUNK`
/// bytes, each with and without an envelope.
pub fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for envelope_len in [0, 40] {
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            samples.push(sample(len, envelope_len));
        }
    }
    samples
}

/// Returns a container with a plaintext and an envelope of these lengths.
pub fn sample(len: usize, envelope_len: usize) -> Sample {
    let plaintext = plaintext(len);
    let options = options().envelope_len(envelope_len as u32);
    Sample {
        name: format!("{len} bytes, {envelope_len}-byte envelope"),
        container: bulla::seal(&key(), &plaintext, &options)
            .expect("sealing a sample failed")
            .into(),
        plaintext,
        envelope_len,
    }
}

/// The outcome of opening a container.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The whole plaintext, and the state of the header and the footer.
    Opened(Vec<u8>, HeaderState),
    /// The error, and the plaintext that was released before it.
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

/// Opens a container as a stream, with the default key and options.
pub fn by_stream(container: &[u8]) -> Outcome {
    stream(container, &key(), &options())
}

/// Opens a container as a stream.
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

/// Opens a container from memory, with the default key and options.
pub fn by_slice(container: &[u8]) -> Outcome {
    slice(container, &key(), &options())
}

/// Opens a container from memory and by range, and checks that both have the same outcome.
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
        (Outcome::Opened(..), ranges) => {
            assert_eq!(whole, ranges.expect("opened whole, but rejected by range"))
        }
        (Outcome::Refused(error, _), ranges) => {
            let by_range = ranges.expect_err("rejected whole, but opened by range");
            // A range reader verifies the last chunk first, so it may reject that chunk although
            // the container also has an invalid chunk with a lower index (F-7.5).
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
