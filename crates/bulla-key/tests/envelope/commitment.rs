//! A ciphertext that opens under two keys. AES-GCM allows it, and a slot's commitment prevents it
//! (E-4.2). See "Fast Message Franking: From Invisible Salamanders to Encryptment" (2018).

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use bulla_key::{Error, Secret};
use bulla_testkit::envelope::{kind, slot_head, t1};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::fixtures::*;

/// The attacker's second guess of a recovery key.
const SECOND_GUESS: [u8; 32] = [0x44; 32];

/// Multiplies in GF(2^128), as GHASH does (NIST SP 800-38D, 6.3).
fn times(x: u128, y: u128) -> u128 {
    let (mut product, mut v) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            product ^= v;
        }
        v = v >> 1 ^ if v & 1 == 1 { 0xE1 << 120 } else { 0 };
    }
    product
}

/// Returns 1/x = x^(2^128 - 2).
fn inverse(x: u128) -> u128 {
    let (mut power, mut result) = (x, 1 << 127);
    for _ in 1..128 {
        power = times(power, power);
        result = times(result, power);
    }
    result
}

fn aes(key: &[u8], block: u128) -> u128 {
    let mut block = block.to_be_bytes().into();
    Aes256::new_from_slice(key).unwrap().encrypt_block(&mut block);
    u128::from_be_bytes(block.into())
}

/// Computes GHASH over the associated data and the ciphertext.
fn ghash(h: u128, aad: &[u8], ciphertext: &[u8]) -> u128 {
    let blocks = |bytes: &[u8]| -> Vec<u128> {
        bytes
            .chunks(16)
            .map(|chunk| {
                let mut block = [0; 16];
                block[..chunk.len()].copy_from_slice(chunk);
                u128::from_be_bytes(block)
            })
            .collect()
    };
    let lengths = ((aad.len() as u128 * 8) << 64) | (ciphertext.len() as u128 * 8);
    [blocks(aad), blocks(ciphertext), vec![lengths]]
        .concat()
        .into_iter()
        .fold(0, |y, block| times(y ^ block, h))
}

/// Returns a 32-byte ciphertext with a tag that is valid under both keys with an all-zero nonce.
fn colliding_ciphertext(keys: [&[u8]; 2], aad: &[u8]) -> Vec<u8> {
    let h = keys.map(|key| aes(key, 0));
    let mask = keys.map(|key| aes(key, 1));
    // The second block c contributes c * h^2 to each hash, and the tags must be equal. Therefore
    // c * (h0^2 + h1^2) equals the difference of all other terms.
    let mut ciphertext = [0x77; 32];
    ciphertext[16..].fill(0);
    let rest = (0..2).fold(0, |sum, i| sum ^ mask[i] ^ ghash(h[i], aad, &ciphertext));
    let c = times(rest, inverse(times(h[0], h[0]) ^ times(h[1], h[1])));
    ciphertext[16..].copy_from_slice(&c.to_be_bytes());
    let tag = mask[0] ^ ghash(h[0], aad, &ciphertext);
    [&ciphertext[..], &tag.to_be_bytes()].concat()
}

/// E-4.2: only the secret that matches the commitment reaches the ciphertext. The slot is then
/// rejected, because the key in the ciphertext is not the container's.
#[test]
fn commitment_rejects_the_second_secret() {
    let head = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let aad = [&head[..], &bound(LEN)].concat();
    let [first, second] = [RECOVERY_KEY, SECOND_GUESS].map(|secret| t1(&secret, &head));
    let wrapped = colliding_ciphertext([&first[..32], &second[..32]], &aad);

    // Without the commitment, the ciphertext opens under both keys.
    for key in [&first[..32], &second[..32]] {
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
        let mut opened = wrapped.clone();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        assert!(cipher.open_in_place(nonce, Aad::from(&aad), &mut opened).is_ok());
    }

    for (commitment, matching, other) in
        [(&first[32..], RECOVERY_KEY, SECOND_GUESS), (&second[32..], SECOND_GUESS, RECOVERY_KEY)]
    {
        let slot = [&head, commitment, &wrapped].concat();
        let envelope = envelope_of(&[slot]);
        assert!(matches!(open(&envelope, &Secret::Key(&key(other))), Err(Error::WrongSecret)));
        assert!(matches!(
            open(&envelope, &Secret::Key(&key(matching))),
            Err(Error::AnotherContainer)
        ));
    }
}
