//! Input and output that fail or fall short, at every call of every operation: nothing is lost
//! silently, and nothing leaves that was not verified.

use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::time::Duration;

use bulla::{ChunkSize, Error, Opener, Plan, Preamble, RangeReader, ReadAt, SalvageReader};
use bulla_archive::{ArchiveReader, ArchiveWriter, Metadata, Recovered, Salvage, Source, State};
use bulla_testkit::faulty::{Calls, Fault, Faulty};
use bulla_tests::{CHUNK, key, options, plaintext};
use bytes::Bytes;

/// Errors of the system, as Linux numbers them.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What nobody may notice.
const ABSORBED: [Fault; 3] =
    [Fault::Interrupted, Fault::Short, Fault::Delay(Duration::from_micros(50))];
/// What everybody must be told.
const ERRORS: [Fault; 3] =
    [Fault::Os(EIO), Fault::Os(ENOSPC), Fault::Kind(io::ErrorKind::TimedOut)];

/// What an operation came to: all that it gave, or what it gave before the error.
type Came = Result<Vec<u8>, (Vec<u8>, Error)>;

/// Runs `operation` with every fault at every call that it makes. `Fault::Short` and its like also
/// at all calls from then on.
fn sweep(name: &str, operation: impl Fn(&Calls) -> Came) -> u64 {
    let sound = Calls::without_fault();
    let expected =
        operation(&sound).unwrap_or_else(|(_, error)| panic!("{name}: {error:?} without a fault"));
    assert!(sound.count() > 1, "{name} makes no calls");
    let mut cases = 0;
    for n in 0..sound.count() {
        for fault in ABSORBED {
            let came = operation(&Calls::at(fault, n));
            assert!(
                came.is_ok_and(|came| came == expected),
                "{name}: {fault:?} at call {n} is noticed"
            );
            cases += 1;
        }
        let came = operation(&Calls::since(Fault::Short, n));
        assert!(
            came.is_ok_and(|came| came == expected),
            "{name}: short calls from {n} on are noticed"
        );
        for fault in ERRORS {
            for calls in [Calls::at(fault, n), Calls::since(fault, n)] {
                let came = operation(&calls);
                assert!(calls.fault_injected(), "{name}: call {n} was not made");
                let Err((before, error)) = came else {
                    panic!("{name}: {fault:?} at call {n} is not told")
                };
                assert!(is_told(fault, &error), "{name}: {fault:?} at call {n} becomes {error:?}");
                assert!(
                    expected.starts_with(&before),
                    "{name}: {fault:?} at {n} comes after other bytes"
                );
                cases += 1;
            }
        }
    }
    cases
}

/// Whether the error is that of the fault, its code included, also on its way through
/// [`io::Error`].
fn is_told(fault: Fault, error: &Error) -> bool {
    let Error::Io(error) = error else { return false };
    match fault {
        Fault::Os(code) => error.raw_os_error() == Some(code),
        Fault::Kind(kind) => error.kind() == kind,
        _ => false,
    }
}

/// The first error is final: what comes again says the same, and has the same code.
fn assert_same(again: &Error, first: &Error) {
    let code = |error: &Error| match error {
        Error::Io(error) => Some((error.kind(), error.raw_os_error())),
        _ => None,
    };
    assert_eq!((again.to_string(), code(again)), (first.to_string(), code(first)));
}

/// What a source that ends early, or a writer that takes nothing, may come to: an error of damage,
/// or one of I/O that says so.
fn sweep_of_nothing(name: &str, operation: impl Fn(&Calls) -> Came) {
    let sound = Calls::without_fault();
    let expected =
        operation(&sound).unwrap_or_else(|(_, error)| panic!("{name}: {error:?} without a fault"));
    for n in 0..sound.count() {
        for calls in [Calls::at(Fault::Nothing, n), Calls::since(Fault::Nothing, n)] {
            match operation(&calls) {
                // The end is where it always was, or what was flushed had been written.
                Ok(came) => assert!(
                    came == expected,
                    "{name}: other bytes, without an error, if call {n} gives nothing"
                ),
                Err((before, error)) => {
                    assert!(expected.starts_with(&before), "{name}: other bytes before {error:?}");
                    let kinds = [io::ErrorKind::WriteZero, io::ErrorKind::UnexpectedEof];
                    let known = match &error {
                        Error::Io(error) => kinds.contains(&error.kind()),
                        Error::NotAContainer | Error::DamagedHeader => true,
                        Error::Truncated { .. }
                        | Error::ChunkRejected { .. }
                        | Error::TrailingData { .. } => true,
                        _ => false,
                    };
                    assert!(known, "{name}: {error:?} if call {n} gives nothing");
                }
            }
        }
    }
}

