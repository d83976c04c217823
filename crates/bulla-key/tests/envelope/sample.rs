//! A container with an envelope that the reference made, with one slot of each kind.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use bulla::{Header, Key, Preamble};
use bulla_key::{Envelope, Locator, Passphrase, PassphraseCost, Result, Secret, Unlocked, typing};
use bulla_testkit::envelope::{self, cost, kind, slot, slot_head, stretch};
use bulla_testkit::reference::{self, SealParams};

/// The container's key.
pub(crate) const KEY: [u8; 32] = [0xC0; 32];
/// The container's salt.
pub(crate) const SALT: [u8; 32] = [0x5A; 32];
/// A recovery key.
pub(crate) const RECOVERY: [u8; 32] = [0x11; 32];
/// A recovery key that lies in a vault.
pub(crate) const IN_VAULT: [u8; 32] = [0x22; 32];
/// A passphrase.
pub(crate) const PHRASE: &str = "correct horse";
/// What is in the container.
pub(crate) const PLAINTEXT: &[u8] = b"a message";
/// Bytes of envelope: little more than the slots take.
pub(crate) const LEN: usize = 800;

/// The cheapest there is.
pub(crate) fn cheap() -> PassphraseCost {
    PassphraseCost::new(1, 8, 1).unwrap()
}

pub(crate) fn key(bytes: [u8; 32]) -> Key {
    Key::from_bytes(&bytes)
}

/// How many keys are tried for a mistake in `typed` that is not there.
pub(crate) fn keys_tried(typed: &str, fits: impl Fn(&Key) -> bool + Sync) -> usize {
    let tried = AtomicUsize::new(0);
    let found = typing::find_mistake(typed, |key| {
        tried.fetch_add(1, Ordering::Relaxed);
        fits(key)
    });
    assert!(found.unwrap().is_none());
    tried.into_inner()
}

pub(crate) fn phrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

pub(crate) fn locator() -> Locator {
    Locator::new([7; 32], &[8; 32]).with_hint(Locator::ADDRESS, b"vault.example").unwrap()
}

/// The container with this envelope, in both places.
pub(crate) fn container(envelope: &[u8]) -> Vec<u8> {
    container_with(envelope, None)
}

pub(crate) fn container_with(envelope: &[u8], context: Option<&[u8]>) -> Vec<u8> {
    reference::seal(&SealParams {
        key: KEY,
        salt: SALT,
        chunk_log2: 12,
        content: 0,
        context,
        envelope,
        plaintext: PLAINTEXT,
    })
}

/// The header of the container with an envelope of `len` bytes.
pub(crate) fn header(len: usize) -> Header {
    static OF_USUAL_LEN: OnceLock<Header> = OnceLock::new();
    let made = || Preamble::read_at(&container(&vec![0; len])).unwrap().header().clone();
    if len == LEN { OF_USUAL_LEN.get_or_init(made).clone() } else { made() }
}

/// Bytes 8 to 63 of that header.
pub(crate) fn bound(len: usize) -> [u8; 56] {
    *header(len).bound()
}

/// The exporter of that container (F-4.3).
pub(crate) fn exporter(len: usize) -> [u8; 32] {
    reference::schedule(&KEY, &bound(len), None).exporter
}

/// Slots 1 to 3: a recovery key, a passphrase, a locator.
pub(crate) fn slots(len: usize) -> Vec<Vec<u8>> {
    let bound = bound(len);
    let recovery = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let passphrase = slot_head(kind::PASSPHRASE, 2, &[2; 32], &cost(1, 8, 1));
    let vault = slot_head(kind::LOCATOR, 3, &[3; 32], &locator().to_bytes());
    vec![
        slot(&recovery, &RECOVERY, &bound, &KEY),
        slot(&passphrase, &stretch(PHRASE, &[2; 32], 1, 8, 1), &bound, &KEY),
        slot(&vault, &IN_VAULT, &bound, &KEY),
    ]
}

/// An envelope with these slots.
pub(crate) fn envelope_of(slots: &[Vec<u8>]) -> Vec<u8> {
    envelope::envelope(slots, LEN, 1, &SALT, &exporter(LEN))
}

/// An envelope with slots 1 to 3.
pub(crate) fn envelope() -> Vec<u8> {
    envelope_of(&slots(LEN))
}

/// Opens an envelope of `LEN` bytes for its container.
pub(crate) fn open(envelope: &[u8], secret: &Secret<'_>) -> Result<Unlocked> {
    Envelope::parse(envelope)?.open(secret, &header(LEN), None)
}

/// Opens an envelope with each of the three secrets that open one.
pub(crate) fn open_with_each(envelope: &[u8]) -> [Result<Unlocked>; 3] {
    let (recovery, in_vault, passphrase) = (key(RECOVERY), key(IN_VAULT), phrase(PHRASE));
    [Secret::Key(&recovery), Secret::Passphrase(&passphrase), Secret::Key(&in_vault)]
        .map(|secret| open(envelope, &secret))
}

/// A slot of a kind that nobody knows yet: 60 bytes.
pub(crate) fn unknown_slot(kind: u16, id: u16) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &id.to_be_bytes(), &60u32.to_be_bytes(), &[0xEE; 52]].concat()
}
