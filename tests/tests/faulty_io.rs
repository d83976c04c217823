//! Injects failing and short I/O into every call of every operation. No data may be lost silently,
//! and no unverified plaintext may be released.

use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::time::Duration;

use bulla::{ChunkSize, Error, Opener, Plan, Preamble, RangeReader, ReadAt, SalvageReader};
use bulla_archive::{ArchiveBuilder, ArchiveReader, Metadata, Recovered, Salvage, Source, State};
use bulla_testkit::faulty::{Calls, Fault, Faulty};
use bulla_tests::{CHUNK, key, options, plaintext};
use bytes::Bytes;

/// Error codes on Linux.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Faults that must not have a visible effect.
const ABSORBED: [Fault; 3] =
    [Fault::Interrupted, Fault::Short, Fault::Delay(Duration::from_micros(50))];
/// Faults that must be reported as errors.
const ERRORS: [Fault; 3] =
    [Fault::Os(EIO), Fault::Os(ENOSPC), Fault::Kind(io::ErrorKind::TimedOut)];

/// An operation's output, or an error and the output before it.
type Output = Result<Vec<u8>, (Vec<u8>, Error)>;

/// Runs `operation` with every fault at every call that it makes, and returns the number of cases.
///
/// Further runs inject errors and short reads and writes into all later calls as well.
fn sweep(name: &str, operation: impl Fn(&Calls) -> Output) -> u64 {
    let sound = Calls::without_fault();
    let expected =
        operation(&sound).unwrap_or_else(|(_, error)| panic!("{name}: {error:?} without a fault"));
    assert!(sound.count() > 1, "{name} makes no calls");
    let mut cases = 0;
    for n in 0..sound.count() {
        for fault in ABSORBED {
            let result = operation(&Calls::at(fault, n));
            assert!(
                result.is_ok_and(|output| output == expected),
                "{name}: {fault:?} at call {n} changed the outcome"
            );
            cases += 1;
        }
        let result = operation(&Calls::since(Fault::Short, n));
        assert!(
            result.is_ok_and(|output| output == expected),
            "{name}: short reads or writes from call {n} on changed the outcome"
        );
        for fault in ERRORS {
            for calls in [Calls::at(fault, n), Calls::since(fault, n)] {
                let result = operation(&calls);
                assert!(calls.fault_injected(), "{name}: call {n} was not made");
                let Err((before, error)) = result else {
                    panic!("{name}: {fault:?} at call {n} was not reported")
                };
                assert!(
                    is_reported(fault, &error),
                    "{name}: {fault:?} at call {n} was reported as {error:?}"
                );
                assert!(
                    expected.starts_with(&before),
                    "{name}: wrong bytes before {fault:?} at call {n}"
                );
                cases += 1;
            }
        }
    }
    cases
}

/// Returns whether the error has the same code or kind as the fault.
fn is_reported(fault: Fault, error: &Error) -> bool {
    let Error::Io(error) = error else { return false };
    match fault {
        Fault::Os(code) => error.raw_os_error() == Some(code),
        Fault::Kind(kind) => error.kind() == kind,
        _ => false,
    }
}

/// Checks that a repeated error equals the first, including its code.
fn assert_same(again: &Error, first: &Error) {
    let code = |error: &Error| match error {
        Error::Io(error) => Some((error.kind(), error.raw_os_error())),
        _ => None,
    };
    assert_eq!((again.to_string(), code(again)), (first.to_string(), code(first)));
}

