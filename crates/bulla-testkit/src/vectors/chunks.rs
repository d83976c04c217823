//! Chunks: changed, moved, spliced, sealed otherwise than they should.

use super::Vector;
use super::label::bytes32;
use super::sample::Sample;
use crate::malform::{Parts, seal_chunk_with_associated_data};
use crate::reference::{Fault, HEADER_LEN, Schedule, TAG_LEN, seal_chunk};

/// Bytes of plaintext in a full chunk of all samples here.
const FULL: usize = 4096;

const REJECTED_0: Fault = Fault::ChunkRejected { index: 0 };
const REJECTED_1: Fault = Fault::ChunkRejected { index: 1 };
const TRUNCATED_1: Fault = Fault::Truncated { after: 1 };

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = changed();
    vectors.extend(moved());
    vectors.extend(wrong_lengths());
    vectors.extend(sealed_otherwise());
    vectors.extend(spliced());
    vectors
}

/// One chunk of 100 bytes.
fn one() -> Sample {
    Sample::new("one chunk", 100)
}

/// A full chunk and one of 100 bytes.
fn two() -> Sample {
    Sample::new("two chunks", FULL + 100)
}

/// Two full chunks and one of 100 bytes.
fn three() -> Sample {
    Sample::new("three chunks", 2 * FULL + 100)
}

/// A vector of changed parts; the stream releases the chunks before the one at fault.
fn fails(
    name: &'static str,
    clause: &'static str,
    sample: &Sample,
    change: impl FnOnce(Parts) -> Parts,
    fault: Fault,
    comment: &'static str,
) -> Vector {
    let released = match fault {
        Fault::ChunkRejected { index } => index as usize * FULL,
        Fault::Truncated { after } => after as usize * FULL,
        _ => 0,
    };
    let container = change(sample.parts()).join();
    sample.vector(name, clause, comment).container(container).fails_after(released, fault)
}

fn changed() -> Vec<Vector> {
    let (one, two, three) = (one(), two(), three());
    let empty_last = Sample::new("empty last chunk", FULL);
    let c = "F-7.4";
    vec![
        fails(
            "only_chunk_flipped",
            c,
            &one,
            |p| p.flip_chunk(0, 0),
            REJECTED_0,
            "One bit of the ciphertext.",
        ),
        fails(
            "only_chunk_tag_flipped",
            c,
            &one,
            |p| p.flip_chunk(0, 100 + 15),
            REJECTED_0,
            "The tag's last bit.",
        ),
        fails(
            "chunk_0_flipped",
            c,
            &two,
            |p| p.flip_chunk(0, FULL - 1),
            REJECTED_0,
            "One bit of the ciphertext's last byte.",
        ),
        fails(
            "chunk_0_tag_flipped",
            c,
            &two,
            |p| p.flip_chunk(0, FULL),
            REJECTED_0,
            "The tag's first byte.",
        ),
        fails(
            "middle_chunk_flipped",
            c,
            &three,
            |p| p.flip_chunk(1, 0),
            REJECTED_1,
            "Chunk 0 is released first.",
        ),
        fails(
            "last_chunk_flipped",
            c,
            &two,
            |p| p.flip_chunk(1, 0),
            REJECTED_1,
            "The footer stands, so it is no cut.",
        ),
        fails(
            "last_chunk_tag_flipped",
            c,
            &two,
            |p| p.flip_chunk(1, 100),
            REJECTED_1,
            "The footer stands, so it is no cut.",
        ),
        fails(
            "empty_last_chunk_tag_flipped",
            c,
            &empty_last,
            |p| p.flip_chunk(1, 0),
            REJECTED_1,
            "It has nothing but a tag.",
        ),
        fails(
            "last_chunk_tag_zeroed",
            c,
            &empty_last,
            |p| p.replace_chunk(1, vec![0; TAG_LEN]),
            REJECTED_1,
            "16 zeros instead of an empty last chunk.",
        ),
        fails(
            "two_chunks_flipped",
            "F-7.5",
            &three,
            |p| p.flip_chunk(1, 0).flip_chunk(2, 0),
            REJECTED_1,
            "The lower is named, also by who looks at the last first.",
        ),
    ]
}

fn moved() -> Vec<Vector> {
    let (two, three) = (two(), three());
    let again = two.parts().chunks.remove(0);
    let in_place = three.parts().chunks.remove(0);
    let c = "F-5.2";
    vec![
        fails("chunks_swapped", c, &three, |p| p.swap_chunks(0, 1), REJECTED_0, "Chunks 0 and 1."),
        fails(
            "chunk_copied_over_next",
            c,
            &three,
            |p| p.replace_chunk(1, in_place),
            REJECTED_1,
            "Chunk 0 in the place of chunk 1.",
        ),
        fails(
            "chunk_inserted_twice",
            c,
            &two,
            |p| p.insert_chunk(1, again),
            REJECTED_1,
            "Chunk 0 once more before the last.",
        ),
        fails(
            "first_chunk_dropped",
            c,
            &two,
            |p| p.drop_chunk(0),
            REJECTED_0,
            "The last chunk comes to stand at 0.",
        ),
        fails(
            "middle_chunk_dropped",
            c,
            &three,
            |p| p.drop_chunk(1),
            REJECTED_1,
            "The last chunk comes to stand at 1.",
        ),
        fails(
            "last_chunk_dropped",
            "F-7.3",
            &two,
            |p| p.drop_chunk(1),
            TRUNCATED_1,
            "A full chunk is never the last.",
        ),
    ]
}

