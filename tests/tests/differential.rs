//! Compares the library with the reference implementation. Both must produce the same bytes when
//! sealing, and have the same outcome when opening corrupted containers.

use std::cell::RefCell;
use std::collections::BTreeSet;

use bulla_testkit::corrupt::{extend, field, flip_bit, insert, remove, truncate};
use bulla_testkit::reference::{
    self, ContainerError, HEADER_LEN, HeaderState, SealParams, TAG_LEN, write_check,
};
use bulla_tests::library;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// The inputs from which a container is sealed.
#[derive(Clone, Debug)]
struct Sample {
    key: [u8; 32],
    salt: [u8; 32],
    chunk_log2: u8,
    content: u8,
    context: Option<Vec<u8>>,
    envelope: Vec<u8>,
    plaintext_len: usize,
}

impl Sample {
    /// Calls `use_params` with the parameters for sealing this sample.
    fn with<T>(&self, use_params: impl FnOnce(&SealParams<'_>) -> T) -> T {
        let plaintext = bulla_tests::plaintext(self.plaintext_len);
        use_params(&SealParams {
            key: self.key,
            salt: self.salt,
            chunk_log2: self.chunk_log2,
            content: self.content,
            context: self.context.as_deref(),
            envelope: &self.envelope,
            plaintext: &plaintext,
        })
    }

    fn container(&self) -> Vec<u8> {
        self.with(reference::seal)
    }

    /// Returns the offsets at which parts of the container start or end.
    fn boundaries(&self) -> Vec<usize> {
        let (start, step) = (HEADER_LEN + self.envelope.len(), (1 << self.chunk_log2) + TAG_LEN);
        let chunks = self.plaintext_len >> self.chunk_log2;
        let end = start + self.plaintext_len + TAG_LEN * (chunks + 1);
        let full = (0..=chunks).map(|i| start + i * step);
        full.chain([0, HEADER_LEN, end, end + self.envelope.len(), end + start]).collect()
    }
}

fn samples() -> impl Strategy<Value = Sample> {
    let plaintext_len = (12u8..=14).prop_flat_map(|log2| {
        let near = (0usize..=3, 0usize..=4)
            .prop_map(move |(n, more)| ((n << log2) + more).saturating_sub(2));
        (Just(log2), prop_oneof![near, 0usize..(7 << log2) / 2])
    });
    let context = option::of(vec(any::<u8>(), 0..20));
    let envelope = prop_oneof![Just(Vec::new()), vec(any::<u8>(), 1..300)];
    (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u8>(), plaintext_len, context, envelope).prop_map(
        |(key, salt, content, (chunk_log2, plaintext_len), context, envelope)| Sample {
            key,
            salt,
            chunk_log2,
            content,
            context,
            envelope,
            plaintext_len,
        },
    )
}

/// An offset, either arbitrary or within a few bytes of a boundary.
#[derive(Clone, Debug)]
enum At {
    Anywhere(Index),
    Near(Index, isize),
}

impl At {
    fn offset(&self, sample: &Sample, len: usize) -> usize {
        match self {
            At::Anywhere(index) => index.index(len + 1),
            At::Near(index, distance) => {
                index.get(&sample.boundaries()).saturating_add_signed(*distance).min(len)
            }
        }
    }
}

fn at() -> impl Strategy<Value = At> {
    let near =
        (any::<Index>(), -17isize..=17).prop_map(|(index, distance)| At::Near(index, distance));
    prop_oneof![any::<Index>().prop_map(At::Anywhere), near]
}

/// A corruption of a container.
#[derive(Clone, Debug)]
enum Change {
    FlipBit(At, u8),
    /// Sets a byte in the header or the footer, and recomputes the checksum.
    SetField(bool, usize, u8),
    Truncate(At),
    Extend(Vec<u8>),
    ExtendByFooter,
    Insert(At, Vec<u8>),
    Remove(At, usize),
    /// Overwrites part of the container with its own footer.
    PlantFooter(At),
    SwapChunks(Index, Index),
    /// Replaces a byte range with that of another container of the same shape, key and context.
    Splice(At, At),
}

fn changes() -> impl Strategy<Value = Change> {
    let fields = [
        field::MAGIC,
        field::MAJOR,
        field::MINOR,
        field::SUITE + 1,
        field::CHUNK_LOG2,
        field::CONTENT,
        field::FLAGS + 1,
        field::ENVELOPE_LEN + 3,
        field::RESERVED_BOUND,
        field::SALT,
        field::COMMITMENT,
        field::RESERVED,
    ];
    let bytes =
        || prop_oneof![vec(any::<u8>(), 1..300), (1usize..70_000).prop_map(|len| vec![0; len])];
    let value = prop_oneof![0u8..20, any::<u8>()];
    prop_oneof![
        4 => (at(), 0u8..8).prop_map(|(at, bit)| Change::FlipBit(at, bit)),
        2 => (any::<bool>(), prop::sample::select(fields.to_vec()), value)
            .prop_map(|(footer, at, value)| Change::SetField(footer, at, value)),
        3 => at().prop_map(Change::Truncate),
        2 => bytes().prop_map(Change::Extend),
        1 => Just(Change::ExtendByFooter),
        1 => (at(), vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (at(), 1usize..600).prop_map(|(at, len)| Change::Remove(at, len)),
        1 => at().prop_map(Change::PlantFooter),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::SwapChunks(a, b)),
        2 => (at(), at()).prop_map(|(from, to)| Change::Splice(from, to)),
    ]
}

/// Applies a change, or returns the container unchanged if the change does not apply.
fn apply(change: &Change, sample: &Sample, container: Vec<u8>) -> Vec<u8> {
    let len = container.len();
    let footer = || sample.container().split_off(sample.container().len() - HEADER_LEN);
    match change {
        Change::FlipBit(at, bit) if len > 0 => {
            let at = at.offset(sample, len - 1);
            flip_bit(&container, at * 8 + usize::from(*bit))
        }
        Change::SetField(in_footer, at, value) if len >= HEADER_LEN => {
            let start = if *in_footer { len - HEADER_LEN } else { 0 };
            let mut copy: [u8; HEADER_LEN] =
                container[start..start + HEADER_LEN].try_into().unwrap();
            copy[*at] = *value;
            write_check(&mut copy);
            [&container[..start], &copy, &container[start + HEADER_LEN..]].concat()
        }
        Change::Truncate(at) => truncate(&container, at.offset(sample, len)),
        Change::Extend(bytes) => extend(&container, bytes),
        Change::ExtendByFooter => extend(&container, &footer()),
        Change::Insert(at, bytes) => insert(&container, at.offset(sample, len), bytes),
        Change::Remove(at, removed) => {
            let at = at.offset(sample, len);
            remove(&container, at, (*removed).min(len - at))
        }
        Change::PlantFooter(at) if len >= HEADER_LEN => {
            let at = at.offset(sample, len - HEADER_LEN);
            [&container[..at], &footer(), &container[at + HEADER_LEN..]].concat()
        }
        Change::SwapChunks(a, b) => swap_chunks(container, sample, a, b),
        Change::Splice(from, to) => {
            let mut salt = sample.salt;
            salt[0] ^= 1;
            let other = Sample { salt, ..sample.clone() }.container();
            let (from, to) = (from.offset(sample, len), to.offset(sample, len));
            let range = from.min(to).min(other.len())..from.max(to).min(other.len());
            let mut spliced = container;
            spliced[range.clone()].copy_from_slice(&other[range]);
            spliced
        }
        _ => container,
    }
}

/// Swaps two full chunks if the container has at least two.
fn swap_chunks(mut container: Vec<u8>, sample: &Sample, a: &Index, b: &Index) -> Vec<u8> {
    let (start, step) = (HEADER_LEN + sample.envelope.len(), (1 << sample.chunk_log2) + TAG_LEN);
    let chunks = container.len().saturating_sub(start) / step;
    if chunks > 1 {
        let (a, b) = (a.index(chunks), b.index(chunks));
        for i in 0..step {
            container.swap(start + a * step + i, start + b * step + i);
        }
    }
    container
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// F-2.1, F-3.1, F-3.2, F-4.3, F-4.5, F-5.1, F-5.2: with the same salt, both produce the same
    /// bytes and export the same secrets.
    #[test]
    fn seals_the_same_bytes(sample in samples(), write_len in 1usize..20_000, label: Vec<u8>) {
        let container = sample.container();
        prop_assert!(sample.with(library::seal) == container, "in memory");
        let by_stream = sample.with(|params| library::seal_by_stream(params, write_len));
        prop_assert!(by_stream == container, "as a stream");
        let found = reference::inspect(&container, true).unwrap();
        let bound = reference::bound(&found.header);
        let keys = reference::schedule(&sample.key, &bound, sample.context.as_deref());
        let secret = sample.with(|params| library::draft(params).export(&label));
        prop_assert_eq!(*secret, reference::export(&keys.exporter, &label));
    }
}

/// A corrupted container, and the key, context and range with which it is opened.
#[derive(Clone, Debug)]
struct Case {
    sample: Sample,
    changes: Vec<Change>,
    key: [u8; 32],
    context: Option<Vec<u8>>,
    range: (Index, Index),
}

/// Generates cases with at most two changes. Most cases have the correct key and context.
fn cases() -> impl Strategy<Value = Case> {
    let wrong_key = prop_oneof![19 => Just(0), 1 => Just(1u8)];
    let other_context =
        prop_oneof![9 => Just(None), 1 => option::of(vec(any::<u8>(), 0..3)).prop_map(Some)];
    let range = (any::<Index>(), any::<Index>());
    (samples(), vec(changes(), 0..=2), wrong_key, other_context, range).prop_map(
        |(sample, changes, wrong_key, other_context, range)| {
            let mut key = sample.key;
            key[31] ^= wrong_key;
            let context = other_context.unwrap_or_else(|| sample.context.clone());
            Case { changes, key, context, range, sample }
        },
    )
}

/// Checks that the library and the reference have the same outcome through every API. Returns the
/// outcomes of opening as a stream and with positional access.
fn check_outcome(case: &Case) -> Result<[String; 2], TestCaseError> {
    let Case { sample, changes, key, .. } = case;
    let intact = sample.container();
    let container =
        &changes.iter().fold(intact, |container, change| apply(change, sample, container));
    let context = case.context.as_deref();

    let stream = reference::open_stream(container, key, context);
    prop_assert!(library::open_stream(container, key, context) == stream, "{:?}", stream.result);
    let whole = reference::open_positional(container, key, context);
    let by_library = library::open_positional(container, key, context);
    prop_assert!(by_library == whole, "{:?} and {:?}", by_library.err(), whole.err());

    // Ranges extend up to two bytes beyond the end of the plaintext.
    let offset = |index: Index| index.index(sample.plaintext_len + 3) as u64;
    let range = offset(case.range.0)..offset(case.range.1);
    let part = reference::open_range(container, key, context, range.clone());
    let by_library = library::open_range(container, key, context, range);
    prop_assert!(by_library == part, "{:?} and {:?}", by_library.err(), part.err());

    let envelopes = reference::inspect(container, true).map(|found| {
        let (head, tail) = reference::envelopes(container, &found);
        (head.to_vec(), tail.map(<[u8]>::to_vec))
    });
    prop_assert_eq!(library::envelopes(container), envelopes);

    Ok([
        format!("stream: {}", stream.result.map_or_else(ContainerError::name, HeaderState::name)),
        format!(
            "position: {}",
            whole.map_or_else(ContainerError::name, |opened| opened.header_state.name())
        ),
    ])
}

/// F-3.4 to F-3.8, F-4.4, F-7.1 to F-7.6, F-8.1: the outcome and the released plaintext are the
/// same.
#[test]
fn opens_with_the_same_outcome() {
    let seen = RefCell::new(BTreeSet::new());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) };
    let check = |case| {
        seen.borrow_mut().extend(check_outcome(&case)?);
        Ok(())
    };
    TestRunner::new(config).run(&cases(), check).unwrap();
    let seen = seen.into_inner();
    assert!(seen.len() >= 24, "too few different outcomes: {seen:?}");
}

/// F-5.2: tests chunk numbers above 255, which do not occur in the vectors.
#[test]
fn agrees_on_three_hundred_chunks() {
    let sample = Sample {
        key: [1; 32],
        salt: [2; 32],
        chunk_log2: 12,
        content: 0,
        context: None,
        envelope: Vec::new(),
        plaintext_len: 300 << 12,
    };
    let container = sample.container();
    assert!(sample.with(library::seal) == container);
    assert!(sample.with(|params| library::seal_by_stream(params, 1 << 16)) == container);
    let whole = reference::open_positional(&container, &sample.key, None);
    assert!(whole.is_ok() && library::open_positional(&container, &sample.key, None) == whole);
    assert!(
        library::open_stream(&container, &sample.key, None).released == whole.unwrap().plaintext
    );
}
