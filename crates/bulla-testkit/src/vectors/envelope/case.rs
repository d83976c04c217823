//! Builds vectors: an envelope is built from slots, a change is applied, and the generator states
//! the outcome.

use super::model::{Outcome, Secret, Success, Vector};
use crate::envelope::{self, TAIL_LEN, cost, kind, slot_head, stretch, t1};
use crate::reference::{self, SealParams};
use crate::vectors::label::bytes32;

/// Bytes in the envelope of most vectors.
pub(super) const LEN: usize = 640;
/// The passphrase of default slot 2.
pub(super) const PHRASE: &str = "correct horse battery staple";

/// Returns the container's key.
pub(super) fn container_key() -> [u8; 32] {
    bytes32("container key")
}

/// Returns the recovery key of default slot 1.
pub(super) fn recovery_key() -> [u8; 32] {
    bytes32("recovery key")
}

/// Returns the key of default slot 3, which a vault stores.
pub(super) fn key_in_vault() -> [u8; 32] {
    bytes32("key in vault")
}

/// The header of a container with its bound bytes and exporter.
#[derive(Clone)]
pub(super) struct Container {
    pub(super) header: [u8; 128],
    pub(super) bound: [u8; 56],
    pub(super) exporter: [u8; 32],
}

impl Container {
    /// Creates a container with room for an `envelope_len`-byte envelope.
    pub(super) fn new(label: &str, envelope_len: usize, context: Option<&[u8]>) -> Container {
        let container = reference::seal(&SealParams {
            key: container_key(),
            salt: bytes32(&format!("salt of {label}")),
            chunk_log2: 12,
            content: 0,
            context,
            envelope: &vec![0; envelope_len],
            plaintext: b"",
        });
        let header = *container.first_chunk().expect("a container has a header");
        let bound = reference::bound(&header);
        Container {
            header,
            bound,
            exporter: reference::schedule(&container_key(), &bound, context).exporter,
        }
    }

    /// Creates the container of most vectors.
    pub(super) fn default() -> Container {
        Container::new("envelope", LEN, None)
    }

    /// Builds a recovery key slot.
    pub(super) fn key_slot(&self, id: u16, secret: &[u8; 32]) -> Vec<u8> {
        let head = slot_head(kind::RECOVERY_KEY, id, &slot_salt(id), &[]);
        envelope::slot(&head, secret, &self.bound, &container_key())
    }

    /// Builds a passphrase slot from an OpaqueString.
    pub(super) fn passphrase_slot(&self, id: u16, opaque: &str, parameters: [u32; 3]) -> Vec<u8> {
        let [passes, memory, lanes] = parameters;
        let head = slot_head(kind::PASSPHRASE, id, &slot_salt(id), &cost(passes, memory, lanes));
        let secret = stretch(opaque, &slot_salt(id), passes, memory, lanes);
        envelope::slot(&head, &secret, &self.bound, &container_key())
    }

    /// Builds a locator slot for a key in a vault.
    pub(super) fn locator_slot(&self, id: u16, secret: &[u8; 32], hints: &[u8]) -> Vec<u8> {
        let params = [&bytes32("registration")[..], &bytes32("pepper"), hints].concat();
        let head = slot_head(kind::LOCATOR, id, &slot_salt(id), &params);
        envelope::slot(&head, secret, &self.bound, &container_key())
    }

    /// Builds a recovery key slot, a passphrase slot and a locator slot.
    pub(super) fn default_slots(&self) -> Vec<Vec<u8>> {
        let address = [&[0, 1, 0, 13][..], b"vault.example"].concat();
        vec![
            self.key_slot(1, &recovery_key()),
            self.passphrase_slot(2, PHRASE, [1, 64, 1]),
            self.locator_slot(3, &key_in_vault(), &address),
        ]
    }

    /// Builds an envelope.
    pub(super) fn envelope(&self, slots: &[Vec<u8>], len: usize, revision: u64) -> Vec<u8> {
        envelope::envelope(slots, len, revision, &self.header[32..64], &self.exporter)
    }
}

/// Derives a slot's salt from its id.
pub(super) fn slot_salt(id: u16) -> [u8; 32] {
    bytes32(&format!("salt of slot {id}"))
}

/// Builds a 60-byte slot with an unknown kind.
pub(super) fn unknown_slot(kind: u16, id: u16) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &id.to_be_bytes(), &60u32.to_be_bytes(), &[0xEE; 52]].concat()
}

/// A vector whose outcome has not been stated yet.
#[derive(Clone)]
pub(super) struct Case {
    name: &'static str,
    clause: &'static str,
    comment: &'static str,
    pub(super) container: Container,
    context: Option<Vec<u8>>,
    first: Vec<u8>,
    second: Option<Vec<u8>>,
    secret: Secret,
}

/// Starts a vector with the default container and a single envelope that has the default slots,
/// opened with the recovery key.
pub(super) fn case(name: &'static str, clause: &'static str, comment: &'static str) -> Case {
    let container = Container::default();
    let first = container.envelope(&container.default_slots(), LEN, 1);
    let secret = Secret::RecoveryKey(recovery_key().into());
    Case { name, clause, comment, container, context: None, first, second: None, secret }
}

impl Case {
    /// Replaces the envelope with one that has these slots.
    pub(super) fn slots(self, slots: &[Vec<u8>]) -> Case {
        Case { first: self.container.envelope(slots, LEN, 1), ..self }
    }

