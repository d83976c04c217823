//! Bytes after the end of a container.

use super::model::Vector;
use super::sample::{Expected, Sample, VectorBuilder};
use crate::corrupt::{HeaderCopy, extend, field};
use crate::reference::ContainerError;
use crate::vectors::label::bytes;

const REJECTED_0: ContainerError = ContainerError::ChunkRejected { index: 0 };
const TRUNCATED_0: ContainerError = ContainerError::Truncated { after: 0 };

pub(super) fn vectors() -> Vec<Vector> {
    let sample = Sample::new("trailing", 100); // 372 bytes, 116 of them chunk 0
    let container = sample.container();
    let footer = &container[container.len() - 128..];
    let other = Sample::new("the container after it", 100).container();
    let with = |name, trailing: &[u8], comment| trails(&sample, name, trailing, comment);
    let mut vectors = vec![
        with("trailing_1_byte", b"\n", "A line feed.")
            .trailing_data(1, Expected::Fails(TRUNCATED_0)),
        with("trailing_127_bytes", &[0; 127], "Zeros.")
            .trailing_data(127, Expected::Fails(TRUNCATED_0)),
        with("trailing_128_bytes", &[0; 128], "As many zeros as a footer has bytes.")
            .trailing_data(128, Expected::Fails(TRUNCATED_0)),
        with("trailing_300_bytes", &bytes("trailing", 300), "Arbitrary bytes.")
            .trailing_data(300, Expected::Fails(TRUNCATED_0)),
        with(
            "trailing_65536_bytes",
            &[0; 65536],
            "The maximum number of bytes that is searched; to a stream, chunk 0 appears full.",
        )
        .trailing_data(65536, Expected::Fails(REJECTED_0)),
        with(
            "trailing_65537_bytes",
            &[0; 65537],
            "One byte more than is searched; 15 full chunks and a last one would fit.",
        )
        .outcomes(
            Expected::Fails(REJECTED_0),
            Expected::Fails(ContainerError::Truncated { after: 15 }),
        ),
        with(
            "trailing_footer",
            footer,
            "A second copy of the footer, which is the only one that a stream checks.",
        )
        .trailing_data(128, Expected::Fails(REJECTED_0)),
        with("trailing_same_container", &container, "A second copy of the container.")
            .trailing_data(372, Expected::Fails(REJECTED_0)),
        with(
            "trailing_other_container",
            &other,
            "Another container under the same key, whose footer does not match this header.",
        )
        .trailing_data(372, Expected::Fails(TRUNCATED_0)),
        with(
            "trailing_footer_and_bytes",
            &[&[0; 10], footer, &[0; 5]].concat(),
            "The footer at the highest offset is used: 5 bytes follow it, not 143.",
        )
        .trailing_data(5, Expected::Fails(TRUNCATED_0)),
    ];
    vectors.push(
        sample
            .vector(
                "trailing_byte_and_footer_flipped",
                "F-7.4",
                "Without a valid footer, trailing data is indistinguishable from truncation.",
            )
            .container(extend(
                &sample.parts().flip(HeaderCopy::Footer, field::SALT).to_bytes(),
                b"\n",
            ))
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
            "trailing_16_bytes_after_empty_plaintext",
            &[0; 16],
            "As many zeros as a tag has bytes.",
        )
        .trailing_data(16, Expected::Fails(TRUNCATED_0)),
        trails(
            &nearly_full,
            "trailing_fills_last_chunk",
            &[0],
            "The trailing byte makes the last chunk appear full.",
        )
        .trailing_data(1, Expected::Fails(REJECTED_0)),
        trails(
            &two,
            "trailing_full_chunk",
            &[0; 4112],
            "The trailing bytes move the last chunk to the position of a full one.",
        )
        .trailing_data(
            4112,
            Expected::FailsAfter(4096, ContainerError::ChunkRejected { index: 1 }),
        ),
        trails(
            &Sample::new("trailing", 100),
            "trailing_leaves_no_last_chunk",
            &[0; 3996],
            "The trailing bytes complete a full chunk, so that there is no last chunk.",
        )
        .trailing_data(3996, Expected::Fails(REJECTED_0)),
        trails(
            &enveloped,
            "trailing_3_bytes_with_envelope",
            &[0; 3],
            "The trailing bytes also shift the second envelope.",
        )
        .trailing_data(3, Expected::Fails(TRUNCATED_0)),
    ]
}

/// Starts a vector with a container that is followed by `trailing`.
fn trails(
    sample: &Sample,
    name: &'static str,
    trailing: &[u8],
    comment: &'static str,
) -> VectorBuilder {
    sample.vector(name, "F-7.4", comment).container(extend(&sample.container(), trailing))
}
