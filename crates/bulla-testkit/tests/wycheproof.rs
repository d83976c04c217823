//! Checks the reference's primitives against the Wycheproof vectors, and its chunks against the
//! C2SP chunked-encryption vectors.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use bulla_testkit::corrupt::seal_chunk_with_associated_data;
use bulla_testkit::reference::{
    Geometry, Schedule, TAG_LEN, expand, hmac_sha512, open_chunk, open_chunks, seal_chunk,
};
use sha2::{Digest, Sha512};
use wycheproof::chunked_encryption::TestFlag;
use wycheproof::{TestResult, aead, chunked_encryption, hkdf, mac};

/// Returns a key schedule with only the values that seal chunks. The nonce of chunk 0 is the base
/// nonce.
fn keys(chunk_key: &[u8], base_nonce: &[u8]) -> Schedule {
    Schedule {
        info: Vec::new(),
        t1: [0; 64],
        t2: [0; 64],
        chunk_key: chunk_key.try_into().expect("32 bytes"),
        base_nonce: base_nonce.try_into().expect("12 bytes"),
        commitment: [0; 32],
        exporter: [0; 32],
    }
}

/// AES-256-GCM with 96-bit nonces and 128-bit tags (F-5.2). Chunks have no associated data.
#[test]
fn aes_256_gcm() {
    let (mut as_chunks, mut with_associated_data) = (0, 0);
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let is_supported = |group: &&aead::TestGroup| {
        (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)
    };
    for test in set.test_groups.iter().filter(is_supported).flat_map(|group| &group.tests) {
        let keys = keys(&test.key, &test.nonce);
        let sealed = [&test.ct[..], &test.tag].concat();
        let payload = Payload { msg: &sealed, aad: &test.aad };
        let opened = Aes256Gcm::new(&keys.chunk_key.into())
            .decrypt(&Nonce::from(keys.base_nonce), payload)
            .ok();
        let valid = test.result == TestResult::Valid;
        assert_eq!(opened.as_deref(), valid.then_some(&test.pt[..]), "{}", test.tc_id);
        if valid {
            let again = seal_chunk_with_associated_data(&keys, 0, &test.pt, &test.aad);
            assert_eq!(again, sealed, "{}", test.tc_id);
        }
        if test.aad.is_empty() {
            assert_eq!(open_chunk(&keys, 0, &sealed), opened, "{}", test.tc_id);
            assert!(!valid || seal_chunk(&keys, 0, &test.pt) == sealed, "{}", test.tc_id);
            as_chunks += 1;
        } else {
            with_associated_data += 1;
        }
    }
    assert!(
        as_chunks > 10 && with_associated_data > 10,
        "{as_chunks} and {with_associated_data} tests ran"
    );
}

/// HKDF-Expand with SHA-512, up to the two blocks that a container needs (F-4.3).
#[test]
fn hkdf_sha_512() {
    let mut ran = 0;
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha512).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        if test.result == TestResult::Valid && test.size <= 128 {
            let prk = hmac_sha512(&test.salt, &[&test.ikm[..]]); // HKDF-Extract
            let (t1, t2) = expand(&prk, &test.info);
            assert_eq!([t1, t2].concat()[..test.size], test.okm[..], "{}", test.tc_id);
            ran += 1;
        }
    }
    assert!(ran > 20, "{ran} tests ran");
}

/// HMAC-SHA-512 with keys of any length and truncated tags (F-4.3, F-4.5).
#[test]
fn hmac_sha_512() {
    let (mut valid, mut invalid) = (0, 0);
    let set = mac::TestSet::load(mac::TestName::HmacSha512).unwrap();
    for group in &set.test_groups {
        for test in &group.tests {
            let matches =
                hmac_sha512(&test.key, &[&test.msg[..]])[..group.tag_size / 8] == test.tag[..];
            assert_eq!(matches, test.result == TestResult::Valid, "{}", test.tc_id);
            *(if matches { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert!(valid > 20 && invalid > 20, "{valid} and {invalid} tests ran");
}

/// Chunks of 2^14 bytes are identical to those of Cobblestone-256 in raw mode, including the nonces
/// and the short last chunk (F-5.1, F-5.2, F-7.2, F-7.3, F-7.6). Cobblestone's 56-byte salt and
/// commitment take the place of the header and envelope, and nothing follows the chunks.
#[test]
fn c2sp_chunked_encryption() {
    const START: u64 = 56;
    const CHUNK_SIZE: u64 = 1 << 14;
    let (mut valid, mut invalid, mut without_chunks) = (0, 0, 0);
    let set =
        chunked_encryption::TestSet::load(chunked_encryption::TestName::Cobblestone256).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (Some(chunk_key), Some(base_nonce)) = (&test.aead_key, &test.base_nonce) else {
            assert!(test.flags.contains(&TestFlag::HeaderFailure), "{}", test.tc_id);
            without_chunks += 1;
            continue;
        };
        let keys = keys(chunk_key, base_nonce);
        let message = miniz_oxide::inflate::decompress_to_vec_zlib(&test.ct).unwrap();
        let (t, sealed) = (message.len() as u64 - START, CHUNK_SIZE + TAG_LEN as u64);
        let geometry =
            Geometry { chunk_size: CHUNK_SIZE, start: START, n: t / sealed, r: t % sealed };

        let mut released = Vec::new();
        let opened = open_chunks(&message, &geometry, &keys, 0..=geometry.n, &mut released);
        assert_eq!(opened.is_ok(), test.result == TestResult::Valid, "{}", test.tc_id);
        // The plaintext, or the longest prefix that may be released. The length is absent if it is
        // 0.
        assert_eq!(released.len(), test.msg_length.unwrap_or(0), "{}", test.tc_id);
        if let Some(hash) = &test.msg_sha512 {
            assert_eq!(Sha512::digest(&released)[..], hash[..], "{}", test.tc_id);
        }
        let last = open_chunk(&keys, geometry.n, &message[geometry.chunk(geometry.n)]);
        let last_is_valid = opened.is_ok() || test.flags.contains(&TestFlag::ValidFinalChunk);
        assert_eq!(last.is_some(), last_is_valid, "{}", test.tc_id);

        if opened.is_ok() {
            let plaintext_chunks = released.chunks(CHUNK_SIZE as usize).chain([&[][..]]);
            let again: Vec<u8> = (0..=geometry.n)
                .zip(plaintext_chunks)
                .flat_map(|(i, plaintext)| seal_chunk(&keys, i, plaintext))
                .collect();
            assert!(again == message[START as usize..], "{}", test.tc_id);
            valid += 1;
        } else {
            invalid += 1;
        }
    }
    assert!(
        valid > 5 && invalid > 5 && without_chunks > 5,
        "{valid}, {invalid}, {without_chunks} tests ran"
    );
}
