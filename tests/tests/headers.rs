//! Tests headers and footers with changed fields and recomputed checksums, and envelopes that are
//! rewritten in place.

use bulla::{ContentType, Error, Feature, HeaderState, Preamble, RangeReader};
use bulla_tests::{CHUNK, Outcome, by_slice, by_stream, key, options, sample, slice};
use sha2::{Digest, Sha256};

/// Sets bytes in a container's header and recomputes its checksum.
fn with_header(container: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    with_copy(container, 0, at, bytes)
}

/// Sets bytes in a container's footer and recomputes its checksum.
fn with_footer(container: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    with_copy(container, container.len() - 128, at, bytes)
}

fn with_copy(container: &[u8], start: usize, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut changed = container.to_vec();
    changed[start + at..start + at + bytes.len()].copy_from_slice(bytes);
    let check = Sha256::digest(&changed[start..start + 120]);
    changed[start + 120..start + 128].copy_from_slice(&check[..8]);
    changed
}

fn with_both(container: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    with_footer(&with_header(container, at, bytes), at, bytes)
}

fn assert_refused(container: &[u8], error: Error) {
    assert_eq!(by_stream(container).error(), Some(&error));
    assert_eq!(by_slice(container).error(), Some(&error));
    // The error does not depend on the key.
    assert_eq!(Preamble::read_at(container).unwrap_err(), error);
}

