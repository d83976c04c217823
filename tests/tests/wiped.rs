//! The key's bytes are not in the process's memory once all that was made with it was dropped
//! (SECURITY.md, "Secrets in memory").
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;

use bulla::{Key, Opener, Options, RangeReader, Sealer, Workers};

/// How often the bytes that `masked` hides are in memory that can be written, wherever: heap,
/// stacks, data.
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
        found += bytes.windows(32).filter(|window| is_hidden(window, masked)).count();
        // The copy of the memory must not be what the next look finds.
        bytes.fill(0);
        std::hint::black_box(&bytes);
    }
    found
}

fn is_hidden(window: &[u8], masked: &[u8; 32]) -> bool {
    window.iter().zip(masked).all(|(byte, hidden)| byte ^ 0xA5 == *hidden)
}

fn masked(key: &Key) -> [u8; 32] {
    // Byte by byte: `map` of an array would copy the key.
    let mut masked = [0; 32];
    masked.iter_mut().zip(key.expose()).for_each(|(hidden, byte)| *hidden = byte ^ 0xA5);
    masked
}

/// Everything that takes a key, on other threads too.
#[inline(never)]
fn use_it(key: &Key) {
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
fn no_copy_of_the_key_is_left() {
    let key = Box::new(Key::generate().unwrap());
    let hidden = masked(&key);
    assert!(count(&hidden) >= 1, "a key that is there is found");
    use_it(&key);
    let held = count(&hidden);
    drop(key);
    assert_eq!(count(&hidden), 0, "{held} copies while it was there");
}
