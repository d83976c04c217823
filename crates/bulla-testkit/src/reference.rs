//! The reference implementation of containers. It follows FORMAT.md clause by clause and is slow,
//! because it is sequential and works on whole slices.
//!
//! It shares neither code nor cryptographic primitives with the `bulla` library: the reference uses
//! RustCrypto, whereas `bulla` uses ring or AWS-LC. The reference is for tests only. It does not
//! wipe secrets, and it holds several copies of a container in memory.

use std::ops::Range;

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

pub use crate::outcome::{ContainerError, HeaderState};

/// First bytes of a header (section 2).
pub const HEADER_MAGIC: [u8; 8] = *b"\x93BULLA\r\n";
/// First bytes of a footer (section 2).
pub const FOOTER_MAGIC: [u8; 8] = *b"\x94BULLA\r\n";
/// Bytes in a header or footer (section 2).
pub const HEADER_LEN: usize = 128;
/// Bytes in an AES-GCM tag (F-5.2).
pub const TAG_LEN: usize = 16;
/// Maximum length of an envelope, in bytes (section 2).
pub const ENVELOPE_MAX: usize = 1 << 20;
/// Maximum number of bytes after a container that a reader distinguishes from truncation (F-7.4).
pub const TRAILING_MAX: usize = 65536;

/// The inputs that determine every byte of a container.
#[derive(Clone, Copy, Debug)]
pub struct SealParams<'a> {
    /// The key (F-4.1).
    pub key: [u8; 32],
    /// The salt, which a real writer draws at random (F-4.2).
    pub salt: [u8; 32],
    /// The base-2 logarithm of the chunk size in bytes, 12 to 20.
    pub chunk_log2: u8,
    /// The content type (F-3.9).
    pub content: u8,
    /// The context, if any. An empty context counts as a context (F-3.8).
    pub context: Option<&'a [u8]>,
    /// The envelope, at most 2^20 bytes (F-8.1).
    pub envelope: &'a [u8],
    /// The plaintext.
    pub plaintext: &'a [u8],
}

/// The outcome of reading a container as a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOutcome {
    /// The plaintext of all chunks verified before the end or the first error (F-7.2).
    pub released: Vec<u8>,
    /// The state of the header copies, or the first error.
    pub result: Result<HeaderState, ContainerError>,
}

/// The result of opening a container with positional access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedContainer {
    /// The whole plaintext.
    pub plaintext: Vec<u8>,
    /// The state of the header copies.
    pub header_state: HeaderState,
}

/// Seals a plaintext (F-2.1, F-3.1, F-3.2, F-5.1).
///
/// # Panics
///
/// If `chunk_log2` or the envelope's length is out of range, or the plaintext is too large (F-5.4).
pub fn seal(params: &SealParams<'_>) -> Vec<u8> {
    let SealParams { key, salt, chunk_log2, content, context, envelope, plaintext } = *params;
    assert!((12..=20).contains(&chunk_log2), "chunk_log2 is 12 to 20");
    assert!(envelope.len() <= ENVELOPE_MAX, "an envelope has at most 2^20 bytes");
    let len = plaintext.len() as u64;
    assert!(len >> chunk_log2 < 1 << 32 && len < 1 << 48, "too large (F-5.4)");

    let mut header = [0; HEADER_LEN]; // F-3.1: minor and all reserved bytes stay zero
    header[0..8].copy_from_slice(&HEADER_MAGIC);
    header[8] = 1; // major
    header[10..12].copy_from_slice(&1u16.to_be_bytes()); // suite
    header[12] = chunk_log2;
    header[13] = content;
    header[14..16].copy_from_slice(&u16::from(context.is_some()).to_be_bytes()); // F-3.8
    header[16..20].copy_from_slice(&(envelope.len() as u32).to_be_bytes());
    header[32..64].copy_from_slice(&salt);
    let keys = schedule(&key, &bound(&header), context);
    header[64..96].copy_from_slice(&keys.commitment);
    write_check(&mut header);

    let mut container = [&header, envelope].concat();
    let chunk_size = 1 << chunk_log2;
    for i in 0..=plaintext.len() / chunk_size {
        let end = plaintext.len().min((i + 1) * chunk_size);
        container.extend(seal_chunk(&keys, i as u64, &plaintext[i * chunk_size..end])); // F-5.1
    }
    container.extend(envelope);

    let mut footer = header; // F-3.2
    footer[0..8].copy_from_slice(&FOOTER_MAGIC);
    let container_len = (container.len() + HEADER_LEN) as u64;
    footer[96..104].copy_from_slice(&container_len.to_be_bytes());
    write_check(&mut footer);
    container.extend(footer);
    container
}

