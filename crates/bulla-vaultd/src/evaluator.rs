//! The evaluator: the one part of the server that reaches the HSM. It alone makes counters and
//! sealed records, and it alone evaluates a guess; the rest of the server carries records to and
//! from the store, and cannot make one.
//!
//! | evaluator | for |
//! |---|---|
//! | [`Local`] | in the same process: development, and inside the evaluator's own process |
//! | [`Remote`] | the evaluator's own process, over a Unix socket; it alone is given the HSM's PIN |
//!
//! A call is given the records as they were read, and returns those to be stored. The counter that
//! a guess is evaluated with becomes the account's *mark*, on the disk, before the evaluation: an
//! evaluator never goes back behind one, so that neither a store that was set back nor a front end
//! that lies gives a guess twice.

mod calls;
mod guard;
mod ledger;
mod local;
pub(crate) mod login_token;
mod marks;
pub(crate) mod opaque;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod remote;

pub use calls::*;
pub(crate) use calls::{AnyAnswer, AnyCall, decode};
pub use local::{Clock, Local, system_clock};
#[cfg(unix)]
pub use process::serve;
#[cfg(unix)]
pub use remote::Remote;

/// Whether bytes are OPAQUE's first message of a login. To be asked before a guess is paid for:
/// what cannot be evaluated should cost none.
pub fn is_ke1(bytes: &[u8]) -> bool {
    opaque::is_ke1(bytes)
}

/// What an evaluator does. None of its calls writes to the store of records; each may be refused
/// with a [`Refusal`].
pub trait Evaluator: Send + Sync {
    /// Says who it is, and how much it did.
    ///
    /// # Errors
    ///
    /// [`Refusal`], as of each call.
    fn about(&self, call: &AboutCall) -> Result<About, Refusal>;

    /// Makes the records that answer for a registration which is not there.
    fn stand_in(&self, call: &StandInCall) -> Result<StandIn, Refusal>;

    /// Begins a registration.
    fn begin(&self, call: &BeginCall) -> Result<Begun, Refusal>;

    /// Ends a registration.
    fn place(&self, call: &PlaceCall) -> Result<Placed, Refusal>;

    /// Pays for a guess. The counter that comes back must be stored and confirmed before the guess
    /// is evaluated.
    fn grant(&self, call: &GrantCall) -> Result<Granted, Refusal>;

    /// Evaluates a guess that the stored counter says was paid for.
    fn evaluate(&self, call: &EvaluateCall) -> Result<Evaluated, Refusal>;

    /// Checks the proof that a guess was right. What it returns must not be released before its
    /// counter is stored and confirmed.
    fn finish(&self, call: &FinishCall) -> Result<Finish, Refusal>;

    /// Deletes a registration, or announces that.
    fn delete(&self, call: &DeleteCall) -> Result<Deleted, Refusal>;

    /// Remembers a stored counter as the newest.
    fn observe(&self, call: &ObserveCall) -> Result<Observed, Refusal>;

    /// Seals an account's records under the newest epoch's key.
    fn reseal(&self, call: &ResealCall) -> Result<Resealed, Refusal>;

    /// Makes the counter to go on with after the store was set back.
    fn clamp(&self, call: &ClampCall) -> Result<Clamped, Refusal>;

    /// Names accounts that have a mark.
    fn marked(&self, call: &MarkedCall) -> Result<Marked, Refusal>;

    /// Begins a new epoch, or destroys the keys of those before.
    fn epoch(&self, call: &EpochCall) -> Result<Epochs, Refusal>;
}
