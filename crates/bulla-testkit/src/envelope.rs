//! Key envelopes as spec/ENVELOPE.md says, and as it forbids: each part is made by a function of
//! its own, so that a test can change what it likes and complete the rest.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};

use crate::reference;

pub mod read;

/// First bytes of an envelope (section 2).
pub const MAGIC: [u8; 8] = *b"\x95BULLA\r\n";
/// Bytes before the first slot (section 2).
pub const HEAD_LEN: usize = 64;
/// Bytes of mac and check, behind everything (section 2).
pub const TAIL_LEN: usize = 40;
/// Bytes of a slot behind its head (section 3).
pub const SEALED_LEN: usize = 80;

/// Kinds of slots (section 3).
#[expect(missing_docs, reason = "the names are those of the page")]
pub mod kind {
    pub const RECOVERY_KEY: u16 = 1;
    pub const PASSPHRASE: u16 = 2;
    pub const LOCATOR: u16 = 3;
    pub const RECIPIENT: u16 = 4;
}

/// A slot's head (section 3), the frame's length as it should be.
pub fn slot_head(kind: u16, id: u16, salt: &[u8; 32], params: &[u8]) -> Vec<u8> {
    let len = (40 + params.len() + SEALED_LEN) as u32;
    [&kind.to_be_bytes()[..], &id.to_be_bytes(), &len.to_be_bytes(), salt, params].concat()
}

/// The parameters of a passphrase (E-3.3).
pub fn cost(passes: u32, memory_kib: u32, lanes: u32) -> Vec<u8> {
    [[1, 1, 0, 0], passes.to_be_bytes(), memory_kib.to_be_bytes(), lanes.to_be_bytes()].concat()
}

/// The secret that a passphrase is, once it is an OpaqueString (E-3.3).
///
/// # Panics
///
/// If the cost is none that Argon2id can have.
pub fn stretch(
    passphrase: &str,
    salt: &[u8; 32],
    passes: u32,
    memory_kib: u32,
    lanes: u32,
) -> [u8; 32] {
    let params =
        Params::new(memory_kib, passes, lanes, Some(32)).expect("a cost that Argon2id can have");
    let mut secret = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut secret)
        .expect("the lengths are right");
    secret
}

/// T1 of E-4.1: the wrapping key, and the commitment.
pub fn t1(secret: &[u8; 32], head: &[u8]) -> [u8; 64] {
    reference::hmac_sha512(secret, &[b"bulla v1 slot\0", head, &[1]])
}

/// Wraps a key, the tag behind it (E-4.1).
///
/// # Panics
///
/// Never: the cipher takes 32 bytes.
pub fn wrap(t1: &[u8; 64], head: &[u8], bound: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let cipher = Aes256Gcm::new_from_slice(&t1[..32]).expect("a wrapping key has 32 bytes");
    let aad = [head, bound].concat();
    cipher
        .encrypt(&Nonce::default(), Payload { msg: key, aad: &aad })
        .expect("32 bytes are not too many")
}

/// A slot, whole (section 3). `bound` are bytes 8 to 63 of the container's header.
pub fn slot(head: &[u8], secret: &[u8; 32], bound: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let t1 = t1(secret, head);
    [head, &t1[32..], &wrap(&t1, head, bound, key)].concat()
}

/// An envelope with these slots (section 2). `exporter` is the container's (F-4.3).
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

/// Writes mac and check anew (E-5.1), as somebody with the container's key can.
pub fn complete(envelope: &mut [u8], exporter: &[u8; 32]) {
    let end = envelope.len() - TAIL_LEN;
    let secret = reference::export(exporter, b"bulla envelope");
    let mac = reference::hmac_sha512(&secret, &[&envelope[..end]]);
    envelope[end..end + 32].copy_from_slice(&mac[..32]);
    write_check(envelope);
}

/// Writes the check anew, as everybody can.
pub fn write_check(envelope: &mut [u8]) {
    let end = envelope.len() - 8;
    let check = Sha256::digest(&envelope[..end]);
    envelope[end..].copy_from_slice(&check[..8]);
}
