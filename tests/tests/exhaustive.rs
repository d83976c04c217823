//! Tests every possible single corruption of small containers of every shape.

use bulla::{Error, HeaderState, Options, Workers};
use bulla_tests::{
    CHUNK, Outcome, Sample, by_slice, by_stream, key, options, plaintext, sample, samples, slice,
    stream,
};

const SEALED: usize = CHUNK + 16;

fn chunks(sample: &Sample) -> std::ops::Range<usize> {
    128 + sample.envelope_len..sample.container.len() - 128 - sample.envelope_len
}

/// F-2.1, F-5.1: an intact container has the specified length and opens through every API.
#[test]
fn opens_intact_containers() {
    for sample in samples() {
        let n = sample.plaintext.len() / CHUNK;
        let len = 256 + 2 * sample.envelope_len + sample.plaintext.len() + 16 * (n + 1);
        assert_eq!(sample.container.len(), len, "{}", sample.name);
        let opened = Outcome::Opened(sample.plaintext, HeaderState::Intact);
        assert_eq!(by_stream(&sample.container), opened, "{}", sample.name);
        assert_eq!(by_slice(&sample.container), opened, "{}", sample.name);
    }
}

/// Header: F-3.3, F-3.4, F-3.5, F-3.6. Envelope: F-8.1. Chunk: F-5.2, F-7.4. Footer: F-3.6.
#[test]
fn detects_every_bit_flip() {
    for sample in samples() {
        let len = sample.container.len();
        let chunks = chunks(&sample);
        for bit in 0..len * 8 {
            let at = bit / 8;
            let mut flipped = sample.container.clone();
            flipped[at] ^= 1 << (bit % 8);
            let (stream, slice) = (by_stream(&flipped), by_slice(&flipped));
            let place = format!("{}, bit {bit}", sample.name);
            let opened = |state| Outcome::Opened(sample.plaintext.clone(), state);
            if at < 128 {
                assert_eq!(slice, opened(HeaderState::HeaderDamaged), "{place}");
                let refusal = match at {
                    0..8 => Error::NotAContainer,
                    8 => Error::UnsupportedVersion { major: flipped[8] },
                    _ => Error::DamagedHeader,
                };
                assert_eq!(stream, Outcome::Refused(refusal, vec![]), "{place}");
            } else if chunks.contains(&at) {
                let index = (at - chunks.start) / SEALED;
                let error = Error::ChunkRejected { index: index as u64 };
                let released = sample.plaintext[..index * CHUNK].to_vec();
                assert_eq!(stream, Outcome::Refused(error.clone(), released), "{place}");
                assert_eq!(slice.error(), Some(&error), "{place}");
            } else if at >= len - 128 {
                assert_eq!(stream, opened(HeaderState::FooterDamaged), "{place}");
                assert_eq!(slice, opened(HeaderState::FooterDamaged), "{place}");
            } else {
                assert_eq!(stream, opened(HeaderState::Intact), "{place}");
                assert_eq!(slice, opened(HeaderState::Intact), "{place}");
            }
        }
    }
}

/// F-3.5, F-7.1, F-7.3, F-7.4
#[test]
fn rejects_every_truncation() {
    for sample in samples() {
        for len in 0..sample.container.len() {
            let cut = &sample.container[..len];
            let fixed = 256 + 2 * sample.envelope_len;
            let after = len.saturating_sub(fixed) / SEALED;
            let error = if len < 8 {
                Error::NotAContainer
            } else {
                Error::Truncated { after: after as u64 }
            };
            let released = sample.plaintext[..after * CHUNK].to_vec();
            let place = format!("{}, truncated to {len}", sample.name);
            assert_eq!(by_stream(cut), Outcome::Refused(error.clone(), released), "{place}");
            assert_eq!(by_slice(cut).error(), Some(&error), "{place}");
        }
    }
}

/// F-6.2, F-7.4: with positional access, the error gives the length of the trailing data, up to the
/// search limit.
#[test]
fn rejects_every_extension() {
    for sample in samples() {
        for extra in (1..=300).chain([4096, 65_535, 65_536]) {
            let mut longer = sample.container.clone();
            longer.extend(plaintext(extra));
            let place = format!("{}, {extra} extra bytes", sample.name);
            assert_eq!(
                by_slice(&longer).error(),
                Some(&Error::TrailingData { extra: extra as u64 }),
                "{place}"
            );
            // A stream reader cannot search for the footer, so it takes the extra bytes for part of
            // a chunk and reports that chunk.
            let n = sample.plaintext.len() / CHUNK;
            let error = match (longer.len() - 256 - 2 * sample.envelope_len) / SEALED {
                last if last == n => Error::Truncated { after: n as u64 },
                _ => Error::ChunkRejected { index: n as u64 },
            };
            let released = sample.plaintext[..n * CHUNK].to_vec();
            assert_eq!(by_stream(&longer), Outcome::Refused(error, released), "{place}");
        }
        let mut longer = sample.container.clone();
        longer.extend(plaintext(65_537));
        let error = by_slice(&longer).error().cloned();
        assert!(matches!(error, Some(Error::Truncated { .. })), "{}: {error:?}", sample.name);
    }
}

