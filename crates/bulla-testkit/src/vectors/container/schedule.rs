//! The key schedule and its inputs: keys, salts, commitments, and every field in header bytes
//! 8..64.

use super::model::Vector;
use super::sample::Sample;
use crate::corrupt::{HeaderCopy, field};
use crate::reference::ContainerError;
use crate::vectors::label::{bytes, bytes32};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = known_answers();
    vectors.extend(wrong_keys());
    vectors.extend(bound_and_authenticated());
    vectors.extend(bound_and_changed());
    vectors.extend(commitments());
    vectors
}

fn known_answers() -> Vec<Vector> {
    let sample = Sample::new("known answers", 3);
    let long = bytes("context", 300);
    vec![
        Sample { key: [0; 32], ..sample.clone() }
            .vector("key_zero", "F-4.3", "The key is all zeros.")
            .opens(),
        Sample { key: [0xff; 32], ..sample.clone() }
            .vector("key_ones", "F-4.3", "The key is all ones.")
            .opens(),
        Sample { salt: [0; 32], ..sample.clone() }
            .vector("salt_zero", "F-4.3", "The salt is all zeros.")
            .opens(),
        sample
            .vector("export_label_empty", "F-4.5", "The label of the exported secret is empty.")
            .label(b"")
            .opens(),
        sample
            .vector(
                "export_label_of_arbitrary_bytes",
                "F-4.5",
                "The label contains a zero byte and a byte that is not valid UTF-8.",
            )
            .label(b"\0\xff")
            .opens(),
        sample
            .with_context(&long)
            .vector(
                "info_over_two_blocks",
                "F-4.3",
                "The context makes info longer than two SHA-512 blocks.",
            )
            .opens(),
    ]
}

fn wrong_keys() -> Vec<Vector> {
    let sample = Sample::new("wrong keys", 3);
    let [mut first, mut last] = [sample.key; 2];
    first[0] ^= 0x80;
    last[31] ^= 0x01;
    vec![
        sample
            .vector("wrong_key", "F-4.4", "Another key is given.")
            .key(bytes32("another key"))
            .fails(ContainerError::WrongKey),
        sample
            .vector("wrong_key_first_bit", "F-4.4", "The first bit of the key is flipped.")
            .key(first)
            .fails(ContainerError::WrongKey),
        sample
            .vector("wrong_key_last_bit", "F-4.4", "The last bit of the key is flipped.")
            .key(last)
            .fails(ContainerError::WrongKey),
    ]
}

/// Authenticated values that no current writer uses but readers accept.
fn bound_and_authenticated() -> Vec<Vector> {
    let sample = Sample::new("sealed in", 100);
    let opens = |name, at, value: &[u8], comment| {
        sample.vector(name, "F-3.7", comment).container(sample.resealed(at, value)).opens()
    };
    vec![
        opens("minor_1", field::MINOR, &[1], "A later minor version; the header is authenticated."),
        opens(
            "minor_255",
            field::MINOR,
            &[255],
            "The last minor version; the header is authenticated.",
        ),
        opens(
            "reserved_bound_nonzero",
            field::RESERVED_BOUND,
            &[0xa5; 12],
            "Bytes 20..32 are not zero; the header is authenticated.",
        ),
    ]
}

/// Fields changed without the key: in both copies, with valid checks.
fn bound_and_changed() -> Vec<Vector> {
    let sample = Sample::new("changed", 100).with_envelope(8);
    let changed = |name, at, value: &[u8], comment| {
        let container = sample
            .parts()
            .edit(HeaderCopy::Both, at, value)
            .update_check(HeaderCopy::Both)
            .to_bytes();
        sample.vector(name, "F-4.3", comment).container(container).fails(ContainerError::WrongKey)
    };
    let mut salt = sample.salt;
    salt[31] ^= 1;
    vec![
        changed(
            "minor_changed",
            field::MINOR,
            &[1],
            "The minor version is changed from 0 to 1 in both copies, with valid checks.",
        ),
        changed(
            "chunk_log2_changed",
            field::CHUNK_LOG2,
            &[13],
            "chunk_log2 is changed from 12 to 13 in both copies, with valid checks.",
        ),
        changed(
            "content_changed",
            field::CONTENT,
            &[1],
            "The content type is changed from 0 to 1 in both copies, with valid checks.",
        ),
        changed(
            "envelope_len_changed",
            field::ENVELOPE_LEN,
            &[0, 0, 0, 7],
            "envelope_len is changed from 8 to 7 in both copies, with valid checks.",
        ),
        changed(
            "reserved_bound_first_changed",
            field::RESERVED_BOUND,
            &[1],
            "Byte 20 is changed in both copies, with valid checks.",
        ),
        changed(
            "reserved_bound_last_changed",
            field::SALT - 1,
            &[1],
            "Byte 31 is changed in both copies, with valid checks.",
        ),
        changed(
            "salt_changed",
            field::SALT,
            &salt,
            "The last bit of the salt is flipped in both copies, with valid checks.",
        ),
    ]
}

fn commitments() -> Vec<Vector> {
    let sample = Sample::new("commitments", 100);
    let other = Sample::new("another commitment", 100).parts().header;
    let changed = |name, value: &[u8; 32], comment| {
        let container = sample
            .parts()
            .edit(HeaderCopy::Both, field::COMMITMENT, value)
            .update_check(HeaderCopy::Both)
            .to_bytes();
        sample.vector(name, "F-4.4", comment).container(container).fails(ContainerError::WrongKey)
    };
    let valid: [u8; 32] =
        *sample.parts().header[field::COMMITMENT..].first_chunk().expect("64 bytes are left");
    let [mut first, mut last] = [valid; 2];
    first[0] ^= 0x80;
    last[31] ^= 0x01;
    vec![
        changed(
            "commitment_first_bit_flipped",
            &first,
            "The first bit is flipped in both copies, with valid checks.",
        ),
        changed(
            "commitment_last_bit_flipped",
            &last,
            "The last bit is flipped in both copies, with valid checks.",
        ),
        changed(
            "commitment_zeroed",
            &[0; 32],
            "The commitment is all zeros in both copies, with valid checks.",
        ),
        changed(
            "commitment_from_another_container",
            other[field::COMMITMENT..].first_chunk().expect("64 bytes are left"),
            "The commitment is that of the same key and another salt, with valid checks.",
        ),
    ]
}
