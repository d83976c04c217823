//! Sealing envelopes, and the errors for slots and lengths that cannot be sealed.

use bulla::{Draft, Options, Preamble};
use bulla_key::{Envelope, Error, Locator, Secret, SlotId, SlotKind, Slots, Unlocked};

use crate::fixtures::*;

/// Seals a container with these slots.
fn seal(slots: &Slots, len: u32) -> Vec<u8> {
    let container_key = key(CONTAINER_KEY);
    let draft = Draft::new(&container_key, &Options::new().envelope_len(len)).unwrap();
    let envelope = slots.seal(&draft, &container_key).unwrap();
    draft.envelope(&envelope).unwrap().seal(PLAINTEXT).unwrap().into()
}

fn open(container: &[u8], secret: &Secret<'_>) -> Unlocked {
    let preamble = Preamble::read_at(container).unwrap();
    let (envelope, _) = Envelope::from_preamble(&preamble).unwrap();
    envelope.open(secret, preamble.header(), None).unwrap()
}

fn three_slots() -> Slots {
    let mut slots = Slots::new();
    slots.add_recovery_key(&key(RECOVERY_KEY)).unwrap();
    slots.add_passphrase(&passphrase(PASSPHRASE), minimal_cost()).unwrap();
    slots.add_locator(&key(VAULT_KEY), locator()).unwrap();
    slots
}

/// E-2.1, E-5.3
#[test]
fn sealed_envelope_has_revision_1_and_opens_with_each_slot() {
    let container = seal(&three_slots(), Envelope::DEFAULT_LEN);
    assert_eq!(container.len(), 256 + 2 * 16384 + PLAINTEXT.len() + 16);
    for secret in [
        Secret::Key(&key(RECOVERY_KEY)),
        Secret::Passphrase(&passphrase(PASSPHRASE)),
        Secret::Key(&key(VAULT_KEY)),
    ] {
        let unlocked = open(&container, &secret);
        assert!(unlocked.is_intact());
        assert_eq!(unlocked.into_key().expose(), &CONTAINER_KEY);
    }
    let preamble = Preamble::read_at(&container).unwrap();
    assert_eq!(Envelope::from_preamble(&preamble).unwrap().0.revision(), 1);
}

/// E-2.1, E-2.4: an envelope has 64 bytes before the slots and 40 bytes after them.
#[test]
fn shortest_envelope_has_104_bytes() {
    assert_eq!(Envelope::MIN_LEN, 104);
    let envelope = bulla_testkit::envelope::envelope(&[], 104, 1, &SALT, &exporter(104));
    assert!(Envelope::parse(&envelope).unwrap().list().is_empty());
    assert!(Envelope::parse(&envelope[..103]).is_err());
}

/// E-3.1, E-4.1: two envelopes with the same slots share no salt, commitment or wrapped key.
#[test]
fn salts_are_fresh() {
    let container_key = key(CONTAINER_KEY);
    let draft = Draft::new(&container_key, &Options::new().envelope_len(LEN as u32)).unwrap();
    let slots = three_slots();
    let (a, b) =
        (slots.seal(&draft, &container_key).unwrap(), slots.seal(&draft, &container_key).unwrap());
    // Slot 1 starts at byte 64, with an 8-byte frame, a 32-byte salt, a 32-byte commitment and a
    // 48-byte wrapped key.
    for part in [72..104, 104..136, 136..184] {
        assert_ne!(a[part.clone()], b[part]);
    }
    assert_eq!(a[64..72], b[64..72]);
}

/// E-3.1, E-3.5, E-5.3: kept slots, including those of unknown kinds, are copied byte for byte, and
/// the revision increases by one.
#[test]
fn kept_slots_are_copied_unchanged() {
    let kept = [slots(LEN), vec![unknown_slot(4, 9)]].concat();
    let before = envelope_of(&kept);
    let unlocked = crate::fixtures::open(&before, &Secret::Key(&key(RECOVERY_KEY))).unwrap();

    let unchanged = unlocked.seal(&unlocked.slots().unwrap()).unwrap();
    let end = LEN - 40;
    assert_eq!((&before[..16], &before[24..end]), (&unchanged[..16], &unchanged[24..end]));
    assert_eq!(unchanged[16..24], 2u64.to_be_bytes());

    let mut slots = unlocked.slots().unwrap();
    slots.remove(SlotId(2)).unwrap();
    assert_eq!(slots.add_recovery_key(&key([9; 32])).unwrap(), SlotId(10));
    let after = unlocked.seal(&slots).unwrap();
    let bytes = [kept[0].clone(), kept[2].clone(), kept[3].clone()].concat();
    assert_eq!(after[64..64 + bytes.len()], bytes);
    assert!(crate::fixtures::open(&after, &Secret::Key(&key([9; 32]))).unwrap().is_intact());
    let removed = crate::fixtures::open(&after, &Secret::Passphrase(&passphrase(PASSPHRASE)));
    assert!(matches!(removed, Err(Error::NoSuchSlot)));
}