/// Opens a container as a streaming reader does.
pub fn open_stream(container: &[u8], key: &[u8; 32], context: Option<&[u8]>) -> StreamOutcome {
    let mut released = Vec::new();
    let result = inspect(container, false).and_then(|found| {
        let keys = unlock(&found, key, context)?;
        let n = found.geometry.n;
        match open_chunks(container, &found.geometry, &keys, 0..=n, &mut released) {
            Ok(()) => Ok(found.header_state),
            Err(i) if i < n => Err(ContainerError::ChunkRejected { index: i }), // F-7.4
            Err(_) => Err(last_chunk_fault(container, &found, false)),
        }
    });
    StreamOutcome { released, result }
}

/// Opens a container as a positional reader does.
pub fn open_positional(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<OpenedContainer, ContainerError> {
    let found = inspect(container, true)?;
    let keys = unlock(&found, key, context)?;
    // F-7.5: chunk n first. If it is rejected, a lower chunk may have to be reported instead.
    match verify_last_chunk(container, &found, &keys) {
        Ok(()) | Err(ContainerError::ChunkRejected { .. }) => {}
        Err(trailing_or_truncated) => return Err(trailing_or_truncated),
    }
    let mut plaintext = Vec::new();
    open_chunks(container, &found.geometry, &keys, 0..=found.geometry.n, &mut plaintext)
        .map_err(|i| ContainerError::ChunkRejected { index: i })?; // F-7.4
    Ok(OpenedContainer { plaintext, header_state: found.header_state })
}

/// Reads a range of the plaintext, or returns `None` if the range exceeds the plaintext (F-7.6).
///
/// Opening reads only chunk n. Reading the range then reads only the chunks that overlap it
/// (F-7.5).
pub fn open_range(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
    range: Range<u64>,
) -> Result<Option<Vec<u8>>, ContainerError> {
    let found = inspect(container, true)?;
    let keys = unlock(&found, key, context)?;
    verify_last_chunk(container, &found, &keys)?;
    if range.start > range.end || range.end > found.geometry.plaintext_len() {
        return Ok(None);
    }
    if range.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let chunk_size = found.geometry.chunk_size;
    let first = range.start / chunk_size; // F-5.3
    let mut plaintext = Vec::new();
    open_chunks(
        container,
        &found.geometry,
        &keys,
        first..range.end.div_ceil(chunk_size),
        &mut plaintext,
    )
    .map_err(|i| ContainerError::ChunkRejected { index: i })?;
    let skipped = (range.start - first * chunk_size) as usize;
    let len = (range.end - range.start) as usize;
    Ok(Some(plaintext[skipped..skipped + len].to_vec()))
}

/// Returns both copies of the envelope as a positional reader does, which needs no key. The second
/// copy is present only if the container is long enough for one (F-8.1).
pub fn envelopes<'c>(container: &'c [u8], found: &Inspection) -> (&'c [u8], Option<&'c [u8]>) {
    let (start, len) = (found.geometry.start as usize, container.len());
    let tail = (len >= 2 * start).then(|| &container[len - start..len - HEADER_LEN]);
    (&container[HEADER_LEN..start], tail)
}

/// Everything that a reader learns before it uses the key.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The authoritative header copy (F-3.4).
    pub header: [u8; HEADER_LEN],
    /// The state of the header copies, reported on success (F-3.6).
    pub header_state: HeaderState,
    /// The location of the chunks (F-7.3).
    pub geometry: Geometry,
}

