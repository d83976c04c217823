//! Chunk sizes, and plaintexts around multiples of them.

use super::Vector;
use super::sample::Sample;
use crate::malform::field::{CHUNK_LOG2, ENVELOPE_LEN};
use crate::reference::Fault;

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
            .vector("plaintext_4095_bytes", "F-5.1", "One chunk, as long as a last chunk can be.")
            .opens(),
        sample(4096)
            .vector("plaintext_4096_bytes", "F-5.1", "One full chunk, and an empty last one.")
            .opens(),
        sample(4097)
            .vector("plaintext_4097_bytes", "F-5.1", "One full chunk, and a last one of one byte.")
            .opens(),
        sample(8191)
            .vector("plaintext_8191_bytes", "F-5.1", "Two chunks, the last one byte short.")
            .opens(),
        sample(8192)
            .vector("plaintext_8192_bytes", "F-5.1", "Two full chunks, and an empty last one.")
            .opens(),
        sample(8193)
            .vector("plaintext_8193_bytes", "F-5.1", "Two full chunks, and a last one of one byte.")
            .opens(),
    ]
}

fn chunk_sizes() -> Vec<Vector> {
    let sample = |chunk_log2, len| Sample { chunk_log2, ..Sample::new("chunk sizes", len) };
    vec![
        sample(12, 5).vector("chunk_log2_12", "F-3.7", "The smallest chunk size.").opens(),
        sample(13, 8193)
            .vector(
                "chunk_log2_13_two_chunks",
                "F-5.1",
                "One full chunk of 2^13 bytes, and one byte.",
            )
            .opens(),
        sample(16, 5).vector("chunk_log2_16", "F-3.7", "The chunk size by default.").opens(),
        sample(16, 65536)
            .vector(
                "chunk_log2_16_one_full",
                "F-5.1",
                "One full chunk of 2^16 bytes, and an empty last one.",
            )
            .opens(),
        sample(20, 5).vector("chunk_log2_20", "F-3.7", "The largest chunk size.").opens(),
    ]
}

fn out_of_range() -> Vec<Vector> {
    let sample = Sample::new("out of range", 5);
    let chunk_log2 = |name, value, comment| {
        sample
            .vector(name, "F-3.7", comment)
            .container(sample.resealed(CHUNK_LOG2, &[value]))
            .fails(Fault::UnsupportedFeature)
    };
    let envelope_len = |value: u32| sample.resealed(ENVELOPE_LEN, &value.to_be_bytes());
    vec![
        chunk_log2("chunk_log2_0", 0, "A chunk of one byte; sealed so."),
        chunk_log2("chunk_log2_11", 11, "A chunk size below the least; sealed so."),
        chunk_log2("chunk_log2_21", 21, "A chunk size above the greatest; sealed so."),
        chunk_log2("chunk_log2_255", 255, "A chunk size that no integer holds; sealed so."),
        sample
            .vector(
                "envelope_len_over_limit",
                "F-3.7",
                "2^20 + 1, in both copies; judged before looking for so many bytes.",
            )
            .container(envelope_len((1 << 20) + 1))
            .fails(Fault::UnsupportedFeature),
        sample
            .vector(
                "envelope_len_4_gib",
                "F-7.7",
                "2^32 - 1, in both copies; nothing is allocated for it.",
            )
            .container(envelope_len(u32::MAX))
            .fails(Fault::UnsupportedFeature),
        sample
            .vector(
                "envelope_len_beyond_end",
                "F-7.1",
                "2^20, in both copies, of a container that is shorter.",
            )
            .container(envelope_len(1 << 20))
            .fails(Fault::Truncated { after: 0 }),
    ]
}
