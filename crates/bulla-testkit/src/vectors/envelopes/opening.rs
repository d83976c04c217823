//! What opens, and by which slot.

use super::Vector;
use super::case::*;
use crate::envelope::{self, kind, slot_head};

/// Where the usual slots lie.
const SECOND: usize = 64 + 120;
const THIRD: usize = SECOND + 136;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = by_each_kind();
    vectors.extend(passphrases());
    vectors.extend(contexts());
    vectors.extend(refused());
    vectors
}

fn by_each_kind() -> Vec<Vector> {
    let usual = Container::usual();
    let with_unknown = [
        vec![unknown_slot(4, 9), unknown_slot(0x8001, 65535)],
        vec![usual.key_slot(1, &recovery_key())],
    ]
    .concat();
    let two = [usual.key_slot(7, &key_in_vault()), usual.key_slot(4, &recovery_key())];
    let longest_hints = [&[0x80, 0, 3, 252][..], &[b'h'; 1020]].concat();
    let long = usual.envelope(&[usual.locator_slot(1, &key_in_vault(), &longest_hints)], 2000, 1);
    let beside = Container::new("no room", 0, None);
    vec![
        case("by_recovery_key", "E-4.1", "The first slot.").opens(64),
        case("by_passphrase", "E-3.3", "The second slot.").passphrase(PHRASE).opens(SECOND),
        case("by_key_in_vault", "E-3.4", "The third slot, by the key that the vault gave.")
            .key(key_in_vault())
            .opens(THIRD),
        case("second_of_two_keys", "E-4.3", "Ids need not ascend.").slots(&two).opens(64 + 120),
        case("beyond_unknown_slots", "E-3.5", "Two slots of kinds that may come are skipped.")
            .slots(&with_unknown)
            .opens(64 + 120),
        case("locator_without_hints", "E-3.4", "Registration and pepper alone.")
            .slots(&[usual.locator_slot(1, &key_in_vault(), &[])])
            .key(key_in_vault())
            .opens(64),
        case("locator_with_longest_hints", "E-3.4", "One hint, private and of 1020 bytes.")
            .first(long)
            .key(key_in_vault())
            .opens(64),
        case(
            "beside_container_without_room",
            "E-2.2",
            "envelope_len is 0, the envelope was kept in a file.",
        )
        .of(beside)
        .opens(64),
        case("last_revision", "E-5.3", "2^64 - 1.")
            .first(usual.envelope(&usual.usual_slots(), LEN, u64::MAX))
            .opens(64),
        case("reserved_bytes_set", "E-2.1", "By a later writer, under its mac; ignored.")
            .forged(|envelope| {
                envelope[9] = 1;
                envelope[24..32].fill(2);
                envelope[590] = 3;
            })
            .opens(64),
    ]
}

fn passphrases() -> Vec<Vector> {
    let usual = Container::usual();
    let slot = |opaque| vec![usual.passphrase_slot(1, opaque, [1, 8, 1])];
    vec![
        case(
            "passphrase_is_composed",
            "E-3.2",
            "Typed decomposed, with a no-break space and an ohm sign.",
        )
        .slots(&slot("Caf\u{E9} \u{3A9}"))
        .passphrase("Cafe\u{301}\u{A0}\u{2126}")
        .opens(64),
        case("passphrase_keeps_width", "E-3.2", "A wide letter stays wide.")
            .slots(&slot("\u{FF30}\u{E4}\u{DF}"))
            .passphrase("\u{FF30}\u{E4}\u{DF}")
            .opens(64),
        case("passphrase_keeps_spaces", "E-3.2", "Nothing is trimmed.")
            .slots(&slot("  two  spaces "))
            .passphrase("  two  spaces ")
            .opens(64),
        case("passphrase_trimmed", "E-3.2", "So this is another one.")
            .slots(&slot("  two  spaces "))
            .passphrase("two  spaces")
            .fails("wrong_secret"),
        case("passphrase_of_another_case", "E-3.2", "Case is not folded.")
            .passphrase("Correct horse battery staple")
            .fails("wrong_secret"),
        case("recommended_cost", "E-3.3", "3 passes over 64 MiB in 4 lanes.")
            .slots(&[usual.passphrase_slot(1, PHRASE, [3, 1 << 16, 4])])
            .passphrase(PHRASE)
            .opens(64),
        case("many_lanes", "E-3.3", "16 lanes of 8 KiB, the most and the least.")
            .slots(&[usual.passphrase_slot(1, PHRASE, [2, 128, 16])])
            .passphrase(PHRASE)
            .opens(64),
    ]
}

fn contexts() -> Vec<Vector> {
    let with = || Container::new("context", LEN, Some(b"account 7"));
    vec![
        case("with_context", "E-4.3", "The container needs a context.")
            .of(with())
            .context(b"account 7")
            .opens(64),
        case("with_another_context", "E-4.5", "The slot opens and the commitment fails.")
            .of(with())
            .context(b"account 8")
            .fails("another_container"),
        case("without_context", "E-4.3", "Nothing is tried.").of(with()).fails("context_required"),
        case("with_needless_context", "E-4.3", "Nothing is tried.")
            .context(b"account 7")
            .fails("context_unexpected"),
    ]
}

fn refused() -> Vec<Vector> {
    let usual = Container::usual();
    let moved = Container::new("envelope", LEN + 1, None).key_slot(1, &recovery_key());
    let head = slot_head(kind::RECOVERY_KEY, 1, &slot_salt(1), &[]);
    let of_another_key = envelope::slot(&head, &recovery_key(), &usual.bound, &key_in_vault());
    let passphrases = [usual.passphrase_slot(2, PHRASE, [1, 8, 1])];
    vec![
        case("wrong_key", "E-4.3", "The container's key opens no slot.")
            .key(container_key())
            .fails("wrong_secret"),
        case("no_slot_for_keys", "E-4.3", "There is a passphrase only.")
            .slots(&passphrases)
            .fails("no_such_slot"),
        case("no_slot_for_passphrases", "E-4.3", "There is a recovery key only.")
            .slots(&[usual.key_slot(1, &recovery_key())])
            .passphrase(PHRASE)
            .fails("no_such_slot"),
        case("no_slots", "E-2.3", "A slot count of 0.").slots(&[]).fails("no_such_slot"),
        case("envelope_of_another_container", "E-4.3", "Its salt is another one.")
            .for_container(Container::new("another envelope", LEN, None))
            .fails("another_container"),
        case(
            "slot_of_another_container",
            "E-4.4",
            "Same salt, another envelope_len in the header.",
        )
        .slots(&[moved])
        .fails("another_container"),
        case(
            "another_key_in_slot",
            "E-4.5",
            "The slot opens, and what is in it is not the container's key.",
        )
        .slots(&[of_another_key])
        .fails("another_container"),
    ]
}
