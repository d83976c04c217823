//! Headers that are unsupported or damaged, and containers that the footer recovers.

use super::model::Vector;
use super::sample::{Expected, Sample};
use crate::corrupt::{self, ContainerParts, HeaderCopy, field};
use crate::reference::{ContainerError, HEADER_LEN, HeaderState};
use crate::vectors::label::{bytes, bytes32};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = not_a_container();
    vectors.extend(unsupported());
    vectors.extend(damaged());
    vectors.extend(recovered());
    vectors.extend(near_minimum());
    vectors.extend(replaced());
    vectors.extend(shifted());
    vectors
}

fn not_a_container() -> Vec<Vector> {
    let sample = Sample::new("not ours", 100);
    let input = |name, input: &[u8], comment| {
        sample
            .vector(name, "F-3.5", comment)
            .container(input.to_vec())
            .fails(ContainerError::NotAContainer)
    };
    let footer_first = sample
        .parts()
        .edit(HeaderCopy::Header, field::MAGIC, b"\x94")
        .update_check(HeaderCopy::Header);
    vec![
        input("input_empty", b"", "The input has no bytes."),
        input("input_7_bytes", b"\x93BULLA\r", "The last byte of the magic is missing."),
        input(
            "input_random_127_bytes",
            &bytes("something else", 127),
            "The input is too short and has no magic.",
        ),
        input(
            "input_random_300_bytes",
            &bytes("something else", 300),
            "The input is long enough but has no magic.",
        ),
        sample
            .vector(
                "header_with_footer_magic",
                "F-3.3",
                "The header has the magic of a footer and a valid check.",
            )
            .container(footer_first.to_bytes())
            .outcomes(
                Expected::Fails(ContainerError::NotAContainer),
                Expected::Opens(HeaderState::HeaderDamaged),
            ),
    ]
}

fn unsupported() -> Vec<Vector> {
    let sample = Sample::new("refused by name", 100);
    let major = |name, major, comment| {
        let container = sample.resealed(field::MAJOR, &[major]);
        sample
            .vector(name, "F-3.5", comment)
            .container(container)
            .fails(ContainerError::UnsupportedVersion { major })
    };
    let suite = |name, suite: u16, comment| {
        let container = sample.resealed(field::SUITE, &suite.to_be_bytes());
        sample
            .vector(name, "F-3.7", comment)
            .container(container)
            .fails(ContainerError::UnsupportedSuite { suite })
    };
    let flags = |name, flags: u16, comment| {
        let container = sample.resealed(field::FLAGS, &flags.to_be_bytes());
        sample
            .vector(name, "F-3.7", comment)
            .container(container)
            .fails(ContainerError::UnsupportedFeature)
    };
    vec![
        major("major_0", 0, "Major version 0 in both copies, authenticated."),
        major("major_2", 2, "Major version 2 in both copies, authenticated."),
        major("major_255", 255, "Major version 255 in both copies, authenticated."),
        suite("suite_0", 0, "Suite 0 in both copies, authenticated."),
        suite("suite_2", 2, "Suite 2 in both copies, authenticated."),
        suite("suite_256", 256, "Suite 1 in the wrong byte order in both copies, authenticated."),
        flags(
            "critical_flag_1",
            1 << 1,
            "The first unassigned flag in both copies, authenticated.",
        ),
        flags("critical_flag_15", 1 << 15, "The last flag in both copies, authenticated."),
    ]
}

fn damaged() -> Vec<Vector> {
    let sample = Sample::new("damaged", 100);
    let flipped = |name, at, error, comment| {
        let container = sample.parts().flip(HeaderCopy::Header, at).to_bytes();
        let vector = sample.vector(name, "F-3.4", comment).container(container);
        vector.outcomes(Expected::Fails(error), Expected::Opens(HeaderState::HeaderDamaged))
    };
    let checked = |at, value: &[u8]| {
        sample
            .parts()
            .edit(HeaderCopy::Header, at, value)
            .update_check(HeaderCopy::Header)
            .to_bytes()
    };
    let reserved = sample
        .parts()
        .edit(HeaderCopy::Header, field::RESERVED, &[0xa5; 24])
        .update_check(HeaderCopy::Header);
    let both = |name, at, error, comment| {
        sample
            .vector(name, "F-3.5", comment)
            .container(sample.parts().flip(HeaderCopy::Both, at).to_bytes())
            .fails(error)
    };
    vec![
        flipped(
            "header_magic_first_flipped",
            field::MAGIC,
            ContainerError::NotAContainer,
            "One bit in byte 0 is flipped; the footer is intact.",
        ),
        flipped(
            "header_magic_last_flipped",
            7,
            ContainerError::NotAContainer,
            "One bit in byte 7 is flipped; the footer is intact.",
        ),
        flipped(
            "header_major_flipped",
            field::MAJOR,
            ContainerError::UnsupportedVersion { major: 0 },
            "The major version changed from 1 to 0; the footer is intact.",
        ),
        flipped(
            "header_suite_flipped",
            field::SUITE,
            ContainerError::DamagedHeader,
            "The check is evaluated before the suite; the footer is intact.",
        ),
        flipped(
            "header_chunk_log2_flipped",
            field::CHUNK_LOG2,
            ContainerError::DamagedHeader,
            "chunk_log2 changed from 12 to 13; the footer is intact.",
        ),
        flipped(
            "header_salt_flipped",
            field::SALT,
            ContainerError::DamagedHeader,
            "One bit in the salt is flipped; the footer is intact.",
        ),
        flipped(
            "header_commitment_flipped",
            field::COMMITMENT,
            ContainerError::DamagedHeader,
            "One bit in the commitment is flipped; the footer is intact.",
        ),
        flipped(
            "header_reserved_flipped",
            field::RESERVED,
            ContainerError::DamagedHeader,
            "The check covers this byte, which is otherwise ignored.",
        ),
        flipped(
            "header_check_flipped",
            field::CHECK,
            ContainerError::DamagedHeader,
            "One bit in the check is flipped; the footer is intact.",
        ),
        sample
            .vector(
                "header_major_2",
                "F-3.3",
                "A copy with a different major version is invalid, even with a valid check.",
            )
            .container(checked(field::MAJOR, &[2]))
            .outcomes(
                Expected::Fails(ContainerError::UnsupportedVersion { major: 2 }),
                Expected::Opens(HeaderState::HeaderDamaged),
            ),
        sample
            .vector(
                "header_suite_2",
                "F-3.4",
                "The header is valid and therefore authoritative; the footer is not used.",
            )
            .container(checked(field::SUITE, &[0, 2]))
            .fails(ContainerError::UnsupportedSuite { suite: 2 }),
        both(
            "both_salts_flipped",
            field::SALT,
            ContainerError::DamagedHeader,
            "The same bit is flipped in both copies, so neither check is valid.",
        ),
        both(
            "both_magics_flipped",
            field::MAGIC,
            ContainerError::NotAContainer,
            "The same bit is flipped in both copies, so neither magic is valid.",
        ),
        sample
            .vector(
                "header_reserved_nonzero",
                "F-3.7",
                "Bytes 96..120 of the header are not zero; the check is valid.",
            )
            .container(reserved.to_bytes())
            .opens(),
    ]
}

