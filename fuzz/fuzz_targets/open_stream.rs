//! A container opened as a stream.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::open_stream(bytes));
