//! Containers that were cut, or lost bytes within.

use super::Vector;
use super::sample::Sample;
use crate::malform::{remove, truncate};
use crate::reference::Fault;

const TRUNCATED_0: Fault = Fault::Truncated { after: 0 };
const TRUNCATED_1: Fault = Fault::Truncated { after: 1 };

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = in_the_header();
    vectors.extend(in_the_envelope());
    vectors.extend(in_the_chunks());
    vectors.extend(within());
    vectors
}

fn in_the_header() -> Vec<Vector> {
    let sample = Sample::new("cut header", 100);
    let cut = |name, len, fault, comment| {
        sample
            .vector(name, "F-3.5", comment)
            .container(truncate(&sample.container(), len))
            .fails(fault)
    };
    vec![
        cut("cut_to_7_bytes", 7, Fault::NotAContainer, "The magic is not whole."),
        cut("cut_to_8_bytes", 8, TRUNCATED_0, "The magic, and nothing else."),
        cut("cut_to_9_bytes", 9, TRUNCATED_0, "The magic and the major."),
        cut("cut_to_64_bytes", 64, TRUNCATED_0, "Half a header."),
        cut("cut_to_127_bytes", 127, TRUNCATED_0, "The check is not whole."),
        cut(
            "cut_to_128_bytes",
            128,
            TRUNCATED_0,
            "A header, which fits the key, and nothing else.",
        ),
        cut("cut_to_129_bytes", 129, TRUNCATED_0, "A header and one byte."),
        cut("cut_to_255_bytes", 255, TRUNCATED_0, "One byte too few for a header and a footer."),
        cut(
            "cut_to_256_bytes",
            256,
            TRUNCATED_0,
            "As long as a header and a footer, but no chunk between.",
        ),
    ]
}

/// 128 header, 64 envelope, 116 chunk 0, 64 envelope, 128 footer.
fn in_the_envelope() -> Vec<Vector> {
    let sample = Sample::new("cut envelope", 100).with_envelope(64);
    let cut = |name, len, comment| {
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
        cut("cut_before_envelope", 128, "A header, and nothing else."),
        cut("cut_in_envelope", 160, "The envelope is not whole."),
        cut("cut_after_envelope", 192, "The envelope is whole, and the header fits the key."),
        cut(
            "cut_before_tail_envelope",
            308,
            "The only chunk is whole, but does not stand where the length says.",
        ),
        cut("cut_in_tail_envelope", 340, "Half of the second copy, and no footer."),
        cut("cut_after_tail_envelope", 372, "Only the footer is missing."),
        long("cut_to_no_second_envelope", 383, "One byte too few for a second copy."),
        long(
            "cut_to_second_envelope",
            384,
            "What is handed back as the second copy is a part of the chunk.",
        ),
    ]
}

/// 128 header, 4112 chunk 0, 116 chunk 1, 128 footer: 4484 bytes.
fn in_the_chunks() -> Vec<Vector> {
    let two = Sample::new("cut chunks", 4096 + 100);
    let three = Sample::new("cut chunks", 8192 + 100);
    let cut = |name, len, released, fault, comment| {
        two.vector(name, "F-7.4", comment)
            .container(truncate(&two.container(), len))
            .fails_after(released, fault)
    };
    vec![
        cut("cut_in_first_chunk", 2000, 0, TRUNCATED_0, "What is left is no chunk 0."),
        cut(
            "cut_after_first_chunk",
            4240,
            0,
            TRUNCATED_0,
            "The last 128 bytes are taken for a footer, so chunk 0 is not whole.",
        ),
        cut("cut_in_last_chunk", 4300, 0, TRUNCATED_0, "The same: 60 of its bytes are left."),
        cut(
            "cut_before_footer",
            4356,
            0,
            TRUNCATED_0,
            "All chunks are there, but not where the length says.",
        ),
        cut(
            "cut_where_a_full_chunk_ends",
            4368,
            4096,
            TRUNCATED_1,
            "12 bytes of the footer: chunk 0 is full, and no last one follows.",
        ),
        cut("cut_in_footer", 4420, 4096, TRUNCATED_1, "Half the footer is left."),
        cut("cut_last_byte", 4483, 4096, TRUNCATED_1, "One byte is missing."),
        three
            .vector(
                "cut_in_middle_chunk",
                "F-7.4",
                "Of three chunks, the first is released by stream.",
            )
            .container(truncate(&three.container(), 128 + 4112 + 2000))
            .fails_after(4096, TRUNCATED_1),
    ]
}

/// The footer stands, so what is missing is missing before it.
fn within() -> Vec<Vector> {
    let two = Sample::new("lost within", 4096 + 100);
    let lost = |name, at, len, released, index, comment| {
        let container = remove(&two.container(), at, len);
        two.vector(name, "F-7.4", comment)
            .container(container)
            .fails_after(released, Fault::ChunkRejected { index })
    };
    vec![
        lost(
            "byte_lost_in_first_chunk",
            1000,
            1,
            0,
            0,
            "Everything after it stands one byte too early.",
        ),
        lost(
            "sector_lost_in_first_chunk",
            512,
            512,
            0,
            0,
            "What is left is short enough for one chunk.",
        ),
        lost("byte_lost_in_last_chunk", 4250, 1, 4096, 1, "Chunk 0 is untouched."),
    ]
}
