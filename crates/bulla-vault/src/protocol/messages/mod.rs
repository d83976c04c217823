//! The bodies of the protocol's HTTP requests and responses (V-2.1).
//!
//! | endpoint | request | response |
//! |---|---|---|
//! | `POST /v1/register/start` | [`RegisterStart`] | [`RegisterStarted`] |
//! | `POST /v1/register/finish` | [`RegisterFinish`] | [`RegisterFinished`] |
//! | `POST /v1/login/start` | [`LoginStart`] | [`LoginStarted`] |
//! | `POST /v1/login/finish` | [`LoginFinish`] | [`LoginFinished`] |
//! | `DELETE /v1/record` | [`Delete`] | 204 without a body, or 202 with [`DeleteAnnounced`] |
//! | `GET /v1/status` | | [`Status`] |
//! | `GET /v1/info` | | [`Info`] |
//!
//! The body of every error response is a [`Failure`]. [`decode`](crate::wire::decode) and
//! [`encode`](crate::wire::encode) convert between bodies and messages. Unknown fields are rejected
//! in requests and ignored in responses, so that later vaults can add fields (V-2.2).

mod failure;

use serde::{Deserialize, Deserializer, Serialize};

use crate::protocol::ids::{AttemptId, RecordName, RegId};
use crate::protocol::reply::{GRANT_LEN, SEALED_REPLY_LEN, WRAPPED_KEY_LEN};
use crate::protocol::stretching::Stretching;
use crate::protocol::suite::{
    KE1_LEN, KE2_LEN, KE3_LEN, PUBLIC_KEY_LEN, REGISTRATION_REQUEST_LEN, REGISTRATION_RESPONSE_LEN,
    REGISTRATION_UPLOAD_LEN,
};
use crate::protocol::wire::{Bounded, Fixed, number_within, optional_object};

pub use failure::{Code, Failure};

/// Maximum number of guesses that a registration may allow (V-4.3).
pub const MAX_GUESSES: u32 = 100;
/// Maximum length of a login token in bytes (V-2.1).
pub const MAX_LOGIN_TOKEN_LEN: usize = 512;
/// The protocol version, which is also the `v1` in paths (V-1.1).
pub const VERSION: u32 = 1;

/// The paths of the endpoints.
pub mod path {
    #![allow(missing_docs, reason = "each name states its path")]
    pub const REGISTER_START: &str = "/v1/register/start";
    pub const REGISTER_FINISH: &str = "/v1/register/finish";
    pub const LOGIN_START: &str = "/v1/login/start";
    pub const LOGIN_FINISH: &str = "/v1/login/finish";
    pub const RECORD: &str = "/v1/record";
    pub const STATUS: &str = "/v1/status";
    pub const INFO: &str = "/v1/info";
    pub const HEALTH: &str = "/healthz";
    pub const METRICS: &str = "/metrics";
}

/// Starts a registration. If the response is lost, the request is repeated with the same `reg_id`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterStart {
    /// The registration.
    pub reg_id: RegId,
    /// The OPAQUE registration request.
    pub request: Fixed<REGISTRATION_REQUEST_LEN>,
}

/// The response to [`RegisterStart`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterStarted {
    /// The OPAQUE registration response.
    pub response: Fixed<REGISTRATION_RESPONSE_LEN>,
}

/// Finishes a registration. The record is pending until a login proves it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterFinish {
    /// The registration.
    pub reg_id: RegId,
    /// The OPAQUE registration record.
    pub upload: Fixed<REGISTRATION_UPLOAD_LEN>,
    /// The backup key, wrapped under the client's export key (V-3.5).
    pub wrapped_key: Fixed<WRAPPED_KEY_LEN>,
    /// Number of guesses allowed between successful logins: 1 to [`MAX_GUESSES`].
    #[serde(deserialize_with = "guesses")]
    pub max: u32,
    /// The client's key stretching parameters, which the vault sends at each login.
    pub stretching: Stretching,
    /// The grant from a recent login to the active record. With a grant, the new record replaces
    /// the active one immediately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Fixed<GRANT_LEN>>,
}

