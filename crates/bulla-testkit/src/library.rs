//! Calls the library through the interface of the [reference](mod@crate::reference) and returns the
//! same result types, so that the two can be compared.

use std::io::{Empty, Write, empty};
use std::ops::Range;

use bulla::{
    ChunkSize, ContentType, Draft, Error, Key, Opener, Options, Preamble, RangeReader, Workers,
};

use crate::reference::{self, ContainerError, OpenedContainer, SealParams, StreamOutcome};

/// Creates a draft with the salt and envelope from `params`.
///
/// # Panics
/// If the library rejects `params`.
pub fn draft<'a>(params: &SealParams<'a>) -> Draft<'a> {
    let options = options(params.context)
        .chunk_size(ChunkSize::from_log2(params.chunk_log2).expect("12 to 20"))
        .content_type(ContentType(params.content))
        .envelope_len(params.envelope.len() as u32);
    let key = Key::from_bytes(&params.key);
    let draft =
        bulla::hazmat::draft_with_salt(&key, &options, &params.salt).expect("an envelope in range");
    draft.envelope(params.envelope).expect("an envelope of the declared length")
}

/// Seals a plaintext in memory.
///
/// # Panics
///
/// If the library fails.
pub fn seal(params: &SealParams<'_>) -> Vec<u8> {
    draft(params).seal(params.plaintext).expect("seals").into()
}

/// Seals a plaintext as a stream, in writes of `write_len` bytes.
///
/// # Panics
///
/// If the library fails.
pub fn seal_by_stream(params: &SealParams<'_>, write_len: usize) -> Vec<u8> {
    let mut sealer = draft(params).sealer(Vec::new()).expect("writes to memory");
    for part in params.plaintext.chunks(write_len) {
        sealer.write_all(part).expect("writes to memory");
    }
    sealer.finish().expect("writes to memory").0
}

/// Opens a container as a stream.
///
/// # Panics
/// If the library returns an error that section 9 of FORMAT.md does not define.
pub fn open_stream(container: &[u8], key: &[u8; 32], context: Option<&[u8]>) -> StreamOutcome {
    let mut released = Vec::new();
    let result = Opener::new(&Key::from_bytes(key), container, &options(context))
        .and_then(|mut opener| opener.copy_to(&mut released))
        .map(|opened| header_state(opened.header_state))
        .map_err(container_error);
    StreamOutcome { released, result }
}

/// Opens a container in memory.
///
/// # Panics
/// In the same cases as [`open_stream`].
pub fn open_positional(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<OpenedContainer, ContainerError> {
    let opened = bulla::open(&Key::from_bytes(key), container, &options(context));
    opened
        .map(|(plaintext, opened)| opened_container(plaintext.into(), opened.header_state))
        .map_err(container_error)
}

/// Opens a container for random access and reads the whole plaintext as one range.
///
/// # Panics
/// In the same cases as [`open_stream`].
pub fn open_by_range(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<OpenedContainer, ContainerError> {
    let reader = RangeReader::new(&Key::from_bytes(key), container, &options(context))
        .map_err(container_error)?;
    let plaintext = reader.range(0..reader.len()).map_err(container_error)?;
    Ok(opened_container(plaintext.into(), reader.opened().header_state))
}

/// Opens a container for random access and reads one range, or returns `None` if the range exceeds
/// the plaintext.
///
/// # Panics
/// In the same cases as [`open_stream`].
pub fn open_range(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
    range: Range<u64>,
) -> Result<Option<Vec<u8>>, ContainerError> {
    let reader = RangeReader::new(&Key::from_bytes(key), container, &options(context))
        .map_err(container_error)?;
    match reader.range(range) {
        Ok(plaintext) => Ok(Some(plaintext.into())),
        Err(Error::OutOfRange { .. }) => Ok(None),
        Err(error) => Err(container_error(error)),
    }
}

/// Returns both copies of the envelope.
///
/// # Panics
/// In the same cases as [`open_stream`].
pub fn envelopes(container: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), ContainerError> {
    let preamble = Preamble::read_at(container).map_err(container_error)?;
    Ok((preamble.envelope().to_vec(), preamble.envelope_copy().map(<[u8]>::to_vec)))
}

/// Exports a secret from the container before reading any chunk.
///
/// # Panics
/// In the same cases as [`open_stream`].
pub fn export(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
    label: &[u8],
) -> Result<[u8; 32], ContainerError> {
    let unlock = |preamble| -> bulla::Result<Opener<'_, Empty>> {
        Opener::with_preamble(preamble, &Key::from_bytes(key), empty(), &options(context))
    };
    let opener = Preamble::read_at(container).and_then(unlock).map_err(container_error)?;
    Ok(*opener.export(label))
}

/// Returns the default options with an optional context and without worker threads.
pub fn options(context: Option<&[u8]>) -> Options<'_> {
    let options = Options::new().workers(Workers::Serial);
    match context {
        Some(context) => options.context(context),
        None => options,
    }
}

/// Converts a plaintext and a header state to the reference's result type.
pub fn opened_container(plaintext: Vec<u8>, state: bulla::HeaderState) -> OpenedContainer {
    OpenedContainer { plaintext, header_state: header_state(state) }
}

/// Converts a header state to the reference's type.
///
/// # Panics
/// If section 3 of FORMAT.md does not define the state.
pub fn header_state(state: bulla::HeaderState) -> reference::HeaderState {
    match state {
        bulla::HeaderState::Intact => reference::HeaderState::Intact,
        bulla::HeaderState::HeaderDamaged => reference::HeaderState::HeaderDamaged,
        bulla::HeaderState::FooterDamaged => reference::HeaderState::FooterDamaged,
        bulla::HeaderState::Differ => reference::HeaderState::Differ,
        other => panic!("section 3 of FORMAT.md does not define {other:?}"),
    }
}

/// Converts a library error to the corresponding error in section 9 of FORMAT.md.
///
/// # Panics
/// If section 9 does not define the error.
pub fn container_error(error: Error) -> ContainerError {
    match error {
        Error::NotAContainer => ContainerError::NotAContainer,
        Error::UnsupportedVersion { major } => ContainerError::UnsupportedVersion { major },
        Error::UnsupportedSuite { suite } => ContainerError::UnsupportedSuite { suite },
        Error::UnsupportedFeature(_) => ContainerError::UnsupportedFeature,
        Error::DamagedHeader => ContainerError::DamagedHeader,
        Error::ContextRequired => ContainerError::ContextRequired,
        Error::ContextUnexpected => ContainerError::ContextUnexpected,
        Error::WrongKey => ContainerError::WrongKey,
        Error::ChunkRejected { index } => ContainerError::ChunkRejected { index },
        Error::Truncated { after } => ContainerError::Truncated { after },
        Error::TrailingData { extra } => ContainerError::TrailingData { extra },
        Error::TooLarge => ContainerError::TooLarge,
        other => panic!("section 9 of FORMAT.md does not define {other:?}"),
    }
}
