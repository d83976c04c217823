//! Handles each call, from request body to response body.

use bulla_vault::Stretching;
use bulla_vault::messages::{
    Delete, DeleteAnnounced, Info, LoginFinish, LoginFinished, LoginStart, LoginStarted,
    RecordState, RecordStatus, RegisterFinish, RegisterFinished, RegisterStart, RegisterStarted,
    Status, VERSION,
};
use bulla_vault::wire::{self, Bounded, Fixed};

use super::responses::{Denial, Reply};
use super::service::Service;
use crate::evaluator::RegisterCall;
use crate::record::{Account, Counter, Registration, RegistrationState};
use crate::vault::{Deletion, Login};

pub(super) fn register_start(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Reply, Denial> {
    let request: RegisterStart = wire::decode(body)?;
    let response =
        service.vault.register_start(account, request.reg_id.as_bytes(), &request.request.0)?;
    Ok(Reply::Ok(wire::encode(&RegisterStarted { response: fixed(response)? })))
}

pub(super) fn register_finish(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Reply, Denial> {
    let request: RegisterFinish = wire::decode(body)?;
    let cost = request.stretching.cost();
    let placed = service.vault.register_finish(RegisterCall {
        account: *account,
        counter: None,
        reg_id: *request.reg_id.as_bytes(),
        upload: request.upload.0.to_vec(),
        wrapped_key: request.wrapped_key.0.to_vec(),
        max: request.max,
        stretching: [cost.passes(), cost.memory_kib(), cost.lanes()],
        grant: request.grant.as_ref().map(|grant| grant.0.to_vec()),
    })?;
    let state = if placed.active { RecordState::Active } else { RecordState::Pending };
    Ok(Reply::Ok(wire::encode(&RegisterFinished { state, not_before: placed.not_before })))
}

pub(super) fn login_start(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Reply, Denial> {
    let request: LoginStart = wire::decode(body)?;
    let login = Login {
        account: *account,
        reg_id: *request.reg_id.as_bytes(),
        attempt_id: *request.attempt_id.as_bytes(),
    };
    let evaluated = service.vault.login_start(&login, &request.ke1.0)?;
    let [passes, memory_kib, lanes] = evaluated.stretching;
    let cost = bulla_key::PassphraseCost::new(passes, memory_kib, lanes);
    let cost = cost.map_err(|e| Denial::unavailable(format!("sealed record: {e}")))?;
    Ok(Reply::Ok(wire::encode(&LoginStarted {
        ke2: fixed(evaluated.ke2)?,
        login_token: bounded(&evaluated.login_token)?,
        left: evaluated.left.into(),
        stretching: Stretching::new(cost),
    })))
}

pub(super) fn login_finish(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Reply, Denial> {
    let request: LoginFinish = wire::decode(body)?;
    let login = Login {
        account: *account,
        reg_id: *request.reg_id.as_bytes(),
        attempt_id: *request.attempt_id.as_bytes(),
    };
    let reply =
        service.vault.login_finish(&login, request.login_token.as_bytes(), &request.ke3.0)?;
    Ok(Reply::Ok(wire::encode(&LoginFinished { sealed: fixed(reply)? })))
}

pub(super) fn delete_record(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Reply, Denial> {
    let request: Delete = wire::decode(body)?;
    let grant = request.grant.as_ref().map(|grant| &grant.0[..]);
    match service.vault.delete(account, request.reg_id.as_bytes(), grant)? {
        Deletion::Done => Ok(Reply::Nothing),
        Deletion::NotBefore(not_before) => {
            Ok(Reply::Accepted(wire::encode(&DeleteAnnounced { not_before })))
        }
    }
}

pub(super) fn status(service: &Service, account: &Account, _: &[u8]) -> Result<Reply, Denial> {
    let counter = service.vault.status(account)?.unwrap_or_else(|| Counter::new(*account));
    let state = |registration: &Option<Registration>| registration.as_ref().map(record_status);
    Ok(Reply::Ok(wire::encode(&Status {
        current: state(&counter.live),
        pending: state(&counter.pending),
    })))
}

pub(super) fn info(service: &Service) -> Vec<u8> {
    wire::encode(&Info { version: VERSION, public_key: Fixed(service.public_key) })
}

fn record_status(registration: &Registration) -> RecordStatus {
    RecordStatus {
        name: bulla_vault::RegId::from_bytes(registration.reg_id).record_name(),
        state: match registration.state {
            RegistrationState::Pending => RecordState::Pending,
            RegistrationState::Active => RecordState::Active,
            RegistrationState::Locked => RecordState::Locked,
        },
        left: registration.left.into(),
        max: registration.max.into(),
        not_before: registration.due,
    }
}

fn fixed<const N: usize>(bytes: Vec<u8>) -> Result<Fixed<N>, Denial> {
    bytes
        .try_into()
        .map(Fixed)
        .map_err(|_| Denial::unavailable("evaluator: wrong length in response".to_owned()))
}

fn bounded<const MAX: usize>(bytes: &[u8]) -> Result<Bounded<MAX>, Denial> {
    Bounded::new(bytes)
        .ok_or_else(|| Denial::unavailable("evaluator: wrong length in response".to_owned()))
}
