//! Combinations of two faults, and which of them is reported (F-7.1, F-7.5).

use super::model::Vector;
use super::sample::{Expected, Sample, VectorBuilder};
use crate::corrupt::{ContainerParts, HeaderCopy, extend, field, truncate};
use crate::reference::{ContainerError, HeaderState};
use crate::vectors::label::bytes32;

/// Plaintext bytes in a full chunk, for all samples in this file.
const FULL: usize = 4096;

const DAMAGED: Expected = Expected::Fails(ContainerError::DamagedHeader);
const REJECTED_0: ContainerError = ContainerError::ChunkRejected { index: 0 };
const SUITE_2: ContainerError = ContainerError::UnsupportedSuite { suite: 2 };
const TRUNCATED_1: ContainerError = ContainerError::Truncated { after: 1 };

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = before_the_key();
    vectors.extend(wrong_key());
    vectors.extend(damaged_header());
    vectors.extend(in_the_chunks());
    vectors
}

fn sample() -> Sample {
    Sample::new("order", 100).with_envelope(64)
}

/// Sets a field in both copies and recomputes the checks.
fn set(parts: ContainerParts, at: usize, value: &[u8]) -> ContainerParts {
    parts.edit(HeaderCopy::Both, at, value).update_check(HeaderCopy::Both)
}

/// Starts a vector with a changed container.
fn changed(
    sample: &Sample,
    name: &'static str,
    container: Vec<u8>,
    comment: &'static str,
) -> VectorBuilder {
    sample.vector(name, "F-7.1", comment).container(container)
}

fn before_the_key() -> Vec<Vector> {
    let sample = sample();
    let with_context = sample.clone().with_context(b"context");
    let suite_2 = |sample: &Sample| set(sample.parts(), field::SUITE, &[0, 2]);
    let flag_1 = |parts| set(parts, field::FLAGS, &[0, 2]);
    vec![
        changed(
            &sample,
            "major_2_and_suite_2",
            set(suite_2(&sample), field::MAJOR, &[2]).to_bytes(),
            "Both copies have both faults; the major version defines the suites.",
        )
        .fails(ContainerError::UnsupportedVersion { major: 2 }),
        changed(
            &sample,
            "suite_2_and_critical_flag",
            flag_1(suite_2(&sample)).to_bytes(),
            "Both copies have suite 2, and the suite is checked first.",
        )
        .fails(SUITE_2),
        changed(
            &sample,
            "suite_2_and_truncated_in_envelope",
            truncate(&suite_2(&sample).to_bytes(), 160),
            "The header is complete, and its suite is unknown.",
        )
        .fails(SUITE_2),
        changed(
            &with_context,
            "suite_2_and_context_missing",
            suite_2(&with_context).to_bytes(),
            "Both copies have suite 2, and the suite is checked first.",
        )
        .context(None)
        .fails(SUITE_2),
        changed(
            &sample,
            "critical_flag_and_truncated_in_envelope",
            truncate(&flag_1(sample.parts()).to_bytes(), 160),
            "The header is complete, and its flag is unknown.",
        )
        .fails(ContainerError::UnsupportedFeature),
        changed(
            &with_context,
            "truncated_in_envelope_and_context_missing",
            truncate(&with_context.container(), 160),
            "The envelope must be complete before the context is checked.",
        )
        .context(None)
        .fails(ContainerError::Truncated { after: 0 }),
    ]
}

fn wrong_key() -> Vec<Vector> {
    let sample = sample();
    let with_context = sample.clone().with_context(b"context");
    let wrong = |name, sample: &Sample, container, comment| {
        changed(sample, name, container, comment).key(bytes32("another key"))
    };
    let whole = sample.container();
    vec![
        wrong(
            "wrong_key_and_context_missing",
            &with_context,
            with_context.container(),
            "The commitment cannot be derived without the context.",
        )
        .context(None)
        .fails(ContainerError::ContextRequired),
        wrong(
            "wrong_key_and_context_unexpected",
            &sample,
            whole.clone(),
            "The context is rejected before the commitment is derived.",
        )
        .context(Some(b"context"))
        .fails(ContainerError::ContextUnexpected),
        wrong(
            "wrong_key_and_truncated",
            &sample,
            truncate(&whole, whole.len() - 1),
            "No chunk is read under a wrong key.",
        )
        .fails(ContainerError::WrongKey),
        wrong(
            "wrong_key_and_trailing_byte",
            &sample,
            extend(&whole, b"\n"),
            "No footer is searched for under a wrong key.",
        )
        .fails(ContainerError::WrongKey),
        wrong(
            "wrong_key_and_chunk_flipped",
            &sample,
            sample.parts().flip_chunk(0, 0).to_bytes(),
            "No chunk is read under a wrong key.",
        )
        .fails(ContainerError::WrongKey),
    ]
}