/// Performs all checks that F-7.1 places before the context check.
pub fn inspect(container: &[u8], positional: bool) -> Result<Inspection, ContainerError> {
    let header = container.first_chunk().filter(|copy| is_valid(copy, &HEADER_MAGIC));
    // F-3.4: the footer is always the last 128 bytes, provided that the input has at least 256
    // bytes.
    let footer = container
        .last_chunk()
        .filter(|copy| container.len() >= 256 && is_valid(copy, &FOOTER_MAGIC));
    let (copy, header_state) = match (header, footer) {
        (Some(header), Some(footer)) if header[8..96] == footer[8..96] => {
            (header, HeaderState::Intact)
        }
        (Some(header), Some(_)) => (header, HeaderState::Differ),
        (Some(header), None) => (header, HeaderState::FooterDamaged),
        (None, Some(footer)) if positional => (footer, HeaderState::HeaderDamaged),
        (None, _) => return Err(header_fault(container)),
    };

    // F-3.7: suite, flags, chunk_log2 and envelope_len. No other field is validated.
    let suite = u16::from_be_bytes([copy[10], copy[11]]);
    if suite != 1 {
        return Err(ContainerError::UnsupportedSuite { suite });
    }
    let flags = u16::from_be_bytes([copy[14], copy[15]]);
    let chunk_log2 = copy[12];
    let envelope_len = u32::from_be_bytes([copy[16], copy[17], copy[18], copy[19]]) as usize;
    if flags & !1 != 0 || !(12..=20).contains(&chunk_log2) || envelope_len > ENVELOPE_MAX {
        return Err(ContainerError::UnsupportedFeature);
    }
    // F-7.1: the envelope must be complete.
    if container.len() < HEADER_LEN + envelope_len {
        return Err(ContainerError::Truncated { after: 0 });
    }
    let geometry = Geometry::of(container.len() as u64, envelope_len as u64, chunk_log2);
    Ok(Inspection { header: *copy, header_state, geometry })
}

impl Inspection {
    /// Checks that a context is given if and only if the container requires one (F-3.8).
    pub fn check_context(&self, context: Option<&[u8]>) -> Result<(), ContainerError> {
        match (self.header[15] & 1 == 1, context) {
            (true, None) => Err(ContainerError::ContextRequired),
            (false, Some(_)) => Err(ContainerError::ContextUnexpected),
            _ => Ok(()),
        }
    }
}

/// Returns whether a header copy is valid (F-3.3).
fn is_valid(copy: &[u8; HEADER_LEN], magic: &[u8; 8]) -> bool {
    copy[0..8] == *magic && copy[8] == 1 && copy[120..128] == check(copy)
}

/// Returns the error for an invalid header, in the order of F-3.5.
fn header_fault(container: &[u8]) -> ContainerError {
    match container {
        _ if !container.starts_with(&HEADER_MAGIC) => ContainerError::NotAContainer,
        [_, _, _, _, _, _, _, _, major, ..] if *major != 1 => {
            ContainerError::UnsupportedVersion { major: *major }
        }
        _ if container.len() < HEADER_LEN => ContainerError::Truncated { after: 0 },
        _ => ContainerError::DamagedHeader,
    }
}

