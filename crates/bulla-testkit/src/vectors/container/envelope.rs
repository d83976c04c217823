//! Envelopes, which this layer stores twice and returns unchanged, without validation.

use super::model::Vector;
use super::sample::Sample;
use crate::corrupt::{insert, remove};
use crate::reference::ContainerError;
use crate::vectors::label::bytes;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = lengths();
    vectors.extend(rewritten());
    vectors.extend(misplaced());
    vectors
}

fn lengths() -> Vec<Vector> {
    let with = |len| Sample::new("envelope", 100).with_envelope(len);
    let two = Sample::new("envelope", 4096 + 100).with_envelope(100);
    // The footer depends on the length of the envelope but not on its bytes (F-8.3), so the
    // envelope can contain it.
    let footer = with(128).parts().footer.to_vec();
    vec![
        with(1)
            .vector(
                "envelope_1_byte",
                "F-2.1",
                "The only chunk is between the two copies of the envelope.",
            )
            .opens(),
        with(300)
            .vector("envelope_300_bytes", "F-2.1", "The envelope is longer than the plaintext.")
            .opens(),
        with(5000)
            .vector("envelope_5000_bytes", "F-2.1", "The envelope is longer than a chunk.")
            .opens(),
        two.vector("envelope_two_chunks", "F-5.3", "The chunks start after the envelope.").opens(),
        Sample { envelope: footer, ..with(128) }
            .vector(
                "envelope_contains_footer",
                "F-8.1",
                "The envelope is a copy of the container's footer.",
            )
            .opens(),
    ]
}

/// Changed copies of the envelope, which are not authenticated (F-8.1).
fn rewritten() -> Vec<Vector> {
    let sample = Sample::new("rewritten envelope", 100).with_envelope(64);
    let other = bytes("another envelope", 64);
    let opens = |name, head: &[u8], tail: &[u8], comment| {
        let container = sample.parts().envelopes(head, tail).to_bytes();
        sample.vector(name, "F-8.1", comment).container(container).opens()
    };
    let mut flipped = sample.envelope.clone();
    flipped[0] ^= 1;
    vec![
        opens(
            "envelope_rewritten",
            &other,
            &other,
            "Both copies are replaced; the plaintext is unchanged.",
        ),
        opens(
            "envelope_head_flipped",
            &flipped,
            &sample.envelope,
            "One bit in the first copy is flipped.",
        ),
        opens(
            "envelope_tail_flipped",
            &sample.envelope,
            &flipped,
            "One bit in the second copy is flipped.",
        ),
        opens(
            "envelope_tail_rewritten",
            &sample.envelope,
            &other,
            "The copies differ, as after an interrupted update (F-8.2).",
        ),
        opens(
            "envelope_head_zeroed",
            &[0; 64],
            &sample.envelope,
            "The first copy is zeroed; the second is intact.",
        ),
    ]
}

/// Missing or excess bytes, so that chunk 0 is not in its position. The footer is valid.
fn misplaced() -> Vec<Vector> {
    let sample = Sample::new("misplaced envelope", 100).with_envelope(64);
    let container = sample.container();
    let rejected = |name, container, comment| {
        sample
            .vector(name, "F-5.3", comment)
            .container(container)
            .fails(ContainerError::ChunkRejected { index: 0 })
    };
    vec![
        rejected(
            "envelope_head_missing",
            remove(&container, 128, 64),
            "The chunk is where the envelope should be.",
        ),
        rejected(
            "envelope_tail_missing",
            remove(&container, 128 + 64 + 116, 64),
            "Part of the chunk is where the envelope should be.",
        ),
        rejected(
            "envelope_head_long_by_1",
            insert(&container, 128, b"\0"),
            "The chunk starts one byte too late.",
        ),
    ]
}
