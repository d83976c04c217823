//! The protocol's HTTP side: routes, tokens, rates, and the answers.
//!
//! The vault's work waits for disks and members, so it runs on threads for that, and the
//! connections are tended by others.

mod answers;
mod calls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use bulla_vault::messages::{Code, path};
use bulla_vault::wire::MAX_BODY_LEN;
use tokio::sync::Semaphore;

use crate::accounts::Tenants;
use crate::evaluator::{AboutCall, Clock};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::record::Account;
use crate::vault::Vault;
use answers::{Answer, Denial};

/// Requests that are worked on at a time; the others wait.
const MAX_AT_WORK: usize = 64;

/// What the server works with.
pub struct Service {
    vault: Vault,
    tenants: Tenants,
    limits: Limits,
    metrics: Metrics,
    clock: Clock,
    public_key: [u8; 32],
    at_work: Semaphore,
}

impl Service {
    /// A server of this vault.
    ///
    /// # Errors
    ///
    /// A sentence, if the evaluator cannot be reached.
    pub fn new(
        vault: Vault,
        tenants: Tenants,
        limits: Limits,
        clock: Clock,
    ) -> Result<Service, String> {
        let public_key = vault.evaluator().about(&AboutCall).map_err(|e| e.to_string())?.public_key;
        let metrics = Metrics::new().map_err(|e| e.to_string())?;
        Ok(Service {
            vault,
            tenants,
            limits,
            metrics,
            clock,
            public_key,
            at_work: Semaphore::new(MAX_AT_WORK),
        })
    }

    /// The vault's public key: what clients pin.
    pub fn public_key(&self) -> [u8; 32] {
        self.public_key
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }
}

/// The routes. They want to know the address of a connection's other end.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route(path::REGISTER_START, post(register_start))
        .route(path::REGISTER_FINISH, post(register_finish))
        .route(path::LOGIN_START, post(login_start))
        .route(path::LOGIN_FINISH, post(login_finish))
        .route(path::RECORD, delete(delete_record))
        .route(path::STATUS, get(status))
        .route(path::INFO, get(info))
        .route(path::HEALTH, get(health))
        .route(path::METRICS, get(metrics))
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        .with_state(service)
}

type Asked = (State<Arc<Service>>, ConnectInfo<SocketAddr>, HeaderMap);

macro_rules! account_calls {
    ($($name:ident)*) => {$(
        async fn $name(
            State(service): State<Arc<Service>>,
            ConnectInfo(peer): ConnectInfo<SocketAddr>,
            headers: HeaderMap,
            body: Result<Bytes, BytesRejection>,
        ) -> Response {
            work(stringify!($name), (State(service), ConnectInfo(peer), headers), body, calls::$name).await
        }
    )*};
}

account_calls! { register_start register_finish login_start login_finish delete_record status }

/// Answers a call about an account: address, token and account first, in this order; then the body.
async fn work(
    name: &'static str,
    (State(service), ConnectInfo(peer), headers): Asked,
    body: Result<Bytes, BytesRejection>,
    call: fn(&Service, &Account, &[u8]) -> Result<Answer, Denial>,
) -> Response {
    let began = Instant::now();
    let Ok(permit) = service.at_work.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // What was not read to its end is followed by no other request.
    let unread = body.is_err();
    let working = Arc::clone(&service);
    let done = tokio::task::spawn_blocking(move || {
        working.limits.address(peer.ip()).map_err(Denial::rate)?;
        let account = working.account(&headers)?;
        working.limits.account(&account).map_err(Denial::rate)?;
        let body = body.map_err(|_| Denial::code(Code::Malformed))?;
        call(&working, &account, &body)
    });
    let answer =
        done.await.unwrap_or_else(|e| Err(Denial::unavailable(format!("a call failed: {e}"))));
    drop(permit);
    let mut response = answers::respond(name, answer);
    if unread {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    service.metrics.answered(name, status, took);
    tracing::info!(call = name, status, micros = took.as_micros() as u64, "answered");
    response
}

impl Service {
    fn account(&self, headers: &HeaderMap) -> Result<Account, Denial> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(Denial::unauthorized)?;
        let verified = self.tenants.verify(token, (self.clock)());
        verified.map(|account| *account.as_bytes()).map_err(|error| {
            tracing::info!(%error, "token refused");
            Denial::unauthorized()
        })
    }
}

async fn info(State(service): State<Arc<Service>>) -> Response {
    answers::json(StatusCode::OK, calls::info(&service))
}

/// Whether the evaluator answers. Not whether the store does: a server that is taken out of service
/// for that takes all with it.
async fn health(State(service): State<Arc<Service>>) -> Response {
    let asked =
        tokio::task::spawn_blocking(move || service.vault.evaluator().about(&AboutCall).is_ok());
    match asked.await {
        Ok(true) => (StatusCode::OK, "ok\n").into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "evaluator cannot be reached\n").into_response(),
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let asked = tokio::task::spawn_blocking(move || {
        if let Ok(about) = service.vault.evaluator().about(&AboutCall) {
            service.metrics.evaluated(about.evaluations, about.distinct);
        }
        service.metrics.text()
    });
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (content_type, asked.await.unwrap_or_default()).into_response()
}
