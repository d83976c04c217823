//! Opening envelopes, and the errors for those that do not open.

use bulla::{Key, Opener, Options, Preamble};
use bulla_key::{Envelope, Error, Locator, Secret, SlotId, SlotKind, key_text, typing};
use bulla_testkit::envelope::{cost, kind, slot, slot_head, stretch, t1, wrap};

use crate::fixtures::*;

/// E-2.1, E-2.3, E-3.1, E-3.3, E-3.4, E-4.1, E-5.1: the envelope comes from the reference
/// implementation, which follows the specification alone.
#[test]
fn opens_with_each_slot() {
    let container = container(&envelope());
    let preamble = Preamble::read_at(&container).unwrap();
    let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
    assert_eq!(envelope.revision(), 1);
    for (number, unlocked) in (1..).zip(open_with_each_secret(envelope.bytes())) {
        let unlocked = unlocked.unwrap();
        assert!(unlocked.is_intact());
        assert_eq!(unlocked.opened_by(), SlotId(number));
        let (plaintext, _) = bulla::open(unlocked.key(), &container, &Options::new()).unwrap();
        assert_eq!(plaintext, PLAINTEXT);
    }
}

#[test]
fn opens_from_a_stream() {
    let container = container(&envelope());
    let mut stream = &container[..];
    let preamble = Preamble::read(&mut stream).unwrap();
    let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
    let unlocked =
        envelope.open(&Secret::Key(&key(RECOVERY_KEY)), preamble.header(), None).unwrap();
    let options = Options::new();
    let mut opener = Opener::with_preamble(preamble, unlocked.key(), stream, &options).unwrap();
    let mut plaintext = Vec::new();
    opener.copy_to(&mut plaintext).unwrap();
    assert_eq!(plaintext, PLAINTEXT);
}

