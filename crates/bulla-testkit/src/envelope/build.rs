//! Builds envelopes part by part.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};

use crate::reference;

/// First bytes of an envelope (section 2).
pub const MAGIC: [u8; 8] = *b"\x95BULLA\r\n";
/// Bytes before the first slot (section 2).
pub const HEAD_LEN: usize = 64;
/// Bytes in the MAC and the check, at the end of an envelope (section 2).
pub const TAIL_LEN: usize = 40;
/// Bytes in a slot after its head (section 3).
pub const SEALED_LEN: usize = 80;

/// Slot kinds (section 3).
#[expect(missing_docs, reason = "named as in section 3")]
pub mod kind {
    pub const RECOVERY_KEY: u16 = 1;
    pub const PASSPHRASE: u16 = 2;
    pub const LOCATOR: u16 = 3;
    pub const RECIPIENT: u16 = 4;
}

/// Encodes the head of a slot, with the correct length (section 3).
pub fn slot_head(kind: u16, id: u16, salt: &[u8; 32], params: &[u8]) -> Vec<u8> {
    let len = (40 + params.len() + SEALED_LEN) as u32;
    [&kind.to_be_bytes()[..], &id.to_be_bytes(), &len.to_be_bytes(), salt, params].concat()
}

/// Encodes the parameters of a passphrase slot (E-3.3).
pub fn cost(passes: u32, memory_kib: u32, lanes: u32) -> Vec<u8> {
    [[1, 1, 0, 0], passes.to_be_bytes(), memory_kib.to_be_bytes(), lanes.to_be_bytes()].concat()
}

/// Derives a slot's secret from a passphrase that is already an OpaqueString (E-3.3).
///
/// # Panics
/// If Argon2id does not support the cost.
pub fn stretch(
    passphrase: &str,
    salt: &[u8; 32],
    passes: u32,
    memory_kib: u32,
    lanes: u32,
) -> [u8; 32] {
    let params =
        Params::new(memory_kib, passes, lanes, Some(32)).expect("a cost that Argon2id supports");
    let mut secret = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut secret)
        .expect("password, salt and output have valid lengths");
    secret
}

/// Derives T1, the wrapping key followed by the commitment (E-4.1).
pub fn t1(secret: &[u8; 32], head: &[u8]) -> [u8; 64] {
    reference::hmac_sha512(secret, &[b"bulla v1 slot\0", head, &[1]])
}

/// Wraps a key and returns the ciphertext and tag (E-4.1).
///
/// # Panics
/// Never, because AES-256-GCM accepts 32 bytes.
pub fn wrap(t1: &[u8; 64], head: &[u8], bound: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let cipher = Aes256Gcm::new_from_slice(&t1[..32]).expect("a wrapping key has 32 bytes");
    let aad = [head, bound].concat();
    cipher
        .encrypt(&Nonce::default(), Payload { msg: key, aad: &aad })
        .expect("AES-256-GCM accepts 32 bytes")
}

/// Builds a complete slot (section 3). `bound` is bytes 8 to 63 of the container's header.
pub fn slot(head: &[u8], secret: &[u8; 32], bound: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let t1 = t1(secret, head);
    [head, &t1[32..], &wrap(&t1, head, bound, key)].concat()
}

/// Builds a `len`-byte envelope from `slots` (section 2). `exporter` is the container's exporter
/// (F-4.3).
///
/// # Panics
///
/// If the slots do not fit.
pub fn envelope(
    slots: &[Vec<u8>],
    len: usize,
    revision: u64,
    salt: &[u8],
    exporter: &[u8; 32],
) -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &[1, 0], &(slots.len() as u16).to_be_bytes()].concat();
    bytes.extend((len as u32).to_be_bytes());
    bytes.extend(revision.to_be_bytes());
    bytes.extend([0; 8]);
    bytes.extend(salt);
    bytes.extend(slots.concat());
    assert!(bytes.len() + TAIL_LEN <= len, "the slots do not fit");
    bytes.resize(len, 0);
    complete(&mut bytes, exporter);
    bytes
}

/// Recomputes the MAC and the check (E-5.1), which requires the container's key.
pub fn complete(envelope: &mut [u8], exporter: &[u8; 32]) {
    let end = envelope.len() - TAIL_LEN;
    let secret = reference::export(exporter, b"bulla envelope");
    let mac = reference::hmac_sha512(&secret, &[&envelope[..end]]);
    envelope[end..end + 32].copy_from_slice(&mac[..32]);
    write_check(envelope);
}

/// Recomputes the check, which requires no key.
pub fn write_check(envelope: &mut [u8]) {
    let end = envelope.len() - 8;
    let check = Sha256::digest(&envelope[..end]);
    envelope[end..].copy_from_slice(&check[..8]);
}
