//! The protocol's requests and replies, as they lie in the bodies of its HTTP calls (V-2.1).
//!
//! | call | request | reply |
//! |---|---|---|
//! | `POST /v1/register/start` | [`RegisterStart`] | [`RegisterStarted`] |
//! | `POST /v1/register/finish` | [`RegisterFinish`] | [`RegisterFinished`] |
//! | `POST /v1/login/start` | [`LoginStart`] | [`LoginStarted`] |
//! | `POST /v1/login/finish` | [`LoginFinish`] | [`LoginFinished`] |
//! | `DELETE /v1/record` | [`Delete`] | 204 without a body, or 202 with [`DeleteAnnounced`] |
//! | `GET /v1/status` | | [`Status`] |
//! | `GET /v1/info` | | [`Info`] |
//!
//! Any of them may be answered with [`Failure`] instead. [`decode`](crate::protocol::wire::decode) and
//! [`encode`](crate::protocol::wire::encode) turn bodies into messages and back. A request with an unknown
//! field is refused; in a reply it is passed over, so that a vault can say more later.

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

/// The most guesses that a registration may allow between two that are right (V-4.3).
pub const MAX_GUESSES: u32 = 100;
/// The most bytes of a login token.
pub const MAX_LOGIN_TOKEN_LEN: usize = 512;
/// The version of the protocol, and the `v1` in its paths.
pub const VERSION: u32 = 1;

/// The paths of the calls.
pub mod path {
    #![allow(missing_docs, reason = "each is the call that it spells")]
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

/// Begins a registration, or begins it again under the same `reg_id` after its reply was lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterStart {
    /// The registration.
    pub reg_id: RegId,
    /// OPAQUE's registration request.
    pub request: Fixed<REGISTRATION_REQUEST_LEN>,
}

/// The reply to [`RegisterStart`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegisterStarted {
    /// OPAQUE's registration response.
    pub response: Fixed<REGISTRATION_RESPONSE_LEN>,
}

/// Ends a registration: from now on the record is pending, until a login proves that it can be
/// used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterFinish {
    /// The registration.
    pub reg_id: RegId,
    /// OPAQUE's registration record.
    pub upload: Fixed<REGISTRATION_UPLOAD_LEN>,
    /// The backup key, wrapped under the client's export key.
    pub wrapped_key: Fixed<WRAPPED_KEY_LEN>,
    /// Guesses allowed between two that are right: 1 to [`MAX_GUESSES`].
    #[serde(deserialize_with = "guesses")]
    pub max: u32,
    /// How the client stretches passwords; the vault tells it at each login.
    pub stretching: Stretching,
    /// Of a fresh login to the active record, which this one is to replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Fixed<GRANT_LEN>>,
}

/// The reply to [`RegisterFinish`], also when it comes again with the same `reg_id` and content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterFinished {
    /// [`RecordState::Pending`]; [`RecordState::Active`] if a login has proven the record already.
    pub state: RecordState,
    /// Without a grant: from when on a login to the new record replaces the active one, in seconds
    /// of Unix time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
}

/// Begins a login: one guess.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginStart {
    /// The registration.
    pub reg_id: RegId,
    /// The attempt. With the same KE1 again it costs nothing.
    pub attempt_id: AttemptId,
    /// OPAQUE's first message.
    pub ke1: Fixed<KE1_LEN>,
}

/// The reply to [`LoginStart`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginStarted {
    /// OPAQUE's second message.
    pub ke2: Fixed<KE2_LEN>,
    /// The vault's state of this login, sealed for the vault.
    pub login_token: Bounded<MAX_LOGIN_TOKEN_LEN>,
    /// Guesses left after this one, should it be wrong: at most [`MAX_GUESSES`].
    #[serde(deserialize_with = "guesses_left")]
    pub left: u32,
    /// How the password was stretched at the registration.
    pub stretching: Stretching,
}

/// Ends a login with the proof that the password is right.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginFinish {
    /// The registration.
    pub reg_id: RegId,
    /// The attempt.
    pub attempt_id: AttemptId,
    /// As it came in [`LoginStarted`].
    pub login_token: Bounded<MAX_LOGIN_TOKEN_LEN>,
    /// OPAQUE's third message.
    pub ke3: Fixed<KE3_LEN>,
}

/// The reply to [`LoginFinish`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginFinished {
    /// A [`LoginReply`](crate::protocol::reply::LoginReply), sealed under the session key.
    pub sealed: Fixed<SEALED_REPLY_LEN>,
}

/// Deletes a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The registration.
    pub reg_id: RegId,
    /// Of a fresh login to this record; without it an active record is deleted after an announced
    /// delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Fixed<GRANT_LEN>>,
}

/// The reply to [`Delete`] of an active record without a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteAnnounced {
    /// When the record will be deleted, in seconds of Unix time. A login before then calls it off.
    pub not_before: u64,
}

/// What the vault holds for the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The record that logins can use, or that was locked.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_object"
    )]
    pub current: Option<RecordStatus>,
    /// The one that is to replace it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "optional_object"
    )]
    pub pending: Option<RecordStatus>,
}

/// A record, as [`Status`] tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordStatus {
    /// What the registration is called: who has its locator recognises it, who has a token only
    /// learns no more.
    pub name: RecordName,
    /// Its state.
    pub state: RecordState,
    /// Guesses left: at most [`MAX_GUESSES`].
    #[serde(deserialize_with = "guesses_left")]
    pub left: u32,
    /// Guesses allowed between two that are right: 1 to [`MAX_GUESSES`].
    #[serde(deserialize_with = "guesses")]
    pub max: u32,
    /// When something announced will happen to it, in seconds of Unix time: deletion, or becoming
    /// active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<u64>,
}

/// The states of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum RecordState {
    /// Registered, and not yet proven by a login.
    Pending,
    /// In use.
    Active,
    /// Out of guesses: gone for good.
    Locked,
}

// Derived, it would be read from an object as well.
impl TryFrom<String> for RecordState {
    type Error = &'static str;

    fn try_from(text: String) -> Result<RecordState, &'static str> {
        match text.as_str() {
            "pending" => Ok(RecordState::Pending),
            "active" => Ok(RecordState::Active),
            "locked" => Ok(RecordState::Locked),
            _ => Err("no such state"),
        }
    }
}

/// What the vault says of itself to anybody. A hint: clients pin its public key by their own
/// configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Info {
    /// The version of the protocol.
    pub version: u32,
    /// The vault's public key of OPAQUE.
    pub public_key: Fixed<PUBLIC_KEY_LEN>,
}

fn guesses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    number_within(deserializer, 1..=MAX_GUESSES)
}

fn guesses_left<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    number_within(deserializer, 0..=MAX_GUESSES)
}
