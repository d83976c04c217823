//! The cryptographic library: ring, or AWS-LC with the `aws-lc-rs` feature. No other module refers
//! to either library.

#[cfg(feature = "aws-lc-rs")]
pub(crate) use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest::{SHA256, digest},
    hmac::{Context as HmacContext, HMAC_SHA512, Key as HmacKey},
};
#[cfg(not(feature = "aws-lc-rs"))]
pub(crate) use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest::{SHA256, digest},
    hmac::{Context as HmacContext, HMAC_SHA512, Key as HmacKey},
};
// Random keys and salts always come from ring, which reads from the operating system every time and
// reports failures. aws-lc-rs uses a generator inside the process, so cloning a virtual machine
// would clone the generator's state, and it aborts the process if there is no randomness.
pub(crate) use ring::rand::{SecureRandom, SystemRandom};

/// Bytes in an AES-GCM tag (NIST SP 800-38D, 5.2.1.2).
pub(crate) const TAG_LEN: usize = 16;

/// The name of the crate that implements AES-256-GCM, HMAC and SHA-2: `ring`, or `aws-lc-rs` with
/// the feature of that name. The containers are identical, but the speeds differ, so benchmark
/// reports should name the crate.
pub const BACKEND: &str = if cfg!(feature = "aws-lc-rs") { "aws-lc-rs" } else { "ring" };

/// Opens the ciphertext at `in_out[from..]`, without associated data, and moves the plaintext to
/// the start of `in_out`.
///
/// Returns whether the tag is valid. If it is not, the content of `in_out` is unspecified and must
/// not be released.
#[cfg(not(feature = "aws-lc-rs"))]
pub(crate) fn open_to_start(
    key: &LessSafeKey,
    nonce: Nonce,
    tag: [u8; TAG_LEN],
    in_out: &mut [u8],
    from: usize,
) -> bool {
    // Decryption moves the plaintext to the left as it goes. If `from` is the constant 0, the
    // compiler removes the move, which makes opening a 4 KiB chunk 8% faster.
    match from {
        0 => key.open_in_place_separate_tag(nonce, Aad::empty(), tag.into(), in_out, 0..).is_ok(),
        _ => {
            key.open_in_place_separate_tag(nonce, Aad::empty(), tag.into(), in_out, from..).is_ok()
        }
    }
}

/// Opens the ciphertext at `in_out[from..]`, without associated data, and moves the plaintext to
/// the start of `in_out`.
///
/// Returns whether the tag is valid. If it is not, the content of `in_out` is unspecified and must
/// not be released.
#[cfg(feature = "aws-lc-rs")]
pub(crate) fn open_to_start(
    key: &LessSafeKey,
    nonce: Nonce,
    tag: [u8; TAG_LEN],
    in_out: &mut [u8],
    from: usize,
) -> bool {
    let Some(text) = in_out.get_mut(from..) else { return false };
    let opened = key.open_in_place_separate_tag(nonce, Aad::empty(), &tag, text).is_ok();
    // AWS-LC decrypts in place or into a separate buffer, but not into an overlapping one. The
    // plaintext is therefore moved after it has been verified, while it is still in the processor's
    // cache.
    if opened && from > 0 {
        in_out.copy_within(from.., 0);
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: [u8; 12] = [5; 12];
    /// Lengths around the AES block size and the strides of vectorized code, and one long message.
    const LENS: [usize; 12] = [0, 1, 15, 16, 17, 95, 96, 255, 256, 257, 4096, 70_001];

    fn key() -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap())
    }

    fn plaintext(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 31 % 251) as u8).collect()
    }

    /// Returns the ciphertext and the tag that ring computes, whichever backend is selected.
    fn sealed_by_ring(len: usize) -> (Vec<u8>, [u8; TAG_LEN]) {
        use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
        let mut text = plaintext(len);
        let nonce = Nonce::assume_unique_for_key(NONCE);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut text).unwrap();
        (text, tag.as_ref().try_into().unwrap())
    }

    fn open(tag: [u8; TAG_LEN], in_out: &mut [u8], from: usize) -> bool {
        open_to_start(&key(), Nonce::assume_unique_for_key(NONCE), tag, in_out, from)
    }

    #[test]
    fn seals_like_ring() {
        for len in LENS {
            let mut text = plaintext(len);
            let nonce = Nonce::assume_unique_for_key(NONCE);
            let tag = key().seal_in_place_separate_tag(nonce, Aad::empty(), &mut text).unwrap();
            let (expected, expected_tag) = sealed_by_ring(len);
            assert_eq!((text, tag.as_ref()), (expected, &expected_tag[..]), "{len} bytes");
        }
    }

    #[test]
    fn moves_the_plaintext_from_any_offset() {
        for len in LENS {
            let (ciphertext, tag) = sealed_by_ring(len);
            for from in [0, 1, 15, 16, 32, 4096, 100_000] {
                let mut in_out = vec![0xEE; from];
                in_out.extend_from_slice(&ciphertext);
                assert!(open(tag, &mut in_out, from), "{len} bytes from {from}");
                assert_eq!(in_out[..len], plaintext(len), "{len} bytes from {from}");
            }
        }
    }

    #[test]
    fn rejects_every_flipped_tag_bit() {
        for len in [0, 1, 300] {
            let (ciphertext, tag) = sealed_by_ring(len);
            for bit in 0..TAG_LEN * 8 {
                let mut flipped = tag;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(!open(flipped, &mut ciphertext.clone(), 0), "{len} bytes, bit {bit}");
            }
        }
    }

    #[test]
    fn rejects_an_offset_beyond_the_end() {
        let (_, tag) = sealed_by_ring(0);
        assert!(!open(tag, &mut [0; 8], 9));
    }
}
