//! Tests that memory contains no copy of a key once everything that was made with it has been
//! dropped (SECURITY.md, "Secrets in memory").
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;

use bulla::{Key, Opener, Options, RangeReader, Sealer, Workers};

/// Counts the occurrences of a masked key in the process's writable memory, which comprises the
/// heap, the stacks and the data segments.
fn count(masked: &[u8; 32]) -> usize {
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut found = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let mut bytes = vec![0; (number(end) - number(start)) as usize];
        if memory.read_exact_at(&mut bytes, number(start)).is_err() {
            continue;
        }
        found += bytes.windows(32).filter(|window| is_key(window, masked)).count();
        // Otherwise, the next call would find the key in this buffer.
        bytes.fill(0);
        std::hint::black_box(&bytes);
    }
    found
}

fn is_key(window: &[u8], masked: &[u8; 32]) -> bool {
    window.iter().zip(masked).all(|(byte, masked)| byte ^ 0xA5 == *masked)
}

/// Returns the key XORed with a constant, so that the search does not find the result.
fn mask(key: &Key) -> [u8; 32] {
    // Mask the key byte by byte, because `map` on an array would copy it.
    let mut masked = [0; 32];
    masked.iter_mut().zip(key.expose()).for_each(|(masked, byte)| *masked = byte ^ 0xA5);
    masked
}

/// Seals and opens with every function of the API, with and without worker threads.
#[inline(never)]
fn use_key(key: &Key) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for workers in [Workers::Serial, Workers::Pool(&pool)] {
        let options = Options::new().workers(workers);
        let plaintext = vec![1; 1 << 20];
        let container = bulla::seal(key, &plaintext, &options).unwrap();
        bulla::open(key, &container, &options).unwrap();
        RangeReader::new(key, &container[..], &options).unwrap().range(5..900_000).unwrap();
        let mut sealer = Sealer::new(key, Vec::new(), &options).unwrap();
        sealer.copy_from(&mut &plaintext[..]).unwrap();
        let (container, _) = sealer.finish().unwrap();
        Opener::new(key, &container[..], &options).unwrap().read_to_end(&mut Vec::new()).unwrap();
    }
}

#[test]
fn leaves_no_copy_of_the_key() {
    let key = Box::new(Key::generate().unwrap());
    let masked = mask(&key);
    assert!(count(&masked) >= 1, "the search must find a live key");
    use_key(&key);
    let live = count(&masked);
    drop(key);
    assert_eq!(
        count(&masked),
        0,
        "the key is still in memory; there were {live} copies before the drop"
    );
}
