//! What an evaluator is asked, and what it answers.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::record::{Account, AttemptId, Digest, RegId};

/// A record as it is stored.
pub type Stored = Vec<u8>;

/// Asks an evaluator who it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AboutCall;

/// Who an evaluator is, and how much it did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    /// The vault's public key of OPAQUE.
    pub public_key: [u8; 32],
    /// The epochs whose keys exist.
    pub epochs: Vec<u32>,
    /// Evaluations since it was started, those that were asked for again included.
    pub evaluations: u64,
    /// Evaluations of a KE1 that was not evaluated since the last right guess.
    pub distinct: u64,
}

/// Asks for records that stand in for a registration which is not there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StandInCall {
    /// The account that they lie under.
    pub account: Account,
    /// The registration.
    pub reg_id: RegId,
}

/// Records that stand in for a registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StandIn {
    /// The counter.
    pub counter: Stored,
    /// The sealed record.
    pub sealed: Stored,
}

/// Begins a registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BeginCall {
    /// The account.
    pub account: Account,
    /// Its counter, if it has one.
    pub counter: Option<Stored>,
    /// The registration.
    pub reg_id: RegId,
    /// OPAQUE's registration request.
    pub request: [u8; 32],
}

/// A registration that was begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begun {
    /// The counter to be stored before the response goes out; none if it was begun before.
    pub counter: Option<Stored>,
    /// OPAQUE's registration response.
    pub response: Vec<u8>,
}

/// Ends a registration.
#[derive(Clone, Serialize, Deserialize)]
pub struct PlaceCall {
    /// The account.
    pub account: Account,
    /// Its counter.
    pub counter: Option<Stored>,
    /// The registration.
    pub reg_id: RegId,
    /// OPAQUE's registration record.
    pub upload: Vec<u8>,
    /// The backup key, wrapped by the client.
    pub wrapped_key: Vec<u8>,
    /// Guesses that it asks for.
    pub max: u32,
    /// Passes, KiB and lanes of Argon2id.
    pub stretching: [u32; 3],
    /// What speaks for replacing the active registration.
    pub grant: Option<Vec<u8>>,
}

/// A registration that was ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Placed {
    /// What is to be stored; none if it was ended before.
    pub change: Option<PlacedChange>,
    /// Whether a login has proven it already.
    pub active: bool,
    /// When it may replace the active one, if not at once.
    pub not_before: Option<u64>,
}

/// What a registration stores.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlacedChange {
    /// The counter.
    pub counter: Stored,
    /// The sealed record.
    pub sealed: Stored,
    /// The registration whose sealed record is to be deleted.
    pub replaced: Option<RegId>,
}

/// Asks for a guess.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantCall {
    /// The account.
    pub account: Account,
    /// Its counter.
    pub counter: Stored,
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// SHA-256 of KE1.
    pub ke1: Digest,
}

/// What became of the wish for a guess.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Granted {
    /// It was paid for before.
    Again,
    /// To be stored.
    Paid(Stored),
    /// To be stored, and the sealed record to be deleted: no guess was left.
    Locks(Stored),
}

/// Asks for the evaluation of a guess.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvaluateCall {
    /// The account.
    pub account: Account,
    /// Its counter, as stored and confirmed.
    pub counter: Stored,
    /// The sealed record.
    pub sealed: Stored,
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// OPAQUE's first message.
    pub ke1: Vec<u8>,
}

/// An evaluated guess.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluated {
    /// OPAQUE's second message.
    pub ke2: Vec<u8>,
    /// The vault's state of this login, sealed.
    pub login_token: Vec<u8>,
    /// Guesses left.
    pub left: u8,
    /// Passes, KiB and lanes of Argon2id.
    pub stretching: [u32; 3],
}

/// Shows the proof that a guess was right.
#[derive(Clone, Serialize, Deserialize)]
pub struct FinishCall {
    /// The account.
    pub account: Account,
    /// Its counter.
    pub counter: Stored,
    /// The sealed record.
    pub sealed: Stored,
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// From the evaluation.
    pub login_token: Vec<u8>,
    /// OPAQUE's third message.
    pub ke3: Vec<u8>,
}

/// A guess that was right.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finish {
    /// The counter to be stored, and the registration whose sealed record is to be deleted; none
    /// if it was finished before.
    pub change: Option<(Stored, Option<RegId>)>,
    /// To be released once that is stored and confirmed.
    pub reply: Vec<u8>,
}

/// Deletes a registration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeleteCall {
    /// The account.
    pub account: Account,
    /// Its counter.
    pub counter: Stored,
    /// The registration.
    pub reg_id: RegId,
    /// What speaks for it.
    pub grant: Option<Vec<u8>>,
}

/// What became of the wish to delete.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Deleted {
    /// There is nothing to delete.
    Gone,
    /// To be stored, and the sealed record to be deleted.
    Deleted(Stored),
    /// To be stored: it may be deleted from this time on.
    Announced(Stored, u64),
    /// Announced before, for this time.
    Waits(u64),
}

/// Shows a stored counter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObserveCall {
    /// The account.
    pub account: Account,
    /// Its counter.
    pub counter: Stored,
}

