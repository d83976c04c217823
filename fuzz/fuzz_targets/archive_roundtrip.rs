//! An archive built from a description, written from unreliable sources.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::archive_roundtrip(bytes));