/// Two batches and a bit, so that there are batches in flight when a call fails.
fn long() -> Vec<u8> {
    plaintext((1 << 20) + 2 * CHUNK + 9)
}

fn container_of(plaintext: &[u8]) -> Bytes {
    bulla::hazmat::draft_with_salt(&key(), &options().envelope_len(40), &[8; 32])
        .unwrap()
        .seal(plaintext)
        .unwrap()
}

/// F-6.1, F-7.8: a sealer that was written to.
#[test]
fn sealing_what_is_written() {
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
    assert!(sweep("sealing what is written", operation) > 100);
    sweep_of_nothing("sealing what is written", operation);
}

/// F-6.1, F-7.8: a sealer that reads by itself, its reader as bad as its writer.
#[test]
fn sealing_what_is_read() {
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
    assert!(sweep("sealing what is read", operation) > 50);
}

/// A plan whose bytes are read from a source at an offset.
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

/// F-6.1: a plan that is filled from a source, and written to a stream.
#[test]
fn sealing_a_plan() {
    let plaintext = plaintext((1 << 20) + 5);
    let operation = |calls: &Calls| {
        let mut written = Vec::new();
        // Full chunks are filled one by one: fewer of them make fewer calls.
        let options = options().chunk_size(ChunkSize::default());
        let draft = bulla::hazmat::draft_with_salt(&key(), &options, &[8; 32]).unwrap();
        let plan = FromSource(Faulty::new(&plaintext[..], calls));
        let sealed = draft.seal_plan_to(&plan, Faulty::new(&mut written, calls)).map(drop);
        sealed.map_or_else(|error| Err((written.clone(), error)), |()| Ok(written.clone()))
    };
    assert!(sweep("sealing a plan", operation) > 50);
    sweep_of_nothing("sealing a plan", operation);
}

/// F-7.2, F-7.8: a stream that is copied, its reader as bad as its writer.
#[test]
fn opening_a_stream_by_copying() {
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
    assert!(sweep("opening a stream by copying", operation) > 50);
    sweep_of_nothing("opening a stream by copying", operation);
}

/// F-7.2, F-7.8: a stream that is read.
#[test]
fn opening_a_stream_by_reading() {
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
    assert!(sweep("opening a stream by reading", operation) > 50);
    sweep_of_nothing("opening a stream by reading", operation);
}

/// F-7.1, F-8.1: header and envelope, by stream and by position.
#[test]
fn preambles() {
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
    sweep("a preamble by stream", by_stream);
    sweep("a preamble by position", by_position);
    sweep("the plaintext's length", len);
}

/// F-7.5, F-7.6: ranges, and everything else that reads at an offset.
#[test]
fn ranges() {
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
        ("a range", &range as &dyn Fn(&Calls) -> Came),
        ("verifying", &verify),
        ("at an offset", &at_an_offset),
    ] {
        assert!(sweep(name, operation) > 50);
        sweep_of_nothing(name, operation);
    }
}

/// F-7.2: extents, of which only verified bytes are shown, in whichever order they come.
#[test]
fn extents() {
    let (plaintext, container) = (long(), container_of(&long()));
    let operation = |calls: &Calls| {
        let visited = Mutex::new(Vec::new());
        let reader = RangeReader::new(&key(), Faulty::new(&container[..], calls), &options());
        let all = reader.and_then(|reader| {
            // All on this thread, where extents come in order.
            let all = 0..reader.len();
            reader.for_each_extent(std::slice::from_ref(&all), |offset, piece| {
                assert!(
                    plaintext[offset as usize..].starts_with(piece),
                    "unverified bytes are shown"
                );
                visited.lock().unwrap().extend_from_slice(piece);
                Ok(())
            })
        });
        let visited = visited.into_inner().unwrap();
        all.map_or_else(|error| Err((visited.clone(), error)), |()| Ok(visited.clone()))
    };
    assert!(sweep("extents", operation) > 20);
    sweep_of_nothing("extents", operation);
}

