//! Small plaintexts that open. Nearly every vector has at most one non-default field.

use super::model::Vector;
use super::sample::Sample;

pub(super) fn vectors() -> Vec<Vector> {
    let with_content = |content| Sample { content, ..Sample::new("content", 100) };
    let everything = Sample { chunk_log2: 13, content: 128, ..Sample::new("everything", 8192 + 3) };
    let everything = everything.with_context(b"one context").with_envelope(77);
    vec![
        Sample::new("empty", 0)
            .vector("plaintext_empty", "F-5.1", "One chunk with an empty plaintext.")
            .opens(),
        Sample::new("one byte", 1)
            .vector("plaintext_1_byte", "F-5.1", "One chunk with a one-byte plaintext.")
            .opens(),
        Sample::new("a hundred bytes", 100)
            .vector("plaintext_100_bytes", "F-5.1", "One short chunk.")
            .opens(),
        with_content(1)
            .vector(
                "content_1",
                "F-3.9",
                "The content type for archives, which this layer does not interpret.",
            )
            .opens(),
        with_content(2).vector("content_2", "F-3.7", "An unassigned content type.").opens(),
        with_content(127)
            .vector("content_127", "F-3.7", "The last unassigned content type.")
            .opens(),
        with_content(128)
            .vector("content_128", "F-3.7", "The first content type for private use.")
            .opens(),
        with_content(255)
            .vector("content_255", "F-3.7", "The last content type for private use.")
            .opens(),
        everything
            .vector(
                "all_features",
                "F-2.1",
                "Two chunks, the chunk size 2^13, a context, a content type and an envelope.",
            )
            .opens(),
    ]
}
