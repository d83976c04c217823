//! The key schedule (FORMAT.md, section 4): from the key and the header to everything secret.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::backend::{HMAC_SHA512, HmacContext, HmacKey};
use crate::crypto::key::Key;
use crate::error::{Error, Result};
use crate::format::header::Header;

const INFO: &[u8] = b"bulla v1 container\0";
const EXPORT: &[u8] = b"bulla v1 export\0";

/// What the key schedule gives for one container.
pub(crate) struct Schedule {
    pub(crate) chunk_key: Zeroizing<[u8; 32]>,
    pub(crate) base_nonce: [u8; 12],
    pub(crate) commitment: [u8; 32],
    pub(crate) exporter: Exporter,
}

/// The secret from which layers above draw theirs.
pub(crate) struct Exporter(Zeroizing<[u8; 32]>);

impl Schedule {
    /// HKDF-Expand with SHA-512, written out (F-4.3).
    pub(crate) fn derive(key: &Key, header: &Header, context: Option<&[u8]>) -> Schedule {
        let key = HmacKey::new(HMAC_SHA512, key.expose());
        let context = context.unwrap_or_default();
        let mut okm = Zeroizing::new([0; 128]);

        let mut t1 = HmacContext::with_key(&key);
        for part in [INFO, header.bound(), context, &[1]] {
            t1.update(part);
        }
        okm[..64].copy_from_slice(t1.sign().as_ref());

        let mut t2 = HmacContext::with_key(&key);
        for part in [&okm[..64], INFO, header.bound(), context, &[2]] {
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

    /// The schedule of a container that is to be opened: context wanted or not (F-3.8), then the
    /// commitment, compared in constant time (F-4.4), before any chunk is touched.
    pub(crate) fn of_sealed(
        key: &Key,
        header: &Header,
        context: Option<&[u8]>,
    ) -> Result<Schedule> {
        match (header.needs_context(), context) {
            (true, None) => return Err(Error::ContextRequired),
            (false, Some(_)) => return Err(Error::ContextUnexpected),
            _ => {}
        }
        let schedule = Schedule::derive(key, header, context);
        if bool::from(schedule.commitment.ct_eq(header.commitment())) {
            Ok(schedule)
        } else {
            Err(Error::WrongKey)
        }
    }
}

impl Header {
    /// Whether the container was sealed under this key, with this context or, given none, without
    /// one (F-3.8, F-4.4).
    ///
    /// It costs two HMACs and touches no chunk, so it also tells which of several keys is the right
    /// one. The commitment is compared in constant time.
    ///
    /// ```
    /// # fn main() -> bulla::Result<()> {
    /// use bulla::{Key, Options, Preamble};
    ///
    /// let key = Key::generate()?;
    /// let container = bulla::seal(&key, b"a message", &Options::new())?;
    ///
    /// let preamble = Preamble::read_at(&container)?;
    /// assert!(preamble.header().matches(&key, None));
    /// assert!(!preamble.header().matches(&Key::generate()?, None));
    /// # Ok(()) }
    /// ```
    pub fn matches(&self, key: &Key, context: Option<&[u8]>) -> bool {
        Schedule::of_sealed(key, self, context).is_ok()
    }

    /// A secret of this container for a layer above (F-4.5), as
    /// [`Draft::export`](crate::Draft::export), before anything else of it is opened.
    ///
    /// # Errors
    ///
    /// [`Error::ContextRequired`], [`Error::ContextUnexpected`], [`Error::WrongKey`].
    pub fn export(
        &self,
        key: &Key,
        context: Option<&[u8]>,
        label: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>> {
        Ok(Schedule::of_sealed(key, self, context)?.exporter.export(label))
    }
}

impl Exporter {
    /// 32 secret bytes for one purpose (F-4.5).
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

#[cfg(test)]
mod tests {
    use crate::options::Options;
    use crate::sealing::draft::Draft;

    use super::*;

    /// F-3.8, F-4.4, F-4.5: the key and the context decide, and what fits exports what the draft
    /// did.
    #[test]
    fn a_header_knows_its_key() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        for sealed_with in [None, Some(&b"a"[..])] {
            let options = Options { context: sealed_with, ..Options::new() };
            let draft = Draft::new(&key, &options).unwrap();
            let header = draft.header();
            for given in [None, Some(&b"a"[..]), Some(b"b")] {
                assert_eq!(header.matches(&key, given), given == sealed_with);
                assert!(!header.matches(&other, given));
            }
            let exported = header.export(&key, sealed_with, b"label").unwrap();
            assert_eq!(*exported, *draft.export(b"label"));
            assert_ne!(*exported, *draft.export(b"another"));
            assert!(matches!(header.export(&other, sealed_with, b"label"), Err(Error::WrongKey)));
            let export = |given| header.export(&key, given, b"label");
            match sealed_with {
                Some(_) => assert!(matches!(export(None), Err(Error::ContextRequired))),
                None => assert!(matches!(export(Some(b"a")), Err(Error::ContextUnexpected))),
            }
            assert!(draft.matches(&key) && !draft.matches(&other));
        }
    }
}
