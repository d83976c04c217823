//! Two copies, one of which is authoritative.

use super::case::*;
use super::model::Vector;
use crate::envelope::{complete, write_check};

pub(super) fn vectors() -> Vec<Vector> {
    let container = Container::default();
    let revision = |revision| container.envelope(&container.default_slots(), LEN, revision);
    let damaged = |number| {
        let mut envelope = revision(number);
        envelope[100] ^= 1;
        envelope
    };
    let torn = || [&revision(4)[..300], &revision(3)[300..]].concat();
    let two =
        |name, comment, first, second| case(name, "E-2.6", comment).first(first).second(second);
    let mut padded = revision(4);
    padded[590] = 1;
    complete(&mut padded, &container.exporter);
    let mut malformed = revision(5);
    malformed[11] = 99;
    write_check(&mut malformed);
    let without_passphrase = container.envelope(&container.default_slots()[..1], LEN, 5);
    vec![
        two("copies_intact", "Both copies have the same bytes.", revision(4), revision(4))
            .opens_with(64, "intact", true),
        two(
            "second_newer",
            "The update was interrupted after the second copy.",
            revision(3),
            revision(4),
        )
        .opens_with(64, "differ", true),
        two(
            "first_newer",
            "The second copy was replaced with an older one.",
            revision(4),
            revision(3),
        )
        .opens_with(64, "differ", true),
        two(
            "revision_big_endian",
            "Revision 256 is higher than 255.",
            revision(255),
            revision(256),
        )
        .opens_with(64, "differ", true),
        two(
            "revisions_equal",
            "The copies have the same revision but different bytes.",
            revision(4),
            padded.clone(),
        )
        .opens_with(64, "differ", true),
        two(
            "first_torn",
            "The end of the first copy is from the previous revision.",
            torn(),
            revision(4),
        )
        .opens_with(64, "first_damaged", true),
        two(
            "second_torn",
            "The end of the second copy is from the previous revision.",
            revision(3),
            torn(),
        )
        .opens_with(64, "second_damaged", true),
        two("first_blank", "The first copy is all zeros.", vec![0; LEN], revision(4)).opens_with(
            64,
            "first_damaged",
            true,
        ),
        two("both_flipped", "Neither check is valid.", damaged(3), damaged(4)).fails("damaged"),
        two(
            "first_blank_and_second_flipped",
            "The error of the copy that is not blank is reported.",
            vec![0; LEN],
            damaged(4),
        )
        .fails("damaged"),
        two("both_blank", "Both copies are all zeros.", vec![0; LEN], vec![0; LEN])
            .fails("no_envelope"),
        two(
            "newer_malformed",
            "The check is valid, so the newer copy is authoritative.",
            revision(4),
            malformed,
        )
        .fails("malformed"),
        two(
            "newer_without_slot",
            "The newer copy has no passphrase slot; the older one is not used.",
            revision(4),
            without_passphrase,
        )
        .passphrase(PHRASE)
        .fails("no_such_slot"),
    ]
}
