//! What authenticates an envelope: a secret that its container exports (ENVELOPE.md, section 5).

use std::fmt;

use ring::hmac::{Context, HMAC_SHA512, Key as HmacKey};
use zeroize::Zeroizing;

/// The label of the secret that an envelope is authenticated with (E-5.1).
pub(crate) const LABEL: &[u8] = b"bulla envelope";

/// The secret that an envelope is authenticated with: exported from its container (E-5.1).
pub(crate) struct Authentication(pub(crate) Zeroizing<[u8; 32]>);

impl Authentication {
    pub(crate) fn mac(&self, covered: &[u8]) -> [u8; 32] {
        let mut context = Context::with_key(&HmacKey::new(HMAC_SHA512, &self.0[..]));
        context.update(covered);
        let mut mac = [0; 32];
        mac.copy_from_slice(&context.sign().as_ref()[..32]);
        mac
    }
}

impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authentication(..)")
    }
}
