//! Bytes after the end.

use super::Vector;
use super::label::bytes;
use super::sample::{Draft, Expected, Sample};
use crate::malform::{Place, extend, field};
use crate::reference::Fault;

const REJECTED_0: Fault = Fault::ChunkRejected { index: 0 };
const TRUNCATED_0: Fault = Fault::Truncated { after: 0 };

pub(super) fn vectors() -> Vec<Vector> {
    let sample = Sample::new("trailing", 100); // 372 bytes, 116 of them chunk 0
    let container = sample.container();
    let footer = &container[container.len() - 128..];
    let other = Sample::new("the container after it", 100).container();
    let with = |name, trailing: &[u8], comment| trails(&sample, name, trailing, comment);
    let mut vectors = vec![
        with("trailing_1_byte", b"\n", "A line end.").found(1, Expected::Fails(TRUNCATED_0)),
        with("trailing_127_bytes", &[0; 127], "Zeros.").found(127, Expected::Fails(TRUNCATED_0)),
        with("trailing_128_bytes", &[0; 128], "Zeros, as many as a footer has.")
            .found(128, Expected::Fails(TRUNCATED_0)),
        with("trailing_300_bytes", &bytes("trailing", 300), "Of any kind.")
            .found(300, Expected::Fails(TRUNCATED_0)),
        with(
            "trailing_65536_bytes",
            &[0; 65536],
            "The most that is searched; to a stream, chunk 0 looks full.",
        )
        .found(65536, Expected::Fails(REJECTED_0)),
        with(
            "trailing_65537_bytes",
            &[0; 65537],
            "One more: 15 chunks and a last one would fit before the end.",
        )
        .outcomes(Expected::Fails(REJECTED_0), Expected::Fails(Fault::Truncated { after: 15 })),
        with("trailing_footer", footer, "The footer twice; a stream sees only the second.")
            .found(128, Expected::Fails(REJECTED_0)),
        with("trailing_itself", &container, "The container twice.")
            .found(372, Expected::Fails(REJECTED_0)),
        with(
            "trailing_container",
            &other,
            "Another one of the same key; its footer is not this header's copy.",
        )
        .found(372, Expected::Fails(TRUNCATED_0)),
        with(
            "trailing_footer_and_bytes",
            &[&[0; 10], footer, &[0; 5]].concat(),
            "The greatest offset counts: 5, not 143.",
        )
        .found(5, Expected::Fails(TRUNCATED_0)),
    ];
    vectors.push(
        sample
            .vector(
                "trailing_after_damaged_footer",
                "F-7.4",
                "Without a footer it looks as a cut does.",
            )
            .container(extend(&sample.parts().flip(Place::Footer, field::SALT).join(), b"\n"))
            .fails(TRUNCATED_0),
    );
    vectors.extend(at_chunk_bounds());
    vectors
}

fn at_chunk_bounds() -> Vec<Vector> {
    let nearly_full = Sample::new("trailing", 4095);
    let two = Sample::new("trailing", 4096 + 100);
    let enveloped = Sample::new("trailing", 100).with_envelope(64);
    vec![
        trails(
            &Sample::new("trailing", 0),
            "trailing_empty_plaintext",
            &[0; 16],
            "As many zeros as a tag.",
        )
        .found(16, Expected::Fails(TRUNCATED_0)),
        trails(
            &nearly_full,
            "trailing_fills_last_chunk",
            &[0],
            "With it, the last chunk is full and none follows.",
        )
        .found(1, Expected::Fails(REJECTED_0)),
        trails(
            &two,
            "trailing_full_chunk",
            &[0; 4112],
            "The last chunk comes to stand where a full one is due.",
        )
        .found(4112, Expected::FailsAfter(4096, Fault::ChunkRejected { index: 1 })),
        trails(
            &Sample::new("trailing", 100),
            "trailing_leaves_no_last_chunk",
            &[0; 3996],
            "With it, a full chunk is there and nothing after it.",
        )
        .found(3996, Expected::Fails(REJECTED_0)),
        trails(
            &enveloped,
            "trailing_after_envelope",
            &[0; 3],
            "The second envelope is moved, too.",
        )
        .found(3, Expected::Fails(TRUNCATED_0)),
    ]
}

fn trails(sample: &Sample, name: &'static str, trailing: &[u8], comment: &'static str) -> Draft {
    sample.vector(name, "F-7.4", comment).container(extend(&sample.container(), trailing))
}

impl Draft {
    /// A reader by position finds the container's end; what a stream reports is stated.
    fn found(self, extra: u64, stream: Expected) -> Vector {
        self.outcomes(stream, Expected::Fails(Fault::TrailingData { extra }))
    }
}
