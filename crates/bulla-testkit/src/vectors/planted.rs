//! Footers where none belongs: whoever can write to the container put them there.

use super::Vector;
use super::sample::{Draft, Expected, Sample};
use crate::malform::{Parts, extend, truncate};
use crate::reference::{Fault, HEADER_LEN};

const REJECTED_0: Fault = Fault::ChunkRejected { index: 0 };
const TRUNCATED_0: Fault = Fault::Truncated { after: 0 };

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = in_the_envelope();
    vectors.extend(at_the_lowest_offset());
    vectors.extend(in_the_chunks());
    vectors
}

/// A sample whose envelope begins with the container's own footer: the footer does not depend on
/// the envelope's bytes (F-8.3).
fn planted(len: usize, envelope_len: usize) -> Sample {
    let sample = Sample::new("planted", len).with_envelope(envelope_len);
    let mut envelope = sample.envelope.clone();
    envelope[..HEADER_LEN].copy_from_slice(&sample.parts().footer);
    Sample { envelope, ..sample }
}

fn draft(sample: &Sample, name: &'static str, container: Vec<u8>, comment: &'static str) -> Draft {
    sample.vector(name, "F-7.4", comment).container(container)
}

fn in_the_envelope() -> Vec<Vector> {
    let (one, two) = (planted(100, 200), planted(4096 + 100, 200));
    // 128 header, e envelope, 1016 chunk 0, e envelope, 128 footer.
    let (long, exact) = (planted(1000, 200), planted(1000, 128));
    vec![
        draft(
            &one,
            "footer_planted_in_envelope",
            truncate(&one.container(), 128 + 200 + 116),
            "Cut after the only chunk; the footer in the envelope must not make trailing data of it.",
        )
        .fails(TRUNCATED_0),
        draft(
            &two,
            "footer_planted_in_envelope_of_two_chunks",
            truncate(&two.container(), 128 + 200 + 4112 + 60),
            "Cut in the last chunk; the same, and there is room for a smallest container before the end.",
        )
        .fails(TRUNCATED_0),
        draft(
            &long,
            "footer_planted_in_tail_envelope",
            truncate(&long.container(), 128 + 200 + 1016 + 200),
            "Only the footer was cut off; the one in the second copy stands where a shorter container has it.",
        )
        .outcomes(Expected::Fails(TRUNCATED_0), Expected::Fails(Fault::TrailingData { extra: 72 })),
        draft(
            &exact,
            "footer_planted_as_tail_envelope",
            truncate(&exact.container(), 128 + 128 + 1016 + 128),
            "The same, and it stands at the end, so it does not look as a cut does.",
        )
        .fails(REJECTED_0),
    ]
}

/// What is before the footer is no chunk; the search does not ask.
fn at_the_lowest_offset() -> Vec<Vector> {
    let plain = Sample::new("lowest offset", 0);
    let enveloped = plain.clone().with_envelope(64);
    let with = |sample: &Sample, chunk: &[u8]| {
        extend(&sample.parts().replace_chunk(0, chunk.to_vec()).join(), &[0; 5])
    };
    let trailing = Fault::TrailingData { extra: 5 };
    vec![
        draft(
            &plain,
            "footer_at_lowest_offset",
            with(&plain, &[0; 16]),
            "Offset 144, after 16 zeros; 5 bytes follow it.",
        )
        .outcomes(Expected::Fails(TRUNCATED_0), Expected::Fails(trailing)),
        draft(
            &plain,
            "footer_below_lowest_offset",
            with(&plain, &[0; 15]),
            "Offset 143, after 15 zeros; 5 bytes follow it.",
        )
        .fails(TRUNCATED_0),
        draft(
            &enveloped,
            "footer_at_lowest_offset_with_envelope",
            with(&enveloped, &[0; 16]),
            "Offset 272; 5 bytes follow it.",
        )
        .outcomes(Expected::Fails(TRUNCATED_0), Expected::Fails(trailing)),
        draft(
            &enveloped,
            "footer_below_lowest_offset_with_envelope",
            with(&enveloped, &[0; 15]),
            "Offset 271; 5 bytes follow it.",
        )
        .fails(TRUNCATED_0),
    ]
}

fn in_the_chunks() -> Vec<Vector> {
    let (one, two) = (Sample::new("planted", 1000), Sample::new("planted", 4096 + 100));
    let over = |sample: &Sample, at: usize| {
        let Parts { mut chunks, footer, .. } = sample.parts();
        chunks[0][at..at + HEADER_LEN].copy_from_slice(&footer);
        Parts { chunks, ..sample.parts() }.join()
    };
    vec![
        draft(
            &one,
            "footer_planted_in_last_chunk",
            over(&one, 272),
            "Offset 400 of 1272; what is before it would be a container's length.",
        )
        .outcomes(Expected::Fails(REJECTED_0), Expected::Fails(Fault::TrailingData { extra: 744 })),
        draft(
            &two,
            "footer_planted_in_first_chunk",
            over(&two, 272),
            "The last chunk is verified, so no footer is looked for.",
        )
        .fails(REJECTED_0),
    ]
}