/// Runs `operation` with each call in turn made empty: the source ends early, or the writer accepts
/// nothing. Each run must return the whole output, an error that reports damage, or an I/O error
/// for the empty call.
fn sweep_empty_calls(name: &str, operation: impl Fn(&Calls) -> Output) {
    let sound = Calls::without_fault();
    let expected =
        operation(&sound).unwrap_or_else(|(_, error)| panic!("{name}: {error:?} without a fault"));
    for n in 0..sound.count() {
        for calls in [Calls::at(Fault::Nothing, n), Calls::since(Fault::Nothing, n)] {
            match operation(&calls) {
                // The call was at the end of the input, or had nothing left to write.
                Ok(output) => assert!(
                    output == expected,
                    "{name}: wrong bytes but no error if call {n} is empty"
                ),
                Err((before, error)) => {
                    assert!(expected.starts_with(&before), "{name}: wrong bytes before {error:?}");
                    let kinds = [io::ErrorKind::WriteZero, io::ErrorKind::UnexpectedEof];
                    let known = match &error {
                        Error::Io(error) => kinds.contains(&error.kind()),
                        Error::NotAContainer | Error::DamagedHeader => true,
                        Error::Truncated { .. }
                        | Error::ChunkRejected { .. }
                        | Error::TrailingData { .. } => true,
                        _ => false,
                    };
                    assert!(known, "{name}: {error:?} if call {n} is empty");
                }
            }
        }
    }
}

/// Returns more than 1 MiB of plaintext, so that chunks are in flight when a call fails.
fn long() -> Vec<u8> {
    plaintext((1 << 20) + 2 * CHUNK + 9)
}

fn container_of(plaintext: &[u8]) -> Bytes {
    bulla::hazmat::draft_with_salt(&key(), &options().envelope_len(40), &[8; 32])
        .unwrap()
        .seal(plaintext)
        .unwrap()
}

/// F-6.1, F-7.8
#[test]
fn writing_to_a_sealer_reports_faults() {
    let plaintext = long();
    let operation = |calls: &Calls| {
        let mut written = Vec::new();
        let sealed = (|| {
            let draft = bulla::hazmat::draft_with_salt(&key(), &options(), &[8; 32])?;
            let mut sealer = draft.sealer(Faulty::new(&mut written, calls))?;
            for part in plaintext.chunks(100_003) {
                if let Err(error) = sealer.write_all(part).and_then(|()| sealer.flush()) {
                    let error = Error::from(error);
                    let again = Error::from(sealer.write(&[1]).unwrap_err());
                    assert_same(&again, &error);
                    let again = Error::from(sealer.flush().unwrap_err());
                    assert_same(&again, &error);
                    return Err(sealer.finish().map(drop).unwrap_err());
                }
            }
            sealer.finish().map(drop)
        })();
        sealed.map_or_else(|error| Err((written.clone(), error)), |()| Ok(written.clone()))
    };
    assert!(sweep("writing to a sealer", operation) > 100);
    sweep_empty_calls("writing to a sealer", operation);
}

/// F-6.1, F-7.8: both the reader and the writer fail.
#[test]
fn copying_to_a_sealer_reports_faults() {
    let plaintext = long();
    let operation = |calls: &Calls| {
        let mut written = Vec::new();
        let sealed = (|| {
            let draft = bulla::hazmat::draft_with_salt(&key(), &options(), &[8; 32])?;
            let mut sealer = draft.sealer(Faulty::new(&mut written, calls))?;
            let mut reader = Faulty::new(&plaintext[..], calls);
            if let Err(error) = sealer.copy_from(&mut reader) {
                let again = sealer.copy_from(&mut reader).unwrap_err();
                assert_same(&again, &error);
                return Err(sealer.finish().map(drop).unwrap_err());
            }
            sealer.finish().map(drop)
        })();
        sealed.map_or_else(|error| Err((written.clone(), error)), |()| Ok(written.clone()))
    };
    assert!(sweep("copying to a sealer", operation) > 50);
}

/// A plan that reads its bytes from a source that supports positional access.
struct FromSource<S>(S);

impl<S: ReadAt> Plan for FromSource<S> {
    fn planned_len(&self) -> u64 {
        (1 << 20) + 5
    }

    fn fill(&self, slots: &mut [&mut [u8]], mut offset: u64) -> bulla::Result<()> {
        for slot in slots {
            self.0.read_exact_at(slot, offset)?;
            offset += slot.len() as u64;
        }
        Ok(())
    }

