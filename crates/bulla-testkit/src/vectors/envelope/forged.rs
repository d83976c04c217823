//! Envelopes changed by an attacker who can compute a check but not a MAC.

use super::case::*;
use super::model::Vector;
use crate::envelope::{TAIL_LEN, write_check};

const SECOND: usize = 64 + 120;

pub(super) fn vectors() -> Vec<Vector> {
    let container = Container::default();
    let altered =
        |name, clause, comment, at: usize| case(name, clause, comment).altered(|e| e[at] ^= 1);
    let warned =
        |name, comment, at| altered(name, "E-5.2", comment, at).opens_with(64, "single", false);
    let three = container.default_slots();
    // An attacker without the container's key adds a slot that wraps another key.
    let head = crate::envelope::slot_head(1, 4, &slot_salt(4), &[]);
    let planted = crate::envelope::slot(&head, &key_in_vault(), &container.bound, &[0xBA; 32]);
    let with_planted = |slots: Vec<Vec<u8>>| {
        let mut envelope = container.envelope(&slots, LEN, 2);
        envelope[LEN - TAIL_LEN] ^= 1;
        write_check(&mut envelope);
        envelope
    };
    vec![
        warned(
            "revision_altered",
            "The MAC is invalid, but the envelope opens with a warning.",
            23,
        ),
        warned("reserved_altered", "The MAC covers the reserved bytes.", 24),
        warned("padding_altered", "The MAC covers the padding.", 590),
        warned("mac_altered", "One bit in the MAC is flipped.", LEN - TAIL_LEN),
        warned("other_slot_altered", "The commitment of slot 2 is changed.", SECOND + 60),
        case("slot_removed", "E-5.2", "The slot count is reduced by one.")
            .altered(|e| e[11] = 2)
            .opens_with(64, "single", false),
        altered("salt_altered", "E-4.3", "The salt is that of another container.", 40)
            .fails("another_container"),
        altered("slot_salt_altered", "E-4.2", "The commitment does not match.", 72)
            .fails("wrong_secret"),
        altered("slot_id_altered", "E-4.2", "The commitment binds the head of the slot.", 66)
            .fails("wrong_secret"),
        altered("commitment_altered", "E-4.2", "The commitment matches no secret.", 104)
            .fails("wrong_secret"),
        altered(
            "wrapped_key_altered",
            "E-4.4",
            "The commitment matches, but the tag does not.",
            136,
        )
        .fails("another_container"),
        altered("slot_tag_altered", "E-4.4", "The commitment matches, but the tag does not.", 183)
            .fails("another_container"),
        case("cost_lowered", "E-4.2", "The commitment binds the parameters.")
            .altered(|e| e[SECOND + 51] = 8)
            .passphrase(PHRASE)
            .fails("wrong_secret"),
        case("slot_planted", "E-5.2", "The recovery key still opens its slot.")
            .first(with_planted([three[..2].to_vec(), vec![planted.clone()]].concat()))
            .opens_with(64, "single", false),
        case(
            "planted_slot_used",
            "E-4.5",
            "The planted slot wraps a different key from the container's.",
        )
        .first(with_planted([three[..2].to_vec(), vec![planted]].concat()))
        .key(key_in_vault())
        .fails("another_container"),
    ]
}
