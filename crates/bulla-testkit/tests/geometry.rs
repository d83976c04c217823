//! The reference's geometry at sizes that no vector can have.

use bulla_testkit::reference::Geometry;

/// Computes the plaintext length from the container length for the example sizes in F-5.1 (F-7.3).
#[test]
fn matches_the_worked_sizes() {
    for (chunk_log2, plaintext, chunks, last, t, container) in [
        (12, 0, 1, 0, 16, 272),
        (12, 1, 1, 1, 17, 273),
        (12, 4095, 1, 4095, 4111, 4367),
        (12, 4096, 2, 0, 4128, 4384),
        (12, 4097, 2, 1, 4129, 4385),
        (16, 65536, 2, 0, 65568, 65824),
        (16, 1 << 32, 65537, 0, 4296015888, 4296016144),
    ] {
        let geometry = Geometry::of(container, 0, chunk_log2);
        assert_eq!((geometry.n + 1, geometry.r), (chunks, last + 16));
        assert_eq!(geometry.plaintext_len(), plaintext);
        assert_eq!(geometry.chunk(geometry.n).end, 128 + t);
    }
}

/// Accepts the longest plaintext, limited by its length or its number of chunks, and rejects one
/// byte more (F-5.4).
#[test]
fn rejects_a_plaintext_above_the_limit() {
    for (chunk_log2, longest) in [(12, (1u64 << 44) - 1), (16, (1 << 48) - 1), (20, (1 << 48) - 1)]
    {
        let chunks = (longest >> chunk_log2) + 1;
        let container = 256 + longest + 16 * chunks;
        let largest = Geometry::of(container, 0, chunk_log2);
        assert_eq!((largest.plaintext_len(), largest.n + 1), (longest, chunks));
        assert!(
            !largest.is_too_large() && Geometry::of(container + 17, 0, chunk_log2).is_too_large()
        );
    }
}
