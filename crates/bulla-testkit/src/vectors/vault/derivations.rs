//! Every derivation in VAULT.md, implemented with RustCrypto from the specification alone.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};

use super::model::Derivation;
use crate::reference::hmac_sha512;
use crate::vectors::label::bytes;

pub(super) fn vectors() -> Vec<Derivation> {
    let ascii = ("correct horse battery staple", "correct horse battery staple");
    vec![
        derive(
            "ascii",
            "An ASCII password with the minimum cost.",
            ["https://id.example", "alice"],
            ascii,
            [1, 8, 1],
        ),
        derive(
            "composed",
            "The password is normalized to an OpaqueString (E-3.2) with plain spaces.",
            ["https://id.example", "b\u{f6}b"],
            ("A\u{30a}ngstro\u{308}m\u{a0}unit", "\u{c5}ngstr\u{f6}m unit"),
            [2, 64, 2],
        ),
        derive(
            "recommended_cost",
            "The default cost, an empty issuer, and a subject that starts like an issuer.",
            ["", "https://id.examplealice"],
            ascii,
            [3, 65_536, 4],
        ),
    ]
}

fn derive(
    label: &str,
    comment: &str,
    [iss, sub]: [&str; 2],
    (typed, opaque): (&str, &str),
    [passes, memory_kib, lanes]: [u32; 3],
) -> Derivation {
    let derived = |name: &str, len| bytes(&format!("vault {label} {name}"), len);
    let (registration, attempt, pepper) =
        (derived("registration", 32), derived("attempt", 16), derived("pepper", 32));
    let account = sha256(&[
        b"bulla v1 vault account\0",
        &(iss.len() as u64).to_be_bytes(),
        iss.as_bytes(),
        sub.as_bytes(),
    ]);
    let client_identity = [&account[..], &registration].concat();
    let input = expand(&hmac_sha512(&pepper, &[opaque.as_bytes()]), &[b"bulla v1 vault password"]);
    let oprf_output = derived("oprf output", 64);
    let stretched = stretch(&oprf_output, passes, memory_kib, lanes);
    let (export_key, key) = (derived("export key", 64), derived("key", 32));
    let wrapping_key = &expand(&export_key, &[b"bulla v1 vault wrap", &registration])[..32];
    let wrapped_key = seal(wrapping_key, &[0; 12], &[&client_identity[..], &[1]].concat(), &key);
    let session_key = derived("session key", 64);
    let reply_key = &expand(&session_key, &[b"bulla v1 vault reply"])[..32];
    let (nonce, grant) = (derived("nonce", 12), derived("grant", 64));
    let (failures, lifetime_failures) = (2_u32, 0x0102_0304_u32);
    let content =
        [&wrapped_key[..], &failures.to_be_bytes(), &lifetime_failures.to_be_bytes(), &grant]
            .concat();
    let associated = [&client_identity[..], &attempt].concat();
    let sealed = [&nonce[..], &seal(reply_key, &nonce, &associated, &content)].concat();
    let (address, public_key) = ("https://vault.example", derived("public key", 32));
    let locator =
        [&registration[..], &pepper, &hint(1, address.as_bytes()), &hint(2, &public_key)].concat();
    Derivation {
        name: label.to_owned(),
        comment: comment.to_owned(),
        iss: iss.to_owned(),
        sub: sub.to_owned(),
        account: account.into(),
        record_name: sha256(&[b"bulla v1 vault record name\0", &registration]).into(),
        context: [b"bulla v1 vault", &attempt[..]].concat().into(),
        client_identity: client_identity.into(),
        password: typed.to_owned(),
        input: input.into(),
        passes,
        memory_kib,
        lanes,
        oprf_output: oprf_output.into(),
        stretched: stretched.into(),
        wrapping_key: wrapping_key.into(),
        wrapped_key: wrapped_key.into(),
        reply_key: reply_key.into(),
        failures,
        lifetime_failures,
        sealed: sealed.into(),
        address: address.to_owned(),
        locator_file: locator_file(&locator).into(),
        registration: registration.into(),
        attempt: attempt.into(),
        pepper: pepper.into(),
        export_key: export_key.into(),
        key: key.into(),
        session_key: session_key.into(),
        nonce: nonce.into(),
        grant: grant.into(),
        public_key: public_key.into(),
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

/// Computes the first block of HKDF-Expand with SHA-512 (RFC 5869, 2.3).
fn expand(prk: &[u8], info: &[&[u8]]) -> [u8; 64] {
    hmac_sha512(prk, &[&info.concat(), &[1]])
}

/// Stretches a password (V-3.3).
fn stretch(input: &[u8], passes: u32, memory_kib: u32, lanes: u32) -> [u8; 64] {
    let params =
        Params::new(memory_kib, passes, lanes, Some(64)).expect("a cost that Argon2id supports");
    let mut stretched = [0; 64];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(input, &[0; 16], &mut stretched)
        .expect("input, salt and output have valid lengths");
    stretched
}

fn seal(key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Vec<u8> {
    let cipher = Aes256Gcm::new_from_slice(key).expect("a key has 32 bytes");
    let nonce: [u8; 12] = nonce.try_into().expect("a nonce has 12 bytes");
    cipher.encrypt(&Nonce::from(nonce), Payload { msg, aad }).expect("the message is short")
}

/// Encodes a locator hint (E-3.4).
fn hint(tag: u16, value: &[u8]) -> Vec<u8> {
    [&tag.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// Encodes a locator file (V-6.1).
fn locator_file(locator: &[u8]) -> Vec<u8> {
    let body =
        [b"\x96BULLA\r\n\x01\0\0\0", &(locator.len() as u32).to_be_bytes()[..], locator].concat();
    let check = sha256(&[&body]);
    [&body[..], &check[..8]].concat()
}
