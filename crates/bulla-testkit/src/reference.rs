//! The reference implementation: spec/FORMAT.md clause by clause, slow, sequential, whole slices.
//!
//! It shares no code with the library `bulla`, nor its cryptography (RustCrypto here, ring or
//! AWS-LC there). It is for tests: it wipes nothing, and a container has to fit into memory several
//! times.

use std::ops::Range;

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

pub use crate::outcome::{Fault, HeaderState};

/// First bytes of a header (section 2).
pub const HEADER_MAGIC: [u8; 8] = *b"\x93BULLA\r\n";
/// First bytes of a footer (section 2).
pub const FOOTER_MAGIC: [u8; 8] = *b"\x94BULLA\r\n";
/// Bytes in a header, and in a footer (section 2).
pub const HEADER_LEN: usize = 128;
/// Bytes in an AES-GCM tag (F-5.2).
pub const TAG_LEN: usize = 16;
/// Bytes in the longest envelope (section 2).
pub const ENVELOPE_MAX: usize = 1 << 20;
/// Bytes that may follow a container and still be told from a cut (F-7.4).
pub const TRAILING_MAX: usize = 65536;

/// Everything that determines a container.
#[derive(Clone, Copy, Debug)]
pub struct SealParams<'a> {
    /// The key (F-4.1).
    pub key: [u8; 32],
    /// The salt; a writer draws it, the reference is given it (F-4.2).
    pub salt: [u8; 32],
    /// Chunk size as a power of two, 12 to 20.
    pub chunk_log2: u8,
    /// What the plaintext is (F-3.9).
    pub content: u8,
    /// The context, or none; one of zero bytes is a context (F-3.8).
    pub context: Option<&'a [u8]>,
    /// The envelope, at most 2^20 bytes (F-8.1).
    pub envelope: &'a [u8],
    /// The plaintext.
    pub plaintext: &'a [u8],
}

/// What a reader without positional access released, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOutcome {
    /// The plaintext of all chunks that were verified before the end or the first error (F-7.2).
    pub released: Vec<u8>,
    /// The state of the copies, or the first error.
    pub result: Result<HeaderState, Fault>,
}

/// What a reader with positional access hands out at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The whole plaintext.
    pub plaintext: Vec<u8>,
    /// The state of the copies.
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

/// Opens a container as a reader without positional access does.
pub fn open_stream(container: &[u8], key: &[u8; 32], context: Option<&[u8]>) -> StreamOutcome {
    let mut released = Vec::new();
    let result = look(container, false).and_then(|found| {
        let keys = unlock(&found, key, context)?;
        let n = found.geometry.n;
        match open_chunks(container, &found.geometry, &keys, 0..=n, &mut released) {
            Ok(()) => Ok(found.header_state),
            Err(i) if i < n => Err(Fault::ChunkRejected { index: i }), // F-7.4
            Err(_) => Err(last_chunk_fault(container, &found, false)),
        }
    });
    StreamOutcome { released, result }
}

/// Opens a container as a reader with positional access does.
pub fn open_positional(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
) -> Result<Opened, Fault> {
    let found = look(container, true)?;
    let keys = unlock(&found, key, context)?;
    // F-7.5: chunk n first. If it is merely rejected, a lower one may have to be named instead.
    match verify_last_chunk(container, &found, &keys) {
        Ok(()) | Err(Fault::ChunkRejected { .. }) => {}
        Err(trailing_or_truncated) => return Err(trailing_or_truncated),
    }
    let mut plaintext = Vec::new();
    open_chunks(container, &found.geometry, &keys, 0..=found.geometry.n, &mut plaintext)
        .map_err(|i| Fault::ChunkRejected { index: i })?; // F-7.4
    Ok(Opened { plaintext, header_state: found.header_state })
}

/// Reads a range as a reader of ranges does; none if the range is not within the plaintext (F-7.6).
///
/// Opening is an operation of its own, which reads chunk n and no other; a range reads the chunks
/// that it lies in (F-7.5).
pub fn open_range(
    container: &[u8],
    key: &[u8; 32],
    context: Option<&[u8]>,
    range: Range<u64>,
) -> Result<Option<Vec<u8>>, Fault> {
    let found = look(container, true)?;
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
    .map_err(|i| Fault::ChunkRejected { index: i })?;
    let skipped = (range.start - first * chunk_size) as usize;
    let len = (range.end - range.start) as usize;
    Ok(Some(plaintext[skipped..skipped + len].to_vec()))
}

/// Both copies of the envelope, as a reader with positional access hands them back, whatever the
/// key; the second only if the container is long enough to have one (F-8.1).
pub fn envelopes<'c>(container: &'c [u8], found: &Found) -> (&'c [u8], Option<&'c [u8]>) {
    let (start, len) = (found.geometry.start as usize, container.len());
    let tail = (len >= 2 * start).then(|| &container[len - start..len - HEADER_LEN]);
    (&container[HEADER_LEN..start], tail)
}

