//! One ciphertext that opens under two keys: AES-GCM allows it, the commitment of a slot does not
//! (E-4.2).

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use bulla_key::{Error, Secret};
use bulla_testkit::envelope::{kind, slot_head, t1};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::sample::*;

/// Another recovery key, the attacker's second guess.
const SECOND_GUESS: [u8; 32] = [0x44; 32];

/// A product in GF(2^128), as GHASH has it (NIST SP 800-38D, 6.3).
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

/// 1/x = x^(2^128 - 2).
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

/// GHASH over associated data and ciphertext.
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

/// 32 bytes of ciphertext with a tag that holds under both keys, with a nonce of zeros.
fn ciphertext_of_two(keys: [&[u8]; 2], aad: &[u8]) -> Vec<u8> {
    let h = keys.map(|key| aes(key, 0));
    let mask = keys.map(|key| aes(key, 1));
    // The second block c enters each hash as c * h^2, and the tags have to be equal: c * (h0^2 +
    // h1^2) = the rest.
    let mut ciphertext = [0x77; 32];
    ciphertext[16..].fill(0);
    let rest = (0..2).fold(0, |sum, i| sum ^ mask[i] ^ ghash(h[i], aad, &ciphertext));
    let c = times(rest, inverse(times(h[0], h[0]) ^ times(h[1], h[1])));
    ciphertext[16..].copy_from_slice(&c.to_be_bytes());
    let tag = mask[0] ^ ghash(h[0], aad, &ciphertext);
    [&ciphertext[..], &tag.to_be_bytes()].concat()
}

/// E-4.2: the slot whose ciphertext opens under two secrets opens under the one that its commitment
/// was made for, and even that one gives no key, since what it gives is not the container's.
#[test]
fn commitment_holds_against_it() {
    let head = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let aad = [&head[..], &bound(LEN)].concat();
    let [first, second] = [RECOVERY, SECOND_GUESS].map(|secret| t1(&secret, &head));
    let wrapped = ciphertext_of_two([&first[..32], &second[..32]], &aad);

    // It does open under both, or nothing would be shown here.
    for key in [&first[..32], &second[..32]] {
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
        let mut opened = wrapped.clone();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        assert!(cipher.open_in_place(nonce, Aad::from(&aad), &mut opened).is_ok());
    }

    for (commitment, opens, stays_closed) in
        [(&first[32..], RECOVERY, SECOND_GUESS), (&second[32..], SECOND_GUESS, RECOVERY)]
    {
        let slot = [&head, commitment, &wrapped].concat();
        let envelope = envelope_of(&[slot]);
        assert!(matches!(
            open(&envelope, &Secret::Key(&key(stays_closed))),
            Err(Error::WrongSecret)
        ));
        assert!(matches!(open(&envelope, &Secret::Key(&key(opens))), Err(Error::AnotherContainer)));
    }
}
