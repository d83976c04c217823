//! What opens and what does not, and what is said of it.

use bulla::{Key, Opener, Options, Preamble};
use bulla_key::{Envelope, Error, Locator, Secret, SlotId, SlotKind, key_text, typing};
use bulla_testkit::envelope::{cost, kind, slot, slot_head, stretch, t1, wrap};

use crate::sample::*;

/// E-2.1, E-2.3, E-3.1, E-3.3, E-3.4, E-4.1, E-5.1: an envelope that was made from the page alone
/// opens by each of its slots.
#[test]
fn by_each_slot() {
    let container = container(&envelope());
    let preamble = Preamble::read_at(&container).unwrap();
    let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
    assert_eq!(envelope.revision(), 1);
    for (number, unlocked) in (1..).zip(open_with_each(envelope.bytes())) {
        let unlocked = unlocked.unwrap();
        assert!(unlocked.is_intact());
        assert_eq!(unlocked.opened_by(), SlotId(number));
        let (plaintext, _) = bulla::open(unlocked.key(), &container, &Options::new()).unwrap();
        assert_eq!(plaintext, PLAINTEXT);
    }
}

/// The way through a stream.
#[test]
fn from_a_stream() {
    let container = container(&envelope());
    let mut stream = &container[..];
    let preamble = Preamble::read(&mut stream).unwrap();
    let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
    let unlocked = envelope.open(&Secret::Key(&key(RECOVERY)), preamble.header(), None).unwrap();
    let options = Options::new();
    let mut opener = Opener::with_preamble(preamble, unlocked.key(), stream, &options).unwrap();
    let mut plaintext = Vec::new();
    opener.copy_to(&mut plaintext).unwrap();
    assert_eq!(plaintext, PLAINTEXT);
}

