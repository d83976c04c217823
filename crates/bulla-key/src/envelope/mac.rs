//! The MAC over an envelope, keyed with a secret that the container exports (ENVELOPE.md, section
//! 5).

use std::fmt;

use ring::hmac::{Context, HMAC_SHA512, Key as HmacKey};
use zeroize::Zeroizing;

/// Bytes in the MAC (E-5.1).
pub(super) const MAC_LEN: usize = 32;

/// The label under which a container exports the MAC key (E-5.1).
pub(super) const EXPORT_LABEL: &[u8] = b"bulla envelope";

/// The key that authenticates an envelope, exported from its container (E-5.1).
pub(super) struct MacKey(pub(super) Zeroizing<[u8; 32]>);

impl MacKey {
    /// Returns HMAC-SHA-512 over `covered`, truncated to [`MAC_LEN`] bytes.
    pub(super) fn mac(&self, covered: &[u8]) -> [u8; MAC_LEN] {
        let mut context = Context::with_key(&HmacKey::new(HMAC_SHA512, &self.0[..]));
        context.update(covered);
        let mut mac = [0; MAC_LEN];
        mac.copy_from_slice(&context.sign().as_ref()[..MAC_LEN]);
        mac
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}
