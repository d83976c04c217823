//! Envelopes that the library makes: what is in them, and what it refuses to make.

use bulla::{Draft, Options, Preamble};
use bulla_key::{Envelope, Error, Locator, Secret, SlotId, SlotKind, Slots, Unlocked};

use crate::sample::*;

/// Seals a container with these slots.
fn seal(slots: &Slots, len: u32) -> Vec<u8> {
    let container_key = key(KEY);
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
    slots.add_recovery_key(&key(RECOVERY)).unwrap();
    slots.add_passphrase(&phrase(PHRASE), cheap()).unwrap();
    slots.add_locator(&key(IN_VAULT), locator()).unwrap();
    slots
}

/// E-2.1, E-5.3: what is made opens by each slot, and is a first revision.
#[test]
fn round_trip() {
    let container = seal(&three_slots(), Envelope::DEFAULT_LEN);
    assert_eq!(container.len(), 256 + 2 * 16384 + PLAINTEXT.len() + 16);
    for secret in [
        Secret::Key(&key(RECOVERY)),
        Secret::Passphrase(&phrase(PHRASE)),
        Secret::Key(&key(IN_VAULT)),
    ] {
        let unlocked = open(&container, &secret);
        assert!(unlocked.is_intact());
        assert_eq!(unlocked.into_key().expose(), &KEY);
    }
    let preamble = Preamble::read_at(&container).unwrap();
    assert_eq!(Envelope::from_preamble(&preamble).unwrap().0.revision(), 1);
}

/// E-2.1, E-2.4: 64 bytes before the slots, 40 behind them.
#[test]
fn shortest() {
    assert_eq!(Envelope::MIN_LEN, 104);
    let envelope = bulla_testkit::envelope::envelope(&[], 104, 1, &SALT, &exporter(104));
    assert!(Envelope::parse(&envelope).unwrap().list().is_empty());
    assert!(Envelope::parse(&envelope[..103]).is_err());
}

/// E-3.1, E-4.1: two envelopes of one set of slots share no salt, no commitment and no wrapped key.
#[test]
fn fresh_salts() {
    let container_key = key(KEY);
    let draft = Draft::new(&container_key, &Options::new().envelope_len(LEN as u32)).unwrap();
    let slots = three_slots();
    let (a, b) =
        (slots.seal(&draft, &container_key).unwrap(), slots.seal(&draft, &container_key).unwrap());
    // Slot 1 is at 64: frame 8, salt 32, commitment 32, wrapped key 48.
    for part in [72..104, 104..136, 136..184] {
        assert_ne!(a[part.clone()], b[part]);
    }
    assert_eq!(a[64..72], b[64..72]);
}

/// E-3.1, E-3.5, E-5.3: what is kept is kept byte for byte, also what nobody knows; the revision
/// rises by one.
#[test]
fn slots_are_kept_as_they_are() {
    let kept = [slots(LEN), vec![unknown_slot(4, 9)]].concat();
    let before = envelope_of(&kept);
    let unlocked = crate::sample::open(&before, &Secret::Key(&key(RECOVERY))).unwrap();

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
    assert!(crate::sample::open(&after, &Secret::Key(&key([9; 32]))).unwrap().is_intact());
    let gone = crate::sample::open(&after, &Secret::Passphrase(&phrase(PHRASE)));
    assert!(matches!(gone, Err(Error::NoSuchSlot)));
}

/// E-5.2: an envelope that was altered opens, and says so, and nothing of it is carried on.
#[test]
fn altered() {
    for at in [9, 24, 31, 750] {
        let mut envelope = envelope();
        envelope[at] ^= 1;
        bulla_testkit::envelope::write_check(&mut envelope);
        for unlocked in open_with_each(&envelope) {
            let unlocked = unlocked.unwrap();
            assert_eq!(unlocked.key().expose(), &KEY);
            assert!(!unlocked.is_intact());
            assert!(matches!(unlocked.slots(), Err(Error::Altered)));
            // With slots made anew all is well again.
            let mut slots = Slots::new();
            slots.add_recovery_key(&key([9; 32])).unwrap();
            let new = unlocked.seal(&slots).unwrap();
            let unlocked = crate::sample::open(&new, &Secret::Key(&key([9; 32]))).unwrap();
            assert!(unlocked.is_intact());
            assert_eq!(unlocked.slots().unwrap().list().len(), 1);
        }
    }
}

