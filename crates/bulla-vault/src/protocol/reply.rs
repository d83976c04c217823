//! The reply to a successful login, sealed under the login's session key (V-5.4).

use std::fmt;

use rand_core::{OsRng, RngCore};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use zeroize::Zeroizing;

use crate::protocol::ids::{AccountHash, AttemptId, RegId};
use crate::protocol::suite::SESSION_KEY_LEN;

/// Bytes in a wrapped backup key: the ciphertext and the tag (V-3.5).
pub const WRAPPED_KEY_LEN: usize = 48;
/// Bytes in a grant, whose content is up to the vault (V-5.4).
pub const GRANT_LEN: usize = 64;
/// Bytes in a sealed login reply: the nonce, the ciphertext and the tag (V-5.4).
pub const SEALED_REPLY_LEN: usize = NONCE_LEN + PLAINTEXT_LEN + TAG_LEN;

/// Bytes in an AES-GCM nonce (NIST SP 800-38D, 8.2).
const NONCE_LEN: usize = 12;
/// Bytes in an AES-GCM tag (NIST SP 800-38D, 5.2.1.2).
const TAG_LEN: usize = 16;
/// Bytes in a login reply: the wrapped key, two counters and the grant (V-5.4).
const PLAINTEXT_LEN: usize = WRAPPED_KEY_LEN + 4 + 4 + GRANT_LEN;

/// The reply to a successful login (V-5.4).
#[derive(Clone)]
pub struct LoginReply {
    /// The backup key, wrapped under the client's export key.
    pub wrapped_key: [u8; WRAPPED_KEY_LEN],
    /// Failed attempts at this registration since the last successful one.
    pub failures: u32,
    /// Failed attempts at this account over its lifetime.
    pub lifetime_failures: u32,
    /// Proves this login to the vault for a few minutes. With this grant, a registration can be
    /// replaced or deleted immediately.
    pub grant: Zeroizing<[u8; GRANT_LEN]>,
}

/// The login that a reply is bound to.
#[derive(Clone, Copy, Debug)]
pub struct ReplyContext {
    /// The account.
    pub account: AccountHash,
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
}

impl LoginReply {
    /// Seals the reply under the login's session key. The nonce is random, because a vault may seal
    /// several replies to the same login.
    ///
    /// # Errors
    ///
    /// Returns an error if the operating system's random number generator fails.
    pub fn seal(
        &self,
        session_key: &[u8; SESSION_KEY_LEN],
        context: &ReplyContext,
    ) -> Result<[u8; SEALED_REPLY_LEN], rand_core::Error> {
        let mut nonce = [0; NONCE_LEN];
        OsRng.try_fill_bytes(&mut nonce)?;
        self.seal_with_nonce(session_key, context, nonce)
            .ok_or_else(|| rand_core::Error::new("AES-256-GCM failed"))
    }

    /// Seals the reply with a given nonce, as the test vectors require.
    fn seal_with_nonce(
        &self,
        session_key: &[u8; SESSION_KEY_LEN],
        context: &ReplyContext,
        nonce: [u8; NONCE_LEN],
    ) -> Option<[u8; SEALED_REPLY_LEN]> {
        let mut buffer = Zeroizing::new([0; PLAINTEXT_LEN]);
        buffer[..48].copy_from_slice(&self.wrapped_key);
        buffer[48..52].copy_from_slice(&self.failures.to_be_bytes());
        buffer[52..56].copy_from_slice(&self.lifetime_failures.to_be_bytes());
        buffer[56..].copy_from_slice(&self.grant[..]);
        let tag = reply_key(session_key)?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.bytes()),
                &mut buffer[..],
            )
            .ok()?;
        let mut sealed = [0; SEALED_REPLY_LEN];
        sealed[..NONCE_LEN].copy_from_slice(&nonce);
        sealed[NONCE_LEN..NONCE_LEN + PLAINTEXT_LEN].copy_from_slice(&buffer[..]);
        sealed[NONCE_LEN + PLAINTEXT_LEN..].copy_from_slice(tag.as_ref());
        Some(sealed)
    }

    /// Opens a sealed reply. Returns `None` unless it was sealed under this session key for this
    /// login.
    pub fn open(
        sealed: &[u8; SEALED_REPLY_LEN],
        session_key: &[u8; SESSION_KEY_LEN],
        context: &ReplyContext,
    ) -> Option<LoginReply> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut buffer = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let aad = Aad::from(context.bytes());
        let opened = reply_key(session_key)?.open_in_place(nonce, aad, &mut buffer[..]).ok()?;
        let mut reply = LoginReply {
            wrapped_key: *opened.first_chunk()?,
            failures: u32::from_be_bytes(*opened[48..].first_chunk()?),
            lifetime_failures: u32::from_be_bytes(*opened[52..].first_chunk()?),
            grant: Zeroizing::new([0; GRANT_LEN]),
        };
        reply.grant.copy_from_slice(&opened[56..]);
        Some(reply)
    }
}