/// The response to [`RegisterFinish`], whether the request is new or repeats an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterFinished {
    /// [`RecordState::Pending`], or [`RecordState::Active`] if a login has already proven the
    /// record.
    pub state: RecordState,
    /// If there was no grant, the time from which a login to the new record replaces the active
    /// one, as Unix time in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
}

/// Starts a login, which costs one guess.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginStart {
    /// The registration.
    pub reg_id: RegId,
    /// The attempt. Repeating the request with the same KE1 does not cost another guess.
    pub attempt_id: AttemptId,
    /// The OPAQUE message KE1.
    pub ke1: Fixed<KE1_LEN>,
}

/// The response to [`LoginStart`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginStarted {
    /// The OPAQUE message KE2.
    pub ke2: Fixed<KE2_LEN>,
    /// The vault's state for this login, sealed so that only the vault can open it.
    pub login_token: Bounded<MAX_LOGIN_TOKEN_LEN>,
    /// Guesses left if this one is wrong: at most [`MAX_GUESSES`].
    #[serde(deserialize_with = "guesses_left")]
    pub left: u32,
    /// The registration's key stretching parameters.
    pub stretching: Stretching,
}

/// Finishes a login with the proof that the password is correct.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginFinish {
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The token from [`LoginStarted`], unchanged.
    pub login_token: Bounded<MAX_LOGIN_TOKEN_LEN>,
    /// The OPAQUE message KE3.
    pub ke3: Fixed<KE3_LEN>,
}

/// The response to [`LoginFinish`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginFinished {
    /// A [`LoginReply`](crate::reply::LoginReply), sealed under the session key.
    pub sealed: Fixed<SEALED_REPLY_LEN>,
}

/// Deletes a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The registration.
    pub reg_id: RegId,
    /// The grant from a recent login to this record. Without a grant, an active record is deleted
    /// only after a delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Fixed<GRANT_LEN>>,
}

/// The response to [`Delete`] without a grant, if the record is active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteAnnounced {
    /// The time of the deletion, as Unix time in seconds. A login before then cancels the deletion.
    pub not_before: u64,
}

/// The records that the vault stores for the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The active or locked record.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_object"
    )]
    pub current: Option<RecordStatus>,
    /// The pending record, which may replace the current one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_object"
    )]
    pub pending: Option<RecordStatus>,
}

/// The public state of a record, as part of [`Status`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordStatus {
    /// The name of the registration. A client can compute the name from its locator, but nobody can
    /// derive the registration from the name.
    pub name: RecordName,
    /// The state of the record.
    pub state: RecordState,
    /// Guesses left: at most [`MAX_GUESSES`].
    #[serde(deserialize_with = "guesses_left")]
    pub left: u32,
    /// Number of guesses allowed between successful logins: 1 to [`MAX_GUESSES`].
    #[serde(deserialize_with = "guesses")]
    pub max: u32,
    /// The time of an announced deletion, or the time from which a login activates the record, as
    /// Unix time in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
}

/// The state of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum RecordState {
    /// Registered, but not yet proven by a login.
    Pending,
    /// In use.
    Active,
    /// Out of guesses. The key is permanently deleted.
    Locked,
}

// A derived implementation would also accept an object.
impl TryFrom<String> for RecordState {
    type Error = &'static str;

    fn try_from(text: String) -> Result<RecordState, &'static str> {
        match text.as_str() {
            "pending" => Ok(RecordState::Pending),
            "active" => Ok(RecordState::Active),
            "locked" => Ok(RecordState::Locked),
            _ => Err("unknown state"),
        }
    }
}

/// Public information about the vault, which anyone can request. Clients compare the public key
/// with the one that their configuration pins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Info {
    /// The protocol version.
    pub version: u32,
    /// The vault's OPAQUE public key.
    pub public_key: Fixed<PUBLIC_KEY_LEN>,
}

fn guesses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    number_within(deserializer, 1..=MAX_GUESSES)
}

fn guesses_left<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    number_within(deserializer, 0..=MAX_GUESSES)
}
