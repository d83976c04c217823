//! A minimal implementation of single-chunk containers (FORMAT.md, sections 3 to 5).
//!
//! It does everything that the format requires for a short message, on one thread and without
//! options. The difference between its time and the library's is the cost of the library's
//! generality.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA512};
use ring::rand::{SecureRandom, SystemRandom};

use crate::limits::TAG;

/// Bytes in the header and in the footer (FORMAT.md, section 3).
const HEADER: usize = 128;
/// Base-2 logarithm of the default chunk size. A message is shorter than one chunk.
const CHUNK_LOG2: u8 = 16;

/// Seals a message shorter than 64 KiB.
pub fn seal(key: &[u8; 32], message: &[u8]) -> Vec<u8> {
    let mut container = vec![0; HEADER + message.len() + TAG + HEADER];
    let len = container.len() as u64;
    let (head, rest) = container.split_at_mut(HEADER);
    let (chunk, foot) = rest.split_at_mut(message.len() + TAG);

    head[..9].copy_from_slice(b"\x93BULLA\r\n\x01");
    head[11] = 1;
    head[12] = CHUNK_LOG2;
    SystemRandom::new().fill(&mut head[32..64]).expect("the system provides random bytes");
    let secrets = schedule(key, &head[8..64]);
    head[64..96].copy_from_slice(&secrets[44..76]);
    foot.copy_from_slice(head);
    foot[0] = 0x94;
    foot[96..104].copy_from_slice(&len.to_be_bytes());
    for copy in [head, foot] {
        let check = check(copy);
        copy[120..].copy_from_slice(&check);
    }

    let (text, tag) = chunk.split_at_mut(message.len());
    text.copy_from_slice(message);
    let (cipher, nonce) = cipher(&secrets);
    let sealed = cipher.seal_in_place_separate_tag(nonce, Aad::empty(), text);
    tag.copy_from_slice(sealed.expect("a message is within the cipher's limit").as_ref());
    container
}

/// Opens a container that [`seal`] or the library made. Returns `None` if it is not authentic.
pub fn open(key: &[u8; 32], container: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = container.split_first_chunk::<HEADER>()?;
    let (chunk, foot) = rest.split_last_chunk::<HEADER>()?;
    let expected = b"\x93BULLA\r\n\x01\0\0\x01\x10\0\0\0\0\0\0\0";
    let valid = |copy: &[u8; HEADER]| copy[120..] == check(copy);
    if head[..20] != expected[..] || !valid(head) || !valid(foot) || head[8..96] != foot[8..96] {
        return None;
    }
    let secrets = schedule(key, &head[8..64]);
    if secrets[44..76] != head[64..96] {
        return None;
    }
    let (text, tag) = chunk.split_last_chunk::<TAG>()?;
    let mut message = text.to_vec();
    let (cipher, nonce) = cipher(&secrets);
    cipher
        .open_in_place_separate_tag(nonce, Aad::empty(), (*tag).into(), &mut message, 0..)
        .ok()?;
    Some(message)
}

/// Derives the secrets: two blocks of HKDF-Expand with SHA-512 (F-4.3).
fn schedule(key: &[u8; 32], bound: &[u8]) -> [u8; 128] {
    let key = hmac::Key::new(HMAC_SHA512, key);
    let mut secrets = [0; 128];
    let mut t1 = hmac::Context::with_key(&key);
    for part in [b"bulla v1 container\0", bound, &[1]] {
        t1.update(part);
    }
    secrets[..64].copy_from_slice(t1.sign().as_ref());
    let mut t2 = hmac::Context::with_key(&key);
    for part in [&secrets[..64], b"bulla v1 container\0", bound, &[2]] {
        t2.update(part);
    }
    secrets[64..].copy_from_slice(t2.sign().as_ref());
    secrets
}

/// Returns the cipher and the nonce for chunk 0.
fn cipher(secrets: &[u8; 128]) -> (LessSafeKey, Nonce) {
    let key = UnboundKey::new(&AES_256_GCM, &secrets[..32]).expect("the key has 32 bytes");
    let nonce = Nonce::try_assume_unique_for_key(&secrets[32..44]).expect("the nonce has 12 bytes");
    (LessSafeKey::new(key), nonce)
}

/// Computes the checksum of a header or footer.
fn check(copy: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&digest(&SHA256, &copy[..120]).as_ref()[..8]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded::{self, KEY};

    #[test]
    fn interoperates_with_the_library_and_rejects_altered_bytes() {
        let (key, options) = (seeded::key(), bulla::Options::new());
        for len in [0, 1, 1024, 65_535] {
            let message = seeded::bytes(len);
            let (opened, found) = bulla::open(&key, &seal(&KEY, &message), &options).unwrap();
            assert_eq!(opened, message);
            assert_eq!(found.header_state, bulla::HeaderState::Intact);
            let mut container = bulla::seal(&key, &message, &options).unwrap().to_vec();
            assert_eq!(open(&KEY, &container).as_deref(), Some(&message[..]));
            for at in [0, 40, 70, 128, container.len() - 1] {
                container[at] ^= 1;
                assert_eq!(open(&KEY, &container), None, "byte {at}");
                container[at] ^= 1;
            }
        }
    }
}
