//! The header: what is refused by name, what is damaged, and what the footer saves.

use super::label::bytes32;
use super::sample::{Expected, Sample};
use super::{Vector, bytes};
use crate::malform::{self, Parts, Place, field};
use crate::reference::{Fault, HEADER_LEN, HeaderState};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = not_ours();
    vectors.extend(refused_by_name());
    vectors.extend(damaged());
    vectors.extend(recovered());
    vectors.extend(no_room_for_both());
    vectors.extend(exchanged());
    vectors.extend(shifted());
    vectors
}

fn not_ours() -> Vec<Vector> {
    let sample = Sample::new("not ours", 100);
    let input = |name, input: &[u8], comment| {
        sample.vector(name, "F-3.5", comment).container(input.to_vec()).fails(Fault::NotAContainer)
    };
    let footer_first =
        sample.parts().edit(Place::Header, field::MAGIC, b"\x94").remake_check(Place::Header);
    vec![
        input("input_empty", b"", "No bytes at all."),
        input("input_7_bytes", b"\x93BULLA\r", "The magic without its last byte."),
        input(
            "input_127_bytes_of_something_else",
            &bytes("something else", 127),
            "Too short, and another magic.",
        ),
        input(
            "input_something_else",
            &bytes("something else", 300),
            "As long as a container, but another magic.",
        ),
        sample
            .vector(
                "header_with_footer_magic",
                "F-3.3",
                "The header begins as a footer does; its check holds.",
            )
            .container(footer_first.join())
            .outcomes(
                Expected::Fails(Fault::NotAContainer),
                Expected::Opens(HeaderState::HeaderDamaged),
            ),
    ]
}

fn refused_by_name() -> Vec<Vector> {
    let sample = Sample::new("refused by name", 100);
    let major = |name, major, comment| {
        let container = sample.resealed(field::MAJOR, &[major]);
        sample
            .vector(name, "F-3.5", comment)
            .container(container)
            .fails(Fault::UnsupportedVersion { major })
    };
    let suite = |name, suite: u16, comment| {
        let container = sample.resealed(field::SUITE, &suite.to_be_bytes());
        sample
            .vector(name, "F-3.7", comment)
            .container(container)
            .fails(Fault::UnsupportedSuite { suite })
    };
    let flags = |name, flags: u16, comment| {
        let container = sample.resealed(field::FLAGS, &flags.to_be_bytes());
        sample.vector(name, "F-3.7", comment).container(container).fails(Fault::UnsupportedFeature)
    };
    vec![
        major("major_0", 0, "In both copies, whose checks hold; sealed so."),
        major("major_2", 2, "In both copies, whose checks hold; sealed so."),
        major("major_255", 255, "In both copies, whose checks hold; sealed so."),
        suite("suite_0", 0, "In both copies; sealed so."),
        suite("suite_2", 2, "In both copies; sealed so."),
        suite("suite_256", 256, "1 in the wrong byte order, in both copies; sealed so."),
        flags(
            "critical_flag_1",
            1 << 1,
            "The first flag without a meaning, in both copies; sealed so.",
        ),
        flags("critical_flag_15", 1 << 15, "The last flag, in both copies; sealed so."),
    ]
}

fn damaged() -> Vec<Vector> {
    let sample = Sample::new("damaged", 100);
    let flipped = |name, at, fault, comment| {
        let container = sample.parts().flip(Place::Header, at).join();
        let draft = sample.vector(name, "F-3.4", comment).container(container);
        draft.outcomes(Expected::Fails(fault), Expected::Opens(HeaderState::HeaderDamaged))
    };
    let checked = |at, value: &[u8]| {
        sample.parts().edit(Place::Header, at, value).remake_check(Place::Header).join()
    };
    let reserved = sample
        .parts()
        .edit(Place::Header, field::RESERVED, &[0xa5; 24])
        .remake_check(Place::Header);
    let both = |name, at, fault, comment| {
        sample
            .vector(name, "F-3.5", comment)
            .container(sample.parts().flip(Place::Both, at).join())
            .fails(fault)
    };
    vec![
        flipped(
            "header_magic_first_flipped",
            field::MAGIC,
            Fault::NotAContainer,
            "Byte 0; the footer is whole.",
        ),
        flipped(
            "header_magic_last_flipped",
            7,
            Fault::NotAContainer,
            "Byte 7; the footer is whole.",
        ),
        flipped(
            "header_major_flipped",
            field::MAJOR,
            Fault::UnsupportedVersion { major: 0 },
            "1 became 0; the footer is whole.",
        ),
        flipped(
            "header_suite_flipped",
            field::SUITE,
            Fault::DamagedHeader,
            "The check comes before the suite; the footer is whole.",
        ),
        flipped(
            "header_chunk_log2_flipped",
            field::CHUNK_LOG2,
            Fault::DamagedHeader,
            "12 became 13; the footer is whole.",
        ),
        flipped("header_salt_flipped", field::SALT, Fault::DamagedHeader, "The footer is whole."),
        flipped(
            "header_commitment_flipped",
            field::COMMITMENT,
            Fault::DamagedHeader,
            "The footer is whole.",
        ),
        flipped(
            "header_reserved_flipped",
            field::RESERVED,
            Fault::DamagedHeader,
            "Ignored bytes, but the check covers them.",
        ),
        flipped("header_check_flipped", field::CHECK, Fault::DamagedHeader, "The footer is whole."),
        sample
            .vector(
                "header_major_2",
                "F-3.3",
                "Another major makes a copy invalid; the check holds.",
            )
            .container(checked(field::MAJOR, &[2]))
            .outcomes(
                Expected::Fails(Fault::UnsupportedVersion { major: 2 }),
                Expected::Opens(HeaderState::HeaderDamaged),
            ),
        sample
            .vector(
                "header_suite_2",
                "F-3.4",
                "The header is valid and counts; the footer is not tried.",
            )
            .container(checked(field::SUITE, &[0, 2]))
            .fails(Fault::UnsupportedSuite { suite: 2 }),
        both(
            "both_copies_damaged",
            field::SALT,
            Fault::DamagedHeader,
            "The same byte in both; neither check holds.",
        ),
        both(
            "both_magics_damaged",
            field::MAGIC,
            Fault::NotAContainer,
            "The same byte in both; neither is known.",
        ),
        sample
            .vector(
                "header_reserved_nonzero",
                "F-3.7",
                "Bytes 96..120 of the header are not zero; its check holds.",
            )
            .container(reserved.join())
            .opens(),
    ]
}

