//! Tests sealing and opening whole files, including files that shrink, grow or are damaged.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek};

use bulla::{ChunkSize, Error, HeaderState, Options, Workers};
use bulla_tests::{CHUNK, key, options, plaintext};
use tempfile::TempDir;

struct Directory(TempDir);

impl Directory {
    fn new() -> Directory {
        Directory(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> File {
        std::fs::write(self.path(name), bytes).unwrap();
        File::open(self.path(name)).unwrap()
    }

    fn create(&self, name: &str) -> File {
        OpenOptions::new().read(true).write(true).create_new(true).open(self.path(name)).unwrap()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }
}

/// F-2.1, F-5.1: files are sealed and opened on one thread and on four.
#[test]
fn round_trips_every_shape() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let mib = 1 << 20;
    for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, mib - 1, mib, mib + 1, 5 * mib + 12345] {
        for workers in [Workers::Serial, Workers::Pool(&pool)] {
            for size in [ChunkSize::MIN, ChunkSize::default(), ChunkSize::MAX] {
                let directory = Directory::new();
                let options = Options::new().chunk_size(size).workers(workers).envelope_len(33);
                let plaintext = plaintext(len);
                let input = directory.write("plain", &plaintext);
                let sealed =
                    bulla::seal_file(&key(), &input, &directory.create("sealed"), &options)
                        .unwrap();
                assert_eq!(sealed.plaintext_len, len as u64);
                assert_eq!(sealed.container_len, directory.read("sealed").len() as u64);
                assert!(!sealed.source_grew);

                let container = File::open(directory.path("sealed")).unwrap();
                let opened =
                    bulla::open_file(&key(), &container, &directory.create("opened"), &options)
                        .unwrap();
                assert_eq!(
                    (opened.plaintext_len, opened.header_state),
                    (len as u64, HeaderState::Intact)
                );
                assert!(directory.read("opened") == plaintext, "{len} bytes, {size:?}");
            }
        }
    }
}

/// F-7.2, F-7.4, F-7.5: the error gives the lowest rejected chunk.
#[test]
fn damaged_chunk_leaves_an_empty_output() {
    let plaintext = plaintext(600 * CHUNK);
    let container = bulla::seal(&key(), &plaintext, &options()).unwrap().to_vec();
    let offset = |chunk: usize| 128 + chunk * (CHUNK + 16);
    for (chunks, error) in [
        (vec![0], Error::ChunkRejected { index: 0 }),
        (vec![600], Error::ChunkRejected { index: 600 }),
        (vec![599, 300], Error::ChunkRejected { index: 300 }),
        (vec![600, 300, 301], Error::ChunkRejected { index: 300 }),
    ] {
        let directory = Directory::new();
        let mut damaged = container.clone();
        for chunk in chunks {
            damaged[offset(chunk)] ^= 0x80;
        }
        let input = directory.write("damaged", &damaged);
        let refused = bulla::open_file(&key(), &input, &directory.create("out"), &Options::new())
            .unwrap_err();
        assert_eq!(refused, error);
        assert!(directory.read("out").is_empty());
    }
    let directory = Directory::new();
    let input = directory.write("cut", &container[..offset(400)]);
    let refused =
        bulla::open_file(&key(), &input, &directory.create("out"), &Options::new()).unwrap_err();
    assert!(matches!(refused, Error::Truncated { after: 399 }), "{refused:?}");
    assert!(directory.read("out").is_empty());
}

/// F-3.4, F-3.6: the output is a file or a pipe.
#[test]
fn opens_and_reports_a_damaged_header_or_footer() {
    let plaintext = plaintext(3 * CHUNK);
    let container = bulla::seal(&key(), &plaintext, &options()).unwrap().to_vec();
    for (at, state) in
        [(9, HeaderState::HeaderDamaged), (container.len() - 70, HeaderState::FooterDamaged)]
    {
        let directory = Directory::new();
        let mut damaged = container.clone();
        damaged[at] ^= 4;
        let input = directory.write("damaged", &damaged);
        let opened =
            bulla::open_file(&key(), &input, &directory.create("out"), &Options::new()).unwrap();
        assert_eq!(opened.header_state, state);
        assert_eq!(directory.read("out"), plaintext);
        #[cfg(unix)]
        {
            let (mut reader, writer) = std::io::pipe().unwrap();
            let writer = File::from(std::os::fd::OwnedFd::from(writer));
            let opened = bulla::open_file(&key(), &input, &writer, &Options::new()).unwrap();
            drop(writer);
            assert_eq!(opened.header_state, state);
            let mut piped = Vec::new();
            reader.read_to_end(&mut piped).unwrap();
            assert_eq!(piped, plaintext);
        }
    }
}