/// The footer replaces a lost header.
fn recovered() -> Vec<Vector> {
    let zeroed = |sample: &Sample, name, comment| {
        let container = sample.parts().edit(HeaderCopy::Header, 0, &[0; HEADER_LEN]).to_bytes();
        let vector = sample.vector(name, "F-3.4", comment).container(container);
        vector.outcomes(
            Expected::Fails(ContainerError::NotAContainer),
            Expected::Opens(HeaderState::HeaderDamaged),
        )
    };
    let sample = Sample::new("recovered", 100);
    vec![
        zeroed(&sample, "header_zeroed", "The first 128 bytes are zeros."),
        zeroed(
            &Sample::new("recovered", 4097),
            "header_zeroed_two_chunks",
            "The first 128 bytes of a container with two chunks are zeros.",
        ),
        zeroed(
            &sample.clone().with_envelope(64),
            "header_zeroed_with_envelope",
            "The footer provides the envelope length.",
        ),
        zeroed(
            &sample.with_context(b"context"),
            "header_zeroed_with_context",
            "The footer provides the context flag.",
        ),
    ]
}

/// Inputs near 256 bytes, the minimum for using a footer.
fn near_minimum() -> Vec<Vector> {
    let sample = Sample::new("no room", 100);
    let ContainerParts { header, footer, .. } =
        sample.parts().flip(HeaderCopy::Header, field::SALT);
    let vector =
        |name, container, comment| sample.vector(name, "F-3.4", comment).container(container);
    vec![
        vector("footer_alone", footer.to_vec(), "The input is 128 bytes long and has no header.")
            .fails(ContainerError::NotAContainer),
        vector(
            "footer_overlaps_header",
            [&header[..127], &footer].concat(),
            "The last 128 of 255 bytes are a valid footer, which must be ignored.",
        )
        .fails(ContainerError::DamagedHeader),
        vector(
            "header_flipped_and_chunks_missing",
            [header, footer].concat(),
            "With 256 bytes, the footer is authoritative, but no chunk precedes it.",
        )
        .outcomes(
            Expected::Fails(ContainerError::DamagedHeader),
            Expected::Fails(ContainerError::Truncated { after: 0 }),
        ),
    ]
}

/// Valid headers from other containers. The footer is not used.
fn replaced() -> Vec<Vector> {
    let one = |sample: Sample, other: Sample| {
        let header = other.parts().header;
        let container = ContainerParts { header, ..sample.parts() }.to_bytes();
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
                "The header belongs to another key; the footer matches the key but is not used.",
            )
            .container(of_another_key)
            .fails(ContainerError::WrongKey),
        short
            .vector(
                "header_from_another_container",
                "F-7.4",
                "With the same key, chunk 0 is rejected; the footer does not match the header.",
            )
            .container(of_another)
            .fails(ContainerError::Truncated { after: 0 }),
        long.vector(
            "header_from_another_container_two_chunks",
            "F-7.5",
            "With the same key, positional access reads chunk 1 first, a stream chunk 0.",
        )
        .container(of_another_long)
        .outcomes(
            Expected::Fails(ContainerError::ChunkRejected { index: 0 }),
            Expected::Fails(ContainerError::Truncated { after: 1 }),
        ),
    ]
}

fn shifted() -> Vec<Vector> {
    let sample = Sample::new("shifted", 200);
    let container = sample.container();
    let shifted = |name, container, comment| {
        let vector = sample.vector(name, "F-2.1", comment).container(container);
        vector.outcomes(
            Expected::Fails(ContainerError::NotAContainer),
            Expected::Fails(ContainerError::ChunkRejected { index: 0 }),
        )
    };
    vec![
        shifted(
            "header_missing",
            corrupt::remove(&container, 0, HEADER_LEN),
            "The first 128 bytes are missing.",
        ),
        shifted(
            "leading_byte",
            corrupt::insert(&container, 0, b"\0"),
            "One byte precedes the header.",
        ),
        sample
            .vector(
                "line_endings_converted",
                "F-3.5",
                "CR LF became LF, as in a text-mode transfer, which both magics detect.",
            )
            .container(corrupt::convert_line_endings(&container))
            .fails(ContainerError::NotAContainer),
    ]
}
