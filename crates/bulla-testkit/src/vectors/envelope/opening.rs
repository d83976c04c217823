//! Opening with each kind of slot, and secrets that open nothing.

use super::case::*;
use super::model::Vector;
use crate::envelope::{self, kind, slot_head};

/// Offsets of the default slots.
const SECOND: usize = 64 + 120;
const THIRD: usize = SECOND + 136;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = by_each_kind();
    vectors.extend(passphrases());
    vectors.extend(contexts());
    vectors.extend(failing());
    vectors
}

fn by_each_kind() -> Vec<Vector> {
    let container = Container::default();
    let with_unknown = [
        vec![unknown_slot(4, 9), unknown_slot(0x8001, 65535)],
        vec![container.key_slot(1, &recovery_key())],
    ]
    .concat();
    let two = [container.key_slot(7, &key_in_vault()), container.key_slot(4, &recovery_key())];
    let longest_hints = [&[0x80, 0, 3, 252][..], &[b'h'; 1020]].concat();
    let long =
        container.envelope(&[container.locator_slot(1, &key_in_vault(), &longest_hints)], 2000, 1);
    let beside = Container::new("no room", 0, None);
    vec![
        case("by_recovery_key", "E-4.1", "Opens the first slot.").opens(64),
        case("by_passphrase", "E-3.3", "Opens the second slot.").passphrase(PHRASE).opens(SECOND),
        case(
            "by_key_in_vault",
            "E-3.4",
            "Opens the third slot, with the key that the vault stores.",
        )
        .key(key_in_vault())
        .opens(THIRD),
        case("second_of_two_keys", "E-4.3", "Slot ids need not be in ascending order.")
            .slots(&two)
            .opens(64 + 120),
        case("after_unknown_slots", "E-3.5", "Two slots of unknown kinds are skipped.")
            .slots(&with_unknown)
            .opens(64 + 120),
        case("locator_without_hints", "E-3.4", "The locator has only a registration and a pepper.")
            .slots(&[container.locator_slot(1, &key_in_vault(), &[])])
            .key(key_in_vault())
            .opens(64),
        case(
            "locator_with_longest_hints",
            "E-3.4",
            "There is a single private hint of 1020 bytes.",
        )
        .first(long)
        .key(key_in_vault())
        .opens(64),
        case(
            "container_without_room",
            "E-2.2",
            "envelope_len is 0, and the envelope is in a separate file.",
        )
        .of(beside)
        .opens(64),
        case("revision_maximum", "E-5.3", "The revision is 2^64 - 1.")
            .first(container.envelope(&container.default_slots(), LEN, u64::MAX))
            .opens(64),
        case(
            "reserved_nonzero",
            "E-2.1",
            "Reserved bytes and padding that a later writer set under a valid MAC are ignored.",
        )
        .forged(|envelope| {
            envelope[9] = 1;
            envelope[24..32].fill(2);
            envelope[590] = 3;
        })
        .opens(64),
    ]
}

fn passphrases() -> Vec<Vector> {
    let container = Container::default();
    let slot = |opaque| vec![container.passphrase_slot(1, opaque, [1, 8, 1])];
    vec![
        case(
            "passphrase_is_composed",
            "E-3.2",
            "The passphrase is typed in decomposed form, with a no-break space and an ohm sign.",
        )
        .slots(&slot("Caf\u{E9} \u{3A9}"))
        .passphrase("Cafe\u{301}\u{A0}\u{2126}")
        .opens(64),
        case("passphrase_keeps_width", "E-3.2", "A full-width letter stays full-width.")
            .slots(&slot("\u{FF30}\u{E4}\u{DF}"))
            .passphrase("\u{FF30}\u{E4}\u{DF}")
            .opens(64),
        case("passphrase_keeps_spaces", "E-3.2", "Spaces are not trimmed.")
            .slots(&slot("  two  spaces "))
            .passphrase("  two  spaces ")
            .opens(64),
        case(
            "passphrase_trimmed",
            "E-3.2",
            "Leading and trailing spaces are part of the passphrase.",
        )
        .slots(&slot("  two  spaces "))
        .passphrase("two  spaces")
        .fails("wrong_secret"),
        case("passphrase_case_differs", "E-3.2", "Case is not folded.")
            .passphrase("Correct horse battery staple")
            .fails("wrong_secret"),
        case("recommended_cost", "E-3.3", "The cost is 3 passes over 64 MiB in 4 lanes.")
            .slots(&[container.passphrase_slot(1, PHRASE, [3, 1 << 16, 4])])
            .passphrase(PHRASE)
            .opens(64),
        case(
            "many_lanes",
            "E-3.3",
            "The cost has the maximum of 16 lanes, with the minimum of 8 KiB per lane.",
        )
        .slots(&[container.passphrase_slot(1, PHRASE, [2, 128, 16])])
        .passphrase(PHRASE)
        .opens(64),
    ]
}

fn contexts() -> Vec<Vector> {
    let with = || Container::new("context", LEN, Some(b"account 7"));
    vec![
        case("with_context", "E-4.3", "The container requires a context.")
            .of(with())
            .context(b"account 7")
            .opens(64),
        case(
            "with_another_context",
            "E-4.5",
            "The slot opens, but the container's commitment does not match.",
        )
        .of(with())
        .context(b"account 8")
        .fails("another_container"),
        case("context_missing", "E-4.3", "No slot is tried.").of(with()).fails("context_required"),
        case("context_unexpected", "E-4.3", "No slot is tried.")
            .context(b"account 7")
            .fails("context_unexpected"),
    ]
}

fn failing() -> Vec<Vector> {
    let container = Container::default();
    let moved = Container::new("envelope", LEN + 1, None).key_slot(1, &recovery_key());
    let head = slot_head(kind::RECOVERY_KEY, 1, &slot_salt(1), &[]);
    let of_another_key = envelope::slot(&head, &recovery_key(), &container.bound, &key_in_vault());
    let passphrases = [container.passphrase_slot(2, PHRASE, [1, 8, 1])];
    vec![
        case("wrong_key", "E-4.3", "The container's key does not open any slot.")
            .key(container_key())
            .fails("wrong_secret"),
        case("no_slot_for_keys", "E-4.3", "The envelope has only a passphrase slot.")
            .slots(&passphrases)
            .fails("no_such_slot"),
        case("no_slot_for_passphrases", "E-4.3", "The envelope has only a recovery key slot.")
            .slots(&[container.key_slot(1, &recovery_key())])
            .passphrase(PHRASE)
            .fails("no_such_slot"),
        case("no_slots", "E-2.3", "The slot count is 0.").slots(&[]).fails("no_such_slot"),
        case(
            "envelope_from_another_container",
            "E-4.3",
            "The salt differs from that of the container.",
        )
        .for_container(Container::new("another envelope", LEN, None))
        .fails("another_container"),
        case(
            "slot_from_another_container",
            "E-4.4",
            "The salt is the same, but the header has a different envelope_len.",
        )
        .slots(&[moved])
        .fails("another_container"),
        case(
            "another_key_in_slot",
            "E-4.5",
            "The slot opens, but wraps a different key from the container's.",
        )
        .slots(&[of_another_key])
        .fails("another_container"),
    ]
}
