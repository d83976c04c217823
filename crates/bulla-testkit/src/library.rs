//! The library, called as the [reference](mod@crate::reference) is and answering in the reference's
//! types, so that the two can be compared.

use std::io::{Empty, Write, empty};
use std::ops::Range;

use bulla::{
    ChunkSize, ContentType, Draft, Error, Key, Opener, Options, Preamble, RangeReader, Workers,
};

use crate::reference::{self, Fault, Opened, SealParams, StreamOutcome};

/// A draft under the salt of `params`, with the envelope in it.
///
/// # Panics
///
/// If the library refuses `params`.
pub fn draft<'a>(params: &SealParams<'a>) -> Draft<'a> {
    let options = options(params.context)
        .chunk_size(ChunkSize::from_log2(params.chunk_log2).expect("12 to 20"))
        .content_type(ContentType(params.content))
        .envelope_len(params.envelope.len() as u32);
    let key = Key::from_bytes(&params.key);
    let draft =
        bulla::hazmat::draft_with_salt(&key, &options, &params.salt).expect("an envelope in range");
    draft.envelope(params.envelope).expect("an envelope of the length that was set aside")
}

/// Seals at once.
///
/// # Panics
///
/// If the library fails.
pub fn seal(params: &SealParams<'_>) -> Vec<u8> {
    draft(params).seal(params.plaintext).expect("seals").into()
}

/// Seals by stream, in writes of `write_len` bytes.
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

/// Opens by stream.
///
/// # Panics
///
/// If there is an error that section 9 of FORMAT.md does not name.
pub fn open_stream(container: &[u8], key: &[u8; 32], context: Option<&[u8]>) -> StreamOutcome {
    let mut released = Vec::new();
    let result = Opener::new(&Key::from_bytes(key), container, &options(context))
        .and_then(|mut opener| opener.copy_to(&mut released))
        .map(|opened| copies(opened.header_state))
        .map_err(fault);
    StreamOutcome { released, result }
}

/// Opens from memory.
///
/// # Panics
///
/// As [`open_stream`].
pub fn open_positional(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<Opened, Fault> {
    let opened = bulla::open(&Key::from_bytes(key), container, &options(context));
    opened.map(|(plaintext, opened)| whole(plaintext.into(), opened.header_state)).map_err(fault)
}

/// Opens for ranges, and reads all of it as one.
///
/// # Panics
///
/// As [`open_stream`].
pub fn open_by_range(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<Opened, Fault> {
    let reader =
        RangeReader::new(&Key::from_bytes(key), container, &options(context)).map_err(fault)?;
    let plaintext = reader.range(0..reader.len()).map_err(fault)?;
    Ok(whole(plaintext.into(), reader.opened().header_state))
}

/// Opens for ranges, and reads one; none if it is not within the plaintext.
///
/// # Panics
///
/// As [`open_stream`].
pub fn open_range(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
    range: Range<u64>,
) -> Result<Option<Vec<u8>>, Fault> {
    let reader =
        RangeReader::new(&Key::from_bytes(key), container, &options(context)).map_err(fault)?;
    match reader.range(range) {
        Ok(plaintext) => Ok(Some(plaintext.into())),
        Err(Error::OutOfRange { .. }) => Ok(None),
        Err(error) => Err(fault(error)),
    }
}

/// Both copies of the envelope.
///
/// # Panics
///
/// As [`open_stream`].
pub fn envelopes(container: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), Fault> {
    let preamble = Preamble::read_at(container).map_err(fault)?;
    Ok((preamble.envelope().to_vec(), preamble.envelope_copy().map(<[u8]>::to_vec)))
}

/// A secret of the container, exported before any chunk was looked at.
///
/// # Panics
///
/// As [`open_stream`].
pub fn export(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
    label: &[u8],
) -> Result<[u8; 32], Fault> {
    let unlock = |preamble| -> bulla::Result<Opener<'_, Empty>> {
        Opener::with_preamble(preamble, &Key::from_bytes(key), empty(), &options(context))
    };
    let opener = Preamble::read_at(container).and_then(unlock).map_err(fault)?;
    Ok(*opener.export(label))
}

/// The options for a context, or none: on the calling thread, else the defaults.
pub fn options(context: Option<&[u8]>) -> Options<'_> {
    let options = Options::new().workers(Workers::Serial);
    match context {
        Some(context) => options.context(context),
        None => options,
    }
}

/// A plaintext and the state of the copies, as the reference tells them.
pub fn whole(plaintext: Vec<u8>, state: bulla::HeaderState) -> Opened {
    Opened { plaintext, header_state: copies(state) }
}

/// The state of the copies, as the reference tells it.
///
/// # Panics
///
/// If section 3 of FORMAT.md knows no such state.
pub fn copies(copies: bulla::HeaderState) -> reference::HeaderState {
    match copies {
        bulla::HeaderState::Intact => reference::HeaderState::Intact,
        bulla::HeaderState::HeaderDamaged => reference::HeaderState::HeaderDamaged,
        bulla::HeaderState::FooterDamaged => reference::HeaderState::FooterDamaged,
        bulla::HeaderState::Differ => reference::HeaderState::Differ,
        other => panic!("section 3 of FORMAT.md knows no {other:?}"),
    }
}

/// Section 9 of FORMAT.md, from the right to the left.
///
/// # Panics
///
/// If the error is none of a container's.
pub fn fault(error: Error) -> Fault {
    match error {
        Error::NotAContainer => Fault::NotAContainer,
        Error::UnsupportedVersion { major } => Fault::UnsupportedVersion { major },
        Error::UnsupportedSuite { suite } => Fault::UnsupportedSuite { suite },
        Error::UnsupportedFeature(_) => Fault::UnsupportedFeature,
        Error::DamagedHeader => Fault::DamagedHeader,
        Error::ContextRequired => Fault::ContextRequired,
        Error::ContextUnexpected => Fault::ContextUnexpected,
        Error::WrongKey => Fault::WrongKey,
        Error::ChunkRejected { index } => Fault::ChunkRejected { index },
        Error::Truncated { after } => Fault::Truncated { after },
        Error::TrailingData { extra } => Fault::TrailingData { extra },
        Error::TooLarge => Fault::TooLarge,
        other => panic!("no container gives this error: {other:?}"),
    }
}
