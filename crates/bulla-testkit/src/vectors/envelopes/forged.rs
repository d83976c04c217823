//! Envelopes that somebody changed who can make a check hold, but not a mac.

use super::Vector;
use super::case::*;
use crate::envelope::{TAIL_LEN, write_check};

const SECOND: usize = 64 + 120;

pub(super) fn vectors() -> Vec<Vector> {
    let usual = Container::usual();
    let altered =
        |name, clause, comment, at: usize| case(name, clause, comment).altered(|e| e[at] ^= 1);
    let warned =
        |name, comment, at| altered(name, "E-5.2", comment, at).opens_with(64, "single", false);
    let three = usual.usual_slots();
    // Somebody without the container's key adds a slot of its own, which wraps another key.
    let head = crate::envelope::slot_head(1, 4, &slot_salt(4), &[]);
    let planted = crate::envelope::slot(&head, &key_in_vault(), &usual.bound, &[0xBA; 32]);
    let with_planted = |slots: Vec<Vec<u8>>| {
        let mut envelope = usual.envelope(&slots, LEN, 2);
        envelope[LEN - TAIL_LEN] ^= 1;
        write_check(&mut envelope);
        envelope
    };
    vec![
        warned("revision_altered", "The mac fails; it opens with a warning.", 23),
        warned("reserved_altered", "The mac covers it.", 24),
        warned("padding_altered", "The mac covers it.", 590),
        warned("mac_altered", "", LEN - TAIL_LEN),
        warned("other_slot_altered", "The commitment of slot 2.", SECOND + 60),
        case("slot_removed", "E-5.2", "The count is one less.")
            .altered(|e| e[11] = 2)
            .opens_with(64, "single", false),
        altered("salt_altered", "E-4.3", "It says that it is another container's.", 40)
            .fails("another_container"),
        altered("slot_salt_altered", "E-4.2", "The commitment is another one.", 72)
            .fails("wrong_secret"),
        altered(
            "slot_id_altered",
            "E-4.2",
            "The head is bound, so the commitment is another one.",
            66,
        )
        .fails("wrong_secret"),
        altered("commitment_altered", "E-4.2", "It fits nobody.", 104).fails("wrong_secret"),
        altered("wrapped_key_altered", "E-4.4", "The commitment holds, the tag does not.", 136)
            .fails("another_container"),
        altered("slot_tag_altered", "E-4.4", "The commitment holds, the tag does not.", 183)
            .fails("another_container"),
        case(
            "cost_lowered",
            "E-4.2",
            "The parameters are bound, so the commitment is another one.",
        )
        .altered(|e| e[SECOND + 51] = 8)
        .passphrase(PHRASE)
        .fails("wrong_secret"),
        case("slot_planted", "E-5.2", "It does not keep the recovery key from opening.")
            .first(with_planted([three[..2].to_vec(), vec![planted.clone()]].concat()))
            .opens_with(64, "single", false),
        case("planted_slot_used", "E-4.5", "What it wraps is not the container's key.")
            .first(with_planted([three[..2].to_vec(), vec![planted]].concat()))
            .key(key_in_vault())
            .fails("another_container"),
    ]
    .into_iter()
    .map(|vector: Vector| Vector {
        comment: if vector.comment.is_empty() {
            "One bit of it.".to_owned()
        } else {
            vector.comment
        },
        ..vector
    })
    .collect()
}
