//! Chunk sizes, and plaintext lengths around their multiples.

use super::model::Vector;
use super::sample::Sample;
use crate::corrupt::field::{CHUNK_LOG2, ENVELOPE_LEN};
use crate::reference::ContainerError;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = sizes();
    vectors.extend(chunk_sizes());
    vectors.extend(out_of_range());
    vectors
}

fn sizes() -> Vec<Vector> {
    let sample = |len| Sample::new("sizes", len);
    vec![
        sample(4095)
            .vector(
                "plaintext_4095_bytes",
                "F-5.1",
                "One chunk with the maximum length for a last chunk.",
            )
            .opens(),
        sample(4096)
            .vector("plaintext_4096_bytes", "F-5.1", "One full chunk and an empty last chunk.")
            .opens(),
        sample(4097)
            .vector("plaintext_4097_bytes", "F-5.1", "One full chunk and a one-byte last chunk.")
            .opens(),
        sample(8191)
            .vector(
                "plaintext_8191_bytes",
                "F-5.1",
                "One full chunk and a last chunk that is one byte short of full.",
            )
            .opens(),
        sample(8192)
            .vector("plaintext_8192_bytes", "F-5.1", "Two full chunks and an empty last chunk.")
            .opens(),
        sample(8193)
            .vector("plaintext_8193_bytes", "F-5.1", "Two full chunks and a one-byte last chunk.")
            .opens(),
    ]
}

fn chunk_sizes() -> Vec<Vector> {
    let sample = |chunk_log2, len| Sample { chunk_log2, ..Sample::new("chunk sizes", len) };
    vec![
        sample(12, 5).vector("chunk_log2_12", "F-3.7", "The minimum chunk size.").opens(),
        sample(13, 8193)
            .vector(
                "chunk_log2_13_two_chunks",
                "F-5.1",
                "One full chunk of 2^13 bytes and a one-byte last chunk.",
            )
            .opens(),
        sample(16, 5).vector("chunk_log2_16", "F-3.7", "The default chunk size.").opens(),
        sample(16, 65536)
            .vector(
                "chunk_log2_16_one_full",
                "F-5.1",
                "One full chunk of 2^16 bytes and an empty last chunk.",
            )
            .opens(),
        sample(20, 5).vector("chunk_log2_20", "F-3.7", "The maximum chunk size.").opens(),
    ]
}

fn out_of_range() -> Vec<Vector> {
    let sample = Sample::new("out of range", 5);
    let chunk_log2 = |name, value, comment| {
        sample
            .vector(name, "F-3.7", comment)
            .container(sample.resealed(CHUNK_LOG2, &[value]))
            .fails(ContainerError::UnsupportedFeature)
    };
    let envelope_len = |value: u32| sample.resealed(ENVELOPE_LEN, &value.to_be_bytes());
    vec![
        chunk_log2("chunk_log2_0", 0, "The chunk size is one byte; the header is authenticated."),
        chunk_log2("chunk_log2_11", 11, "One below the minimum; the header is authenticated."),
        chunk_log2("chunk_log2_21", 21, "One above the maximum; the header is authenticated."),
        chunk_log2(
            "chunk_log2_255",
            255,
            "The chunk size overflows every integer type; the header is authenticated.",
        ),
        sample
            .vector(
                "envelope_len_over_limit",
                "F-3.7",
                "The length is 2^20 + 1 in both copies, rejected before the envelope is read.",
            )
            .container(envelope_len((1 << 20) + 1))
            .fails(ContainerError::UnsupportedFeature),
        sample
            .vector(
                "envelope_len_4_gib",
                "F-7.7",
                "The length is 2^32 - 1 in both copies, and no memory is allocated for it.",
            )
            .container(envelope_len(u32::MAX))
            .fails(ContainerError::UnsupportedFeature),
        sample
            .vector(
                "envelope_len_beyond_end",
                "F-7.1",
                "The length is 2^20 in both copies, but the container is shorter.",
            )
            .container(envelope_len(1 << 20))
            .fails(ContainerError::Truncated { after: 0 }),
    ]
}