fn wrong_lengths() -> Vec<Vector> {
    let (one, two) = (one(), two());
    let full = Sample::new("last chunk full", FULL);
    let (keys, key_of_two) = (keys(&one), keys(&two));
    let resized = |p: Parts, len: usize| {
        let mut chunk = p.chunks[1].clone();
        chunk.resize(len, 0);
        p.replace_chunk(1, chunk)
    };
    let plaintext = |sample: &Sample, from: usize, to: usize| sample.plaintext[from..to].to_vec();
    vec![
        fails(
            "last_chunk_full",
            "F-5.1",
            &full,
            |p| p.drop_chunk(1),
            TRUNCATED_1,
            "4096 bytes sealed as one chunk, without an empty one after it.",
        ),
        fails(
            "last_chunk_of_15_bytes",
            "F-7.3",
            &full,
            |p| resized(p, 15),
            TRUNCATED_1,
            "Shorter than a tag.",
        ),
        fails(
            "last_chunk_short_by_1",
            "F-7.4",
            &two,
            |p| resized(p, 115),
            REJECTED_1,
            "The tag's last byte is missing.",
        ),
        fails(
            "last_chunk_long_by_1",
            "F-7.4",
            &two,
            |p| resized(p, 117),
            REJECTED_1,
            "A zero byte follows the tag.",
        ),
        fails(
            "last_chunk_without_tag",
            "F-7.4",
            &two,
            |p| resized(p, 100),
            REJECTED_1,
            "Ciphertext only.",
        ),
        fails(
            "first_chunk_short",
            "F-5.1",
            &two,
            |p| p.replace_chunk(0, seal_chunk(&key_of_two, 0, &plaintext(&two, 0, FULL - 1))),
            REJECTED_0,
            "4095 bytes sealed as chunk 0, and a chunk after it.",
        ),
        fails(
            "two_short_chunks",
            "F-5.1",
            &one,
            |p| {
                p.replace_chunk(0, seal_chunk(&keys, 0, &plaintext(&one, 0, 50)))
                    .insert_chunk(1, seal_chunk(&keys, 1, &plaintext(&one, 50, 100)))
            },
            REJECTED_0,
            "50 bytes each, sealed as chunks 0 and 1.",
        ),
        fails(
            "empty_chunk_after_short_one",
            "F-5.1",
            &one,
            |p| p.insert_chunk(1, seal_chunk(&keys, 1, b"")),
            REJECTED_0,
            "The plaintext has another encoding, which is refused.",
        ),
    ]
}

fn sealed_otherwise() -> Vec<Vector> {
    let (one, two) = (one(), two());
    let last = &two.plaintext[FULL..];
    let c = "F-5.2";
    let little_endian = |keys: &Schedule| {
        let mut keys = keys.clone();
        keys.base_nonce[0] ^= 1;
        seal_chunk(&keys, 0, last)
    };
    let header: [u8; HEADER_LEN] = one.parts().header;
    vec![
        fails(
            "chunk_0_sealed_as_1",
            c,
            &one,
            |p| p.replace_chunk(0, seal_chunk(&keys(&one), 1, &one.plaintext)),
            REJECTED_0,
            "The only chunk, sealed with the number of the next.",
        ),
        fails(
            "last_chunk_sealed_as_previous",
            c,
            &two,
            |p| p.replace_chunk(1, seal_chunk(&keys(&two), 0, last)),
            REJECTED_1,
            "Chunk 1, sealed with number 0.",
        ),
        fails(
            "last_chunk_sealed_as_next",
            c,
            &two,
            |p| p.replace_chunk(1, seal_chunk(&keys(&two), 2, last)),
            REJECTED_1,
            "Chunk 1, sealed with number 2.",
        ),
        fails(
            "chunk_number_little_endian",
            c,
            &two,
            |p| p.replace_chunk(1, little_endian(&keys(&two))),
            REJECTED_1,
            "The number of chunk 1, in the nonce's first byte.",
        ),
        fails(
            "chunk_with_associated_data",
            c,
            &one,
            |p| {
                p.replace_chunk(
                    0,
                    seal_chunk_with_associated_data(&keys(&one), 0, &one.plaintext, &header),
                )
            },
            REJECTED_0,
            "The header as associated data, which is to be empty.",
        ),
    ]
}

/// The only chunk comes from another container, of which one thing differs.
fn spliced() -> Vec<Vector> {
    let one = one();
    let splice = |name, other: Sample, comment| {
        let chunk = other.parts().chunks.remove(0);
        fails(name, "F-4.3", &one, |p| p.replace_chunk(0, chunk), REJECTED_0, comment)
    };
    vec![
        splice(
            "chunk_from_another_salt",
            Sample { salt: bytes32("another salt"), ..one.clone() },
            "The same key and plaintext.",
        ),
        splice(
            "chunk_from_another_key",
            Sample { key: bytes32("another key"), ..one.clone() },
            "The same salt and plaintext.",
        ),
        splice(
            "chunk_from_another_chunk_size",
            Sample { chunk_log2: 13, ..one.clone() },
            "The same key, salt and plaintext.",
        ),
        splice(
            "chunk_from_another_content",
            Sample { content: 1, ..one.clone() },
            "The same key, salt and plaintext.",
        ),
        splice(
            "chunk_from_another_context",
            one.clone().with_context(b"context"),
            "The same key, salt and plaintext.",
        ),
        splice(
            "chunk_from_another_envelope_length",
            one.clone().with_envelope(1),
            "The same key, salt and plaintext.",
        ),
    ]
}

fn keys(sample: &Sample) -> Schedule {
    sample.parts().keys(&sample.key, None)
}