/// F-3.7, F-7.1, F-11.1: features are checked in the specified order, and before the key.
#[test]
fn rejects_unsupported_features() {
    let container = &sample(10, 0).container;
    for suite in [0u16, 2, 256, 0xFFFF] {
        let error = Error::UnsupportedSuite { suite };
        assert_refused(&with_both(container, 10, &suite.to_be_bytes()), error);
    }
    for flags in [2u16, 3, 0x8000, 0xFFFE] {
        let error = Error::UnsupportedFeature(Feature::Flags(flags));
        assert_refused(&with_both(container, 14, &flags.to_be_bytes()), error);
    }
    for log2 in [0u8, 11, 21, 255] {
        let error = Error::UnsupportedFeature(Feature::ChunkLog2(log2));
        assert_refused(&with_both(container, 12, &[log2]), error);
    }
    for len in [(1u32 << 20) + 1, u32::MAX] {
        let error = Error::UnsupportedFeature(Feature::EnvelopeLen(len));
        assert_refused(&with_both(container, 16, &len.to_be_bytes()), error);
    }
    // The suite is checked before the flags, the chunk size and the envelope length.
    let all = [0, 9, 99, 0, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF];
    assert_refused(&with_both(container, 10, &all), Error::UnsupportedSuite { suite: 9 });
    let all = [0, 1, 99, 0, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF];
    assert_refused(&with_both(container, 10, &all), Error::UnsupportedFeature(Feature::Flags(2)));
    let all = [0, 1, 99, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
    assert_refused(
        &with_both(container, 10, &all),
        Error::UnsupportedFeature(Feature::ChunkLog2(99)),
    );
}

/// F-3.5: a container is rejected if both copies have another major version.
#[test]
fn rejects_other_major_versions() {
    let container = &sample(10, 0).container;
    for major in [0u8, 2, 255] {
        assert_refused(&with_both(container, 8, &[major]), Error::UnsupportedVersion { major });
        // If only one copy has another major version, that copy counts as damaged.
        let opened = by_slice(&with_header(container, 8, &[major]));
        assert!(matches!(opened, Outcome::Opened(_, HeaderState::HeaderDamaged)), "{opened:?}");
    }
}

/// F-4.3
#[test]
fn changing_a_bound_field_reports_a_wrong_key() {
    let container = &sample(10, 0).container;
    for (at, bytes) in
        [(9, &[1][..]), (12, &[13]), (13, &[1]), (20, &[1]), (31, &[1]), (32, &[1]), (63, &[1])]
    {
        let mut bytes = bytes.to_vec();
        bytes[0] ^= if at >= 32 { container[at] } else { 0 };
        assert_eq!(
            by_slice(&with_both(container, at, &bytes)).error(),
            Some(&Error::WrongKey),
            "byte {at}"
        );
        assert_eq!(
            by_stream(&with_both(container, at, &bytes)).error(),
            Some(&Error::WrongKey),
            "byte {at}"
        );
    }
    assert_eq!(
        by_slice(&with_both(container, 64, &[container[64] ^ 1])).error(),
        Some(&Error::WrongKey)
    );
}

/// F-3.1, F-3.7: bytes 96..120 of either copy are ignored, including the length hint in the footer.
#[test]
fn ignores_reserved_bytes() {
    let sample = sample(10, 0);
    for at in 96..120 {
        for changed in
            [with_header(&sample.container, at, &[77]), with_footer(&sample.container, at, &[77])]
        {
            let opened = Outcome::Opened(sample.plaintext.clone(), HeaderState::Intact);
            assert_eq!(by_slice(&changed), opened);
            assert_eq!(by_stream(&changed), opened);
        }
    }
}

/// F-3.4, F-3.6: if two valid copies differ, the header is authoritative.
#[test]
fn opens_and_reports_copies_that_differ() {
    let sample = sample(CHUNK, 0);
    for at in [9, 20, 32, 64, 95] {
        // The salt and the commitment are random, so a fixed value could leave them unchanged.
        let value = [sample.container[at] ^ 0x55];
        let changed = with_footer(&sample.container, at, &value);
        let opened = Outcome::Opened(sample.plaintext.clone(), HeaderState::Differ);
        assert_eq!(by_slice(&changed), opened, "byte {at}");
        assert_eq!(by_stream(&changed), opened, "byte {at}");
        // The key does not match a changed header. It would match the footer, but the footer is not
        // tried.
        assert_eq!(
            by_slice(&with_header(&sample.container, at, &value)).error(),
            Some(&Error::WrongKey),
            "byte {at}"
        );
    }
}

/// F-3.4, F-3.5
#[test]
fn rejects_two_damaged_copies() {
    let mut container = sample(10, 0).container;
    let len = container.len();
    container[40] ^= 1;
    container[len - 1] ^= 1;
    assert_refused(&container, Error::DamagedHeader);
}

/// F-3.9
#[test]
fn accepts_and_returns_every_content_type() {
    for content in 0..=255 {
        let options = options().content_type(ContentType(content));
        let container = bulla::seal(&key(), b"text", &options).unwrap();
        assert_eq!(
            Preamble::read_at(&container).unwrap().header().content_type(),
            ContentType(content)
        );
        let opened = slice(&container, &key(), &options);
        assert_eq!(opened, Outcome::Opened(b"text".to_vec(), HeaderState::Intact));
        assert_eq!(ContentType(content).is_private(), content >= 128);
    }
}

/// F-7.6: the length is not known until the last chunk has been verified.
#[test]
fn length_is_authenticated() {
    let sample = sample(3 * CHUNK, 0);
    let reader = RangeReader::new(&key(), &sample.container[..], &options()).unwrap();
    assert_eq!(reader.len(), 3 * CHUNK as u64);
    // The last chunk is empty. Without it, the rest is a whole number of chunks.
    let truncated = [
        &sample.container[..128 + 3 * (CHUNK + 16)],
        &sample.container[sample.container.len() - 128..],
    ];
    let refused = RangeReader::new(&key(), truncated.concat(), &options()).map(drop).unwrap_err();
    assert!(matches!(refused, Error::Truncated { after: 3 }), "{refused:?}");
}

/// F-8.1, F-8.2: the second copy is written first. After each write, the container opens, and each
/// copy of the envelope is either the old one or the new one.
#[test]
fn container_opens_while_its_envelope_is_rewritten() {
    let sample = sample(CHUNK + 7, 40);
    let mut container = sample.container.clone();
    let old = vec![0; 40];
    let new: Vec<u8> = (1..=40).collect();
    let tail = container.len() - 128 - 40;
    for (at, expected) in [(tail, (&old, &new)), (128, (&new, &new))] {
        container[at..at + 40].copy_from_slice(&new);
        let preamble = Preamble::read_at(&container).unwrap();
        assert_eq!(preamble.envelope(), expected.0);
        assert_eq!(preamble.envelope_copy(), Some(&expected.1[..]));
        assert_eq!(
            by_slice(&container),
            Outcome::Opened(sample.plaintext.clone(), HeaderState::Intact)
        );
    }
}

/// F-7.7
#[test]
fn rejects_a_wrong_envelope_length() {
    let container = &sample(10, 0).container;
    for len in [1u32, 1 << 10, 1 << 20] {
        let lying = with_both(container, 16, &len.to_be_bytes());
        let refused = by_stream(&lying);
        let expected = if lying.len() < 128 + len as usize {
            Error::Truncated { after: 0 }
        } else {
            Error::WrongKey
        };
        assert_eq!(refused.error(), Some(&expected));
        assert_eq!(by_slice(&lying).error(), Some(&expected));
    }
}
