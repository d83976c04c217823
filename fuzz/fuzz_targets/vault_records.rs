//! Records and calls that the vault server decodes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bulla_vaultd::oracle::vault_records(bytes));
