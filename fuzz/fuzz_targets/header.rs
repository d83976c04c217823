//! Header, footer and envelopes of a container, read without a key.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::header(bytes));
