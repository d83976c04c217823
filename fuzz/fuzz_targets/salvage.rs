//! A damaged archive, salvaged.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::salvage(bytes));
