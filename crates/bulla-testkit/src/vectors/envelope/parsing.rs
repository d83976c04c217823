//! Envelopes that are rejected before a secret is used, and costs out of range.

use super::case::*;
use super::model::Vector;
use crate::envelope::cost;

/// Offsets of the default slots.
const SECOND: usize = 64 + 120;
const THIRD: usize = SECOND + 136;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = invalid();
    vectors.extend(malformed());
    vectors.extend(costly());
    vectors
}

fn invalid() -> Vec<Vector> {
    let short = |len| Container::default().envelope(&[], 104, 1)[..len].to_vec();
    vec![
        case("empty", "E-2.4", "The envelope has no bytes.").first(Vec::new()).fails("no_envelope"),
        case("zeros", "E-2.4", "The reserved space was never used.")
            .first(vec![0; LEN])
            .fails("no_envelope"),
        case("magic_of_header", "E-2.4", "The magic is that of a header.")
            .altered(|e| e[0] = 0x93)
            .fails("not_an_envelope"),
        case("magic_truncated", "E-2.4", "Only the first 7 bytes are left.")
            .first(short(7))
            .fails("not_an_envelope"),
        case("version_0", "E-2.4", "The version is 0; the check is valid.")
            .altered(|e| e[8] = 0)
            .fails("unsupported_version"),
        case("version_2", "E-2.4", "The version is 2; the check is valid.")
            .altered(|e| e[8] = 2)
            .fails("unsupported_version"),
        case("magic_alone", "E-2.4", "Only the magic is left.").first(short(8)).fails("damaged"),
        case(
            "truncated_to_103_bytes",
            "E-2.4",
            "The envelope is one byte shorter than the minimum.",
        )
        .first(short(103))
        .fails("damaged"),
        case("padding_flipped", "E-2.4", "One bit in the padding is flipped, so the check fails.")
            .damaged(590)
            .fails("damaged"),
        case("truncated_by_1_byte", "E-2.4", "The check is not where it should be.")
            .first({
                let container = Container::default();
                container.envelope(&container.default_slots(), LEN, 1)[..LEN - 1].to_vec()
            })
            .fails("damaged"),
    ]
}