#[test]
fn lists_slots_without_a_secret() {
    let list = Envelope::parse(&envelope()).unwrap().list();
    assert_eq!(list.iter().map(|info| info.id.to_string()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(matches!(list[0].kind, SlotKind::RecoveryKey));
    assert!(matches!(list[1].kind, SlotKind::Passphrase(cost) if cost == minimal_cost()));
    let SlotKind::Locator(locator) = &list[2].kind else { panic!("{list:?}") };
    assert_eq!((locator.registration(), locator.pepper()), (&[7; 32], &[8; 32]));
    assert_eq!(locator.hint(Locator::ADDRESS), Some(&b"vault.example"[..]));
}

/// E-4.3
#[test]
fn rejects_a_wrong_secret() {
    let other = key([0x33; 32]);
    for secret in [Secret::Key(&other), Secret::Passphrase(&passphrase("Correct horse"))] {
        assert!(matches!(open(&envelope(), &secret), Err(Error::WrongSecret)), "{secret:?}");
    }
    // The container's key does not open a slot.
    assert!(matches!(
        open(&envelope(), &Secret::Key(&key(CONTAINER_KEY))),
        Err(Error::WrongSecret)
    ));
}

/// E-4.3
#[test]
fn rejects_a_kind_of_secret_without_a_slot() {
    let slots = slots(LEN);
    let keys_only =
        envelope_of(&[slots[0].clone(), slots[2].clone(), unknown_slot(kind::RECIPIENT, 4)]);
    let passphrases_only = envelope_of(&[slots[1].clone()]);
    assert!(matches!(
        open(&keys_only, &Secret::Passphrase(&passphrase(PASSPHRASE))),
        Err(Error::NoSuchSlot)
    ));
    assert!(matches!(
        open(&passphrases_only, &Secret::Key(&key(RECOVERY_KEY))),
        Err(Error::NoSuchSlot)
    ));
    assert!(matches!(
        open(&envelope_of(&[]), &Secret::Key(&key(RECOVERY_KEY))),
        Err(Error::NoSuchSlot)
    ));
}

/// E-4.3: the salt reveals the mismatch before any secret is tried.
#[test]
fn rejects_another_containers_envelope() {
    let other = Preamble::read_at(&bulla::seal(&key(CONTAINER_KEY), b"", &Options::new()).unwrap())
        .unwrap();
    let envelope = Envelope::parse(&envelope()).unwrap();
    assert!(!envelope.belongs_to(other.header()) && envelope.belongs_to(&header(LEN)));
    let opened = envelope.open(&Secret::Key(&key(RECOVERY_KEY)), other.header(), None);
    assert!(matches!(opened, Err(Error::AnotherContainer)));
}

/// E-4.4: a slot copied from another container's envelope.
#[test]
fn rejects_a_slot_from_another_container() {
    let head = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let moved = slot(&head, &RECOVERY_KEY, &bound(LEN + 1), &CONTAINER_KEY);
    let opened = open(&envelope_of(&[moved]), &Secret::Key(&key(RECOVERY_KEY)));
    assert!(matches!(opened, Err(Error::AnotherContainer)));
}

/// E-4.5: a valid slot that wraps another key.
#[test]
fn rejects_another_containers_key() {
    let head = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let forged = slot(&head, &RECOVERY_KEY, &bound(LEN), &[0xBA; 32]);
    let opened = open(&envelope_of(&[forged]), &Secret::Key(&key(RECOVERY_KEY)));
    assert!(matches!(opened, Err(Error::AnotherContainer)));
}

/// E-4.3, E-4.5
#[test]
fn reports_missing_wrong_and_unexpected_contexts() {
    let blank = container_with(&[0; LEN], Some(b"account 7"));
    let header = Preamble::read_at(&blank).unwrap().header().clone();
    let head = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let slot = slot(&head, &RECOVERY_KEY, header.bound(), &CONTAINER_KEY);
    let envelope = Envelope::parse(&envelope_of(&[slot])).unwrap();
    let recovery = key(RECOVERY_KEY);
    let open = |context: Option<&[u8]>| envelope.open(&Secret::Key(&recovery), &header, context);

    assert_eq!(open(Some(b"account 7")).unwrap().key().expose(), &CONTAINER_KEY);
    assert!(matches!(open(Some(b"account 8")), Err(Error::AnotherContainer)));
    assert!(matches!(open(None), Err(Error::Container(bulla::Error::ContextRequired))));
    let unexpected = Envelope::parse(&crate::fixtures::envelope()).unwrap().open(
        &Secret::Key(&recovery),
        &crate::fixtures::header(LEN),
        Some(b"account 7"),
    );
    assert!(matches!(unexpected, Err(Error::Container(bulla::Error::ContextUnexpected))));
}

/// E-3.2
#[test]
fn hashes_the_normalized_passphrase() {
    let head = slot_head(kind::PASSPHRASE, 1, &[2; 32], &cost(1, 8, 1));
    let slot =
        slot(&head, &stretch("\u{E9}t\u{E9} 1", &[2; 32], 1, 8, 1), &bound(LEN), &CONTAINER_KEY);
    let envelope = envelope_of(&[slot]);
    assert!(open(&envelope, &Secret::Passphrase(&passphrase("e\u{301}te\u{301}\u{A0}1"))).is_ok());
    assert!(open(&envelope, &Secret::Passphrase(&passphrase("ete 1"))).is_err());
}

/// E-4.2: a slot with a changed commitment does not open, although its wrapped key is valid.
#[test]
fn rejects_a_changed_commitment() {
    let mut slots = slots(LEN);
    let commitment = slots[0].len() - 80;
    slots[0][commitment] ^= 1;
    let opened = open(&envelope_of(&slots), &Secret::Key(&key(RECOVERY_KEY)));
    assert!(matches!(opened, Err(Error::WrongSecret)));
    // The wrapped key is valid, so only the commitment prevents the slot from opening.
    let head = &slots[0][..commitment];
    assert_eq!(
        slots[0][commitment + 32..],
        wrap(&t1(&RECOVERY_KEY, head), head, &bound(LEN), &CONTAINER_KEY)
    );
}

/// E-1.4
#[test]
fn finds_a_typing_mistake_with_an_envelope() {
    let envelope = Envelope::parse(&envelope()).unwrap();
    let right = Key::generate().unwrap();
    assert!(!envelope.matches(&right) && envelope.matches(&key(VAULT_KEY)));
    // A hashed passphrase does not count as a recovery key.
    assert!(!envelope.matches(&key(stretch(PASSPHRASE, &[2; 32], 1, 8, 1))));
    let typed = key_text::format(&key(VAULT_KEY)).replacen("2222 2222", "2222 2262", 1);
    let found = typing::find_mistake(&typed, |key| envelope.matches(key)).unwrap().unwrap();
    assert_eq!(found.mistake, typing::Mistake::Substituted { digit: 7 });
    assert_eq!(found.key.expose(), &VAULT_KEY);
}

/// E-1.4: the typed key is the container's own key. If there is no mistake to find, the search
/// still ends after a bounded number of tries.
#[test]
fn finds_a_typing_mistake_without_an_envelope() {
    let container = bulla::seal(&key(CONTAINER_KEY), PLAINTEXT, &Options::new()).unwrap();
    let header = Preamble::read_at(&container).unwrap().header().clone();
    let typed = key_text::format(&key(CONTAINER_KEY)).replacen("c0c0 c0c0", "c0c0 cc00", 1);
    let matches = |key: &Key| header.matches(key, None);
    let found = typing::find_mistake(&typed, matches).unwrap().unwrap();
    assert_eq!(found.mistake, typing::Mistake::Transposed { digit: 6 });

    assert!((900..=1144).contains(&keys_tried(&key_text::format(&key(RECOVERY_KEY)), matches)));
}

/// E-3.3: all other tests use a lower cost.
#[test]
fn opens_at_the_recommended_cost() {
    let head = slot_head(kind::PASSPHRASE, 1, &[2; 32], &cost(3, 1 << 16, 4));
    let slot =
        slot(&head, &stretch(PASSPHRASE, &[2; 32], 3, 1 << 16, 4), &bound(LEN), &CONTAINER_KEY);
    let unlocked =
        open(&envelope_of(&[slot]), &Secret::Passphrase(&passphrase(PASSPHRASE))).unwrap();
    assert_eq!(unlocked.key().expose(), &CONTAINER_KEY);
}

#[test]
fn debug_output_contains_no_secrets() {
    let envelope = Envelope::parse(&envelope()).unwrap();
    let unlocked = open(envelope.bytes(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let slots = unlocked.slots().unwrap();
    let shown = format!("{envelope:?} {unlocked:?} {slots:?}");
    assert!(
        ["Envelope {", "Unlocked {", "Slots {"].iter().all(|name| shown.contains(name)),
        "{shown}"
    );
    assert!(format!("{slots:?}").contains("SlotId(3)"));
    for secret in [CONTAINER_KEY, RECOVERY_KEY, VAULT_KEY] {
        let hex: String = secret.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        assert!(!shown.to_lowercase().contains(&hex), "{shown}");
        assert!(!shown.contains(&format!("{}, {}", secret[0], secret[1])), "{shown}");
    }
}
