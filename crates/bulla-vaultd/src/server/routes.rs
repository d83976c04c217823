//! Routes, and the steps that all calls share: limits, authentication, logging and metrics.
//!
//! Calls wait for disks and cluster members, so they run on blocking threads.

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

use super::calls;
use super::responses::{self, Denial, Reply};
use super::service::Service;
use crate::evaluator::AboutCall;
use crate::record::Account;

/// Returns the routes. They require the peer's address as `ConnectInfo`.
pub(super) fn router(service: Arc<Service>) -> Router {
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

type RequestParts = (State<Arc<Service>>, ConnectInfo<SocketAddr>, HeaderMap);

macro_rules! account_calls {
    ($($name:ident)*) => {$(
        async fn $name(
            State(service): State<Arc<Service>>,
            ConnectInfo(peer): ConnectInfo<SocketAddr>,
            headers: HeaderMap,
            body: Result<Bytes, BytesRejection>,
        ) -> Response {
            let parts = (State(service), ConnectInfo(peer), headers);
            handle(stringify!($name), parts, body, calls::$name).await
        }
    )*};
}

account_calls! { register_start register_finish login_start login_finish delete_record status }

/// Handles a call that concerns an account. Checks the address, the token and the account, in this
/// order, before it looks at the body.
async fn handle(
    name: &'static str,
    (State(service), ConnectInfo(peer), headers): RequestParts,
    body: Result<Bytes, BytesRejection>,
    call: fn(&Service, &Account, &[u8]) -> Result<Reply, Denial>,
) -> Response {
    let began = Instant::now();
    let Ok(permit) = service.in_flight.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // The connection cannot be reused if the body was not read to its end.
    let unread = body.is_err();
    let working = Arc::clone(&service);
    let done = tokio::task::spawn_blocking(move || {
        working.limits.address(peer.ip()).map_err(Denial::rate)?;
        let account = working.account(&headers)?;
        working.limits.account(&account).map_err(Denial::rate)?;
        let body = body.map_err(|_| Denial::code(Code::Malformed))?;
        call(&working, &account, &body)
    });
    let result =
        done.await.unwrap_or_else(|e| Err(Denial::unavailable(format!("call failed: {e}"))));
    drop(permit);
    let mut response = responses::respond(name, result);
    if unread {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    service.metrics.record_response(name, status, took);
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
            tracing::info!(%error, "token rejected");
            Denial::unauthorized()
        })
    }
}

async fn info(State(service): State<Arc<Service>>) -> Response {
    responses::json(StatusCode::OK, calls::info(&service))
}

/// Reports whether the evaluator answers. The store is deliberately not checked, because a store
/// failure would then take all servers out of service at the same time.
async fn health(State(service): State<Arc<Service>>) -> Response {
    let reachable =
        tokio::task::spawn_blocking(move || service.vault.evaluator().about(&AboutCall).is_ok());
    match reachable.await {
        Ok(true) => (StatusCode::OK, "ok\n").into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "evaluator unreachable\n").into_response(),
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let text = tokio::task::spawn_blocking(move || {
        if let Ok(about) = service.vault.evaluator().about(&AboutCall) {
            service.metrics.set_evaluations(about.evaluations, about.distinct);
        }
        service.metrics.text()
    });
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (content_type, text.await.unwrap_or_default()).into_response()
}