/// What a reader knows before it uses the key.
#[derive(Clone, Debug)]
pub struct Found {
    /// The copy that counts (F-3.4).
    pub copy: [u8; HEADER_LEN],
    /// What is to be reported of the copies if all goes well (F-3.6).
    pub header_state: HeaderState,
    /// Where the chunks lie (F-7.3).
    pub geometry: Geometry,
}

/// Everything that F-7.1 orders before the context.
pub fn look(container: &[u8], positional: bool) -> Result<Found, Fault> {
    let header = container.first_chunk().filter(|copy| is_valid(copy, &HEADER_MAGIC));
    // F-3.4: the last 128 bytes, whatever they hold, but only of 256 bytes or more.
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

    // F-3.7: suite, flags, chunk_log2, envelope_len; nothing else is judged.
    let suite = u16::from_be_bytes([copy[10], copy[11]]);
    if suite != 1 {
        return Err(Fault::UnsupportedSuite { suite });
    }
    let flags = u16::from_be_bytes([copy[14], copy[15]]);
    let chunk_log2 = copy[12];
    let envelope_len = u32::from_be_bytes([copy[16], copy[17], copy[18], copy[19]]) as usize;
    if flags & !1 != 0 || !(12..=20).contains(&chunk_log2) || envelope_len > ENVELOPE_MAX {
        return Err(Fault::UnsupportedFeature);
    }
    // F-7.1: the envelope is there whole.
    if container.len() < HEADER_LEN + envelope_len {
        return Err(Fault::Truncated { after: 0 });
    }
    let geometry = Geometry::of(container.len() as u64, envelope_len as u64, chunk_log2);
    Ok(Found { copy: *copy, header_state, geometry })
}

impl Found {
    /// Whether a context is to be given, and is (F-3.8).
    pub fn check_context(&self, context: Option<&[u8]>) -> Result<(), Fault> {
        match (self.copy[15] & 1 == 1, context) {
            (true, None) => Err(Fault::ContextRequired),
            (false, Some(_)) => Err(Fault::ContextUnexpected),
            _ => Ok(()),
        }
    }
}

/// F-3.3
fn is_valid(copy: &[u8; HEADER_LEN], magic: &[u8; 8]) -> bool {
    copy[0..8] == *magic && copy[8] == 1 && copy[120..128] == check(copy)
}

/// F-3.5, in its order.
fn header_fault(container: &[u8]) -> Fault {
    match container {
        _ if !container.starts_with(&HEADER_MAGIC) => Fault::NotAContainer,
        [_, _, _, _, _, _, _, _, major, ..] if *major != 1 => {
            Fault::UnsupportedVersion { major: *major }
        }
        _ if container.len() < HEADER_LEN => Fault::Truncated { after: 0 },
        _ => Fault::DamagedHeader,
    }
}

/// F-3.8, F-4.4, then F-5.4.
fn unlock(found: &Found, key: &[u8; 32], context: Option<&[u8]>) -> Result<Schedule, Fault> {
    found.check_context(context)?;
    let keys = schedule(key, &bound(&found.copy), context);
    // In constant time: every byte is looked at, whatever the others are.
    let difference =
        keys.commitment.iter().zip(&found.copy[64..96]).fold(0, |d, (a, b)| d | (a ^ b));
    if difference != 0 {
        return Err(Fault::WrongKey);
    }
    // A streaming reader finds this out at that chunk only; no test can hold a container that shows
    // it.
    if found.geometry.is_too_large() {
        return Err(Fault::TooLarge);
    }
    Ok(keys)
}

/// F-7.5, F-7.6: what a reader with positional access does before it reads another chunk.
fn verify_last_chunk(container: &[u8], found: &Found, keys: &Schedule) -> Result<(), Fault> {
    let n = found.geometry.n;
    match open_chunk(keys, n, &container[found.geometry.chunk(n)]) {
        Some(_) => Ok(()),
        None => Err(last_chunk_fault(container, found, true)),
    }
}

/// F-7.4 where chunk n is not verified.
fn last_chunk_fault(container: &[u8], found: &Found, positional: bool) -> Fault {
    if positional && let Some(extra) = trailing_bytes(container, found) {
        return Fault::TrailingData { extra };
    }
    let Geometry { n, r, .. } = found.geometry;
    if footer_stands(container, container.len() - HEADER_LEN, found) && r >= TAG_LEN as u64 {
        Fault::ChunkRejected { index: n }
    } else {
        Fault::Truncated { after: n }
    }
}

/// F-7.4, the search: how many bytes follow the greatest offset below L - 128 at which a footer
/// stands.
fn trailing_bytes(container: &[u8], found: &Found) -> Option<u64> {
    let end = container.len() - HEADER_LEN;
    let envelope_len = found.geometry.start as usize - HEADER_LEN;
    // Where the smallest container has its footer: what stands below was planted in the first
    // envelope.
    let smallest = HEADER_LEN + TAG_LEN + 2 * envelope_len;
    let lowest = end.saturating_sub(TRAILING_MAX).max(smallest);
    let offset = (lowest..end).rev().find(|&at| footer_stands(container, at, found))?;
    Some((end - offset) as u64)
}

