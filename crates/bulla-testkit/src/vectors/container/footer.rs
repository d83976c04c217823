//! Footers that are damaged or differ from the header, which is authoritative. The plaintext is
//! intact.

use super::model::Vector;
use super::sample::Sample;
use crate::corrupt::{ContainerParts, HeaderCopy, field};
use crate::reference::{ContainerError, HEADER_LEN, HeaderState};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = damaged();
    vectors.extend(different());
    vectors.extend(ignored());
    vectors
}

fn damaged() -> Vec<Vector> {
    let sample = Sample::new("damaged footer", 100);
    let opens = |name, clause, parts: ContainerParts, comment| {
        sample
            .vector(name, clause, comment)
            .container(parts.to_bytes())
            .opens_with(HeaderState::FooterDamaged)
    };
    let flip = |at| sample.parts().flip(HeaderCopy::Footer, at);
    let checked = |at, value: &[u8]| {
        sample.parts().edit(HeaderCopy::Footer, at, value).update_check(HeaderCopy::Footer)
    };
    let mut end_zeroed = sample.container();
    let cut = end_zeroed.len() - HEADER_LEN - 8;
    end_zeroed[cut..].fill(0);
    vec![
        opens(
            "footer_magic_flipped",
            "F-3.6",
            flip(field::MAGIC),
            "One bit in the first byte of the magic is flipped.",
        ),
        opens(
            "footer_salt_flipped",
            "F-3.6",
            flip(field::SALT),
            "One bit in the salt is flipped, so the check fails.",
        ),
        opens(
            "footer_reserved_flipped",
            "F-3.6",
            flip(field::CHECK - 1),
            "The check covers this byte, which is otherwise ignored.",
        ),
        opens(
            "footer_check_flipped",
            "F-3.6",
            flip(field::CHECK),
            "One bit in the check is flipped.",
        ),
        opens(
            "footer_zeroed",
            "F-3.6",
            sample.parts().edit(HeaderCopy::Footer, 0, &[0; HEADER_LEN]),
            "The footer is replaced with 128 zeros.",
        ),
        opens(
            "footer_with_header_magic",
            "F-3.3",
            checked(field::MAGIC, b"\x93"),
            "The footer has the magic of a header and a valid check.",
        ),
        opens(
            "footer_major_2",
            "F-3.3",
            checked(field::MAJOR, &[2]),
            "A copy with a different major version is invalid, even with a valid check.",
        ),
        sample
            .vector(
                "end_zeroed",
                "F-7.4",
                "The footer and 8 bytes of the last chunk are zeros, as after a crash.",
            )
            .container(end_zeroed)
            .fails(ContainerError::Truncated { after: 0 }),
    ]
}

/// Valid footers (F-3.3) whose bytes 8..96 differ from those of the header.
fn different() -> Vec<Vector> {
    let sample = Sample::new("different footer", 100);
    let opens = |name, parts: ContainerParts, comment| {
        sample
            .vector(name, "F-3.6", comment)
            .container(parts.to_bytes())
            .opens_with(HeaderState::Differ)
    };
    let checked = |at, value: &[u8]| {
        sample.parts().edit(HeaderCopy::Footer, at, value).update_check(HeaderCopy::Footer)
    };
    let footer = Sample::new("another footer", 100).parts().footer;
    let of_another_key =
        Sample { key: [7; 32], ..Sample::new("different footer", 100) }.parts().footer;
    vec![
        opens(
            "footer_from_another_container",
            ContainerParts { footer, ..sample.parts() },
            "The footer has the same key and length but a different salt.",
        ),
        opens(
            "footer_from_another_key",
            ContainerParts { footer: of_another_key, ..sample.parts() },
            "The footer has the same salt; only the commitment differs.",
        ),
        opens(
            "footer_minor_1",
            checked(field::MINOR, &[1]),
            "The first byte that is compared but not validated; the check is valid.",
        ),
        opens(
            "footer_commitment_changed",
            checked(field::RESERVED - 1, &[0]),
            "The last byte that is compared; the check is valid.",
        ),
        opens(
            "footer_suite_2",
            checked(field::SUITE, &[0, 2]),
            "F-3.7 applies only to the authoritative copy; the check is valid.",
        ),
    ]
}

/// Changes to bytes 96..120, which are ignored.
fn ignored() -> Vec<Vector> {
    let sample = Sample::new("ignored", 100);
    let opens = |name, at, value: &[u8], comment| {
        let parts =
            sample.parts().edit(HeaderCopy::Footer, at, value).update_check(HeaderCopy::Footer);
        sample.vector(name, "F-3.6", comment).container(parts.to_bytes()).opens()
    };
    vec![
        opens(
            "footer_length_hint_wrong",
            field::CONTAINER_LEN,
            &[0xff; 8],
            "The length is 2^64 - 1, which readers ignore; the check is valid.",
        ),
        opens(
            "footer_reserved_nonzero",
            field::CONTAINER_LEN + 8,
            &[0xa5; 16],
            "Bytes 104..120 are not zero; the check is valid.",
        ),
    ]
}