/// E-5.2: an altered envelope opens and reports the change, and none of its slots can be kept.
#[test]
fn slots_of_an_altered_envelope_cannot_be_kept() {
    for at in [9, 24, 31, 750] {
        let mut envelope = envelope();
        envelope[at] ^= 1;
        bulla_testkit::envelope::write_check(&mut envelope);
        for unlocked in open_with_each_secret(&envelope) {
            let unlocked = unlocked.unwrap();
            assert_eq!(unlocked.key().expose(), &CONTAINER_KEY);
            assert!(!unlocked.is_intact());
            assert!(matches!(unlocked.slots(), Err(Error::Altered)));
            // An envelope sealed with new slots is intact.
            let mut slots = Slots::new();
            slots.add_recovery_key(&key([9; 32])).unwrap();
            let new = unlocked.seal(&slots).unwrap();
            let unlocked = crate::fixtures::open(&new, &Secret::Key(&key([9; 32]))).unwrap();
            assert!(unlocked.is_intact());
            assert_eq!(unlocked.slots().unwrap().list().len(), 1);
        }
    }
}

/// E-5.3
#[test]
fn revision_does_not_overflow() {
    let last = bulla_testkit::envelope::envelope(&slots(LEN), LEN, u64::MAX, &SALT, &exporter(LEN));
    let unlocked = crate::fixtures::open(&last, &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let new = unlocked.seal(&unlocked.slots().unwrap()).unwrap();
    assert_eq!(Envelope::parse(&new).unwrap().revision(), u64::MAX);
}

/// E-2.2: an envelope in a separate file, for a container that reserves no room.
#[test]
fn seals_an_envelope_for_a_separate_file() {
    let container_key = key(CONTAINER_KEY);
    let draft = Draft::new(&container_key, &Options::new()).unwrap();
    let separate = three_slots().seal_with_len(&draft, &container_key, 1000).unwrap();
    let container = draft.seal(PLAINTEXT).unwrap();
    let preamble = Preamble::read_at(&container).unwrap();
    assert!(matches!(Envelope::from_preamble(&preamble), Err(Error::NoEnvelope)));
    let unlocked = Envelope::parse(&separate)
        .unwrap()
        .open(&Secret::Passphrase(&passphrase(PASSPHRASE)), preamble.header(), None)
        .unwrap();
    assert_eq!(unlocked.key().expose(), &CONTAINER_KEY);
    assert_eq!(unlocked.seal(&unlocked.slots().unwrap()).unwrap().len(), 1000);
    assert_eq!(unlocked.seal_with_len(&unlocked.slots().unwrap(), 2000).unwrap().len(), 2000);
}

/// E-2.3
#[test]
fn rejects_too_many_slots() {
    let mut slots = Slots::new();
    for _ in 0..8 {
        slots.add_passphrase(&passphrase(PASSPHRASE), minimal_cost()).unwrap();
    }
    assert!(matches!(
        slots.add_passphrase(&passphrase(PASSPHRASE), minimal_cost()),
        Err(Error::TooManySlots)
    ));
    for _ in 8..32 {
        slots.add_recovery_key(&key(RECOVERY_KEY)).unwrap();
    }
    assert!(matches!(slots.add_recovery_key(&key(RECOVERY_KEY)), Err(Error::TooManySlots)));
    assert!(matches!(slots.add_locator(&key(RECOVERY_KEY), locator()), Err(Error::TooManySlots)));
    let container = seal(&slots, Envelope::DEFAULT_LEN);
    assert_eq!(open(&container, &Secret::Key(&key(RECOVERY_KEY))).opened_by(), SlotId(9));
}

#[test]
fn ids_are_unique_and_not_reused_immediately() {
    let with_ids = |ids: &[u16]| {
        let slot = |id: &u16| {
            let head = bulla_testkit::envelope::slot_head(1, *id, &[1; 32], &[]);
            bulla_testkit::envelope::slot(&head, &RECOVERY_KEY, &bound(LEN), &CONTAINER_KEY)
        };
        let envelope = envelope_of(&ids.iter().map(slot).collect::<Vec<_>>());
        crate::fixtures::open(&envelope, &Secret::Key(&key(RECOVERY_KEY))).unwrap().slots().unwrap()
    };
    assert_eq!(with_ids(&[7, 3]).add_recovery_key(&key(CONTAINER_KEY)).unwrap(), SlotId(8));
    assert_eq!(
        with_ids(&[1, 2, u16::MAX]).add_recovery_key(&key(CONTAINER_KEY)).unwrap(),
        SlotId(3)
    );
    assert!(matches!(with_ids(&[1]).remove(SlotId(2)), Err(Error::UnknownSlot { id: 2 })));
}

/// E-5.3
#[test]
fn rejects_an_envelope_that_no_secret_opens() {
    let unlocked = crate::fixtures::open(
        &envelope_of(&[slots(LEN)[0].clone(), unknown_slot(4, 9)]),
        &Secret::Key(&key(RECOVERY_KEY)),
    )
    .unwrap();
    let mut slots = unlocked.slots().unwrap();
    slots.remove(SlotId(1)).unwrap();
    assert!(matches!(unlocked.seal(&slots), Err(Error::NoSlots)), "slot 9 is of an unknown kind");
    assert!(matches!(unlocked.seal(&Slots::new()), Err(Error::NoSlots)));
}

#[test]
fn rejects_lengths_that_are_too_short_or_too_long() {
    let container_key = key(CONTAINER_KEY);
    let needed = 64 + 120 + 136 + (120 + 64 + 17) + 40;
    for (len, enough) in [(0, false), (needed - 1, false), (needed, true)] {
        let draft = Draft::new(&container_key, &Options::new().envelope_len(len)).unwrap();
        match three_slots().seal(&draft, &container_key) {
            Ok(_) => assert!(enough),
            Err(Error::NoRoom { needed: reported, room }) => {
                assert!(!enough);
                assert_eq!((reported, room), (needed as usize, len as usize));
            }
            Err(e) => panic!("{e}"),
        }
    }
    let draft = Draft::new(&container_key, &Options::new()).unwrap();
    let of_len = |len| three_slots().seal_with_len(&draft, &container_key, len);
    assert_eq!(of_len(1 << 20).unwrap().len(), 1 << 20);
    assert!(matches!(of_len((1 << 20) + 1), Err(Error::NoRoom { .. })));
}

#[test]
fn rejects_another_containers_key() {
    let draft = Draft::new(&key(CONTAINER_KEY), &Options::new().envelope_len(LEN as u32)).unwrap();
    let sealed = three_slots().seal(&draft, &key(RECOVERY_KEY));
    assert!(matches!(sealed, Err(Error::WrongContainerKey)));
}

#[test]
fn rejects_slots_kept_from_another_container() {
    let unlocked = crate::fixtures::open(&envelope(), &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let container_key = key(CONTAINER_KEY);
    let draft = Draft::new(&container_key, &Options::new().envelope_len(LEN as u32)).unwrap();
    let sealed = unlocked.slots().unwrap().seal(&draft, &container_key);
    assert!(matches!(sealed, Err(Error::AnotherContainer)));
}

/// E-5.4: an older copy of the envelope still opens with the secret of a removed slot.
#[test]
fn removing_a_slot_does_not_revoke_its_secret() {
    let before = envelope();
    let unlocked = crate::fixtures::open(&before, &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let mut slots = unlocked.slots().unwrap();
    slots.remove(SlotId(3)).unwrap();
    let after = unlocked.seal(&slots).unwrap();
    let vault_key = key(VAULT_KEY);
    assert!(matches!(
        crate::fixtures::open(&after, &Secret::Key(&vault_key)),
        Err(Error::WrongSecret)
    ));
    assert!(crate::fixtures::open(&before, &Secret::Key(&vault_key)).is_ok());
}

#[test]
fn lists_and_keeps_slots_that_are_too_costly() {
    let head = bulla_testkit::envelope::slot_head(
        2,
        5,
        &[1; 32],
        &bulla_testkit::envelope::cost(9, 1 << 18, 1),
    );
    let costly = [&head[..], &[0; 80]].concat();
    let before = envelope_of(&[slots(LEN)[0].clone(), costly.clone()]);
    let unlocked = crate::fixtures::open(&before, &Secret::Key(&key(RECOVERY_KEY))).unwrap();
    let slots = unlocked.slots().unwrap();
    assert!(matches!(slots.list()[1].kind, SlotKind::TooCostly));
    let after = unlocked.seal(&slots).unwrap();
    assert_eq!(after[64 + 120..64 + 120 + costly.len()], costly);
}

/// A vault client reads the locator from the envelope.
#[test]
fn locator_round_trips_through_an_envelope() {
    let list = Envelope::parse(&envelope()).unwrap().list();
    let SlotKind::Locator(found) = &list[2].kind else { panic!("{list:?}") };
    let copy = Locator::from_bytes(&found.to_bytes()).unwrap();
    assert_eq!(copy.to_bytes(), locator().to_bytes());
}
