//! An evaluator's calls and their responses.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::record::{Account, AttemptId, Digest, RegId};

/// A record as it is stored.
pub type RecordBytes = Vec<u8>;

/// Requests an evaluator's public key, epochs and counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AboutCall;

/// An evaluator's public key, epochs and counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    /// The vault's OPAQUE public key.
    pub public_key: [u8; 32],
    /// The epochs whose keys exist.
    pub epochs: Vec<u32>,
    /// Evaluations since the evaluator started, including repeated ones.
    pub evaluations: u64,
    /// Evaluations whose KE1 was new since the last correct guess.
    pub distinct: u64,
}

/// Creates a stand-in's records. A stand-in answers for an unknown registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StandInCall {
    /// The account under which the records are stored.
    pub account: Account,
    /// The registration.
    pub reg_id: RegId,
}

/// A stand-in's records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StandIn {
    /// The counter.
    pub counter: RecordBytes,
    /// The sealed record.
    pub sealed: RecordBytes,
}

/// Begins a registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BeginCall {
    /// The account.
    pub account: Account,
    /// The account's counter, if it has one.
    pub counter: Option<RecordBytes>,
    /// The registration.
    pub reg_id: RegId,
    /// The OPAQUE registration request.
    pub request: [u8; 32],
}

/// A registration that was begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begun {
    /// The counter to store before the response is sent, or `None` if the call is a repeat.
    pub counter: Option<RecordBytes>,
    /// The OPAQUE registration response.
    pub response: Vec<u8>,
}

/// Completes a registration.
#[derive(Clone, Serialize, Deserialize)]
pub struct RegisterCall {
    /// The account.
    pub account: Account,
    /// The account's counter, if it has one.
    pub counter: Option<RecordBytes>,
    /// The registration.
    pub reg_id: RegId,
    /// The OPAQUE registration record.
    pub upload: Vec<u8>,
    /// The backup key, wrapped by the client.
    pub wrapped_key: Vec<u8>,
    /// Number of guesses that the client requests.
    pub max: u32,
    /// Argon2id parameters: passes, memory in KiB, and lanes.
    pub stretching: [u32; 3],
    /// A fresh login's grant, which authorizes replacing the active registration.
    pub grant: Option<Vec<u8>>,
}

/// A registration that was completed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registered {
    /// The records to store, or `None` if the call is a repeat.
    pub change: Option<RegisteredChange>,
    /// Whether a login has already proven the registration.
    pub active: bool,
    /// Unix time from which it may replace the active one, or `None` if it may do so immediately.
    pub not_before: Option<u64>,
}

/// The records that a registration stores.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegisteredChange {
    /// The counter.
    pub counter: RecordBytes,
    /// The sealed record.
    pub sealed: RecordBytes,
    /// The registration whose sealed record must be deleted.
    pub replaced: Option<RegId>,
}

/// Spends a guess.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantCall {
    /// The account.
    pub account: Account,
    /// The account's counter.
    pub counter: RecordBytes,
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// SHA-256 digest of KE1.
    pub ke1: Digest,
}

/// The result of requesting a guess.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Granted {
    /// This attempt has already spent a guess.
    Repeated,
    /// The counter to store, with the guess spent.
    Spent(RecordBytes),
    /// The counter to store. No guess was left, so the sealed record must be deleted.
    Locks(RecordBytes),
}

/// Evaluates a guess.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvaluateCall {
    /// The account.
    pub account: Account,
    /// The account's counter, stored and confirmed.
    pub counter: RecordBytes,
    /// The sealed record.
    pub sealed: RecordBytes,
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The first OPAQUE message.
    pub ke1: Vec<u8>,
}

/// An evaluated guess.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluated {
    /// The second OPAQUE message.
    pub ke2: Vec<u8>,
    /// The vault's sealed state for this login.
    pub login_token: Vec<u8>,
    /// Guesses left.
    pub left: u8,
    /// Argon2id parameters: passes, memory in KiB, and lanes.
    pub stretching: [u32; 3],
}

/// Proves a guess.
#[derive(Clone, Serialize, Deserialize)]
pub struct FinishCall {
    /// The account.
    pub account: Account,
    /// The account's counter.
    pub counter: RecordBytes,
    /// The sealed record.
    pub sealed: RecordBytes,
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The login token from the evaluation.
    pub login_token: Vec<u8>,
    /// The third OPAQUE message.
    pub ke3: Vec<u8>,
}

/// A guess that was correct.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finish {
    /// The counter to store, and the registration whose sealed record must be deleted. `None` if
    /// the call is a repeat.
    pub change: Option<(RecordBytes, Option<RegId>)>,
    /// The sealed reply, to be released once the change is stored and confirmed.
    pub reply: Vec<u8>,
}