    fn write_tail(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"tail")
    }
}

/// F-6.1: a plan reads from a source and is sealed to a stream.
#[test]
fn sealing_a_plan_reports_faults() {
    let plaintext = plaintext((1 << 20) + 5);
    let operation = |calls: &Calls| {
        let mut written = Vec::new();
        // One call fills each full chunk, so larger chunks mean fewer cases.
        let options = options().chunk_size(ChunkSize::default());
        let draft = bulla::hazmat::draft_with_salt(&key(), &options, &[8; 32]).unwrap();
        let plan = FromSource(Faulty::new(&plaintext[..], calls));
        let sealed = draft.seal_plan_to(&plan, Faulty::new(&mut written, calls)).map(drop);
        sealed.map_or_else(|error| Err((written.clone(), error)), |()| Ok(written.clone()))
    };
    assert!(sweep("sealing a plan", operation) > 50);
    sweep_empty_calls("sealing a plan", operation);
}

/// F-7.2, F-7.8: both the reader and the writer fail.
#[test]
fn copying_from_an_opener_reports_faults() {
    let container = container_of(&long());
    let operation = |calls: &Calls| {
        let mut released = Vec::new();
        let opened = Opener::new(&key(), Faulty::new(&container[..], calls), &options()).and_then(
            |mut opener| {
                let opened = opener.copy_to(&mut Faulty::new(&mut released, calls));
                if let Err(error) = &opened {
                    let again = opener.copy_to(&mut io::sink()).unwrap_err();
                    assert_same(&again, error);
                }
                opened.map(drop)
            },
        );
        opened.map_or_else(|error| Err((released.clone(), error)), |()| Ok(released.clone()))
    };
    assert!(sweep("copying from an opener", operation) > 50);
    sweep_empty_calls("copying from an opener", operation);
}

/// F-7.2, F-7.8
#[test]
fn reading_from_an_opener_reports_faults() {
    let container = container_of(&long());
    let operation = |calls: &Calls| {
        let mut released = Vec::new();
        let opened = Opener::new(&key(), Faulty::new(&container[..], calls), &options()).and_then(
            |mut opener| {
                let mut buffer = [0; 70_000];
                loop {
                    match opener.read(&mut buffer) {
                        Ok(0) => return Ok(()),
                        Ok(read) => released.extend_from_slice(&buffer[..read]),
                        Err(error) => {
                            let error = Error::from(error);
                            let again = Error::from(opener.read(&mut buffer).unwrap_err());
                            assert_same(&again, &error);
                            assert!(opener.opened().is_none());
                            return Err(error);
                        }
                    }
                }
            },
        );
        opened.map_or_else(|error| Err((released.clone(), error)), |()| Ok(released.clone()))
    };
    assert!(sweep("reading from an opener", operation) > 50);
    sweep_empty_calls("reading from an opener", operation);
}

/// F-7.1, F-8.1: preambles are read from a stream and with positional access.
#[test]
fn reading_a_preamble_reports_faults() {
    let container = container_of(b"a message");
    let by_stream = |calls: &Calls| {
        let preamble = Preamble::read(&mut Faulty::new(&container[..], calls));
        preamble.map(|preamble| preamble.envelope().to_vec()).map_err(|error| (Vec::new(), error))
    };
    let by_position = |calls: &Calls| {
        let preamble = Preamble::read_at(&Faulty::new(&container[..], calls));
        preamble.map(|preamble| preamble.envelope().to_vec()).map_err(|error| (Vec::new(), error))
    };
    let len = |calls: &Calls| {
        let len = bulla::plaintext_len(&Faulty::new(&container[..], calls));
        len.map(|len| len.to_be_bytes().to_vec()).map_err(|error| (Vec::new(), error))
    };
    sweep("preamble of a stream", by_stream);
    sweep("preamble with positional access", by_position);
    sweep("plaintext length", len);
}

