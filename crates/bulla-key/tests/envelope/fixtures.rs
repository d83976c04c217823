//! A container with an envelope from the reference implementation. The envelope has one slot of
//! each kind.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use bulla::{Header, Key, Preamble};
use bulla_key::{Envelope, Locator, Passphrase, PassphraseCost, Result, Secret, Unlocked, typing};
use bulla_testkit::envelope::{self, cost, kind, slot, slot_head, stretch};
use bulla_testkit::reference::{self, SealParams};

/// The container's key.
pub(crate) const CONTAINER_KEY: [u8; 32] = [0xC0; 32];
/// The container's salt.
pub(crate) const SALT: [u8; 32] = [0x5A; 32];
/// A recovery key.
pub(crate) const RECOVERY_KEY: [u8; 32] = [0x11; 32];
/// A recovery key stored in a vault.
pub(crate) const VAULT_KEY: [u8; 32] = [0x22; 32];
/// A passphrase.
pub(crate) const PASSPHRASE: &str = "correct horse";
/// The container's plaintext.
pub(crate) const PLAINTEXT: &[u8] = b"a message";
/// Length of the envelope in bytes, slightly more than the slots need.
pub(crate) const LEN: usize = 800;

/// Returns the lowest allowed cost.
pub(crate) fn minimal_cost() -> PassphraseCost {
    PassphraseCost::new(1, 8, 1).unwrap()
}

pub(crate) fn key(bytes: [u8; 32]) -> Key {
    Key::from_bytes(&bytes)
}

/// Runs a search that finds no mistake in `typed`, and returns the number of keys tried.
pub(crate) fn keys_tried(typed: &str, matches: impl Fn(&Key) -> bool + Sync) -> usize {
    let tried = AtomicUsize::new(0);
    let found = typing::find_mistake(typed, |key| {
        tried.fetch_add(1, Ordering::Relaxed);
        matches(key)
    });
    assert!(found.unwrap().is_none());
    tried.into_inner()
}

pub(crate) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

pub(crate) fn locator() -> Locator {
    Locator::new([7; 32], &[8; 32]).with_hint(Locator::ADDRESS, b"vault.example").unwrap()
}

/// Returns the container with this envelope in both copies.
pub(crate) fn container(envelope: &[u8]) -> Vec<u8> {
    container_with(envelope, None)
}

pub(crate) fn container_with(envelope: &[u8], context: Option<&[u8]>) -> Vec<u8> {
    reference::seal(&SealParams {
        key: CONTAINER_KEY,
        salt: SALT,
        chunk_log2: 12,
        content: 0,
        context,
        envelope,
        plaintext: PLAINTEXT,
    })
}

/// Returns the header of the container with a `len`-byte envelope.
pub(crate) fn header(len: usize) -> Header {
    static FOR_DEFAULT_LEN: OnceLock<Header> = OnceLock::new();
    let read = || Preamble::read_at(&container(&vec![0; len])).unwrap().header().clone();
    if len == LEN { FOR_DEFAULT_LEN.get_or_init(read).clone() } else { read() }
}

/// Returns bytes 8 to 63 of that header.
pub(crate) fn bound(len: usize) -> [u8; 56] {
    *header(len).bound()
}

/// Returns that container's exporter (F-4.3).
pub(crate) fn exporter(len: usize) -> [u8; 32] {
    reference::schedule(&CONTAINER_KEY, &bound(len), None).exporter
}

/// Encodes slots 1 to 3, for a recovery key, a passphrase and a locator.
pub(crate) fn slots(len: usize) -> Vec<Vec<u8>> {
    let bound = bound(len);
    let recovery = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let passphrase = slot_head(kind::PASSPHRASE, 2, &[2; 32], &cost(1, 8, 1));
    let vault = slot_head(kind::LOCATOR, 3, &[3; 32], &locator().to_bytes());
    vec![
        slot(&recovery, &RECOVERY_KEY, &bound, &CONTAINER_KEY),
        slot(&passphrase, &stretch(PASSPHRASE, &[2; 32], 1, 8, 1), &bound, &CONTAINER_KEY),
        slot(&vault, &VAULT_KEY, &bound, &CONTAINER_KEY),
    ]
}

/// Encodes an envelope with these slots.
pub(crate) fn envelope_of(slots: &[Vec<u8>]) -> Vec<u8> {
    envelope::envelope(slots, LEN, 1, &SALT, &exporter(LEN))
}

/// Encodes an envelope with slots 1 to 3.
pub(crate) fn envelope() -> Vec<u8> {
    envelope_of(&slots(LEN))
}

/// Opens a `LEN`-byte envelope for its container.
pub(crate) fn open(envelope: &[u8], secret: &Secret<'_>) -> Result<Unlocked> {
    Envelope::parse(envelope)?.open(secret, &header(LEN), None)
}

/// Opens an envelope with each of the three secrets.
pub(crate) fn open_with_each_secret(envelope: &[u8]) -> [Result<Unlocked>; 3] {
    let (recovery, vault_key, passphrase) =
        (key(RECOVERY_KEY), key(VAULT_KEY), passphrase(PASSPHRASE));
    [Secret::Key(&recovery), Secret::Passphrase(&passphrase), Secret::Key(&vault_key)]
        .map(|secret| open(envelope, &secret))
}

/// Encodes a 60-byte slot of an unknown kind.
pub(crate) fn unknown_slot(kind: u16, id: u16) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &id.to_be_bytes(), &60u32.to_be_bytes(), &[0xEE; 52]].concat()
}
