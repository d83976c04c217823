//! The key schedule (FORMAT.md, section 4), which derives all of a container's secrets.

use zeroize::Zeroizing;

use crate::crypto::backend::{HMAC_SHA512, HmacContext, HmacKey};
use crate::crypto::key::Key;

const INFO: &[u8] = b"bulla v1 container\0";
const EXPORT: &[u8] = b"bulla v1 export\0";

/// The secrets of one container.
pub(crate) struct Schedule {
    pub(crate) chunk_key: Zeroizing<[u8; 32]>,
    pub(crate) base_nonce: [u8; 12],
    pub(crate) commitment: [u8; 32],
    pub(crate) exporter: Exporter,
}

/// The secret from which higher layers derive their own secrets.
pub(crate) struct Exporter(Zeroizing<[u8; 32]>);

impl Schedule {
    /// Derives the secrets with HKDF-Expand over SHA-512, written out as two HMACs (F-4.3). `bound`
    /// is [`Header::bound`](crate::Header::bound).
    pub(crate) fn derive(key: &Key, bound: &[u8; 56], context: Option<&[u8]>) -> Schedule {
        let key = HmacKey::new(HMAC_SHA512, key.expose());
        let context = context.unwrap_or_default();
        let mut okm = Zeroizing::new([0; 128]);

        let mut t1 = HmacContext::with_key(&key);
        for part in [INFO, &bound[..], context, &[1]] {
            t1.update(part);
        }
        okm[..64].copy_from_slice(t1.sign().as_ref());

        let mut t2 = HmacContext::with_key(&key);
        for part in [&okm[..64], INFO, &bound[..], context, &[2]] {
            t2.update(part);
        }
        okm[64..].copy_from_slice(t2.sign().as_ref());

        let mut schedule = Schedule {
            chunk_key: Zeroizing::new([0; 32]),
            base_nonce: [0; 12],
            commitment: [0; 32],
            exporter: Exporter(Zeroizing::new([0; 32])),
        };
        schedule.chunk_key.copy_from_slice(&okm[0..32]);
        schedule.base_nonce.copy_from_slice(&okm[32..44]);
        schedule.commitment.copy_from_slice(&okm[44..76]);
        schedule.exporter.0.copy_from_slice(&okm[76..108]);
        schedule
    }
}

impl Exporter {
    /// Derives 32 secret bytes for the purpose that `label` names (F-4.5).
    pub(crate) fn export(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac = HmacContext::with_key(&HmacKey::new(HMAC_SHA512, &self.0[..]));
        for part in [EXPORT, label, &[1]] {
            mac.update(part);
        }
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(&mac.sign().as_ref()[..32]);
        secret
    }
}