/// F-5.2, F-7.5: swaps every pair of chunks, and drops or duplicates every chunk.
#[test]
fn rejects_swapped_dropped_and_duplicated_chunks() {
    let sample = sample(4 * CHUNK + 77, 0);
    let body = &sample.container[chunks(&sample)];
    let parts: Vec<&[u8]> = body.chunks(SEALED).collect();
    let with = |order: &[usize]| -> Vec<u8> {
        let mut container = sample.container[..128].to_vec();
        for part in order {
            container.extend_from_slice(parts[*part]);
        }
        container.extend_from_slice(&sample.container[sample.container.len() - 128..]);
        container
    };
    assert_eq!(with(&[0, 1, 2, 3, 4]), sample.container);
    for a in 0..5 {
        for b in a + 1..5 {
            let mut order = [0, 1, 2, 3, 4];
            order.swap(a, b);
            let rejected = Error::ChunkRejected { index: a as u64 };
            assert_eq!(by_stream(&with(&order)).error(), Some(&rejected), "{a} and {b} swapped");
            assert!(matches!(by_slice(&with(&order)), Outcome::Refused(..)), "{a} and {b} swapped");
        }
        let mut order = vec![0, 1, 2, 3, 4];
        order.remove(a);
        assert!(matches!(by_stream(&with(&order)), Outcome::Refused(..)), "{a} dropped");
        assert!(matches!(by_slice(&with(&order)), Outcome::Refused(..)), "{a} dropped");
        let mut order = vec![0, 1, 2, 3, 4];
        order.insert(a, a);
        assert!(matches!(by_stream(&with(&order)), Outcome::Refused(..)), "{a} duplicated");
        assert!(matches!(by_slice(&with(&order)), Outcome::Refused(..)), "{a} duplicated");
    }
}

/// F-4.2, F-4.3: inserts chunks from other containers at the same index and at other indices. These
/// containers have the same key, or a different key, context, content type or chunk size.
#[test]
fn rejects_chunks_of_other_containers() {
    let sample = sample(2 * CHUNK + 5, 0);
    let same = plaintext(2 * CHUNK + 5);
    let other_key = bulla::Key::generate().unwrap();
    let others = [
        ("same key", bulla::seal(&key(), &same, &options()).unwrap()),
        ("another key", bulla::seal(&other_key, &same, &options()).unwrap()),
        ("another context", bulla::seal(&key(), &same, &options().context(b"x")).unwrap()),
        (
            "another content type",
            bulla::seal(&key(), &same, &options().content_type(bulla::ContentType(200))).unwrap(),
        ),
        (
            "another chunk size",
            bulla::seal(&key(), &same, &Options::new().workers(Workers::Serial)).unwrap(),
        ),
    ];
    for (name, other) in others {
        for to in 0..3 {
            for from in 0..3 {
                let range = |i: usize| {
                    128 + i * SEALED..(128 + (i + 1) * SEALED).min(sample.container.len() - 128)
                };
                let (to_range, from) = (range(to), range(from));
                if to_range.len() != from.len() {
                    continue;
                }
                let mut spliced = sample.container.clone();
                spliced[to_range].copy_from_slice(&other[from]);
                let error = Error::ChunkRejected { index: to as u64 };
                assert_eq!(by_stream(&spliced).error(), Some(&error), "{name}");
                assert_eq!(by_slice(&spliced).error(), Some(&error), "{name}");
            }
        }
        // Combine the header of one container with the chunks of the other.
        let mut spliced = sample.container.clone();
        spliced[..128].copy_from_slice(&other[..128]);
        assert!(matches!(by_stream(&spliced), Outcome::Refused(..)), "{name}");
        assert!(matches!(by_slice(&spliced), Outcome::Refused(..)), "{name}");
    }
}

/// F-3.4, F-4.4: the footer is not tried after the header has rejected the key.
#[test]
fn rejects_every_wrong_key() {
    let sample = sample(CHUNK + 1, 0);
    for bit in 0..256 {
        let mut bytes = *key().expose();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let wrong = bulla::Key::from_bytes(&bytes);
        let refused = Outcome::Refused(Error::WrongKey, vec![]);
        assert_eq!(stream(&sample.container[..], &wrong, &options()), refused);
        assert_eq!(slice(&sample.container, &wrong, &options()), refused);
    }
    // The header is from a container with another key. Our key must not open the rest through the
    // footer.
    let other =
        bulla::seal(&bulla::Key::generate().unwrap(), &sample.plaintext, &options()).unwrap();
    let mut mixed = sample.container.clone();
    mixed[..128].copy_from_slice(&other[..128]);
    assert_eq!(by_slice(&mixed).error(), Some(&Error::WrongKey));
}

/// F-3.8
#[test]
fn rejects_missing_wrong_and_unexpected_contexts() {
    let plain = sample(10, 0);
    for context in [&b"account 1"[..], b""] {
        let container = bulla::seal(&key(), &plain.plaintext, &options().context(context)).unwrap();
        let with = |context| slice(&container, &key(), &options().context(context));
        assert_eq!(with(context), Outcome::Opened(plain.plaintext.clone(), HeaderState::Intact));
        assert_eq!(with(b"account 2").error(), Some(&Error::WrongKey));
        assert_eq!(by_slice(&container).error(), Some(&Error::ContextRequired));
        assert_eq!(by_stream(&container).error(), Some(&Error::ContextRequired));
        let unexpected = slice(&plain.container, &key(), &options().context(context));
        assert_eq!(unexpected.error(), Some(&Error::ContextUnexpected));
    }
}