/// Checks the context (F-3.8), derives the keys, and checks the commitment (F-4.4) and the size
/// (F-5.4).
fn unlock(
    found: &Inspection,
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<Schedule, ContainerError> {
    found.check_context(context)?;
    let keys = schedule(key, &bound(&found.header), context);
    // In constant time: every byte is compared, regardless of the others.
    let difference =
        keys.commitment.iter().zip(&found.header[64..96]).fold(0, |d, (a, b)| d | (a ^ b));
    if difference != 0 {
        return Err(ContainerError::WrongKey);
    }
    // A streaming reader would notice this only at the excess chunk, but such a container is too
    // large for any test.
    if found.geometry.is_too_large() {
        return Err(ContainerError::TooLarge);
    }
    Ok(keys)
}

/// Verifies chunk n. A positional reader does so before it reads any other chunk (F-7.5, F-7.6).
fn verify_last_chunk(
    container: &[u8],
    found: &Inspection,
    keys: &Schedule,
) -> Result<(), ContainerError> {
    let n = found.geometry.n;
    match open_chunk(keys, n, &container[found.geometry.chunk(n)]) {
        Some(_) => Ok(()),
        None => Err(last_chunk_fault(container, found, true)),
    }
}

/// Returns the error for a chunk n that fails verification (F-7.4).
fn last_chunk_fault(container: &[u8], found: &Inspection, positional: bool) -> ContainerError {
    if positional && let Some(extra) = trailing_bytes(container, found) {
        return ContainerError::TrailingData { extra };
    }
    let Geometry { n, r, .. } = found.geometry;
    if has_footer_at(container, container.len() - HEADER_LEN, found) && r >= TAG_LEN as u64 {
        ContainerError::ChunkRejected { index: n }
    } else {
        ContainerError::Truncated { after: n }
    }
}

/// Searches backward for a footer before the last 128 bytes, and returns the number of bytes after
/// that footer (F-7.4).
fn trailing_bytes(container: &[u8], found: &Inspection) -> Option<u64> {
    let end = container.len() - HEADER_LEN;
    let envelope_len = found.geometry.start as usize - HEADER_LEN;
    // The footer's offset in the smallest container. A footer at a lower offset was planted in the
    // first envelope.
    let smallest = HEADER_LEN + TAG_LEN + 2 * envelope_len;
    let lowest = end.saturating_sub(TRAILING_MAX).max(smallest);
    let offset = (lowest..end).rev().find(|&at| has_footer_at(container, at, found))?;
    Some((end - offset) as u64)
}

/// Returns whether a valid footer that matches the authoritative copy is at `offset` (F-7.4).
fn has_footer_at(container: &[u8], offset: usize, found: &Inspection) -> bool {
    let bytes = container[offset..].first_chunk().expect("offset is at most L - 128");
    is_valid(bytes, &FOOTER_MAGIC) && bytes[8..96] == found.header[8..96]
}

/// The location of a container's chunks (F-7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of plaintext in a full chunk.
    pub chunk_size: u64,
    /// Offset of chunk 0.
    pub start: u64,
    /// Number of full chunks, which is also the index of the last chunk.
    pub n: u64,
    /// Bytes in the last chunk including its tag. If there are fewer than 16, the last chunk is
    /// missing.
    pub r: u64,
}

impl Geometry {
    /// Computes the geometry of a `len`-byte container.
    pub fn of(len: u64, envelope_len: u64, chunk_log2: u8) -> Geometry {
        let chunk_size = 1 << chunk_log2;
        let start = HEADER_LEN as u64 + envelope_len;
        let t = len.saturating_sub(start).saturating_sub(start);
        let sealed = chunk_size + TAG_LEN as u64;
        Geometry { chunk_size, start, n: t / sealed, r: t % sealed }
    }

    /// Returns the byte range of chunk `i` within the container (F-5.3).
    pub fn chunk(&self, i: u64) -> Range<usize> {
        let sealed = self.chunk_size + TAG_LEN as u64;
        let begin = self.start + i * sealed;
        begin as usize..(begin + if i < self.n { sealed } else { self.r }) as usize
    }

    /// Returns the plaintext length, which is authentic once chunk n is verified (F-7.6).
    pub fn plaintext_len(&self) -> u64 {
        self.n * self.chunk_size + self.r.saturating_sub(TAG_LEN as u64)
    }

    /// Returns whether the container exceeds the limits of F-5.4.
    pub fn is_too_large(&self) -> bool {
        self.n >= 1 << 32 || self.plaintext_len() >= 1 << 48
    }
}

/// Every value in the key schedule (F-4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in F-4.3")]
pub struct Schedule {
    pub info: Vec<u8>,
    pub t1: [u8; 64],
    pub t2: [u8; 64],
    pub chunk_key: [u8; 32],
    pub base_nonce: [u8; 12],
    pub commitment: [u8; 32],
    pub exporter: [u8; 32],
}

