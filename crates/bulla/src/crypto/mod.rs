//! The primitives: AES-256-GCM, HMAC, SHA-2, random bytes, and the key.

pub(crate) mod backend;
pub(crate) mod key;
