//! Containers that are truncated or have removed bytes before the end.

use super::model::Vector;
use super::sample::Sample;
use crate::corrupt::{remove, truncate};
use crate::reference::ContainerError;

const TRUNCATED_0: ContainerError = ContainerError::Truncated { after: 0 };
const TRUNCATED_1: ContainerError = ContainerError::Truncated { after: 1 };

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = in_the_header();
    vectors.extend(in_the_envelope());
    vectors.extend(in_the_chunks());
    vectors.extend(before_the_end());
    vectors
}

fn in_the_header() -> Vec<Vector> {
    let sample = Sample::new("cut header", 100);
    let truncated = |name, len, error, comment| {
        sample
            .vector(name, "F-3.5", comment)
            .container(truncate(&sample.container(), len))
            .fails(error)
    };
    vec![
        truncated(
            "truncated_to_7_bytes",
            7,
            ContainerError::NotAContainer,
            "The magic is incomplete.",
        ),
        truncated("truncated_to_8_bytes", 8, TRUNCATED_0, "Only the magic is left."),
        truncated(
            "truncated_to_9_bytes",
            9,
            TRUNCATED_0,
            "The magic and the major version are left.",
        ),
        truncated("truncated_to_64_bytes", 64, TRUNCATED_0, "Half of the header is left."),
        truncated("truncated_to_127_bytes", 127, TRUNCATED_0, "The check is incomplete."),
        truncated(
            "truncated_to_128_bytes",
            128,
            TRUNCATED_0,
            "Only a header is left, which matches the key.",
        ),
        truncated("truncated_to_129_bytes", 129, TRUNCATED_0, "The header and one byte are left."),
        truncated(
            "truncated_to_255_bytes",
            255,
            TRUNCATED_0,
            "The input is one byte shorter than a header and a footer.",
        ),
        truncated(
            "truncated_to_256_bytes",
            256,
            TRUNCATED_0,
            "The input is as long as a header and a footer with no chunk between them.",
        ),
    ]
}

/// 128 header, 64 envelope, 116 chunk 0, 64 envelope, 128 footer.
fn in_the_envelope() -> Vec<Vector> {
    let sample = Sample::new("cut envelope", 100).with_envelope(64);
    let truncated = |name, len, comment| {
        sample
            .vector(name, "F-7.1", comment)
            .container(truncate(&sample.container(), len))
            .fails(TRUNCATED_0)
    };
    let longer = Sample::new("cut envelope", 1000).with_envelope(64);
    let long = |name, len, comment| {
        longer
            .vector(name, "F-8.1", comment)
            .container(truncate(&longer.container(), len))
            .fails(TRUNCATED_0)
    };
    vec![
        truncated("truncated_before_envelope", 128, "Only the header is left."),
        truncated("truncated_in_envelope", 160, "The envelope is incomplete."),
        truncated(
            "truncated_after_envelope",
            192,
            "The envelope is complete, and the header matches the key.",
        ),
        truncated(
            "truncated_before_tail_envelope",
            308,
            "The only chunk is complete, but not where the length implies that it is.",
        ),
        truncated("truncated_in_tail_envelope", 340, "Half of the second envelope is left."),
        truncated("truncated_after_tail_envelope", 372, "Only the footer is missing."),
        long(
            "truncated_below_second_envelope",
            383,
            "The input is one byte too short for a second envelope.",
        ),
        long(
            "truncated_to_second_envelope",
            384,
            "Part of the chunk is returned as the second envelope.",
        ),
    ]
}

/// 128 header, 4112 chunk 0, 116 chunk 1, 128 footer: 4484 bytes.
fn in_the_chunks() -> Vec<Vector> {
    let two = Sample::new("cut chunks", 4096 + 100);
    let three = Sample::new("cut chunks", 8192 + 100);
    let truncated = |name, len, released, error, comment| {
        two.vector(name, "F-7.4", comment)
            .container(truncate(&two.container(), len))
            .fails_after(released, error)
    };
    vec![
        truncated(
            "truncated_in_first_chunk",
            2000,
            0,
            TRUNCATED_0,
            "The rest of chunk 0 is missing.",
        ),
        truncated(
            "truncated_after_first_chunk",
            4240,
            0,
            TRUNCATED_0,
            "The last 128 bytes are read as a footer, so chunk 0 is incomplete.",
        ),
        truncated(
            "truncated_in_last_chunk",
            4300,
            0,
            TRUNCATED_0,
            "60 bytes of the last chunk are left.",
        ),
        truncated(
            "truncated_before_footer",
            4356,
            0,
            TRUNCATED_0,
            "All chunks are present, but not where the length implies that they are.",
        ),
        truncated(
            "truncated_at_full_chunk",
            4368,
            4096,
            TRUNCATED_1,
            "12 bytes of the footer are left: chunk 0 is full, and no last chunk follows.",
        ),
        truncated("truncated_in_footer", 4420, 4096, TRUNCATED_1, "Half of the footer is left."),
        truncated("truncated_by_1_byte", 4483, 4096, TRUNCATED_1, "The last byte is missing."),
        three
            .vector(
                "truncated_in_middle_chunk",
                "F-7.4",
                "A stream releases the first of three chunks.",
            )
            .container(truncate(&three.container(), 128 + 4112 + 2000))
            .fails_after(4096, TRUNCATED_1),
    ]
}

/// Bytes removed before a valid footer.
fn before_the_end() -> Vec<Vector> {
    let two = Sample::new("lost within", 4096 + 100);
    let removed = |name, at, len, released, index, comment| {
        let container = remove(&two.container(), at, len);
        two.vector(name, "F-7.4", comment)
            .container(container)
            .fails_after(released, ContainerError::ChunkRejected { index })
    };
    vec![
        removed(
            "byte_removed_from_first_chunk",
            1000,
            1,
            0,
            0,
            "All bytes after the removed one are one byte too early.",
        ),
        removed(
            "sector_removed_from_first_chunk",
            512,
            512,
            0,
            0,
            "The remaining bytes fit into one chunk.",
        ),
        removed("byte_removed_from_last_chunk", 4250, 1, 4096, 1, "Chunk 0 is unchanged."),
    ]
}