/// The counter was newer than those before, or the newest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Observed;

/// Asks for an account's records to be sealed anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResealCall {
    /// The account.
    pub account: Account,
    /// Its counter.
    pub counter: Stored,
    /// The sealed records that it names.
    pub sealed: Vec<(RegId, Stored)>,
}

/// An account's records, sealed anew: all or none if they were before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Resealed {
    /// To be stored.
    pub change: Option<(Stored, Vec<(RegId, Stored)>)>,
}

/// Asks what to go on with after the store was set back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClampCall {
    /// The account.
    pub account: Account,
    /// Its counter as it came back, if it did.
    pub counter: Option<Stored>,
}

/// What to go on with: none if the store was not set back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Clamped {
    /// The counter, and the registrations whose sealed records are to be deleted.
    pub change: Option<(Stored, Vec<RegId>)>,
}

/// Asks for accounts that have a mark.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MarkedCall {
    /// Those after this one.
    pub after: Option<Account>,
}

/// Accounts that have a mark, in ascending order; none when there are no more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Marked(pub Vec<Account>);

/// Begins or ends an epoch.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum EpochCall {
    /// Makes the key of a new one.
    Begin,
    /// Destroys the keys of all before this one.
    RetireBefore(u32),
}

/// The epochs whose keys exist.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Epochs(pub Vec<u32>);

/// Why an evaluator does not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// A message of OPAQUE is none, or a number is out of its bounds.
    Malformed,
    /// A record was changed, or lies under a name that is not its own.
    Tampered,
    /// The counter is older than one that was seen, or another one of the same generation.
    Stale {
        /// The generation that was seen.
        newest: u64,
    },
    /// The account's failures over its life, or the registration's guesses, ran out.
    Locked,
    /// There is no such registration.
    NoRecord,
    /// The call contradicts one before it.
    Conflict,
    /// Not before so many seconds.
    Wait {
        /// Seconds.
        seconds: u64,
        /// Guesses left.
        left: u8,
    },
    /// The proof does not hold.
    WrongPassword {
        /// Guesses left.
        left: u8,
    },
    /// The HSM, the marks or the evaluator's process cannot be reached.
    Unavailable(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Malformed => f.write_str("message is none of OPAQUE's"),
            Refusal::Tampered => f.write_str("a stored record was changed or moved"),
            Refusal::Stale { newest } => {
                write!(f, "the counter is older than generation {newest}, or another")
            }
            Refusal::Locked => f.write_str("guesses ran out"),
            Refusal::NoRecord => f.write_str("no such registration"),
            Refusal::Conflict => f.write_str("call contradicts an earlier one"),
            Refusal::Wait { seconds, .. } => write!(f, "not before {seconds} seconds"),
            Refusal::WrongPassword { .. } => f.write_str("proof of the password does not hold"),
            Refusal::Unavailable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Debug for PlaceCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceCall").finish_non_exhaustive()
    }
}

impl fmt::Debug for FinishCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishCall").finish_non_exhaustive()
    }
}

/// The message that the bytes of a frame are, and nothing after it: what one side says and the
/// other does not know is an error.
pub(crate) fn decode<T: DeserializeOwned>(frame: &[u8]) -> postcard::Result<T> {
    match postcard::take_from_bytes(frame)? {
        (message, []) => Ok(message),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}

/// One call of an evaluator, and the answer to it, as they go through a socket.
macro_rules! calls {
    ($($name:ident $method:ident $call:ty => $answer:ty;)*) => {
        /// Any call.
        #[derive(Serialize, Deserialize)]
        pub(crate) enum AnyCall { $($name($call),)* }

        /// Any answer.
        #[derive(Serialize, Deserialize)]
        pub(crate) enum AnyAnswer { $($name($answer),)* }

        impl AnyCall {
            /// Has an evaluator answer.
            pub(crate) fn answer(&self, evaluator: &dyn super::Evaluator) -> Result<AnyAnswer, Refusal> {
                match self { $(AnyCall::$name(call) => evaluator.$method(call).map(AnyAnswer::$name),)* }
            }
        }

        #[cfg(unix)]
        impl super::Evaluator for super::Remote {
            $(fn $method(&self, call: &$call) -> Result<$answer, Refusal> {
                match self.ask(&AnyCall::$name(call.clone()))? {
                    AnyAnswer::$name(answer) => Ok(answer),
                    _ => Err(Refusal::Unavailable("evaluator answers another call".to_owned())),
                }
            })*
        }
    };
}

calls! {
    About about AboutCall => About;
    StandIn stand_in StandInCall => StandIn;
    Begin begin BeginCall => Begun;
    Place place PlaceCall => Placed;
    Grant grant GrantCall => Granted;
    Evaluate evaluate EvaluateCall => Evaluated;
    Finish finish FinishCall => Finish;
    Delete delete DeleteCall => Deleted;
    Observe observe ObserveCall => Observed;
    Reseal reseal ResealCall => Resealed;
    Clamp clamp ClampCall => Clamped;
    Marked marked MarkedCall => Marked;
    Epoch epoch EpochCall => Epochs;
}
