//! A fake HSM without secrets, and a watermark store that stores nothing. They make every record
//! authentic and new, so that fuzzing gets past the MAC and tag checks.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::evaluator::Local;
use crate::hsm::{Hsm, HsmError};
use crate::record::{Account, Policy};
use crate::store::{
    Commit, Held, RecordKey, RecordKind, Store, StoreError, Transaction, Versioned,
};

/// The time at which all calls are made.
pub(super) const NOW: u64 = 1_800_000_000;
/// The MAC of every message.
pub(super) const MAC: [u8; 32] = [0; 32];
/// The tag of every ciphertext.
pub(super) const TAG: [u8; 16] = [0; 16];
/// The newest epoch.
pub(super) const EPOCH: u32 = 2;

/// An HSM that neither encrypts nor authenticates.
pub(super) struct FakeHsm;

/// A store that discards all writes.
struct NullStore;

/// Returns a policy without delays, because an input is a single call.
pub(super) fn policy() -> Policy {
    Policy { delays: [0; 11], grace: 0, ..Policy::default() }
}

/// Returns an evaluator that accepts any record.
pub(super) fn evaluator() -> Local {
    let evaluator = Local::new(Arc::new(FakeHsm), Arc::new(NullStore), policy(), Arc::new(|| NOW));
    evaluator.expect("the derived key is a scalar")
}

impl Hsm for FakeHsm {
    fn epochs(&self) -> Result<Vec<u32>, HsmError> {
        Ok(vec![1, EPOCH])
    }

    fn seal(&self, _: u32, _: &[u8; 12], _: &[u8], plain: &[u8]) -> Result<Vec<u8>, HsmError> {
        Ok([plain, &TAG].concat())
    }

    fn open(
        &self,
        _: u32,
        _: &[u8; 12],
        _: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HsmError> {
        let (plain, _) = ciphertext.split_last_chunk::<16>().ok_or(HsmError::NotAuthentic)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }

    fn mac(&self, _: &[u8]) -> Result<[u8; 32], HsmError> {
        Ok(MAC)
    }

    fn oprf(&self, _: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        Ok(Zeroizing::new([7; 64]))
    }

    fn derive(&self, _: &[u8]) -> Result<Zeroizing<[u8; 64]>, HsmError> {
        Ok(Zeroizing::new([5; 64]))
    }

    fn new_epoch(&self) -> Result<u32, HsmError> {
        Ok(EPOCH + 1)
    }

    fn destroy_epoch(&self, epoch: u32) -> Result<(), HsmError> {
        if epoch == EPOCH { Err(HsmError::LastEpoch) } else { Ok(()) }
    }
}

impl Store for NullStore {
    fn read(&self, keys: &[RecordKey]) -> Result<Vec<Option<Versioned>>, StoreError> {
        Ok(vec![None; keys.len()])
    }

    fn commit(&self, _: &Transaction) -> Result<Commit, StoreError> {
        Ok(Commit::Done { revision: 1 })
    }

    fn confirm(&self, _: &RecordKey, _: &Versioned) -> Result<Held, StoreError> {
        Ok(Held::Enough)
    }

    fn accounts(
        &self,
        _: RecordKind,
        _: Option<&Account>,
        _: usize,
    ) -> Result<Vec<Account>, StoreError> {
        Ok(Vec::new())
    }
}
