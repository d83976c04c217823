//! The key schedule and what it binds: keys, salts, commitments, and every header field in bytes
//! 8..64.

use super::Vector;
use super::label::{bytes, bytes32};
use super::sample::Sample;
use crate::malform::{Place, field};
use crate::reference::Fault;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = known_answers();
    vectors.extend(wrong_keys());
    vectors.extend(bound_and_sealed_in());
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
            .vector("export_label_empty", "F-4.5", "The label of the exported secret has no bytes.")
            .label(b"")
            .opens(),
        sample
            .vector("export_label_of_any_bytes", "F-4.5", "A zero byte, and one that is no UTF-8.")
            .label(b"\0\xff")
            .opens(),
        sample
            .with_context(&long)
            .vector(
                "info_over_two_blocks",
                "F-4.3",
                "A context that makes info longer than two blocks of SHA-512.",
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
            .vector("wrong_key", "F-4.4", "Another key.")
            .key(bytes32("another key"))
            .fails(Fault::WrongKey),
        sample
            .vector("wrong_key_first_bit", "F-4.4", "The first bit of the key is wrong.")
            .key(first)
            .fails(Fault::WrongKey),
        sample
            .vector("wrong_key_last_bit", "F-4.4", "The last bit of the key is wrong.")
            .key(last)
            .fails(Fault::WrongKey),
    ]
}

/// Values that no writer of today writes, sealed in; a reader takes them as they stand.
fn bound_and_sealed_in() -> Vec<Vector> {
    let sample = Sample::new("sealed in", 100);
    let opens = |name, at, value: &[u8], comment| {
        sample.vector(name, "F-3.7", comment).container(sample.resealed(at, value)).opens()
    };
    vec![
        opens("minor_1", field::MINOR, &[1], "A later minor version; sealed so."),
        opens("minor_255", field::MINOR, &[255], "The last minor version; sealed so."),
        opens(
            "reserved_bound_nonzero",
            field::RESERVED_BOUND,
            &[0xa5; 12],
            "Bytes 20..32 are not zero; sealed so.",
        ),
    ]
}

/// Fields changed by somebody without the key: in both copies, and the checks hold.
fn bound_and_changed() -> Vec<Vector> {
    let sample = Sample::new("changed", 100).with_envelope(8);
    let changed = |name, at, value: &[u8], comment| {
        let container =
            sample.parts().edit(Place::Both, at, value).remake_check(Place::Both).join();
        sample.vector(name, "F-4.3", comment).container(container).fails(Fault::WrongKey)
    };
    let mut salt = sample.salt;
    salt[31] ^= 1;
    vec![
        changed(
            "minor_changed",
            field::MINOR,
            &[1],
            "Minor 1 written over 0 in both copies; the checks hold.",
        ),
        changed(
            "chunk_log2_changed",
            field::CHUNK_LOG2,
            &[13],
            "13 written over 12 in both copies; the checks hold.",
        ),
        changed(
            "content_changed",
            field::CONTENT,
            &[1],
            "Content 1 written over 0 in both copies; the checks hold.",
        ),
        changed(
            "envelope_len_changed",
            field::ENVELOPE_LEN,
            &[0, 0, 0, 7],
            "7 written over 8 in both copies; the checks hold.",
        ),
        changed(
            "reserved_bound_first_changed",
            field::RESERVED_BOUND,
            &[1],
            "Byte 20 changed in both copies; the checks hold.",
        ),
        changed(
            "reserved_bound_last_changed",
            field::SALT - 1,
            &[1],
            "Byte 31 changed in both copies; the checks hold.",
        ),
        changed(
            "salt_changed",
            field::SALT,
            &salt,
            "The salt's last bit flipped in both copies; the checks hold.",
        ),
    ]
}

fn commitments() -> Vec<Vector> {
    let sample = Sample::new("commitments", 100);
    let other = Sample::new("another commitment", 100).parts().header;
    let changed = |name, value: &[u8; 32], comment| {
        let container = sample
            .parts()
            .edit(Place::Both, field::COMMITMENT, value)
            .remake_check(Place::Both)
            .join();
        sample.vector(name, "F-4.4", comment).container(container).fails(Fault::WrongKey)
    };
    let right: [u8; 32] =
        *sample.parts().header[field::COMMITMENT..].first_chunk().expect("64 bytes are left");
    let [mut first, mut last] = [right; 2];
    first[0] ^= 0x80;
    last[31] ^= 0x01;
    vec![
        changed(
            "commitment_first_bit",
            &first,
            "The first bit flipped in both copies; the checks hold.",
        ),
        changed(
            "commitment_last_bit",
            &last,
            "The last bit flipped in both copies; the checks hold.",
        ),
        changed("commitment_zero", &[0; 32], "All zeros in both copies; the checks hold."),
        changed(
            "commitment_from_another_container",
            other[field::COMMITMENT..].first_chunk().expect("64 bytes are left"),
            "That of another salt under the same key; the checks hold.",
        ),
    ]
}