/// F-7.5, F-7.6
#[test]
fn reading_ranges_reports_faults() {
    let container = container_of(&long());
    let range = |calls: &Calls| {
        RangeReader::new(&key(), Faulty::new(&container[..], calls), &options())
            .and_then(|reader| Ok(reader.range(7..reader.len() - 1)?.to_vec()))
            .map_err(|error| (Vec::new(), error))
    };
    let verify = |calls: &Calls| {
        RangeReader::new(&key(), Faulty::new(&container[..], calls), &options())
            .and_then(|reader| reader.verify())
            .map(|()| Vec::new())
            .map_err(|error| (Vec::new(), error))
    };
    let at_an_offset = |calls: &Calls| {
        RangeReader::new(&key(), Faulty::new(&container[..], calls), &options())
            .and_then(|reader| {
                let mut buffer = vec![0; 3 * CHUNK];
                reader.read_exact_at(&mut buffer, 100)?;
                Ok(buffer)
            })
            .map_err(|error| (Vec::new(), error))
    };
    for (name, operation) in [
        ("range", &range as &dyn Fn(&Calls) -> Output),
        ("verify", &verify),
        ("read at an offset", &at_an_offset),
    ] {
        assert!(sweep(name, operation) > 50);
        sweep_empty_calls(name, operation);
    }
}

/// F-7.2: the visitor sees only verified bytes.
#[test]
fn visiting_extents_reports_faults() {
    let (plaintext, container) = (long(), container_of(&long()));
    let operation = |calls: &Calls| {
        let visited = Mutex::new(Vec::new());
        let reader = RangeReader::new(&key(), Faulty::new(&container[..], calls), &options());
        let all = reader.and_then(|reader| {
            // A single thread visits extents in order.
            let all = 0..reader.len();
            reader.for_each_extent(std::slice::from_ref(&all), |offset, piece| {
                assert!(
                    plaintext[offset as usize..].starts_with(piece),
                    "unverified bytes were released"
                );
                visited.lock().unwrap().extend_from_slice(piece);
                Ok(())
            })
        });
        let visited = visited.into_inner().unwrap();
        all.map_or_else(|error| Err((visited.clone(), error)), |()| Ok(visited.clone()))
    };
    assert!(sweep("extents", operation) > 20);
    sweep_empty_calls("extents", operation);
}

/// Only unreadable chunks are lost, and all other chunks match what was sealed.
#[test]
fn salvage_reader_loses_only_unreadable_chunks() {
    let (plaintext, container) =
        (plaintext(5 * CHUNK + 9), container_of(&plaintext(5 * CHUNK + 9)));
    let read = |calls: &Calls| -> bulla::Result<usize> {
        let reader = SalvageReader::new(&key(), Faulty::new(&container[..], calls), &options())?;
        let chunks = (0..).zip(plaintext.chunks(CHUNK));
        let lost = chunks.filter(|(i, expected)| match reader.chunk(*i) {
            Some(chunk) => {
                assert!(chunk[..] == **expected, "chunk {i} has the wrong bytes");
                false
            }
            None => true,
        });
        Ok(lost.count())
    };
    let sound = Calls::without_fault();
    assert_eq!(read(&sound).unwrap(), 0);
    for n in 0..sound.count() {
        for fault in ABSORBED {
            assert_eq!(read(&Calls::at(fault, n)).unwrap(), 0, "{fault:?} at call {n}");
        }
        for fault in [Fault::Os(EIO), Fault::Nothing] {
            match read(&Calls::at(fault, n)) {
                Ok(lost) => assert!(lost <= 1, "{fault:?} at call {n} lost {lost} chunks"),
                Err(error) => {
                    assert!(fault == Fault::Nothing || is_reported(fault, &error), "{error:?}")
                }
            }
        }
    }
}

