//! Envelopes: stored twice, handed back as they are, judged by nobody in this layer.

use super::Vector;
use super::label::bytes;
use super::sample::Sample;
use crate::malform::{insert, remove};
use crate::reference::Fault;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = lengths();
    vectors.extend(rewritten());
    vectors.extend(misplaced());
    vectors
}

fn lengths() -> Vec<Vector> {
    let with = |len| Sample::new("envelope", 100).with_envelope(len);
    let two = Sample::new("envelope", 4096 + 100).with_envelope(100);
    // The footer depends on the envelope's length, not on its bytes (F-8.3), so an envelope can
    // hold it.
    let footer = with(128).parts().footer.to_vec();
    vec![
        with(1).vector("envelope_1_byte", "F-2.1", "Before the chunk and after it.").opens(),
        with(300).vector("envelope_300_bytes", "F-2.1", "Longer than the plaintext.").opens(),
        with(5000).vector("envelope_5000_bytes", "F-2.1", "Longer than a chunk.").opens(),
        two.vector("envelope_two_chunks", "F-5.3", "Chunks begin after it.").opens(),
        Sample { envelope: footer, ..with(128) }
            .vector(
                "envelope_holds_footer",
                "F-8.1",
                "The container's own footer; it opens all the same.",
            )
            .opens(),
    ]
}

/// F-8.1: the copies are not authenticated, and whoever can write them can change them.
fn rewritten() -> Vec<Vector> {
    let sample = Sample::new("rewritten envelope", 100).with_envelope(64);
    let other = bytes("another envelope", 64);
    let opens = |name, head: &[u8], tail: &[u8], comment| {
        let container = sample.parts().envelopes(head, tail).join();
        sample.vector(name, "F-8.1", comment).container(container).opens()
    };
    let mut flipped = sample.envelope.clone();
    flipped[0] ^= 1;
    vec![
        opens("envelope_rewritten", &other, &other, "Both copies; the plaintext is unchanged."),
        opens("envelope_head_flipped", &flipped, &sample.envelope, "One bit of the first copy."),
        opens("envelope_tail_flipped", &sample.envelope, &flipped, "One bit of the second copy."),
        opens(
            "envelope_tail_rewritten",
            &sample.envelope,
            &other,
            "As after an interrupted rewriting (F-8.2).",
        ),
        opens("envelope_head_zeroed", &[0; 64], &sample.envelope, "The second copy is whole."),
    ]
}

/// The footer stands, and 116 bytes of chunk 0 are expected elsewhere.
fn misplaced() -> Vec<Vector> {
    let sample = Sample::new("misplaced envelope", 100).with_envelope(64);
    let container = sample.container();
    let rejected = |name, container, comment| {
        sample
            .vector(name, "F-5.3", comment)
            .container(container)
            .fails(Fault::ChunkRejected { index: 0 })
    };
    vec![
        rejected(
            "envelope_head_missing",
            remove(&container, 128, 64),
            "The chunk stands in its place.",
        ),
        rejected(
            "envelope_tail_missing",
            remove(&container, 128 + 64 + 116, 64),
            "A part of the chunk is taken for it.",
        ),
        rejected(
            "envelope_head_long_by_1",
            insert(&container, 128, b"\0"),
            "The chunk stands one byte too late.",
        ),
    ]
}