    /// Replaces the container, and replaces the envelope with one that has the new container's
    /// default slots.
    pub(super) fn of(self, container: Container) -> Case {
        let first = container.envelope(&container.default_slots(), LEN, 1);
        Case { first, container, ..self }
    }

    /// Replaces the container but not the envelope.
    pub(super) fn for_container(self, container: Container) -> Case {
        Case { container, ..self }
    }

    /// Replaces the first copy.
    pub(super) fn first(self, first: Vec<u8>) -> Case {
        Case { first, ..self }
    }

    /// Adds a second copy.
    pub(super) fn second(self, second: Vec<u8>) -> Case {
        Case { second: Some(second), ..self }
    }

    /// Flips a bit in the first copy.
    pub(super) fn damaged(mut self, at: usize) -> Case {
        self.first[at] ^= 1;
        self
    }

    /// Changes the envelope and recomputes the check, which requires no key.
    pub(super) fn altered(mut self, change: impl FnOnce(&mut Vec<u8>)) -> Case {
        change(&mut self.first);
        envelope::write_check(&mut self.first);
        self
    }

    /// Changes the envelope and recomputes the MAC and the check, which requires the container's
    /// key.
    pub(super) fn forged(mut self, change: impl FnOnce(&mut Vec<u8>)) -> Case {
        change(&mut self.first);
        envelope::complete(&mut self.first, &self.container.exporter);
        self
    }

    /// Sets the recovery key given to the reader.
    pub(super) fn key(self, key: [u8; 32]) -> Case {
        Case { secret: Secret::RecoveryKey(key.into()), ..self }
    }

    /// Gives the reader a passphrase instead of a key.
    pub(super) fn passphrase(self, typed: &str) -> Case {
        Case { secret: Secret::Passphrase(typed.to_owned()), ..self }
    }

    /// Gives the reader a context.
    pub(super) fn context(self, context: &[u8]) -> Case {
        Case { context: Some(context.to_vec()), ..self }
    }

    /// States that opening fails.
    pub(super) fn fails(self, error: &str) -> Vector {
        self.complete(Outcome::Error(error.to_owned()))
    }

    /// States that the slot at offset `at` opens and that the MAC is valid.
    pub(super) fn opens(self, at: usize) -> Vector {
        self.opens_with(at, "single", true)
    }

    /// States that the slot at offset `at` opens. The authoritative copy is the first, unless it is
    /// damaged or the second has a higher revision.
    pub(super) fn opens_with(self, at: usize, copies: &str, intact: bool) -> Vector {
        let envelope = match (&self.second, copies) {
            (Some(second), "first_damaged") => second,
            (Some(second), "differ") if second[16..24] > self.first[16..24] => second,
            _ => &self.first,
        };
        let len = u32::from_be_bytes([
            envelope[at + 4],
            envelope[at + 5],
            envelope[at + 6],
            envelope[at + 7],
        ]) as usize;
        let head = &envelope[at..at + len - envelope::SEALED_LEN];
        let secret = match &self.secret {
            Secret::RecoveryKey(key) => *key.first_chunk().expect("a key has 32 bytes"),
            Secret::Passphrase(typed) => {
                let number = |at: usize| {
                    u32::from_be_bytes(*head[40 + at..].first_chunk().expect("parameters"))
                };
                let salt = head[8..].first_chunk().expect("a head has a salt");
                stretch(&opaque(typed), salt, number(4), number(8), number(12))
            }
        };
        let t1 = t1(&secret, head);
        assert_eq!(
            t1[32..],
            envelope[at + head.len()..][..32],
            "{}: the commitment does not match",
            self.name
        );
        let mac_key = reference::export(&self.container.exporter, b"bulla envelope");
        let mac = reference::hmac_sha512(&mac_key, &[&envelope[..envelope.len() - TAIL_LEN]]);
        assert_eq!(
            mac[..32] == envelope[envelope.len() - TAIL_LEN..][..32],
            intact,
            "{}: the validity of the MAC",
            self.name
        );
        let success = Success {
            container_key: container_key().into(),
            slot: u16::from_be_bytes([head[2], head[3]]),
            revision: u64::from_be_bytes(*envelope[16..].first_chunk().expect("a revision")),
            copies: copies.to_owned(),
            intact,
            slot_secret: secret.into(),
            slot_head: head.into(),
            t1: t1.into(),
            mac_key: mac_key.into(),
        };
        self.complete(Outcome::Ok(Box::new(success)))
    }

    fn complete(self, outcome: Outcome) -> Vector {
        Vector {
            name: self.name.to_owned(),
            clause: self.clause.to_owned(),
            comment: self.comment.to_owned(),
            header: self.container.header.into(),
            context: self.context.map(Into::into),
            first: self.first.into(),
            second: self.second.map(Into::into),
            secret: self.secret,
            outcome,
        }
    }
}

/// Returns the OpaqueString for a passphrase in the vectors, written out by hand (E-3.2).
fn opaque(typed: &str) -> String {
    match typed {
        "Cafe\u{301}\u{A0}\u{2126}" => "Caf\u{E9} \u{3A9}".to_owned(),
        ascii if ascii.is_ascii() => ascii.to_owned(),
        "\u{FF30}\u{E4}\u{DF}" => "\u{FF30}\u{E4}\u{DF}".to_owned(),
        other => panic!("no OpaqueString is stated for {other:?}"),
    }
}