/// E-5.3: the last revision stays the last.
#[test]
fn last_revision() {
    let last = bulla_testkit::envelope::envelope(&slots(LEN), LEN, u64::MAX, &SALT, &exporter(LEN));
    let unlocked = crate::sample::open(&last, &Secret::Key(&key(RECOVERY))).unwrap();
    let new = unlocked.seal(&unlocked.slots().unwrap()).unwrap();
    assert_eq!(Envelope::parse(&new).unwrap().revision(), u64::MAX);
}

/// E-2.2: an envelope beside a container that has no room for one.
#[test]
fn beside_the_container() {
    let container_key = key(KEY);
    let draft = Draft::new(&container_key, &Options::new()).unwrap();
    let beside = three_slots().seal_with_len(&draft, &container_key, 1000).unwrap();
    let container = draft.seal(PLAINTEXT).unwrap();
    let preamble = Preamble::read_at(&container).unwrap();
    assert!(matches!(Envelope::from_preamble(&preamble), Err(Error::NoEnvelope)));
    let unlocked = Envelope::parse(&beside)
        .unwrap()
        .open(&Secret::Passphrase(&phrase(PHRASE)), preamble.header(), None)
        .unwrap();
    assert_eq!(unlocked.key().expose(), &KEY);
    assert_eq!(unlocked.seal(&unlocked.slots().unwrap()).unwrap().len(), 1000);
    assert_eq!(unlocked.seal_with_len(&unlocked.slots().unwrap(), 2000).unwrap().len(), 2000);
}

/// E-2.3: the limits hold for whoever makes an envelope.
#[test]
fn too_many_slots() {
    let mut slots = Slots::new();
    for _ in 0..8 {
        slots.add_passphrase(&phrase(PHRASE), cheap()).unwrap();
    }
    assert!(matches!(slots.add_passphrase(&phrase(PHRASE), cheap()), Err(Error::TooManySlots)));
    for _ in 8..32 {
        slots.add_recovery_key(&key(RECOVERY)).unwrap();
    }
    assert!(matches!(slots.add_recovery_key(&key(RECOVERY)), Err(Error::TooManySlots)));
    assert!(matches!(slots.add_locator(&key(RECOVERY), locator()), Err(Error::TooManySlots)));
    let container = seal(&slots, Envelope::DEFAULT_LEN);
    assert_eq!(open(&container, &Secret::Key(&key(RECOVERY))).opened_by(), SlotId(9));
}

/// Ids are not given out again at once, and never twice.
#[test]
fn ids() {
    let with_ids = |ids: &[u16]| {
        let slot = |id: &u16| {
            let head = bulla_testkit::envelope::slot_head(1, *id, &[1; 32], &[]);
            bulla_testkit::envelope::slot(&head, &RECOVERY, &bound(LEN), &KEY)
        };
        let envelope = envelope_of(&ids.iter().map(slot).collect::<Vec<_>>());
        crate::sample::open(&envelope, &Secret::Key(&key(RECOVERY))).unwrap().slots().unwrap()
    };
    assert_eq!(with_ids(&[7, 3]).add_recovery_key(&key(KEY)).unwrap(), SlotId(8));
    assert_eq!(with_ids(&[1, 2, u16::MAX]).add_recovery_key(&key(KEY)).unwrap(), SlotId(3));
    assert!(matches!(with_ids(&[1]).remove(SlotId(2)), Err(Error::UnknownSlot { id: 2 })));
}

