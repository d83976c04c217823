//! A container built from a description, with authentic faults.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::resealed(bytes));