/// Promise 4: what cannot be read is lost, and nothing else; what comes is what was sealed.
#[test]
fn salvage_of_chunks() {
    let (plaintext, container) =
        (plaintext(5 * CHUNK + 9), container_of(&plaintext(5 * CHUNK + 9)));
    let read = |calls: &Calls| -> bulla::Result<usize> {
        let reader = SalvageReader::new(&key(), Faulty::new(&container[..], calls), &options())?;
        let chunks = (0..).zip(plaintext.chunks(CHUNK));
        let lost = chunks.filter(|(i, expected)| match reader.chunk(*i) {
            Some(chunk) => {
                assert!(chunk[..] == **expected, "chunk {i} is other bytes");
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
                Ok(lost) => assert!(lost <= 1, "{fault:?} at call {n} costs {lost} chunks"),
                Err(error) => {
                    assert!(fault == Fault::Nothing || is_told(fault, &error), "{error:?}")
                }
            }
        }
    }
}

/// Contents of a few sizes, the last of more than a chunk.
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
    let mut writer = ArchiveWriter::new();
    for (name, content) in contents() {
        writer.file(name, &Metadata::new().mode(0o644), content.len() as u64, content).unwrap();
    }
    writer.symlink(b"f", &Metadata::new(), b"a").unwrap();
    writer.seal_to(&key(), Vec::new(), &options()).unwrap().0.into()
}

/// An error of the container, out of one of the archive.
fn of_container(error: bulla_archive::Error) -> Error {
    match error {
        bulla_archive::Error::Container(error) => error,
        error => panic!("{error:?} of an archive in which nothing is wrong"),
    }
}

/// everything that is done with an archive.
#[test]
fn reading_archives() {
    let archive = archive();
    type Reader<'c, 'b> = ArchiveReader<'static, Faulty<'c, &'b [u8]>>;
    let with = |calls: &Calls,
                use_it: &dyn Fn(&Reader<'_, '_>) -> bulla_archive::Result<Vec<u8>>| {
        ArchiveReader::new(&key(), Faulty::new(&archive[..], calls), &options())
            .and_then(|reader| use_it(&reader))
            .map_err(|error| (Vec::new(), of_container(error)))
    };
    let listing = |reader: &Reader<'_, '_>| {
        let entries = reader.entries().collect::<bulla_archive::Result<Vec<_>>>()?;
        Ok(entries.iter().flat_map(|entry| entry.path().to_vec()).collect())
    };
    let lookup = |reader: &Reader<'_, '_>| {
        let entry = reader.lookup(b"e")?.expect("it is there");
        let content = reader.content(&entry)?;
        Ok(content.range(0..content.len())?.to_vec())
    };
    let as_read = |reader: &Reader<'_, '_>| {
        let entry = reader.lookup(b"e")?.expect("it is there");
        let mut all = Vec::new();
        reader.content(&entry)?.read_to_end(&mut all)?;
        Ok(all)
    };
    let verify = |reader: &Reader<'_, '_>| {
        reader.verify()?;
        Ok(reader.notes()?.into_iter().flat_map(|note| note.path).collect())
    };
    let at_once = |reader: &Reader<'_, '_>| {
        let mut entries = reader.entries().collect::<bulla_archive::Result<Vec<_>>>()?;
        entries.retain(|entry| entry.check_readable().is_ok());
        let all = Mutex::new(Vec::new());
        reader.read_all(&entries, |_, _, bytes| {
            all.lock().unwrap().extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(all.into_inner().unwrap())
    };
    type Use<'u> = &'u dyn Fn(&Reader<'_, '_>) -> bulla_archive::Result<Vec<u8>>;
    let uses: [(&str, Use<'_>); 5] = [
        ("listing", &listing),
        ("looking up", &lookup),
        ("reading an entry", &as_read),
        ("verifying", &verify),
        ("all at once", &at_once),
    ];
    for (name, use_it) in uses {
        assert!(sweep(name, |calls| with(calls, use_it)) > 50);
    }
}

/// no source makes it fail; each says what became of it. The writer's errors are told.
#[test]
fn writing_archives() {
    let operation = |calls: &Calls| {
        let mut writer = ArchiveWriter::new();
        for (name, content) in contents() {
            writer.file(name, &Metadata::new(), content.len() as u64, content).unwrap();
        }
        let sealed = writer.seal_to(&key(), Faulty::new(Vec::new(), calls), &options());
        sealed
            .map(|(_, report)| report.entries.to_be_bytes().to_vec())
            .map_err(|e| (Vec::new(), of_container(e)))
    };
    assert!(sweep("writing an archive", operation) > 20);
}

/// A source that shares the calls of all others.
struct Shared<'c> {
    calls: &'c Calls,
    bytes: Bytes,
}

/// What it opens.
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

/// a source that fails is noted, with the bytes that were there; the others are
/// whole.
#[test]
fn sources_that_fail() {
    let seal = |calls: &Calls| {
        let mut writer = ArchiveWriter::new();
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

/// salvage of an archive loses what cannot be read, says so, and hands out the
/// rest.
#[test]
fn salvage_of_archives() {
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
                        "a piece that never was"
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
                assert!(lost <= CHUNK as u64, "{fault:?} at call {n} costs {lost} bytes");
            }
        }
    }
}
