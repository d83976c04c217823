//! Tests sealing and opening streams. The bytes must not depend on how a reader or writer splits
//! them, and errors must be reported and final.

use std::io::{self, Read, Write};

use bulla::{ChunkSize, Error, HeaderState, Opener, Options, Progress, Sealer, Workers};
use bulla_tests::{CHUNK, Outcome, by_slice, key, options, plaintext, sample, stream};
use proptest::prelude::*;

/// A reader that returns at most `max` bytes at a time and is interrupted before each read. If
/// `error_at_end` is set, the reader fails with that error at the end.
struct ShortReader<'a> {
    bytes: &'a [u8],
    max: usize,
    interrupt: bool,
    error_at_end: Option<io::ErrorKind>,
}

impl Read for ShortReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty()
            && let Some(kind) = self.error_at_end
        {
            return Err(kind.into());
        }
        let len = self.max.min(buf.len());
        self.bytes.read(&mut buf[..len])
    }
}

fn short_reader(bytes: &[u8], max: usize) -> ShortReader<'_> {
    ShortReader { bytes, max, interrupt: false, error_at_end: None }
}

/// A writer that accepts at most `max` bytes at a time, is interrupted before each write, and fails
/// after `room` bytes.
struct ShortWriter {
    written: Vec<u8>,
    max: usize,
    interrupt: bool,
    room: usize,
    kind: io::ErrorKind,
}

impl ShortWriter {
    fn new(max: usize, room: usize, kind: io::ErrorKind) -> ShortWriter {
        ShortWriter { written: Vec::new(), max, interrupt: false, room, kind }
    }
}

impl Write for ShortWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let accepted = buf.len().min(self.max).min(self.room - self.written.len());
        if accepted == 0 {
            return Err(self.kind.into());
        }
        self.written.extend_from_slice(&buf[..accepted]);
        Ok(accepted)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// F-6.1, F-7.2: the reader and the writer are interrupted before each byte.
#[test]
fn round_trips_one_byte_at_a_time() {
    let plaintext = plaintext(2 * CHUNK + 9);
    let mut sealer =
        Sealer::new(&key(), ShortWriter::new(1, usize::MAX, io::ErrorKind::Other), &options())
            .unwrap();
    assert_eq!(sealer.copy_from(&mut short_reader(&plaintext, 1)).unwrap(), plaintext.len() as u64);
    let container = sealer.finish().unwrap().0.written;
    let opened = Outcome::Opened(plaintext.clone(), HeaderState::Intact);
    assert_eq!(by_slice(&container), opened);
    assert_eq!(stream(short_reader(&container, 1), &key(), &options()), opened);

    let mut opener = Opener::new(&key(), short_reader(&container, 7), &options()).unwrap();
    let mut read = Vec::new();
    let mut one = [0];
    while opener.read(&mut one).unwrap() == 1 {
        assert!(opener.opened().is_none() || read.len() + 1 == plaintext.len());
        read.push(one[0]);
    }
    assert_eq!(read, plaintext);
    assert_eq!(opener.opened().unwrap().plaintext_len, plaintext.len() as u64);
}

/// F-6.1, F-7.8: applies to any error other than an interruption, at any byte.
#[test]
fn failed_sealer_repeats_its_error() {
    let plaintext = plaintext(2 * CHUNK);
    let whole = bulla::sealed_len(plaintext.len() as u64, &options()).unwrap() as usize;
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::StorageFull, io::ErrorKind::TimedOut] {
        for room in (128..whole).step_by(97) {
            let mut sealer =
                Sealer::new(&key(), ShortWriter::new(usize::MAX, room, kind), &options()).unwrap();
            let first = sealer.write_all(&plaintext).and_then(|()| sealer.flush());
            let Err(first) = first else {
                let Err(Error::Io(error)) = sealer.finish() else { panic!("the error was lost") };
                assert_eq!(error.kind(), kind);
                continue;
            };
            assert_eq!(first.kind(), kind);
            assert_eq!(sealer.write(&[1]).unwrap_err().kind(), kind);
            assert_eq!(sealer.flush().unwrap_err().kind(), kind);
            let Err(Error::Io(again)) = sealer.finish() else { panic!("finished after an error") };
            assert_eq!(again.kind(), kind);
        }
    }
}

/// F-6.3
#[test]
fn dropped_sealer_leaves_a_truncated_container() {
    for len in [0, 1, CHUNK, 100 * CHUNK] {
        let mut written = Vec::new();
        let mut sealer = Sealer::new(&key(), &mut written, &options()).unwrap();
        sealer.write_all(&plaintext(len)).unwrap();
        sealer.flush().unwrap();
        drop(sealer);
        let error = by_slice(&written).error().cloned();
        assert!(matches!(error, Some(Error::Truncated { .. })), "{len}: {error:?}");
    }
}

