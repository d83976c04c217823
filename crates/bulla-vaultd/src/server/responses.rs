//! Responses to clients.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bulla_vault::messages::{Code, Failure};
use bulla_vault::wire;

use crate::vault::VaultError;

/// The result of a successful call.
pub(super) enum Reply {
    /// 200 and a body.
    Ok(Vec<u8>),
    /// 202 and a body.
    Accepted(Vec<u8>),
    /// 204.
    Nothing,
}

/// The reason a call is denied: what the client sees, and what is logged.
pub(super) struct Denial {
    failure: Failure,
    why: Option<String>,
}

impl Denial {
    pub(super) fn code(code: Code) -> Denial {
        Denial { failure: Failure::new(code), why: None }
    }

    pub(super) fn unauthorized() -> Denial {
        Denial::code(Code::Unauthorized)
    }

    pub(super) fn rate(seconds: u64) -> Denial {
        Denial {
            failure: Failure {
                retry_after: Some(bounded(seconds)),
                ..Failure::new(Code::TooManyRequests)
            },
            why: None,
        }
    }

    pub(super) fn unavailable(why: String) -> Denial {
        Denial { failure: Failure::new(Code::Unavailable), why: Some(why) }
    }
}

impl From<wire::DecodeError> for Denial {
    fn from(_: wire::DecodeError) -> Denial {
        Denial::code(Code::Malformed)
    }
}

impl From<VaultError> for Denial {
    fn from(error: VaultError) -> Denial {
        match error {
            VaultError::Malformed => Denial::code(Code::Malformed),
            VaultError::Conflict => Denial::code(Code::Conflict),
            VaultError::Locked => Denial {
                failure: Failure { left: Some(0), ..Failure::new(Code::Locked) },
                why: None,
            },
            VaultError::WrongPassword { left } => Denial {
                failure: Failure { left: Some(left.into()), ..Failure::new(Code::WrongPassword) },
                why: None,
            },
            VaultError::Wait { seconds, left } => {
                let retry_after = Some(bounded(seconds));
                let failure =
                    Failure { code: Code::TooManyRequests, retry_after, left: Some(left.into()) };
                Denial { failure, why: None }
            }
            VaultError::Frozen | VaultError::Tampered | VaultError::Unavailable(_) => {
                Denial::unavailable(error.to_string())
            }
        }
    }
}

/// Builds the response to a call.
pub(super) fn respond(call: &'static str, result: Result<Reply, Denial>) -> Response {
    match result {
        Ok(Reply::Ok(body)) => json(StatusCode::OK, body),
        Ok(Reply::Accepted(body)) => json(StatusCode::ACCEPTED, body),
        Ok(Reply::Nothing) => StatusCode::NO_CONTENT.into_response(),
        Err(denial) => {
            if let Some(why) = denial.why {
                tracing::warn!(call, why, "unavailable");
            }
            let status = StatusCode::from_u16(denial.failure.code.number());
            let mut response = json(
                status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
                wire::encode(&denial.failure),
            );
            if let Some(seconds) = denial.failure.retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
    }
}

/// Builds a response with a JSON body that must not be cached.
pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

fn bounded(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
