//! Chunks that are changed, moved, of the wrong length, sealed incorrectly, or from another
//! container.

use super::model::Vector;
use super::sample::Sample;
use crate::corrupt::{ContainerParts, seal_chunk_with_associated_data};
use crate::reference::{ContainerError, HEADER_LEN, Schedule, TAG_LEN, seal_chunk};
use crate::vectors::label::bytes32;

/// Plaintext bytes in a full chunk, for all samples in this file.
const FULL: usize = 4096;

const REJECTED_0: ContainerError = ContainerError::ChunkRejected { index: 0 };
const REJECTED_1: ContainerError = ContainerError::ChunkRejected { index: 1 };
const TRUNCATED_1: ContainerError = ContainerError::Truncated { after: 1 };

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = changed();
    vectors.extend(moved());
    vectors.extend(wrong_lengths());
    vectors.extend(sealed_incorrectly());
    vectors.extend(spliced());
    vectors
}

/// Returns a sample with one chunk of 100 bytes.
fn one() -> Sample {
    Sample::new("one chunk", 100)
}

/// Returns a sample with a full chunk and one of 100 bytes.
fn two() -> Sample {
    Sample::new("two chunks", FULL + 100)
}

/// Returns a sample with two full chunks and one of 100 bytes.
fn three() -> Sample {
    Sample::new("three chunks", 2 * FULL + 100)
}

/// Builds a vector from changed parts. A stream releases the chunks before the faulty one.
fn fails(
    name: &'static str,
    clause: &'static str,
    sample: &Sample,
    change: impl FnOnce(ContainerParts) -> ContainerParts,
    error: ContainerError,
    comment: &'static str,
) -> Vector {
    let released = match error {
        ContainerError::ChunkRejected { index } => index as usize * FULL,
        ContainerError::Truncated { after } => after as usize * FULL,
        _ => 0,
    };
    let container = change(sample.parts()).to_bytes();
    sample.vector(name, clause, comment).container(container).fails_after(released, error)
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
            "One bit in the ciphertext is flipped.",
        ),
        fails(
            "only_chunk_tag_flipped",
            c,
            &one,
            |p| p.flip_chunk(0, 100 + 15),
            REJECTED_0,
            "One bit in the tag's last byte is flipped.",
        ),
        fails(
            "chunk_0_flipped",
            c,
            &two,
            |p| p.flip_chunk(0, FULL - 1),
            REJECTED_0,
            "One bit in the ciphertext's last byte is flipped.",
        ),
        fails(
            "chunk_0_tag_flipped",
            c,
            &two,
            |p| p.flip_chunk(0, FULL),
            REJECTED_0,
            "One bit in the tag's first byte is flipped.",
        ),
        fails(
            "middle_chunk_flipped",
            c,
            &three,
            |p| p.flip_chunk(1, 0),
            REJECTED_1,
            "A stream releases chunk 0 first.",
        ),
        fails(
            "last_chunk_flipped",
            c,
            &two,
            |p| p.flip_chunk(1, 0),
            REJECTED_1,
            "The footer is valid, so the container is not truncated.",
        ),
        fails(
            "last_chunk_tag_flipped",
            c,
            &two,
            |p| p.flip_chunk(1, 100),
            REJECTED_1,
            "The footer is valid, so the container is not truncated.",
        ),
        fails(
            "empty_last_chunk_tag_flipped",
            c,
            &empty_last,
            |p| p.flip_chunk(1, 0),
            REJECTED_1,
            "The last chunk contains only a tag.",
        ),
        fails(
            "last_chunk_tag_zeroed",
            c,
            &empty_last,
            |p| p.replace_chunk(1, vec![0; TAG_LEN]),
            REJECTED_1,
            "The empty last chunk is replaced with 16 zeros.",
        ),
        fails(
            "two_chunks_flipped",
            "F-7.5",
            &three,
            |p| p.flip_chunk(1, 0).flip_chunk(2, 0),
            REJECTED_1,
            "The lower chunk is reported, even by a reader that starts with the last one.",
        ),
    ]
}

