//! The plaintext of an archive.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::archive_records(bytes));
