//! F-12 and A-7: the memory that a reader allocates for hostile input is bounded by the input
//! length and the limits of the format.
//!
//! This file contains only one test, because the allocator counts the memory of the whole process.

use std::io::sink;

use bulla::{Key, Opener, Options, Preamble, RangeReader, Workers};
use bulla_archive::{ArchiveReader, Salvage};
use bulla_testkit::vectors;
use peak_alloc::PeakAlloc;
use sha2::{Digest, Sha256};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Fixed memory budget, in bytes. It covers the largest chunk, both copies of the largest envelope,
/// and read-ahead.
const FIXED: usize = 8 << 20;
/// Memory budget per byte of input, in bytes. It covers the plaintext and, for an archive, its
/// index in memory.
const PER_BYTE: usize = 8;

/// Returns the peak memory that `work` allocates, in bytes.
fn peak(work: impl FnOnce()) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    work();
    MEMORY.peak_usage().saturating_sub(before)
}

fn options(context: Option<&[u8]>) -> Options<'_> {
    let options = Options::new().workers(Workers::Serial);
    match context {
        Some(context) => options.context(context),
        None => options,
    }
}

/// Opens a container with every function of the API, and drops the results.
fn open(container: &[u8], key: &Key, context: Option<&[u8]>) {
    let options = options(context);
    let _ = Preamble::read(&mut &container[..]);
    let _ = bulla::open(key, container, &options);
    if let Ok(mut opener) = Opener::new(key, container, &options) {
        let _ = std::io::copy(&mut opener, &mut sink());
    }
    if let Ok(reader) = RangeReader::new(key, container, &options) {
        let _ = reader.verify();
    }
}

/// Reads and salvages an archive, and drops the results.
fn open_archive(container: &[u8], key: &Key, context: Option<&[u8]>) {
    let options = options(context);
    if let Ok(reader) = ArchiveReader::new(key, container, &options) {
        for entry in reader.entries().map_while(Result::ok) {
            if let Ok(mut content) = reader.content(&entry) {
                let _ = std::io::copy(&mut content, &mut sink());
            }
        }
        let _ = reader.notes();
    }
    if let Ok(salvage) = Salvage::new(key, container, &options) {
        salvage.for_each(drop);
    }
}

/// Checks that `work` does not allocate more memory than the bound for `container`.
fn check(name: &str, container: &[u8], work: impl FnOnce()) {
    let (peak, bound) = (peak(work), FIXED + PER_BYTE * container.len());
    assert!(peak <= bound, "{name}: {peak} bytes allocated for {} bytes of input", container.len());
}

/// Returns containers whose header fields are at and beyond their limits, with valid checksums and
/// few or no bytes after the header.
fn hostile_headers(container: &[u8]) -> Vec<Vec<u8>> {
    let mut hostile = Vec::new();
    for log2 in [0, 12, 16, 20, 21, 63, 255u8] {
        for envelope_len in [0u32, 1, 1 << 20, (1 << 20) + 1, u32::MAX] {
            for len in [128, 129, 300, container.len()] {
                let mut bytes = container[..len].to_vec();
                let foot = bytes.len() - 128;
                for start in [0, foot] {
                    bytes[start + 12] = log2;
                    bytes[start + 16..start + 20].copy_from_slice(&envelope_len.to_be_bytes());
                    let check = Sha256::digest(&bytes[start..start + 120]);
                    bytes[start + 120..start + 128].copy_from_slice(&check[..8]);
                    if len == 128 || len == 129 {
                        break;
                    }
                }
                hostile.push(bytes);
            }
        }
    }
    hostile
}

#[test]
fn memory_is_bounded_by_the_input() {
    let key = Key::from_bytes(&[7; 32]);
    let container = bulla::seal(&key, &[1; 1000], &options(None)).unwrap();
    for bytes in hostile_headers(&container) {
        check("header", &bytes, || open(&bytes, &key, None));
        check("archive header", &bytes, || open_archive(&bytes, &key, None));
    }
    for vector in vectors::container::all() {
        let key = Key::from_bytes(vector.key[..].try_into().unwrap());
        check(&vector.name, &vector.container, || {
            open(&vector.container, &key, vector.context.as_deref())
        });
    }
    let mut most = 0;
    for vector in vectors::archive::all() {
        let key = Key::from_bytes(vector.key[..].try_into().unwrap());
        let context = vector.context.as_deref();
        check(&vector.name, &vector.container, || open_archive(&vector.container, &key, context));
        most = most.max(vector.container.len());
    }
    assert!(most > 0);
    // Make sure that the allocator counts.
    assert!(peak(|| drop(std::hint::black_box(vec![0u8; FIXED + 1]))) > FIXED);
}
