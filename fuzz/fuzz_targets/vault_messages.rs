//! Vault protocol messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_testkit::oracles::vault_messages(bytes));
