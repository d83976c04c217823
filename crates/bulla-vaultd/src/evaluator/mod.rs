//! The evaluator is the only component with access to the HSM. It is also the only one that creates
//! counters and sealed records, and the only one that evaluates guesses. The rest of the server
//! moves records to and from the store, and cannot forge them.
//!
//! | evaluator | for |
//! |---|---|
//! | [`Local`] | in the same process: development, and inside the evaluator process |
//! | [`Remote`] | a separate process, over a Unix socket; only that process has the HSM's PIN |
//!
//! A call takes the records as they were read, and returns the records to store. Before a guess is
//! evaluated, the counter in which it is spent is durably stored as the account's *watermark*. An
//! evaluator refuses counters below the watermark, so neither a rolled-back store nor a dishonest
//! front end can make it evaluate a guess twice.

mod calls;
mod wire;
mod guard;
mod ledger;
pub(crate) mod login_token;
pub(crate) mod opaque;
mod watermarks;
mod local;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod remote;

pub use calls::*;
pub use local::{Clock, Local, system_clock};
#[cfg(unix)]
pub use process::serve;
#[cfg(unix)]
pub use remote::Remote;
#[cfg(feature = "oracles")]
pub(crate) use wire::{AnyCall, AnyResponse, decode};

/// Returns whether `bytes` are a valid KE1, the first OPAQUE login message. Callers check this
/// before a guess is spent, so that a malformed message does not cost one.
pub fn is_ke1(bytes: &[u8]) -> bool {
    opaque::is_ke1(bytes)
}

/// An evaluator's operations. None of them writes to the record store, and any of them may be
/// refused with a [`Refusal`].
pub trait Evaluator: Send + Sync {
    /// Returns the evaluator's public key, epochs and counts.
    ///
    /// # Errors
    ///
    /// Returns [`Refusal`] if the evaluator refuses the call. The same applies to every operation.
    fn about(&self, call: &AboutCall) -> Result<About, Refusal>;

    /// Creates a stand-in's records. A stand-in answers for an unknown registration.
    fn stand_in(&self, call: &StandInCall) -> Result<StandIn, Refusal>;

    /// Begins a registration.
    fn begin(&self, call: &BeginCall) -> Result<Begun, Refusal>;

    /// Completes a registration.
    fn register(&self, call: &RegisterCall) -> Result<Registered, Refusal>;

    /// Spends a guess. The returned counter must be stored and confirmed before the guess is
    /// evaluated.
    fn grant(&self, call: &GrantCall) -> Result<Granted, Refusal>;

    /// Evaluates a guess that the stored counter shows as spent.
    fn evaluate(&self, call: &EvaluateCall) -> Result<Evaluated, Refusal>;

    /// Checks the proof of a guess. The reply must not be released before the returned counter is
    /// stored and confirmed.
    fn finish(&self, call: &FinishCall) -> Result<Finish, Refusal>;

    /// Deletes a registration, or announces its deletion.
    fn delete(&self, call: &DeleteCall) -> Result<Deleted, Refusal>;

    /// Raises the account's watermark to a stored counter.
    fn observe(&self, call: &ObserveCall) -> Result<Observed, Refusal>;

    /// Seals an account's records under the newest epoch's key.
    fn reseal(&self, call: &ResealCall) -> Result<Resealed, Refusal>;

    /// Creates the counter to use after the store was rolled back.
    fn clamp(&self, call: &ClampCall) -> Result<Clamped, Refusal>;

    /// Lists accounts that have a watermark.
    fn watermarked(&self, call: &WatermarkedCall) -> Result<Watermarked, Refusal>;

    /// Begins a new epoch, or destroys the keys of earlier epochs.
    fn epoch(&self, call: &EpochCall) -> Result<Epochs, Refusal>;
}