/// F-7.8: a reader's error is reported after the plaintext that was read before it.
#[test]
fn failed_opener_repeats_its_error() {
    let sample = sample(200 * CHUNK, 0);
    for cut in [300, 70 * CHUNK, 150 * CHUNK] {
        let reader = ShortReader {
            error_at_end: Some(io::ErrorKind::ConnectionReset),
            ..short_reader(&sample.container[..cut], usize::MAX)
        };
        let mut opener = Opener::new(&key(), reader, &options()).unwrap();
        let mut released = Vec::new();
        let first = opener.read_to_end(&mut released).unwrap_err();
        assert_eq!(first.kind(), io::ErrorKind::ConnectionReset);
        assert!(sample.plaintext.starts_with(&released));
        for _ in 0..3 {
            assert_eq!(opener.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        }
        assert!(opener.opened().is_none());
    }
    let mut opener =
        Opener::new(&key(), &sample.container[..sample.container.len() - 1], &options()).unwrap();
    for _ in 0..2 {
        let error = Error::from(io::copy(&mut opener, &mut io::sink()).unwrap_err());
        assert!(matches!(error, Error::Truncated { after: 199 | 200 }), "{error:?}");
    }
}

/// F-7.5
#[test]
fn bytes_and_errors_do_not_depend_on_the_number_of_threads() {
    let plaintext = plaintext(1300 * CHUNK + 5);
    fn draft<'a>(options: &Options<'a>) -> bulla::Draft<'a> {
        bulla::hazmat::draft_with_salt(&key(), options, &[9; 32]).unwrap()
    }
    let container = draft(&options()).seal(&plaintext).unwrap();
    let mut damaged = container.to_vec();
    for chunk in [1299, 700, 900, 701] {
        damaged[128 + chunk * (CHUNK + 16) + 3] ^= 1;
    }
    for threads in [1, 2, 3, 8, 64] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = Options::new().chunk_size(ChunkSize::MIN).workers(Workers::Pool(&pool));
        assert_eq!(draft(&options).seal(&plaintext).unwrap(), container, "{threads}");
        let mut sealer = draft(&options).sealer(Vec::new()).unwrap();
        sealer.write_all(&plaintext).unwrap();
        assert_eq!(sealer.finish().unwrap().0, container, "{threads}");
        for _ in 0..5 {
            let outcome = stream(&damaged[..], &key(), &options);
            let released = plaintext[..700 * CHUNK].to_vec();
            assert_eq!(outcome, Outcome::Refused(Error::ChunkRejected { index: 700 }, released));
            let error = bulla::open(&key(), &damaged, &options).unwrap_err();
            assert!(matches!(error, Error::ChunkRejected { index: 700 }), "{error:?}");
        }
        // Open from within the pool.
        pool.install(|| {
            assert_eq!(stream(&container[..], &key(), &options).error(), None);
            assert_eq!(stream(&container[..], &key(), &Options::new()).error(), None);
        });
    }
}

#[test]
fn cancelling_stops_the_sealer_and_the_opener() {
    let progress = Progress::new();
    let options = options().progress(&progress);
    let plaintext = plaintext(400 * CHUNK);
    let container = bulla::seal(&key(), &plaintext, &options).unwrap();
    assert_eq!(progress.done(), plaintext.len() as u64);
    let mut opener = Opener::new(&key(), &container[..], &options).unwrap();
    let mut sealer = Sealer::new(&key(), Vec::new(), &options).unwrap();
    opener.read_exact(&mut [0; 10]).unwrap();
    sealer.write_all(&plaintext[..10]).unwrap();
    progress.cancel();
    assert!(matches!(opener.copy_to(&mut io::sink()), Err(Error::Cancelled)));
    assert!(matches!(sealer.finish(), Err(Error::Cancelled)));
}