/// F-7.4: whether a footer stands at an offset.
fn footer_stands(container: &[u8], offset: usize, found: &Found) -> bool {
    let bytes = container[offset..].first_chunk().expect("offset is at most L - 128");
    is_valid(bytes, &FOOTER_MAGIC) && bytes[8..96] == found.copy[8..96]
}

/// Where the chunks of a container lie (F-7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes of plaintext in a full chunk.
    pub chunk_size: u64,
    /// Offset of chunk 0.
    pub start: u64,
    /// Number of full chunks, and of the last chunk.
    pub n: u64,
    /// Bytes in the last chunk with its tag; below 16 there is none.
    pub r: u64,
}

impl Geometry {
    /// The geometry of a container of `len` bytes.
    pub fn of(len: u64, envelope_len: u64, chunk_log2: u8) -> Geometry {
        let chunk_size = 1 << chunk_log2;
        let start = HEADER_LEN as u64 + envelope_len;
        let t = len.saturating_sub(start).saturating_sub(start);
        let sealed = chunk_size + TAG_LEN as u64;
        Geometry { chunk_size, start, n: t / sealed, r: t % sealed }
    }

    /// Where chunk `i` lies in the container (F-5.3).
    pub fn chunk(&self, i: u64) -> Range<usize> {
        let sealed = self.chunk_size + TAG_LEN as u64;
        let begin = self.start + i * sealed;
        begin as usize..(begin + if i < self.n { sealed } else { self.r }) as usize
    }

    /// Bytes in the plaintext, to be believed once chunk n is verified (F-7.6).
    pub fn plaintext_len(&self) -> u64 {
        self.n * self.chunk_size + self.r.saturating_sub(TAG_LEN as u64)
    }

    /// F-5.4
    pub fn is_too_large(&self) -> bool {
        self.n >= 1 << 32 || self.plaintext_len() >= 1 << 48
    }
}

/// Every value of the key schedule (F-4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of F-4.3")]
pub struct Schedule {
    pub info: Vec<u8>,
    pub t1: [u8; 64],
    pub t2: [u8; 64],
    pub chunk_key: [u8; 32],
    pub base_nonce: [u8; 12],
    pub commitment: [u8; 32],
    pub exporter: [u8; 32],
}

/// F-4.3, over bytes 8..64 of the copy that counts.
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

/// T(1) and T(2) of HKDF-Expand with SHA-512 (RFC 5869, 2.3).
pub fn expand(prk: &[u8], info: &[u8]) -> ([u8; 64], [u8; 64]) {
    let t1 = hmac_sha512(prk, &[info, &[0x01]]);
    let t2 = hmac_sha512(prk, &[&t1, info, &[0x02]]);
    (t1, t2)
}

/// A secret for a layer above (F-4.5).
pub fn export(exporter: &[u8; 32], label: &[u8]) -> [u8; 32] {
    let block = hmac_sha512(exporter, &[b"bulla v1 export\x00", label, &[0x01]]);
    *block.first_chunk().expect("64 bytes are more than 32")
}

/// HMAC-SHA-512 over parts joined together.
pub fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The bytes that the key schedule binds (F-4.3).
pub fn bound(copy: &[u8; HEADER_LEN]) -> [u8; 56] {
    copy[8..64].try_into().expect("56 bytes of 128")
}

/// What belongs into bytes 120..128 of a copy (section 2).
fn check(copy: &[u8; HEADER_LEN]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(&copy[0..120]).into();
    *digest.first_chunk().expect("32 bytes are more than 8")
}

/// Makes the check of a copy hold (section 2).
pub fn write_check(copy: &mut [u8; HEADER_LEN]) {
    let check = check(copy);
    copy[120..128].copy_from_slice(&check);
}

/// The nonce of chunk `i` (F-5.2).
pub fn nonce(base_nonce: &[u8; 12], i: u64) -> [u8; 12] {
    let mut nonce = *base_nonce;
    for (byte, counter) in nonce[4..].iter_mut().zip(i.to_be_bytes()) {
        *byte ^= counter; // the first 4 of i's 12 bytes are zero
    }
    nonce
}

/// Seals one chunk: ciphertext, then tag (F-5.2).
pub fn seal_chunk(keys: &Schedule, i: u64, plaintext: &[u8]) -> Vec<u8> {
    let nonce = Nonce::from(nonce(&keys.base_nonce, i));
    Aes256Gcm::new(&keys.chunk_key.into())
        .encrypt(&nonce, plaintext)
        .expect("a chunk is shorter than 2^36 bytes")
}

/// Opens one chunk; none if it is too short for a tag, or its tag fails (F-5.2, F-7.3).
pub fn open_chunk(keys: &Schedule, i: u64, sealed: &[u8]) -> Option<Vec<u8>> {
    let nonce = Nonce::from(nonce(&keys.base_nonce, i));
    Aes256Gcm::new(&keys.chunk_key.into()).decrypt(&nonce, sealed).ok()
}

/// Opens chunks in order, and releases each once it is verified (F-7.2).
///
/// # Errors
///
/// The number of the first chunk that is not.
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