/// Returns entries of several sizes. The last one has more than one chunk.
fn contents() -> Vec<(&'static [u8], Bytes)> {
    let content = |len: usize| Bytes::from(plaintext(len));
    vec![
        (b"a", content(0)),
        (b"b/c", content(10)),
        (b"b/d", content(CHUNK)),
        (b"e", content(5 * CHUNK + 1)),
    ]
}

fn archive() -> Bytes {
    let mut writer = ArchiveBuilder::new();
    for (name, content) in contents() {
        writer.file(name, &Metadata::new().mode(0o644), content.len() as u64, content).unwrap();
    }
    writer.symlink(b"f", &Metadata::new(), b"a").unwrap();
    writer.seal_to(&key(), Vec::new(), &options()).unwrap().0.into()
}

/// Returns the container error inside an archive error.
fn container_error(error: bulla_archive::Error) -> Error {
    match error {
        bulla_archive::Error::Container(error) => error,
        error => panic!("unexpected error for a valid archive: {error:?}"),
    }
}

///
#[test]
fn reading_an_archive_reports_faults() {
    let archive = archive();
    type Reader<'c, 'b> = ArchiveReader<'static, Faulty<'c, &'b [u8]>>;
    let with =
        |calls: &Calls, operation: &dyn Fn(&Reader<'_, '_>) -> bulla_archive::Result<Vec<u8>>| {
            ArchiveReader::new(&key(), Faulty::new(&archive[..], calls), &options())
                .and_then(|reader| operation(&reader))
                .map_err(|error| (Vec::new(), container_error(error)))
        };
    let listing = |reader: &Reader<'_, '_>| {
        let entries = reader.entries().collect::<bulla_archive::Result<Vec<_>>>()?;
        Ok(entries.iter().flat_map(|entry| entry.path().to_vec()).collect())
    };
    let lookup = |reader: &Reader<'_, '_>| {
        let entry = reader.lookup(b"e")?.expect("the entry is missing");
        let content = reader.content(&entry)?;
        Ok(content.range(0..content.len())?.to_vec())
    };
    let read = |reader: &Reader<'_, '_>| {
        let entry = reader.lookup(b"e")?.expect("the entry is missing");
        let mut all = Vec::new();
        reader.content(&entry)?.read_to_end(&mut all)?;
        Ok(all)
    };
    let verify = |reader: &Reader<'_, '_>| {
        reader.verify()?;
        Ok(reader.notes()?.into_iter().flat_map(|note| note.path).collect())
    };
    let read_all = |reader: &Reader<'_, '_>| {
        let mut entries = reader.entries().collect::<bulla_archive::Result<Vec<_>>>()?;
        entries.retain(|entry| entry.check_readable().is_ok());
        let all = Mutex::new(Vec::new());
        reader.read_all(&entries, |_, _, bytes| {
            all.lock().unwrap().extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(all.into_inner().unwrap())
    };
    type Operation<'o> = &'o dyn Fn(&Reader<'_, '_>) -> bulla_archive::Result<Vec<u8>>;
    let operations: [(&str, Operation<'_>); 5] = [
        ("listing", &listing),
        ("lookup", &lookup),
        ("reading an entry", &read),
        ("verifying", &verify),
        ("reading all entries", &read_all),
    ];
    for (name, operation) in operations {
        assert!(sweep(name, |calls| with(calls, operation)) > 50);
    }
}

/// a failing source becomes a note, and a failing writer becomes an error.
#[test]
fn writing_an_archive_reports_faults() {
    let operation = |calls: &Calls| {
        let mut writer = ArchiveBuilder::new();
        for (name, content) in contents() {
            writer.file(name, &Metadata::new(), content.len() as u64, content).unwrap();
        }
        let sealed = writer.seal_to(&key(), Faulty::new(Vec::new(), calls), &options());
        sealed
            .map(|(_, report)| report.entries.to_be_bytes().to_vec())
            .map_err(|e| (Vec::new(), container_error(e)))
    };
    assert!(sweep("writing an archive", operation) > 20);
}

/// A source that shares its call counter with all other sources.
struct Shared<'c> {
    calls: &'c Calls,
    bytes: Bytes,
}

/// The content that a `Shared` source opens.
struct Opened<'c>(Faulty<'c, Bytes>);

impl<'c> Source for Shared<'c> {
    type Content = Opened<'c>;

    fn open(&self, _name: &[u8]) -> io::Result<Opened<'c>> {
        Ok(Opened(Faulty::new(self.bytes.clone(), self.calls)))
    }
}