#[test]
fn listed_without_a_secret() {
    let list = Envelope::parse(&envelope()).unwrap().list();
    assert_eq!(list.iter().map(|info| info.id.to_string()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(matches!(list[0].kind, SlotKind::RecoveryKey));
    assert!(matches!(list[1].kind, SlotKind::Passphrase(cost) if cost == cheap()));
    let SlotKind::Locator(locator) = &list[2].kind else { panic!("{list:?}") };
    assert_eq!((locator.registration(), locator.pepper()), (&[7; 32], &[8; 32]));
    assert_eq!(locator.hint(Locator::ADDRESS), Some(&b"vault.example"[..]));
}

/// E-4.3
#[test]
fn wrong_secret() {
    let other = key([0x33; 32]);
    for secret in [Secret::Key(&other), Secret::Passphrase(&phrase("Correct horse"))] {
        assert!(matches!(open(&envelope(), &secret), Err(Error::WrongSecret)), "{secret:?}");
    }
    // The container's key is no key to a slot.
    assert!(matches!(open(&envelope(), &Secret::Key(&key(KEY))), Err(Error::WrongSecret)));
}

/// E-4.3
#[test]
fn no_such_slot() {
    let slots = slots(LEN);
    let keys_only =
        envelope_of(&[slots[0].clone(), slots[2].clone(), unknown_slot(kind::RECIPIENT, 4)]);
    let phrases_only = envelope_of(&[slots[1].clone()]);
    assert!(matches!(
        open(&keys_only, &Secret::Passphrase(&phrase(PHRASE))),
        Err(Error::NoSuchSlot)
    ));
    assert!(matches!(open(&phrases_only, &Secret::Key(&key(RECOVERY))), Err(Error::NoSuchSlot)));
    assert!(matches!(
        open(&envelope_of(&[]), &Secret::Key(&key(RECOVERY))),
        Err(Error::NoSuchSlot)
    ));
}

/// E-4.3: the salt tells at once, without a secret.
#[test]
fn envelope_of_another_container() {
    let other = Preamble::read_at(&bulla::seal(&key(KEY), b"", &Options::new()).unwrap()).unwrap();
    let envelope = Envelope::parse(&envelope()).unwrap();
    assert!(!envelope.belongs_to(other.header()) && envelope.belongs_to(&header(LEN)));
    let opened = envelope.open(&Secret::Key(&key(RECOVERY)), other.header(), None);
    assert!(matches!(opened, Err(Error::AnotherContainer)));
}

/// E-4.4: a slot that was moved here from an envelope of another container.
#[test]
fn slot_of_another_container() {
    let head = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let moved = slot(&head, &RECOVERY, &bound(LEN + 1), &KEY);
    let opened = open(&envelope_of(&[moved]), &Secret::Key(&key(RECOVERY)));
    assert!(matches!(opened, Err(Error::AnotherContainer)));
}

/// E-4.5: the slot is as it should be, and the key in it is another one.
#[test]
fn key_of_another_container() {
    let head = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let forged = slot(&head, &RECOVERY, &bound(LEN), &[0xBA; 32]);
    let opened = open(&envelope_of(&[forged]), &Secret::Key(&key(RECOVERY)));
    assert!(matches!(opened, Err(Error::AnotherContainer)));
}

/// E-4.3, E-4.5: the context is the container's affair, and what is wrong with it is told.
#[test]
fn context() {
    let blank = container_with(&[0; LEN], Some(b"account 7"));
    let header = Preamble::read_at(&blank).unwrap().header().clone();
    let head = slot_head(kind::RECOVERY_KEY, 1, &[1; 32], &[]);
    let slot = slot(&head, &RECOVERY, header.bound(), &KEY);
    let envelope = Envelope::parse(&envelope_of(&[slot])).unwrap();
    let recovery = key(RECOVERY);
    let open = |context: Option<&[u8]>| envelope.open(&Secret::Key(&recovery), &header, context);

    assert_eq!(open(Some(b"account 7")).unwrap().key().expose(), &KEY);
    assert!(matches!(open(Some(b"account 8")), Err(Error::AnotherContainer)));
    assert!(matches!(open(None), Err(Error::Container(bulla::Error::ContextRequired))));
    let unexpected = Envelope::parse(&crate::sample::envelope()).unwrap().open(
        &Secret::Key(&recovery),
        &crate::sample::header(LEN),
        Some(b"account 7"),
    );
    assert!(matches!(unexpected, Err(Error::Container(bulla::Error::ContextUnexpected))));
}

/// E-3.2: it is the OpaqueString that is hashed.
#[test]
fn passphrase_is_normalised() {
    let head = slot_head(kind::PASSPHRASE, 1, &[2; 32], &cost(1, 8, 1));
    let slot = slot(&head, &stretch("\u{E9}t\u{E9} 1", &[2; 32], 1, 8, 1), &bound(LEN), &KEY);
    let envelope = envelope_of(&[slot]);
    assert!(open(&envelope, &Secret::Passphrase(&phrase("e\u{301}te\u{301}\u{A0}1"))).is_ok());
    assert!(open(&envelope, &Secret::Passphrase(&phrase("ete 1"))).is_err());
}

/// E-4.2: a slot whose commitment was changed stays closed, also to the secret whose wrapped key is
/// in it.
#[test]
fn commitment_of_nobody() {
    let mut slots = slots(LEN);
    let commitment = slots[0].len() - 80;
    slots[0][commitment] ^= 1;
    let opened = open(&envelope_of(&slots), &Secret::Key(&key(RECOVERY)));
    assert!(matches!(opened, Err(Error::WrongSecret)));
    // That the wrapped key itself is right is what makes this a test.
    let head = &slots[0][..commitment];
    assert_eq!(slots[0][commitment + 32..], wrap(&t1(&RECOVERY, head), head, &bound(LEN), &KEY));
}

/// E-1.4: a mistyped recovery key is found by the envelope, too.
#[test]
fn typing_mistake() {
    let envelope = Envelope::parse(&envelope()).unwrap();
    let right = Key::generate().unwrap();
    assert!(!envelope.matches(&right) && envelope.matches(&key(IN_VAULT)));
    // What a passphrase was stretched to is nobody's recovery key.
    assert!(!envelope.matches(&key(stretch(PHRASE, &[2; 32], 1, 8, 1))));
    let typed = key_text::format(&key(IN_VAULT)).replacen("2222 2222", "2222 2262", 1);
    let found = typing::find_mistake(&typed, |key| envelope.matches(key)).unwrap().unwrap();
    assert_eq!(found.mistake, typing::Mistake::Substituted { digit: 7 });
    assert_eq!(found.key.expose(), &IN_VAULT);
}

/// E-1.4: the same where the key is the container's own, and looking for a mistake that is not
/// there comes to an end.
#[test]
fn typing_mistake_without_envelope() {
    let container = bulla::seal(&key(KEY), PLAINTEXT, &Options::new()).unwrap();
    let header = Preamble::read_at(&container).unwrap().header().clone();
    let typed = key_text::format(&key(KEY)).replacen("c0c0 c0c0", "c0c0 cc00", 1);
    let fits = |key: &Key| header.matches(key, None);
    let found = typing::find_mistake(&typed, fits).unwrap().unwrap();
    assert_eq!(found.mistake, typing::Mistake::Transposed { digit: 6 });

    assert!((900..=1144).contains(&keys_tried(&key_text::format(&key(RECOVERY)), fits)));
}

/// E-3.3: the recommended cost, which all other tests avoid.
#[test]
fn recommended_cost() {
    let head = slot_head(kind::PASSPHRASE, 1, &[2; 32], &cost(3, 1 << 16, 4));
    let slot = slot(&head, &stretch(PHRASE, &[2; 32], 3, 1 << 16, 4), &bound(LEN), &KEY);
    let unlocked = open(&envelope_of(&[slot]), &Secret::Passphrase(&phrase(PHRASE))).unwrap();
    assert_eq!(unlocked.key().expose(), &KEY);
}

#[test]
fn nothing_secret_is_shown() {
    let envelope = Envelope::parse(&envelope()).unwrap();
    let unlocked = open(envelope.bytes(), &Secret::Key(&key(RECOVERY))).unwrap();
    let slots = unlocked.slots().unwrap();
    let shown = format!("{envelope:?} {unlocked:?} {slots:?}");
    assert!(
        ["Envelope {", "Unlocked {", "Slots {"].iter().all(|name| shown.contains(name)),
        "{shown}"
    );
    assert!(format!("{slots:?}").contains("SlotId(3)"));
    for secret in [KEY, RECOVERY, IN_VAULT] {
        let hex: String = secret.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        assert!(!shown.to_lowercase().contains(&hex), "{shown}");
        assert!(!shown.contains(&format!("{}, {}", secret[0], secret[1])), "{shown}");
    }
}
