//! A plaintext range, read with every method.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::open_range(bytes));