/// Derives the key schedule from bytes 8..64 of the authoritative header copy (F-4.3).
pub fn schedule(key: &[u8; 32], header56: &[u8; 56], context: Option<&[u8]>) -> Schedule {
    let info = [b"bulla v1 container\x00", &header56[..], context.unwrap_or_default()].concat();
    let (t1, t2) = expand(key, &info);
    let okm = [t1, t2].concat();
    let part = |range: Range<usize>| okm[range].try_into().expect("32 bytes of okm");
    Schedule {
        info,
        t1,
        t2,
        chunk_key: part(0..32),
        base_nonce: okm[32..44].try_into().expect("12 bytes of okm"),
        commitment: part(44..76),
        exporter: part(76..108),
    }
}

/// Computes T(1) and T(2) of HKDF-Expand with SHA-512 (RFC 5869, 2.3).
pub fn expand(prk: &[u8], info: &[u8]) -> ([u8; 64], [u8; 64]) {
    let t1 = hmac_sha512(prk, &[info, &[0x01]]);
    let t2 = hmac_sha512(prk, &[&t1, info, &[0x02]]);
    (t1, t2)
}

/// Exports a secret for a higher layer (F-4.5).
pub fn export(exporter: &[u8; 32], label: &[u8]) -> [u8; 32] {
    let block = hmac_sha512(exporter, &[b"bulla v1 export\x00", label, &[0x01]]);
    *block.first_chunk().expect("64 bytes are more than 32")
}

/// Computes HMAC-SHA-512 over the concatenation of `parts`.
pub fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Returns bytes 8..64 of a header copy, which the key schedule binds (F-4.3).
pub fn bound(copy: &[u8; HEADER_LEN]) -> [u8; 56] {
    copy[8..64].try_into().expect("56 bytes of 128")
}

/// Computes the check for bytes 120..128 of a header copy (section 2).
fn check(copy: &[u8; HEADER_LEN]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(&copy[0..120]).into();
    *digest.first_chunk().expect("32 bytes are more than 8")
}

/// Writes the correct check to a header copy (section 2).
pub fn write_check(copy: &mut [u8; HEADER_LEN]) {
    let check = check(copy);
    copy[120..128].copy_from_slice(&check);
}

/// Computes the nonce of chunk `i` (F-5.2).
pub fn nonce(base_nonce: &[u8; 12], i: u64) -> [u8; 12] {
    let mut nonce = *base_nonce;
    for (byte, counter) in nonce[4..].iter_mut().zip(i.to_be_bytes()) {
        *byte ^= counter; // the first 4 of i's 12 bytes are zero
    }
    nonce
}

/// Seals one chunk and returns the ciphertext and tag (F-5.2).
pub fn seal_chunk(keys: &Schedule, i: u64, plaintext: &[u8]) -> Vec<u8> {
    let nonce = Nonce::from(nonce(&keys.base_nonce, i));
    Aes256Gcm::new(&keys.chunk_key.into())
        .encrypt(&nonce, plaintext)
        .expect("a chunk is shorter than 2^36 bytes")
}

/// Opens one chunk, or returns `None` if it is shorter than a tag or not authentic (F-5.2, F-7.3).
pub fn open_chunk(keys: &Schedule, i: u64, sealed: &[u8]) -> Option<Vec<u8>> {
    let nonce = Nonce::from(nonce(&keys.base_nonce, i));
    Aes256Gcm::new(&keys.chunk_key.into()).decrypt(&nonce, sealed).ok()
}

/// Opens chunks in order and releases each one after verifying it (F-7.2).
///
/// # Errors
/// Returns the index of the first chunk that fails verification.
pub fn open_chunks(
    container: &[u8],
    geometry: &Geometry,
    keys: &Schedule,
    numbers: impl IntoIterator<Item = u64>,
    released: &mut Vec<u8>,
) -> Result<(), u64> {
    for i in numbers {
        released.extend(open_chunk(keys, i, &container[geometry.chunk(i)]).ok_or(i)?);
    }
    Ok(())
}