impl ReplyContext {
    fn bytes(&self) -> [u8; 80] {
        let mut bytes = [0; 80];
        bytes[..32].copy_from_slice(self.account.as_bytes());
        bytes[32..64].copy_from_slice(self.reg_id.as_bytes());
        bytes[64..].copy_from_slice(self.attempt_id.as_bytes());
        bytes
    }
}

/// Derives the key that seals a reply (V-5.4). The session key is pseudorandom (RFC 9807, 6.4), so
/// HKDF-Extract is not needed.
fn reply_key(session_key: &[u8; SESSION_KEY_LEN]) -> Option<LessSafeKey> {
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA512, session_key);
    let key = prk.expand(&[b"bulla v1 vault reply"], &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(key)))
}

impl fmt::Debug for LoginReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginReply")
            .field("failures", &self.failures)
            .field("lifetime_failures", &self.lifetime_failures)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (LoginReply, ReplyContext) {
        let reply = LoginReply {
            wrapped_key: [1; 48],
            failures: 2,
            lifetime_failures: 3,
            grant: Zeroizing::new([4; GRANT_LEN]),
        };
        let context = ReplyContext {
            account: AccountHash::from_bytes([5; 32]),
            reg_id: RegId::from_bytes([6; 32]),
            attempt_id: AttemptId::from_bytes([7; 16]),
        };
        (reply, context)
    }

    /// V-5.4
    #[test]
    fn opens_only_if_unchanged_and_for_the_same_login() {
        let (reply, context) = sample();
        let sealed = reply.seal(&[8; 64], &context).unwrap();
        let opened = LoginReply::open(&sealed, &[8; 64], &context).unwrap();
        assert_eq!(opened.wrapped_key, [1; 48]);
        assert_eq!(
            (opened.failures, opened.lifetime_failures, opened.grant[..].to_vec()),
            (2, 3, vec![4; 64])
        );
        assert_ne!(sealed, reply.seal(&[8; 64], &context).unwrap(), "each nonce is random");

        assert!(LoginReply::open(&sealed, &[9; 64], &context).is_none());
        let others = [
            ReplyContext { account: AccountHash::from_bytes([0; 32]), ..context },
            ReplyContext { reg_id: RegId::from_bytes([0; 32]), ..context },
            ReplyContext { attempt_id: AttemptId::from_bytes([0; 16]), ..context },
        ];
        assert!(others.iter().all(|other| LoginReply::open(&sealed, &[8; 64], other).is_none()));
        for at in 0..sealed.len() {
            let mut flipped = sealed;
            flipped[at] ^= 1;
            assert!(LoginReply::open(&flipped, &[8; 64], &context).is_none(), "byte {at}");
        }
    }

    /// V-5.4
    #[test]
    fn seals_as_in_the_vectors() {
        for vector in bulla_testkit::vectors::vault::derivations() {
            let context = ReplyContext {
                account: AccountHash::of(&vector.iss, &vector.sub),
                reg_id: RegId::from_bytes(vector.registration[..].try_into().unwrap()),
                attempt_id: AttemptId::from_bytes(vector.attempt[..].try_into().unwrap()),
            };
            let reply = LoginReply {
                wrapped_key: vector.wrapped_key[..].try_into().unwrap(),
                failures: vector.failures,
                lifetime_failures: vector.lifetime_failures,
                grant: Zeroizing::new(vector.grant[..].try_into().unwrap()),
            };
            let session_key = vector.session_key[..].try_into().unwrap();
            let nonce = vector.nonce[..].try_into().unwrap();
            let sealed = reply.seal_with_nonce(&session_key, &context, nonce).unwrap();
            assert_eq!(sealed[..], vector.sealed[..], "{}", vector.name);
        }
    }
}