/// Seals a file of `LONG` bytes, and changes it as soon as the first extent is sealed. At that
/// point, the length of the file has been read, but its end will not be read for a long time.
fn seal_while(change: impl FnOnce(&File)) -> (bulla::Result<bulla::Sealed>, Directory) {
    let directory = Directory::new();
    let plain = directory.create("plain");
    plain.set_len(LONG).unwrap();
    let input = File::open(directory.path("plain")).unwrap();
    let output = directory.create("sealed");
    let progress = bulla::Progress::new();
    let options = Options::new().workers(Workers::Serial).progress(&progress);
    let sealed = std::thread::scope(|scope| {
        let sealing = scope.spawn(|| bulla::seal_file(&key(), &input, &output, &options));
        while progress.done() == 0 && !sealing.is_finished() {
            std::thread::yield_now();
        }
        change(&plain);
        sealing.join().unwrap()
    });
    (sealed, directory)
}

const LONG: u64 = 256 << 20;

#[test]
fn shrinking_source_leaves_an_empty_output() {
    let (sealed, directory) = seal_while(|plain| plain.set_len(5000).unwrap());
    let Err(Error::SourceShrank { planned: LONG, found }) = sealed else { panic!("{sealed:?}") };
    assert!(found < LONG);
    assert!(directory.read("sealed").is_empty());
}

#[test]
fn growing_source_is_sealed_to_its_initial_length() {
    let (sealed, directory) = seal_while(|plain| plain.set_len(LONG + 4).unwrap());
    let sealed = sealed.unwrap();
    assert!(sealed.source_grew);
    assert_eq!(sealed.plaintext_len, LONG);
    let container = File::open(directory.path("sealed")).unwrap();
    assert_eq!(bulla::plaintext_len(&container).unwrap(), LONG);
    bulla::RangeReader::new(&key(), &container, &Options::new()).unwrap().verify().unwrap();
}

/// Files in /proc report a length of 0, so they are sealed as streams.
#[cfg(target_os = "linux")]
#[test]
fn seals_a_file_without_a_length() {
    let directory = Directory::new();
    let input = File::open("/proc/cpuinfo").unwrap();
    assert_eq!(input.metadata().unwrap().len(), 0);
    bulla::seal_file(&key(), &input, &directory.create("sealed"), &Options::new()).unwrap();
    let (bytes, _) = bulla::open(&key(), &directory.read("sealed"), &Options::new()).unwrap();
    assert!(bytes.starts_with(b"processor"));
}

#[test]
fn rejects_an_output_that_is_not_empty_or_in_append_mode() {
    let directory = Directory::new();
    let input = directory.write("plain", &plaintext(100));
    let full = directory.write("full", b"precious");
    drop(full);
    let full = OpenOptions::new().write(true).open(directory.path("full")).unwrap();
    let Err(Error::Io(e)) = bulla::seal_file(&key(), &input, &full, &Options::new()) else {
        panic!()
    };
    assert_eq!(e.kind(), std::io::ErrorKind::AlreadyExists);
    let Err(Error::Io(e)) = bulla::open_file(&key(), &input, &full, &Options::new()) else {
        panic!()
    };
    assert_eq!(e.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(directory.read("full"), b"precious");

    let appending =
        OpenOptions::new().append(true).create_new(true).open(directory.path("appending")).unwrap();
    let refused = bulla::seal_file(&key(), &input, &appending, &Options::new());
    assert!(matches!(refused, Err(Error::Io(_))), "{refused:?}");
    assert!(directory.read("appending").is_empty());
}

#[test]
fn cancelling_leaves_an_empty_output() {
    let directory = Directory::new();
    let progress = bulla::Progress::new();
    progress.cancel();
    let input = directory.write("plain", &plaintext(100_000));
    let cancelled = bulla::seal_file(
        &key(),
        &input,
        &directory.create("out"),
        &Options::new().progress(&progress),
    );
    assert!(matches!(cancelled, Err(Error::Cancelled)));
    assert!(directory.read("out").is_empty());
}

#[test]
fn ignores_the_position_of_the_input() {
    let directory = Directory::new();
    let mut input = directory.write("plain", &plaintext(10_000));
    input.seek(std::io::SeekFrom::Start(5_000)).unwrap();
    let sealed = bulla::seal_file(&key(), &input, &directory.create("sealed"), &options()).unwrap();
    assert_eq!(sealed.plaintext_len, 10_000);
}
