//! A container built from a description, and an I/O fault.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::faulty_io(bytes));
