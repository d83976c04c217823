//! An archive built from a description, with changes to its index.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::archive_index(bytes));