/// A stream fails immediately. For positional access, the footer is authoritative, and the other
/// fault is reported.
fn damaged_header() -> Vec<Vector> {
    let sample = sample();
    let damaged = || sample.parts().flip(HeaderCopy::Header, field::SALT);
    let vector = |name, container, comment| changed(&sample, name, container, comment);
    let container = damaged().to_bytes();
    let footer_of_suite_2 = damaged()
        .edit(HeaderCopy::Footer, field::SUITE, &[0, 2])
        .update_check(HeaderCopy::Footer)
        .to_bytes();
    vec![
        vector(
            "header_flipped_and_truncated",
            truncate(&container, container.len() - 1),
            "The last 128 bytes are no longer a footer.",
        )
        .fails(ContainerError::DamagedHeader),
        vector(
            "header_flipped_and_trailing_byte",
            extend(&container, b"\n"),
            "The authoritative footer must be the last 128 bytes (F-3.4).",
        )
        .fails(ContainerError::DamagedHeader),
        vector(
            "header_flipped_and_suite_2",
            footer_of_suite_2,
            "The suite of the authoritative copy is checked.",
        )
        .outcomes(DAMAGED, Expected::Fails(SUITE_2)),
        vector(
            "header_flipped_and_wrong_key",
            container,
            "The footer is authoritative, whatever the key.",
        )
        .key(bytes32("another key"))
        .outcomes(DAMAGED, Expected::Fails(ContainerError::WrongKey)),
        vector(
            "header_flipped_and_chunk_flipped",
            damaged().flip_chunk(0, 0).to_bytes(),
            "The authoritative footer ends the container, so it is not truncated.",
        )
        .outcomes(DAMAGED, Expected::Fails(REJECTED_0)),
        vector(
            "header_flipped_and_footer_twice",
            extend(&damaged().to_bytes(), &sample.parts().footer),
            "The second footer is authoritative, and the first marks the end of the container.",
        )
        .outcomes(DAMAGED, Expected::Fails(ContainerError::TrailingData { extra: 128 })),
        vector(
            "header_flipped_and_envelope_flipped",
            {
                let mut flipped = sample.envelope.clone();
                flipped[0] ^= 1;
                damaged().envelopes(&flipped, &sample.envelope).to_bytes()
            },
            "Both copies of the envelope are returned, whichever header copy is authoritative.",
        )
        .outcomes(DAMAGED, Expected::Opens(HeaderState::HeaderDamaged)),
    ]
}

/// Positional access reads chunk n first, whereas a stream reads it last.
fn in_the_chunks() -> Vec<Vector> {
    let two = Sample::new("order of chunks", FULL + 100);
    let three = Sample::new("order of chunks", 2 * FULL + 100);
    let vector = |name, sample: &Sample, container, comment| {
        sample.vector(name, "F-7.5", comment).container(container)
    };
    let flipped = two.parts().flip_chunk(0, 0);
    let container = flipped.to_bytes();
    let stream_rejects_0 = |vector: VectorBuilder, positional| {
        vector.outcomes(Expected::Fails(REJECTED_0), Expected::Fails(positional))
    };
    vec![
        stream_rejects_0(
            vector(
                "first_chunk_flipped_and_truncated",
                &two,
                truncate(&container, container.len() - 1),
                "Positional access finds the truncation first.",
            ),
            TRUNCATED_1,
        ),
        stream_rejects_0(
            vector(
                "first_chunk_flipped_and_trailing_byte",
                &two,
                extend(&container, b"\n"),
                "Positional access finds the trailing byte first.",
            ),
            ContainerError::TrailingData { extra: 1 },
        ),
        stream_rejects_0(
            vector(
                "first_chunk_flipped_and_last_removed",
                &two,
                flipped.clone().drop_chunk(1).to_bytes(),
                "The footer is valid, but no last chunk precedes it.",
            ),
            TRUNCATED_1,
        ),
        vector(
            "first_chunk_flipped_and_footer_flipped",
            &two,
            flipped.flip(HeaderCopy::Footer, field::SALT).to_bytes(),
            "The last chunk is verified, so the container is not truncated.",
        )
        .fails(REJECTED_0),
        vector(
            "first_and_last_chunk_flipped",
            &three,
            three.parts().flip_chunk(0, 0).flip_chunk(2, 0).to_bytes(),
            "The lower chunk is reported.",
        )
        .fails(REJECTED_0),
        vector(
            "last_chunk_flipped_and_footer_flipped",
            &two,
            two.parts().flip_chunk(1, 0).flip(HeaderCopy::Footer, field::SALT).to_bytes(),
            "Without a valid footer, this is indistinguishable from truncation.",
        )
        .fails_after(FULL, TRUNCATED_1),
    ]
}