fn moved() -> Vec<Vector> {
    let (two, three) = (two(), three());
    let again = two.parts().chunks.remove(0);
    let in_place = three.parts().chunks.remove(0);
    let c = "F-5.2";
    vec![
        fails(
            "chunks_swapped",
            c,
            &three,
            |p| p.swap_chunks(0, 1),
            REJECTED_0,
            "Chunks 0 and 1 are swapped.",
        ),
        fails(
            "chunk_copied_over_next",
            c,
            &three,
            |p| p.replace_chunk(1, in_place),
            REJECTED_1,
            "Chunk 1 is replaced with a copy of chunk 0.",
        ),
        fails(
            "chunk_duplicated",
            c,
            &two,
            |p| p.insert_chunk(1, again),
            REJECTED_1,
            "A copy of chunk 0 is inserted before the last chunk.",
        ),
        fails(
            "first_chunk_removed",
            c,
            &two,
            |p| p.drop_chunk(0),
            REJECTED_0,
            "The last chunk is now where chunk 0 should be.",
        ),
        fails(
            "middle_chunk_removed",
            c,
            &three,
            |p| p.drop_chunk(1),
            REJECTED_1,
            "The last chunk is now where chunk 1 should be.",
        ),
        fails(
            "last_chunk_removed",
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
    let resized = |p: ContainerParts, len: usize| {
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
            "4096 bytes are sealed as one chunk, without an empty chunk after it.",
        ),
        fails(
            "last_chunk_of_15_bytes",
            "F-7.3",
            &full,
            |p| resized(p, 15),
            TRUNCATED_1,
            "The last chunk is shorter than a tag.",
        ),
        fails(
            "last_chunk_short_by_1",
            "F-7.4",
            &two,
            |p| resized(p, 115),
            REJECTED_1,
            "The last byte of the tag is missing.",
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
            "The last chunk contains only ciphertext.",
        ),
        fails(
            "first_chunk_short",
            "F-5.1",
            &two,
            |p| p.replace_chunk(0, seal_chunk(&key_of_two, 0, &plaintext(&two, 0, FULL - 1))),
            REJECTED_0,
            "4095 bytes are sealed as chunk 0, which is not the last.",
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
            "Chunks 0 and 1 hold 50 bytes each.",
        ),
        fails(
            "empty_chunk_after_short_chunk",
            "F-5.1",
            &one,
            |p| p.insert_chunk(1, seal_chunk(&keys, 1, b"")),
            REJECTED_0,
            "This would be a second encoding of the plaintext, so it is rejected.",
        ),
    ]
}

fn sealed_incorrectly() -> Vec<Vector> {
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
            "The only chunk is sealed with chunk number 1.",
        ),
        fails(
            "last_chunk_sealed_as_previous",
            c,
            &two,
            |p| p.replace_chunk(1, seal_chunk(&keys(&two), 0, last)),
            REJECTED_1,
            "Chunk 1 is sealed with chunk number 0.",
        ),
        fails(
            "last_chunk_sealed_as_next",
            c,
            &two,
            |p| p.replace_chunk(1, seal_chunk(&keys(&two), 2, last)),
            REJECTED_1,
            "Chunk 1 is sealed with chunk number 2.",
        ),
        fails(
            "chunk_number_little_endian",
            c,
            &two,
            |p| p.replace_chunk(1, little_endian(&keys(&two))),
            REJECTED_1,
            "Chunk number 1 is XORed into the first byte of the nonce instead of the last.",
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
            "The header is the associated data, which must be empty.",
        ),
    ]
}

/// Replaces the only chunk with one from a container that differs in one input.
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
            "The chunk was sealed with the same key and plaintext.",
        ),
        splice(
            "chunk_from_another_key",
            Sample { key: bytes32("another key"), ..one.clone() },
            "The chunk was sealed with the same salt and plaintext.",
        ),
        splice(
            "chunk_from_another_chunk_size",
            Sample { chunk_log2: 13, ..one.clone() },
            "The chunk was sealed with the same key, salt and plaintext.",
        ),
        splice(
            "chunk_from_another_content",
            Sample { content: 1, ..one.clone() },
            "The chunk was sealed with the same key, salt and plaintext.",
        ),
        splice(
            "chunk_from_another_context",
            one.clone().with_context(b"context"),
            "The chunk was sealed with the same key, salt and plaintext.",
        ),
        splice(
            "chunk_from_another_envelope_length",
            one.clone().with_envelope(1),
            "The chunk was sealed with the same key, salt and plaintext.",
        ),
    ]
}

fn keys(sample: &Sample) -> Schedule {
    sample.parts().keys(&sample.key, None)
}
