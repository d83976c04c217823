//! Footers planted by an attacker who can write to the container.

use super::model::Vector;
use super::sample::{Expected, Sample, VectorBuilder};
use crate::corrupt::{ContainerParts, extend, truncate};
use crate::reference::{ContainerError, HEADER_LEN};

const REJECTED_0: ContainerError = ContainerError::ChunkRejected { index: 0 };
const TRUNCATED_0: ContainerError = ContainerError::Truncated { after: 0 };

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = in_the_envelope();
    vectors.extend(at_the_lowest_offset());
    vectors.extend(in_the_chunks());
    vectors
}

/// Returns a sample whose envelope starts with the container's footer, which does not depend on the
/// envelope's bytes (F-8.3).
fn planted(len: usize, envelope_len: usize) -> Sample {
    let sample = Sample::new("planted", len).with_envelope(envelope_len);
    let mut envelope = sample.envelope.clone();
    envelope[..HEADER_LEN].copy_from_slice(&sample.parts().footer);
    Sample { envelope, ..sample }
}

/// Starts a vector with a container in which a footer is planted.
fn vector(
    sample: &Sample,
    name: &'static str,
    container: Vec<u8>,
    comment: &'static str,
) -> VectorBuilder {
    sample.vector(name, "F-7.4", comment).container(container)
}

fn in_the_envelope() -> Vec<Vector> {
    let (one, two) = (planted(100, 200), planted(4096 + 100, 200));
    // 128 header, e envelope, 1016 chunk 0, e envelope, 128 footer.
    let (long, exact) = (planted(1000, 200), planted(1000, 128));
    vec![
        vector(
            &one,
            "footer_planted_in_envelope",
            truncate(&one.container(), 128 + 200 + 116),
            "Truncated after the only chunk; the planted footer must not imply trailing data.",
        )
        .fails(TRUNCATED_0),
        vector(
            &two,
            "footer_planted_in_envelope_of_two_chunks",
            truncate(&two.container(), 128 + 200 + 4112 + 60),
            "Truncated in the last chunk; a minimum container would fit before the end.",
        )
        .fails(TRUNCATED_0),
        vector(
            &long,
            "footer_planted_in_tail_envelope",
            truncate(&long.container(), 128 + 200 + 1016 + 200),
            "Truncated before the footer; the planted one is where a shorter container could end.",
        )
        .outcomes(
            Expected::Fails(TRUNCATED_0),
            Expected::Fails(ContainerError::TrailingData { extra: 72 }),
        ),
        vector(
            &exact,
            "footer_planted_as_tail_envelope",
            truncate(&exact.container(), 128 + 128 + 1016 + 128),
            "Truncated before the footer; the planted one at the end hides the truncation.",
        )
        .fails(REJECTED_0),
    ]
}

/// Footers at the lowest offset of the search and below it. The search ignores the fact that the
/// bytes before the footer are not a chunk.
fn at_the_lowest_offset() -> Vec<Vector> {
    let plain = Sample::new("lowest offset", 0);
    let enveloped = plain.clone().with_envelope(64);
    let with = |sample: &Sample, chunk: &[u8]| {
        extend(&sample.parts().replace_chunk(0, chunk.to_vec()).to_bytes(), &[0; 5])
    };
    let trailing = ContainerError::TrailingData { extra: 5 };
    vec![
        vector(
            &plain,
            "footer_at_lowest_offset",
            with(&plain, &[0; 16]),
            "The footer is at offset 144, after 16 zeros and before 5 trailing bytes.",
        )
        .outcomes(Expected::Fails(TRUNCATED_0), Expected::Fails(trailing)),
        vector(
            &plain,
            "footer_below_lowest_offset",
            with(&plain, &[0; 15]),
            "The footer is at offset 143, after 15 zeros and before 5 trailing bytes.",
        )
        .fails(TRUNCATED_0),
        vector(
            &enveloped,
            "footer_at_lowest_offset_with_envelope",
            with(&enveloped, &[0; 16]),
            "The footer is at offset 272, before 5 trailing bytes.",
        )
        .outcomes(Expected::Fails(TRUNCATED_0), Expected::Fails(trailing)),
        vector(
            &enveloped,
            "footer_below_lowest_offset_with_envelope",
            with(&enveloped, &[0; 15]),
            "The footer is at offset 271, before 5 trailing bytes.",
        )
        .fails(TRUNCATED_0),
    ]
}

fn in_the_chunks() -> Vec<Vector> {
    let (one, two) = (Sample::new("planted", 1000), Sample::new("planted", 4096 + 100));
    let over = |sample: &Sample, at: usize| {
        let ContainerParts { mut chunks, footer, .. } = sample.parts();
        chunks[0][at..at + HEADER_LEN].copy_from_slice(&footer);
        ContainerParts { chunks, ..sample.parts() }.to_bytes()
    };
    vec![
        vector(
            &one,
            "footer_planted_in_last_chunk",
            over(&one, 272),
            "The footer is at offset 400 of 1272, where the footer of a container could be.",
        )
        .outcomes(
            Expected::Fails(REJECTED_0),
            Expected::Fails(ContainerError::TrailingData { extra: 744 }),
        ),
        vector(
            &two,
            "footer_planted_in_first_chunk",
            over(&two, 272),
            "The last chunk is verified, so no footer is searched for.",
        )
        .fails(REJECTED_0),
    ]
}