/// E-5.3
#[test]
fn nobody_is_locked_out() {
    let unlocked = crate::sample::open(
        &envelope_of(&[slots(LEN)[0].clone(), unknown_slot(4, 9)]),
        &Secret::Key(&key(RECOVERY)),
    )
    .unwrap();
    let mut slots = unlocked.slots().unwrap();
    slots.remove(SlotId(1)).unwrap();
    assert!(matches!(unlocked.seal(&slots), Err(Error::NoSlots)), "nobody knows what opens slot 9");
    assert!(matches!(unlocked.seal(&Slots::new()), Err(Error::NoSlots)));
}

#[test]
fn no_room() {
    let container_key = key(KEY);
    let needed = 64 + 120 + 136 + (120 + 64 + 17) + 40;
    for (len, fits) in [(0, false), (needed - 1, false), (needed, true)] {
        let draft = Draft::new(&container_key, &Options::new().envelope_len(len)).unwrap();
        match three_slots().seal(&draft, &container_key) {
            Ok(_) => assert!(fits),
            Err(Error::NoRoom { needed: told, room }) => {
                assert!(!fits);
                assert_eq!((told, room), (needed as usize, len as usize));
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
fn not_the_containers_key() {
    let draft = Draft::new(&key(KEY), &Options::new().envelope_len(LEN as u32)).unwrap();
    let sealed = three_slots().seal(&draft, &key(RECOVERY));
    assert!(matches!(sealed, Err(Error::WrongContainerKey)));
}

/// Slots that were kept belong to one container.
#[test]
fn kept_slots_stay_with_their_container() {
    let unlocked = crate::sample::open(&envelope(), &Secret::Key(&key(RECOVERY))).unwrap();
    let container_key = key(KEY);
    let draft = Draft::new(&container_key, &Options::new().envelope_len(LEN as u32)).unwrap();
    let sealed = unlocked.slots().unwrap().seal(&draft, &container_key);
    assert!(matches!(sealed, Err(Error::AnotherContainer)));
}

/// E-5.4: who kept the envelope from before still opens the container with the secret of a slot
/// that was removed. A later release that finds a way to prevent this may change the page.
#[test]
fn removing_is_not_revoking() {
    let before = envelope();
    let unlocked = crate::sample::open(&before, &Secret::Key(&key(RECOVERY))).unwrap();
    let mut slots = unlocked.slots().unwrap();
    slots.remove(SlotId(3)).unwrap();
    let after = unlocked.seal(&slots).unwrap();
    let in_vault = key(IN_VAULT);
    assert!(matches!(
        crate::sample::open(&after, &Secret::Key(&in_vault)),
        Err(Error::WrongSecret)
    ));
    assert!(crate::sample::open(&before, &Secret::Key(&in_vault)).is_ok());
}

/// A cost that is too high is listed as such and kept.
#[test]
fn too_costly_is_kept() {
    let head = bulla_testkit::envelope::slot_head(
        2,
        5,
        &[1; 32],
        &bulla_testkit::envelope::cost(9, 1 << 18, 1),
    );
    let costly = [&head[..], &[0; 80]].concat();
    let before = envelope_of(&[slots(LEN)[0].clone(), costly.clone()]);
    let unlocked = crate::sample::open(&before, &Secret::Key(&key(RECOVERY))).unwrap();
    let slots = unlocked.slots().unwrap();
    assert!(matches!(slots.list()[1].kind, SlotKind::TooCostly));
    let after = unlocked.seal(&slots).unwrap();
    assert_eq!(after[64 + 120..64 + 120 + costly.len()], costly);
}

/// What a vault's client does: its password is no passphrase of a slot.
#[test]
fn locator_moves_from_envelope_to_vault() {
    let list = Envelope::parse(&envelope()).unwrap().list();
    let SlotKind::Locator(found) = &list[2].kind else { panic!("{list:?}") };
    let copy = Locator::from_bytes(&found.to_bytes()).unwrap();
    assert_eq!(copy.to_bytes(), locator().to_bytes());
}