/// Deletes a registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeleteCall {
    /// The account.
    pub account: Account,
    /// The account's counter.
    pub counter: RecordBytes,
    /// The registration.
    pub reg_id: RegId,
    /// A fresh login's grant, which authorizes an immediate deletion.
    pub grant: Option<Vec<u8>>,
}

/// The result of a deletion request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Deleted {
    /// There is nothing to delete.
    Gone,
    /// The counter to store. The sealed record must be deleted.
    Deleted(RecordBytes),
    /// The counter to store, and the Unix time from which the deletion may be carried out.
    Announced(RecordBytes, u64),
    /// The deletion was already announced for this Unix time.
    Waits(u64),
}

/// Passes a stored counter to the evaluator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObserveCall {
    /// The account.
    pub account: Account,
    /// The account's counter.
    pub counter: RecordBytes,
}

/// The watermark is at or above the counter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Observed;

/// Reseals an account's records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResealCall {
    /// The account.
    pub account: Account,
    /// The account's counter.
    pub counter: RecordBytes,
    /// The sealed records that the counter names.
    pub sealed: Vec<(RegId, RecordBytes)>,
}

/// An account's resealed records.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Resealed {
    /// The counter and the sealed records to store. `None` if nothing had to be resealed.
    pub change: Option<(RecordBytes, Vec<(RegId, RecordBytes)>)>,
}

/// Requests the counter to use after the store was rolled back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClampCall {
    /// The account.
    pub account: Account,
    /// The account's counter in the store, if it has one.
    pub counter: Option<RecordBytes>,
}

/// The counter to use after the store was rolled back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Clamped {
    /// The counter to store, and the registrations whose sealed records must be deleted. `None` if
    /// the counter was not rolled back.
    pub change: Option<(RecordBytes, Vec<RegId>)>,
}

/// Requests the accounts that have a watermark.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WatermarkedCall {
    /// Only accounts after this one are returned.
    pub after: Option<Account>,
}

/// Accounts that have a watermark, in ascending order. The list is empty after the last account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Watermarked(pub Vec<Account>);

/// Begins an epoch, or retires earlier epochs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum EpochCall {
    /// Creates a new epoch's key.
    Begin,
    /// Destroys the keys of all epochs before this one.
    RetireBefore(u32),
}

/// The epochs whose keys exist.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Epochs(pub Vec<u32>);

/// The reason an evaluator refuses a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// A message is not a valid OPAQUE message, or a number is out of range.
    Malformed,
    /// A record was modified, or is stored under the wrong key.
    Tampered,
    /// The counter is older than the watermark, or a different counter with the same generation.
    Stale {
        /// The watermark's generation.
        newest: u64,
    },
    /// The registration has no guesses left, or the account has reached its lifetime cap.
    Locked,
    /// The registration does not exist.
    NoRecord,
    /// The call contradicts an earlier one.
    Conflict,
    /// The next guess is not allowed yet.
    Wait {
        /// Seconds to wait.
        seconds: u64,
        /// Guesses left.
        left: u8,
    },
    /// The proof is wrong.
    WrongPassword {
        /// Guesses left.
        left: u8,
    },
    /// The HSM, the watermarks or the evaluator process is unreachable.
    Unavailable(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Malformed => f.write_str("malformed OPAQUE message"),
            Refusal::Tampered => f.write_str("stored record: modified or moved"),
            Refusal::Stale { newest } => {
                write!(f, "stored counter: older than the watermark, which has generation {newest}")
            }
            Refusal::Locked => f.write_str("no guesses left"),
            Refusal::NoRecord => f.write_str("no such registration"),
            Refusal::Conflict => f.write_str("call contradicts an earlier one"),
            Refusal::Wait { seconds, .. } => {
                write!(f, "too many guesses; try again in {seconds} seconds")
            }
            Refusal::WrongPassword { .. } => f.write_str("wrong password"),
            Refusal::Unavailable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Refusal {}

// The contents of these calls must never appear in a log.
impl fmt::Debug for RegisterCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterCall").finish_non_exhaustive()
    }
}

impl fmt::Debug for FinishCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishCall").finish_non_exhaustive()
    }
}

/// Applies a macro to all calls. Each line gives a call's name, method, type and response. The
/// order of the lines determines the encoding on the socket.
macro_rules! with_all_calls {
    ($apply:ident) => {
        $apply! {
            About about AboutCall => About;
            StandIn stand_in StandInCall => StandIn;
            Begin begin BeginCall => Begun;
            Register register RegisterCall => Registered;
            Grant grant GrantCall => Granted;
            Evaluate evaluate EvaluateCall => Evaluated;
            Finish finish FinishCall => Finish;
            Delete delete DeleteCall => Deleted;
            Observe observe ObserveCall => Observed;
            Reseal reseal ResealCall => Resealed;
            Clamp clamp ClampCall => Clamped;
            Watermarked watermarked WatermarkedCall => Watermarked;
            Epoch epoch EpochCall => Epochs;
        }
    };
}

pub(super) use with_all_calls;
