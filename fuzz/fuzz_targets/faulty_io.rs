//! A described container and a fault in its input or output.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::faulty_io(bytes));
