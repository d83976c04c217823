//! Fault injection: stores and evaluators that fail from the n-th step on, and stores whose
//! responses are lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bulla_vaultd::evaluator::*;
use bulla_vaultd::record::Account;
use bulla_vaultd::store::{
    Commit, Held, RecordKey, RecordKind, Store, StoreError, Transaction, Versioned,
};

/// A crash after a number of steps, which are counted across all components of a process.
#[derive(Clone)]
pub struct Crash {
    steps: Arc<AtomicI64>,
    /// Whether the step at which the crash happens still takes effect.
    after: bool,
}

impl Crash {
    pub fn at(step: i64, after: bool) -> Crash {
        Crash { steps: Arc::new(AtomicI64::new(step)), after }
    }

    /// Returns whether the crash has happened.
    pub fn happened(&self) -> bool {
        self.steps.load(Ordering::SeqCst) < 0
    }

    fn step<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
        crashed: impl Fn() -> E,
    ) -> Result<T, E> {
        match self.steps.fetch_sub(1, Ordering::SeqCst) {
            1.. => work(),
            0 if self.after => {
                _ = work();
                Err(crashed())
            }
            _ => Err(crashed()),
        }
    }
}

pub struct CrashingStore(pub Arc<dyn Store>, pub Crash);

fn gone() -> StoreError {
    StoreError::Unavailable("crashed".to_owned())
}

impl Store for CrashingStore {
    fn read(&self, keys: &[RecordKey]) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.1.step(|| self.0.read(keys), gone)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Commit, StoreError> {
        self.1.step(|| self.0.commit(transaction), gone)
    }

    fn confirm(&self, key: &RecordKey, held: &Versioned) -> Result<Held, StoreError> {
        self.1.step(|| self.0.confirm(key, held), gone)
    }

    fn accounts(
        &self,
        kind: RecordKind,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        self.1.step(|| self.0.accounts(kind, after, limit), gone)
    }
}

/// A store that loses the results of transactions: it applies some of them, but never reports
/// whether it did.
pub struct LossyStore {
    pub inner: Arc<dyn Store>,
    pub responses: Arc<AtomicI64>,
}

impl Store for LossyStore {
    fn read(&self, keys: &[RecordKey]) -> Result<Vec<Option<Versioned>>, StoreError> {
        self.inner.read(keys)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Commit, StoreError> {
        match self.responses.fetch_add(1, Ordering::SeqCst) % 3 {
            0 => {
                _ = self.inner.commit(transaction);
                Err(StoreError::Unknown("response lost".to_owned()))
            }
            1 => Err(StoreError::Unknown("response lost".to_owned())),
            _ => self.inner.commit(transaction),
        }
    }

    fn confirm(&self, key: &RecordKey, held: &Versioned) -> Result<Held, StoreError> {
        self.inner.confirm(key, held)
    }

    fn accounts(
        &self,
        kind: RecordKind,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        self.inner.accounts(kind, after, limit)
    }
}

pub struct CrashingEvaluator(pub Arc<dyn Evaluator>, pub Crash);

fn lost() -> Refusal {
    Refusal::Unavailable("crashed".to_owned())
}

macro_rules! steps {
    ($($method:ident $call:ty => $response:ty;)*) => {
        impl Evaluator for CrashingEvaluator {
            $(fn $method(&self, call: &$call) -> Result<$response, Refusal> {
                self.1.step(|| self.0.$method(call), lost)
            })*
        }
    };
}

steps! {
    about AboutCall => About;
    stand_in StandInCall => StandIn;
    begin BeginCall => Begun;
    register RegisterCall => Registered;
    grant GrantCall => Granted;
    evaluate EvaluateCall => Evaluated;
    finish FinishCall => Finish;
    delete DeleteCall => Deleted;
    observe ObserveCall => Observed;
    reseal ResealCall => Resealed;
    clamp ClampCall => Clamped;
    watermarked WatermarkedCall => Watermarked;
    epoch EpochCall => Epochs;
}