impl ReadAt for Opened<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

impl bulla_archive::ContentSource for Opened<'_> {}

/// a failing source is noted, and its entry has the bytes that were read before the
/// failure. All other entries are whole.
#[test]
fn failing_sources_are_noted() {
    let seal = |calls: &Calls| {
        let mut writer = ArchiveBuilder::new();
        for (name, bytes) in contents() {
            let len = bytes.len() as u64;
            writer.file(name, &Metadata::new(), len, Shared { calls, bytes }).unwrap();
        }
        let (archive, report) = writer.seal_to(&key(), Vec::new(), &options()).unwrap();
        let reader = ArchiveReader::new(&key(), archive, &options()).unwrap();
        reader.verify().unwrap();
        for (name, whole) in contents() {
            let entry = reader.lookup(name).unwrap().unwrap();
            let content = reader.content(&entry).unwrap().range(0..entry.len()).unwrap();
            assert!(whole.starts_with(&content));
            let noted = report.notes.iter().any(|note| note.path == name);
            assert_eq!(noted, content.len() < whole.len() || !entry.state().is_whole());
        }
        report.notes
    };
    let sound = Calls::without_fault();
    assert!(seal(&sound).is_empty());
    let mut noted = 0;
    for n in 0..sound.count() {
        for fault in [Fault::Interrupted, Fault::Short] {
            let notes = seal(&Calls::at(fault, n));
            assert!(notes.is_empty(), "{fault:?} at call {n}: {notes:?}");
        }
        let notes = seal(&Calls::at(Fault::Os(EIO), n));
        assert!(notes.iter().all(|note| note.state.has(State::UNREADABLE)) && notes.len() <= 1);
        noted += notes.len();
        let notes = seal(&Calls::at(Fault::Nothing, n));
        assert!(notes.iter().all(|note| note.state.has(State::SHORT)) && notes.len() <= 1);
    }
    assert!(noted > 2, "{noted} of {} errors were noted", sound.count());
}

/// salvage recovers all readable data and reports the rest as lost.
#[test]
fn salvage_recovers_all_readable_data() {
    let archive = archive();
    let contents = contents();
    let read = |calls: &Calls| -> Result<u64, bulla_archive::Error> {
        let mut salvage = Salvage::new(&key(), Faulty::new(&archive[..], calls), &options())?;
        let mut content: &[u8] = &[];
        for recovered in salvage.by_ref() {
            match recovered {
                Recovered::Entry(entry) => {
                    let named = contents.iter().find(|(name, _)| *name == entry.path());
                    content = named.map_or(&[], |(_, content)| content);
                }
                Recovered::Piece { offset, bytes } => {
                    assert!(
                        content[offset as usize..].starts_with(&bytes),
                        "a recovered piece has the wrong bytes"
                    );
                }
                _ => {}
            }
        }
        Ok(salvage.summary().lost)
    };
    let sound = Calls::without_fault();
    assert_eq!(read(&sound).unwrap(), 0);
    for n in 0..sound.count() {
        for fault in ABSORBED {
            assert_eq!(read(&Calls::at(fault, n)).unwrap(), 0, "{fault:?} at call {n}");
        }
        for fault in [Fault::Os(EIO), Fault::Nothing] {
            if let Ok(lost) = read(&Calls::at(fault, n)) {
                assert!(lost <= CHUNK as u64, "{fault:?} at call {n} lost {lost} bytes");
            }
        }
    }
}
