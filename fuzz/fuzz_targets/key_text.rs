//! A recovery key as text.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::key_text(bytes));
