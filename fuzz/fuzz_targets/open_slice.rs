//! A container opened from memory.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::open_slice(bytes));