fn malformed() -> Vec<Vector> {
    let malformed = |name, clause, comment, at: usize, bytes: &'static [u8]| {
        case(name, clause, comment)
            .forged(|e| e[at..at + bytes.len()].copy_from_slice(bytes))
            .fails("malformed")
    };
    let container = Container::default();
    let nine: Vec<_> = (1..=9).map(|id| container.passphrase_slot(id, PHRASE, [1, 8, 1])).collect();
    let many: Vec<_> = (1..=33).map(|id| unknown_slot(9, id)).collect();
    let twice = [&[0, 1, 0, 0][..], &[0, 1, 0, 0]].concat();
    let falling = [&[0, 2, 0, 0][..], &[0, 1, 0, 0]].concat();
    let too_long = [&[0, 1, 3, 253][..], &[b'h'; 1021]].concat();
    let locator = |name, comment, hints: &[u8]| {
        let envelope =
            container.envelope(&[container.locator_slot(1, &key_in_vault(), hints)], 2000, 1);
        case(name, "E-3.4", comment).first(envelope).key(key_in_vault()).fails("malformed")
    };
    vec![
        malformed(
            "length_minus_1",
            "E-2.5",
            "The length is one less than the envelope's actual length.",
            12,
            &[0, 0, 2, 127],
        ),
        malformed(
            "length_plus_1",
            "E-2.5",
            "The length is one more than the envelope's actual length.",
            12,
            &[0, 0, 2, 129],
        ),
        malformed("slot_count_plus_1", "E-2.5", "The fourth slot would be padding.", 11, &[4]),
        malformed(
            "slot_length_7",
            "E-2.5",
            "The length is less than that of a slot's frame.",
            SECOND + 4,
            &[0, 0, 0, 7],
        ),
        malformed("slot_length_0", "E-2.5", "The slot has no bytes.", SECOND + 4, &[0, 0, 0, 0]),
        malformed(
            "slot_overlaps_mac",
            "E-2.5",
            "The last slot ends after E - 40.",
            THIRD + 4,
            &[0, 0, 1, 25],
        ),
        malformed(
            "slot_length_maximum",
            "E-2.5",
            "The length is 2^32 - 1.",
            THIRD + 4,
            &[255, 255, 255, 255],
        ),
        malformed("slot_id_0", "E-2.3", "The second slot has id 0.", SECOND + 2, &[0, 0]),
        malformed(
            "slot_id_twice",
            "E-2.3",
            "The second slot has the id of the first.",
            SECOND + 2,
            &[0, 1],
        ),
        malformed(
            "recovery_key_with_parameters",
            "E-2.5",
            "The rest of the slot is that of a locator.",
            THIRD,
            &[0, 1],
        ),
        malformed(
            "passphrase_with_more_parameters",
            "E-2.5",
            "The rest of the slot is that of a locator.",
            THIRD,
            &[0, 2],
        ),
        malformed(
            "locator_too_short",
            "E-2.5",
            "The rest of the slot is that of a recovery key.",
            64,
            &[0, 3],
        ),
        case("passphrase_slots_9", "E-2.3", "The maximum is 8.")
            .first(container.envelope(&nine, 2000, 1))
            .fails("malformed"),
        case("slots_33", "E-2.3", "The maximum is 32.")
            .first(container.envelope(&many, 3000, 1))
            .fails("malformed"),
        locator("hint_twice", "Tag 1 occurs twice.", &twice),
        locator("hints_descending", "Tag 2 precedes tag 1.", &falling),
        locator("hint_truncated", "The length is 1, but no bytes follow.", &[0, 1, 0, 1]),
        locator("hint_head_truncated", "Three bytes of a four-byte hint head.", &[0, 1, 0]),
        locator("hints_too_long", "The hints have 1025 bytes.", &too_long),
    ]
}

fn costly() -> Vec<Vector> {
    let costly = |name, comment, [passes, memory, lanes]: [u32; 3]| {
        case(name, "E-3.3", comment)
            .forged(|e| e[SECOND + 40..SECOND + 56].copy_from_slice(&cost(passes, memory, lanes)))
            .passphrase(PHRASE)
    };
    vec![
        costly("cost_memory_too_large", "2^18 + 1 KiB.", [1, (1 << 18) + 1, 1]).fails("too_costly"),
        costly("cost_work_too_large", "The cost is 5 passes over 2^18 KiB.", [5, 1 << 18, 1])
            .fails("too_costly"),
        costly("cost_lanes_17", "The maximum is 16.", [1, 1 << 10, 17]).fails("too_costly"),
        costly("cost_memory_too_small", "The cost is 127 KiB for 16 lanes.", [1, 127, 16])
            .fails("too_costly"),
        costly("cost_passes_0", "The minimum is 1.", [0, 64, 1]).fails("too_costly"),
        costly("cost_lanes_0", "The minimum is 1.", [1, 64, 0]).fails("too_costly"),
        costly("cost_maximum", "Every parameter is 2^32 - 1.", [u32::MAX; 3]).fails("too_costly"),
        costly("cost_maximum_skipped", "The recovery key opens another slot.", [u32::MAX; 3])
            .key(recovery_key())
            .opens(64),
        case(
            "passphrase_algorithm_2",
            "E-3.5",
            "An unknown algorithm is treated as an unknown kind.",
        )
        .forged(|e| e[SECOND + 40] = 2)
        .passphrase(PHRASE)
        .fails("no_such_slot"),
        case(
            "passphrase_form_2",
            "E-3.5",
            "An unknown passphrase form is treated as an unknown kind.",
        )
        .forged(|e| e[SECOND + 41] = 2)
        .passphrase(PHRASE)
        .fails("no_such_slot"),
    ]
}
