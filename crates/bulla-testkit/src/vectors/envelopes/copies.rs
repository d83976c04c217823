//! Two copies, and which of them counts.

use super::Vector;
use super::case::*;
use crate::envelope::{complete, write_check};

pub(super) fn vectors() -> Vec<Vector> {
    let usual = Container::usual();
    let revision = |revision| usual.envelope(&usual.usual_slots(), LEN, revision);
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
    complete(&mut padded, &usual.exporter);
    let mut malformed = revision(5);
    malformed[11] = 99;
    write_check(&mut malformed);
    let without_passphrase = usual.envelope(&usual.usual_slots()[..1], LEN, 5);
    vec![
        two("copies_intact", "The same bytes.", revision(4), revision(4))
            .opens_with(64, "intact", true),
        two("second_newer", "A rewriting was interrupted.", revision(3), revision(4))
            .opens_with(64, "differ", true),
        two("first_newer", "Somebody put an older copy there.", revision(4), revision(3))
            .opens_with(64, "differ", true),
        two("revisions_are_big_endian", "256 is more than 255.", revision(255), revision(256))
            .opens_with(64, "differ", true),
        two("first_of_equals", "One revision, other bytes.", revision(4), padded.clone())
            .opens_with(64, "differ", true),
        two("first_torn", "The end of it is of the revision before.", torn(), revision(4))
            .opens_with(64, "first_damaged", true),
        two("second_torn", "The end of it is of the revision before.", revision(3), torn())
            .opens_with(64, "second_damaged", true),
        two("first_blank", "Zeros.", vec![0; LEN], revision(4)).opens_with(
            64,
            "first_damaged",
            true,
        ),
        two("both_damaged", "Neither check holds.", damaged(3), damaged(4)).fails("damaged"),
        two(
            "blank_and_damaged",
            "The error is that of the copy that is not blank.",
            vec![0; LEN],
            damaged(4),
        )
        .fails("damaged"),
        two("both_blank", "Zeros.", vec![0; LEN], vec![0; LEN]).fails("no_envelope"),
        two("newer_is_malformed", "The check holds, so it counts.", revision(4), malformed)
            .fails("malformed"),
        two(
            "the_other_would_open",
            "The newer one has no slot for a passphrase, so none opens.",
            revision(4),
            without_passphrase,
        )
        .passphrase(PHRASE)
        .fails("no_such_slot"),
    ]
}