/// F-4.5, F-8.1, F-8.3
#[test]
fn every_reader_returns_the_same_export_and_envelope() {
    let options = options().envelope_len(300);
    let draft = bulla::Draft::new(&key(), &options).unwrap();
    let secret = draft.export(b"example.org test");
    assert_ne!(secret, draft.export(b"example.org tesu"));
    let envelope: Vec<u8> = (0..300u32).map(|i| i as u8).collect();
    let container = draft.envelope(&envelope).unwrap().seal(b"text").unwrap();
    let opener = Opener::new(&key(), &container[..], &options).unwrap();
    let ranges = bulla::RangeReader::new(&key(), &container[..], &options).unwrap();
    assert_eq!(opener.export(b"example.org test"), secret);
    assert_eq!(ranges.export(b"example.org test"), secret);
    let preamble = bulla::Preamble::read_at(&container).unwrap();
    assert_eq!(preamble.envelope(), envelope);
    assert_eq!(preamble.envelope_copy(), Some(&envelope[..]));
    assert_eq!(bulla::Preamble::read(&mut &container[..]).unwrap().envelope(), envelope);

    let draft = bulla::Draft::new(&key(), &options).unwrap();
    assert!(matches!(
        draft.envelope(&envelope[1..]),
        Err(Error::EnvelopeLength { expected: 300, given: 299 })
    ));
    let too_long = Options::new().envelope_len((1 << 20) + 1);
    assert!(matches!(bulla::Draft::new(&key(), &too_long), Err(Error::EnvelopeLength { .. })));
}

/// F-4.2: no two containers have the same salt or anything derived from the same salt.
#[test]
fn salts_do_not_repeat() {
    let mut salts = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let draft = bulla::Draft::new(&key(), &options()).unwrap();
        assert!(salts.insert(*draft.header().salt()));
    }
    let plaintext = vec![0; 3 * CHUNK];
    let windows = |container: &[u8]| -> std::collections::HashSet<Vec<u8>> {
        container[20..]
            .windows(16)
            .filter(|w| w.iter().any(|b| *b != 0))
            .map(<[u8]>::to_vec)
            .collect()
    };
    let a = windows(&bulla::seal(&key(), &plaintext, &options()).unwrap());
    let b = windows(&bulla::seal(&key(), &plaintext, &options()).unwrap());
    let shared =
        a.intersection(&b).filter(|window| !window.windows(7).any(|w| w == b"BULLA\r\n")).count();
    // The remaining windows cover fixed fields of the header and the footer.
    assert!(shared < 24, "the containers share {shared} 16-byte windows");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// F-5.3
    #[test]
    fn any_range_matches_the_plaintext(
        len in 0usize..300_000,
        ranges: [(u32, u32); 8],
        threads in 1usize..4,
    ) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let plaintext = plaintext(len);
        let options = options().workers(Workers::Pool(&pool));
        let container = bulla::seal(&key(), &plaintext, &options).unwrap();
        let reader = bulla::RangeReader::new(&key(), &container[..], &options).unwrap();
        for (a, b) in ranges {
            let (a, b) = (a as usize % (len + 1), b as usize % (len + 1));
            let (a, b) = (a.min(b), a.max(b));
            prop_assert_eq!(&reader.range(a as u64..b as u64).unwrap()[..], &plaintext[a..b]);
        }
        let beyond = len as u64 + 1;
        let past_end = reader.range(0..beyond);
        prop_assert!(matches!(past_end, Err(Error::OutOfRange { .. })), "past the end");
        let overflow = reader.read_into(&mut [0], u64::MAX);
        prop_assert!(matches!(overflow, Err(Error::OutOfRange { .. })), "overflow");
        prop_assert_eq!(bulla::ReadAt::read_at(&reader, &mut [0; 4], beyond).unwrap(), 0);
    }

    #[test]
    fn container_does_not_depend_on_how_writes_are_split(
        len in 0usize..600_000,
        cuts: [usize; 6],
        flush: bool,
    ) {
        let plaintext = plaintext(len);
        let salt = [3; 32];
        let draft = || bulla::hazmat::draft_with_salt(&key(), &options(), &salt).unwrap();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (len + 1)).chain([0, len]).collect();
        cuts.sort_unstable();
        let mut sealer = draft().sealer(Vec::new()).unwrap();
        for part in cuts.windows(2) {
            sealer.write_all(&plaintext[part[0]..part[1]]).unwrap();
            if flush {
                sealer.flush().unwrap();
            }
        }
        let (container, sealed) = sealer.finish().unwrap();
        prop_assert_eq!(sealed.container_len, container.len() as u64);
        prop_assert!(container == draft().seal(&plaintext).unwrap());
    }

    /// F-7.7, F-7.8
    #[test]
    fn rejects_any_bytes(bytes: Vec<u8>, header: bool) {
        let mut bytes = bytes;
        if header {
            let mut container = bulla::seal(&key(), b"", &options()).unwrap()[..128].to_vec();
            container.append(&mut bytes);
            bytes = container;
        }
        prop_assert!(matches!(stream(&bytes[..], &key(), &options()), Outcome::Refused(..)));
        prop_assert!(matches!(by_slice(&bytes), Outcome::Refused(..)));
    }
}
