//! Envelopes that are refused before a secret is used.

use super::Vector;
use super::case::*;
use crate::envelope::cost;

const SECOND: usize = 64 + 120;
const THIRD: usize = SECOND + 136;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = refused();
    vectors.extend(malformed());
    vectors.extend(costly());
    vectors
}

fn refused() -> Vec<Vector> {
    let short = |len| Container::usual().envelope(&[], 104, 1)[..len].to_vec();
    vec![
        case("nothing", "E-2.4", "No bytes at all.").first(Vec::new()).fails("no_envelope"),
        case("zeros", "E-2.4", "Room that was never used.")
            .first(vec![0; LEN])
            .fails("no_envelope"),
        case("another_magic", "E-2.4", "That of a header.")
            .altered(|e| e[0] = 0x93)
            .fails("not_an_envelope"),
        case("short_magic", "E-2.4", "7 bytes.").first(short(7)).fails("not_an_envelope"),
        case("version_0", "E-2.4", "").altered(|e| e[8] = 0).fails("unsupported_version"),
        case("version_2", "E-2.4", "").altered(|e| e[8] = 2).fails("unsupported_version"),
        case("magic_alone", "E-2.4", "8 bytes.").first(short(8)).fails("damaged"),
        case("shorter_than_any", "E-2.4", "103 bytes.").first(short(103)).fails("damaged"),
        case("check_fails", "E-2.4", "One bit of the padding.").damaged(590).fails("damaged"),
        case("one_byte_missing", "E-2.4", "The check is looked for elsewhere.")
            .first({
                let usual = Container::usual();
                usual.envelope(&usual.usual_slots(), LEN, 1)[..LEN - 1].to_vec()
            })
            .fails("damaged"),
    ]
    .into_iter()
    .map(|vector| Vector {
        comment: if vector.comment.is_empty() {
            "The check holds.".to_owned()
        } else {
            vector.comment
        },
        ..vector
    })
    .collect()
}

fn malformed() -> Vec<Vector> {
    let malformed = |name, clause, comment, at: usize, bytes: &'static [u8]| {
        case(name, clause, comment)
            .forged(|e| e[at..at + bytes.len()].copy_from_slice(bytes))
            .fails("malformed")
    };
    let usual = Container::usual();
    let nine: Vec<_> = (1..=9).map(|id| usual.passphrase_slot(id, PHRASE, [1, 8, 1])).collect();
    let many: Vec<_> = (1..=33).map(|id| unknown_slot(9, id)).collect();
    let twice = [&[0, 1, 0, 0][..], &[0, 1, 0, 0]].concat();
    let falling = [&[0, 2, 0, 0][..], &[0, 1, 0, 0]].concat();
    let too_long = [&[0, 1, 3, 253][..], &[b'h'; 1021]].concat();
    let locator = |name, comment, hints: &[u8]| {
        let envelope = usual.envelope(&[usual.locator_slot(1, &key_in_vault(), hints)], 2000, 1);
        case(name, "E-3.4", comment).first(envelope).key(key_in_vault()).fails("malformed")
    };
    vec![
        malformed("length_too_small", "E-2.5", "One less.", 12, &[0, 0, 2, 127]),
        malformed("length_too_large", "E-2.5", "One more.", 12, &[0, 0, 2, 129]),
        malformed("slot_count_too_large", "E-2.5", "The fourth frame is padding.", 11, &[4]),
        malformed("slot_without_frame", "E-2.5", "A slot of 7 bytes.", SECOND + 4, &[0, 0, 0, 7]),
        malformed("slot_of_no_bytes", "E-2.5", "A slot of no bytes.", SECOND + 4, &[0, 0, 0, 0]),
        malformed(
            "slot_reaches_into_mac",
            "E-2.5",
            "It ends behind E - 40.",
            THIRD + 4,
            &[0, 0, 1, 25],
        ),
        malformed(
            "slot_reaches_beyond_all",
            "E-2.5",
            "2^32 - 1 bytes.",
            THIRD + 4,
            &[255, 255, 255, 255],
        ),
        malformed("id_0", "E-2.3", "The second slot's.", SECOND + 2, &[0, 0]),
        malformed(
            "id_twice",
            "E-2.3",
            "The second slot's is the first one's.",
            SECOND + 2,
            &[0, 1],
        ),
        malformed("recovery_key_with_parameters", "E-2.5", "A locator's bytes.", THIRD, &[0, 1]),
        malformed("passphrase_with_more_parameters", "E-2.5", "A locator's bytes.", THIRD, &[0, 2]),
        malformed("locator_too_short", "E-2.5", "A recovery key's bytes.", 64, &[0, 3]),
        case("nine_passphrases", "E-2.3", "8 is the limit.")
            .first(usual.envelope(&nine, 2000, 1))
            .fails("malformed"),
        case("33_slots", "E-2.3", "32 is the limit.")
            .first(usual.envelope(&many, 3000, 1))
            .fails("malformed"),
        locator("hint_twice", "Tag 1, twice.", &twice),
        locator("hints_fall", "Tag 2, then 1.", &falling),
        locator("hint_cut", "It says 1 byte, and none follows.", &[0, 1, 0, 1]),
        locator("hint_head_cut", "3 bytes.", &[0, 1, 0]),
        locator("hints_too_long", "1025 bytes.", &too_long),
    ]
}

fn costly() -> Vec<Vector> {
    let costly = |name, comment, [passes, memory, lanes]: [u32; 3]| {
        case(name, "E-3.3", comment)
            .forged(|e| e[SECOND + 40..SECOND + 56].copy_from_slice(&cost(passes, memory, lanes)))
            .passphrase(PHRASE)
    };
    vec![
        costly("too_much_memory", "2^18 KiB and one more.", [1, (1 << 18) + 1, 1])
            .fails("too_costly"),
        costly("too_much_work", "5 passes over 2^18 KiB.", [5, 1 << 18, 1]).fails("too_costly"),
        costly("too_many_lanes", "17.", [1, 1 << 10, 17]).fails("too_costly"),
        costly("too_little_memory", "127 KiB for 16 lanes.", [1, 127, 16]).fails("too_costly"),
        costly("no_passes", "0.", [0, 64, 1]).fails("too_costly"),
        costly("no_lanes", "0.", [1, 64, 0]).fails("too_costly"),
        costly("everything_at_most", "2^32 - 1 of each.", [u32::MAX; 3]).fails("too_costly"),
        costly("costly_slot_is_skipped", "The recovery key opens all the same.", [u32::MAX; 3])
            .key(recovery_key())
            .opens(64),
        case("another_algorithm", "E-3.5", "Number 2, as good as an unknown kind.")
            .forged(|e| e[SECOND + 40] = 2)
            .passphrase(PHRASE)
            .fails("no_such_slot"),
        case("another_form_of_passphrase", "E-3.5", "Number 2, as good as an unknown kind.")
            .forged(|e| e[SECOND + 41] = 2)
            .passphrase(PHRASE)
            .fails("no_such_slot"),
    ]
}
