//! The footer: damaged, from elsewhere, or different; the header counts and the plaintext is whole.

use super::Vector;
use super::sample::Sample;
use crate::malform::{Parts, Place, field};
use crate::reference::{Fault, HEADER_LEN, HeaderState};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = damaged();
    vectors.extend(different());
    vectors.extend(ignored());
    vectors
}

fn damaged() -> Vec<Vector> {
    let sample = Sample::new("damaged footer", 100);
    let opens = |name, clause, parts: Parts, comment| {
        sample
            .vector(name, clause, comment)
            .container(parts.join())
            .opens_with(HeaderState::FooterDamaged)
    };
    let flip = |at| sample.parts().flip(Place::Footer, at);
    let checked = |at, value: &[u8]| {
        sample.parts().edit(Place::Footer, at, value).remake_check(Place::Footer)
    };
    let mut end_zeroed = sample.container();
    let cut = end_zeroed.len() - HEADER_LEN - 8;
    end_zeroed[cut..].fill(0);
    vec![
        opens("footer_magic_flipped", "F-3.6", flip(field::MAGIC), "The first byte of the magic."),
        opens("footer_salt_flipped", "F-3.6", flip(field::SALT), "One bit; the check fails."),
        opens(
            "footer_reserved_flipped",
            "F-3.6",
            flip(field::CHECK - 1),
            "An ignored byte, but the check covers it.",
        ),
        opens("footer_check_flipped", "F-3.6", flip(field::CHECK), "One bit of the check."),
        opens(
            "footer_zeroed",
            "F-3.6",
            sample.parts().edit(Place::Footer, 0, &[0; HEADER_LEN]),
            "128 zeros.",
        ),
        opens(
            "footer_with_header_magic",
            "F-3.3",
            checked(field::MAGIC, b"\x93"),
            "The magic is the header's; the check holds.",
        ),
        opens(
            "footer_major_2",
            "F-3.3",
            checked(field::MAJOR, &[2]),
            "Another major makes a copy invalid; the check holds.",
        ),
        sample
            .vector(
                "end_zeroed",
                "F-7.4",
                "The last chunk's last 8 bytes and the footer are zeros, as after a crash.",
            )
            .container(end_zeroed)
            .fails(Fault::Truncated { after: 0 }),
    ]
}

/// Valid by F-3.3, but bytes 8..96 are not the header's.
fn different() -> Vec<Vector> {
    let sample = Sample::new("different footer", 100);
    let opens = |name, parts: Parts, comment| {
        sample
            .vector(name, "F-3.6", comment)
            .container(parts.join())
            .opens_with(HeaderState::Differ)
    };
    let checked = |at, value: &[u8]| {
        sample.parts().edit(Place::Footer, at, value).remake_check(Place::Footer)
    };
    let footer = Sample::new("another footer", 100).parts().footer;
    let of_another_key =
        Sample { key: [7; 32], ..Sample::new("different footer", 100) }.parts().footer;
    vec![
        opens(
            "footer_from_another_container",
            Parts { footer, ..sample.parts() },
            "Of the same key and length, another salt.",
        ),
        opens(
            "footer_from_another_key",
            Parts { footer: of_another_key, ..sample.parts() },
            "Of the same salt; only the commitment differs.",
        ),
        opens(
            "footer_minor_1",
            checked(field::MINOR, &[1]),
            "The first byte that is compared and not judged; the check holds.",
        ),
        opens(
            "footer_commitment_changed",
            checked(field::RESERVED - 1, &[0]),
            "The last byte that is compared; the check holds.",
        ),
        opens(
            "footer_suite_2",
            checked(field::SUITE, &[0, 2]),
            "Only the copy that counts is judged by F-3.7; the check holds.",
        ),
    ]
}

/// Bytes 96..120 are compared with nothing.
fn ignored() -> Vec<Vector> {
    let sample = Sample::new("ignored", 100);
    let opens = |name, at, value: &[u8], comment| {
        let parts = sample.parts().edit(Place::Footer, at, value).remake_check(Place::Footer);
        sample.vector(name, "F-3.6", comment).container(parts.join()).opens()
    };
    vec![
        opens(
            "footer_length_hint_wrong",
            field::CONTAINER_LEN,
            &[0xff; 8],
            "2^64 - 1; the hint is for people, the check holds.",
        ),
        opens(
            "footer_reserved_nonzero",
            field::CONTAINER_LEN + 8,
            &[0xa5; 16],
            "Bytes 104..120; the check holds.",
        ),
    ]
}
