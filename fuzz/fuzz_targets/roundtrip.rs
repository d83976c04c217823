//! A container built from a description, sealed and opened with every method.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::roundtrip(bytes));