/// The footer counts, and everything that the header says is taken from it.
fn recovered() -> Vec<Vector> {
    let zeroed = |sample: &Sample, name, comment| {
        let container = sample.parts().edit(Place::Header, 0, &[0; HEADER_LEN]).join();
        let draft = sample.vector(name, "F-3.4", comment).container(container);
        draft.outcomes(
            Expected::Fails(Fault::NotAContainer),
            Expected::Opens(HeaderState::HeaderDamaged),
        )
    };
    let sample = Sample::new("recovered", 100);
    vec![
        zeroed(&sample, "header_zeroed", "The first 128 bytes are lost."),
        zeroed(
            &Sample::new("recovered", 4097),
            "header_zeroed_two_chunks",
            "The first 128 bytes of two chunks are lost.",
        ),
        zeroed(
            &sample.clone().with_envelope(64),
            "header_zeroed_with_envelope",
            "The envelope's length is in the footer.",
        ),
        zeroed(
            &sample.with_context(b"context"),
            "header_zeroed_with_context",
            "So is the flag for a context.",
        ),
    ]
}

/// A footer counts in a container of 256 bytes or more.
fn no_room_for_both() -> Vec<Vector> {
    let sample = Sample::new("no room", 100);
    let Parts { header, footer, .. } = sample.parts().flip(Place::Header, field::SALT);
    let draft =
        |name, container, comment| sample.vector(name, "F-3.4", comment).container(container);
    vec![
        draft("footer_alone", footer.to_vec(), "128 bytes, and no header.")
            .fails(Fault::NotAContainer),
        draft(
            "footer_overlaps_header",
            [&header[..127], &footer].concat(),
            "255 bytes; the last 128 are a valid footer and do not count.",
        )
        .fails(Fault::DamagedHeader),
        draft(
            "header_damaged_no_chunk",
            [header, footer].concat(),
            "256 bytes; the footer counts, and nothing is between.",
        )
        .outcomes(
            Expected::Fails(Fault::DamagedHeader),
            Expected::Fails(Fault::Truncated { after: 0 }),
        ),
    ]
}

/// The footer is not tried when the header counts but does not fit.
fn exchanged() -> Vec<Vector> {
    let one = |sample: Sample, other: Sample| {
        let header = other.parts().header;
        let container = Parts { header, ..sample.parts() }.join();
        (sample, container)
    };
    let key = bytes32("another key");
    let (keyed, of_another_key) =
        one(Sample::new("exchanged", 100), Sample { key, ..Sample::new("exchanged header", 100) });
    let (short, of_another) =
        one(Sample::new("exchanged", 100), Sample::new("exchanged header", 100));
    let (long, of_another_long) =
        one(Sample::new("exchanged", 4097), Sample::new("exchanged header", 4097));
    vec![
        keyed
            .vector(
                "header_from_another_key",
                "F-3.4",
                "A valid header under another key; the footer fits, and is not tried.",
            )
            .container(of_another_key)
            .fails(Fault::WrongKey),
        short
            .vector(
                "header_from_another_container",
                "F-7.4",
                "Of the same key; chunk 0 fails, and no footer stands for this header.",
            )
            .container(of_another)
            .fails(Fault::Truncated { after: 0 }),
        long.vector(
            "header_from_another_container_two_chunks",
            "F-7.5",
            "Of the same key; chunk 1 is looked at first by position, chunk 0 by stream.",
        )
        .container(of_another_long)
        .outcomes(
            Expected::Fails(Fault::ChunkRejected { index: 0 }),
            Expected::Fails(Fault::Truncated { after: 1 }),
        ),
    ]
}

fn shifted() -> Vec<Vector> {
    let sample = Sample::new("shifted", 200);
    let container = sample.container();
    let shifted = |name, container, comment| {
        let draft = sample.vector(name, "F-2.1", comment).container(container);
        draft.outcomes(
            Expected::Fails(Fault::NotAContainer),
            Expected::Fails(Fault::ChunkRejected { index: 0 }),
        )
    };
    vec![
        shifted(
            "header_missing",
            malform::remove(&container, 0, HEADER_LEN),
            "The first 128 bytes are cut off.",
        ),
        shifted(
            "leading_byte",
            malform::insert(&container, 0, b"\0"),
            "One byte stands before the header.",
        ),
        sample
            .vector(
                "line_ends_converted",
                "F-3.5",
                "Each CR LF became LF, as in a transfer as text; both magics show it.",
            )
            .container(malform::convert_line_ends(&container))
            .fails(Fault::NotAContainer),
    ]
}
