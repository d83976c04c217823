//! Each call, from its body to its reply's.

use bulla_vault::Stretching;
use bulla_vault::messages::{
    Delete, DeleteAnnounced, Info, LoginFinish, LoginFinished, LoginStart, LoginStarted,
    RecordState, RecordStatus, RegisterFinish, RegisterFinished, RegisterStart, RegisterStarted,
    Status, VERSION,
};
use bulla_vault::wire::{self, Bounded, Fixed};

use super::Service;
use super::answers::{Answer, Denial};
use crate::evaluator::PlaceCall;
use crate::record::{Account, Counter, Slot, State};
use crate::vault::{Deletion, Login};

pub(super) fn register_start(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Answer, Denial> {
    let asked: RegisterStart = wire::decode(body)?;
    let response =
        service.vault.register_start(account, asked.reg_id.as_bytes(), &asked.request.0)?;
    Ok(Answer::Ok(wire::encode(&RegisterStarted { response: fixed(response)? })))
}

pub(super) fn register_finish(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Answer, Denial> {
    let asked: RegisterFinish = wire::decode(body)?;
    let cost = asked.stretching.cost();
    let placed = service.vault.register_finish(PlaceCall {
        account: *account,
        counter: None,
        reg_id: *asked.reg_id.as_bytes(),
        upload: asked.upload.0.to_vec(),
        wrapped_key: asked.wrapped_key.0.to_vec(),
        max: asked.max,
        stretching: [cost.passes(), cost.memory_kib(), cost.lanes()],
        grant: asked.grant.as_ref().map(|grant| grant.0.to_vec()),
    })?;
    let state = if placed.active { RecordState::Active } else { RecordState::Pending };
    Ok(Answer::Ok(wire::encode(&RegisterFinished { state, not_before: placed.not_before })))
}

pub(super) fn login_start(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Answer, Denial> {
    let asked: LoginStart = wire::decode(body)?;
    let login = Login {
        account: *account,
        reg_id: *asked.reg_id.as_bytes(),
        attempt_id: *asked.attempt_id.as_bytes(),
    };
    let evaluated = service.vault.login_start(&login, &asked.ke1.0)?;
    let [passes, memory_kib, lanes] = evaluated.stretching;
    let cost = bulla_key::PassphraseCost::new(passes, memory_kib, lanes);
    let cost = cost.map_err(|e| Denial::unavailable(format!("a record's cost: {e}")))?;
    Ok(Answer::Ok(wire::encode(&LoginStarted {
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
) -> Result<Answer, Denial> {
    let asked: LoginFinish = wire::decode(body)?;
    let login = Login {
        account: *account,
        reg_id: *asked.reg_id.as_bytes(),
        attempt_id: *asked.attempt_id.as_bytes(),
    };
    let reply = service.vault.login_finish(&login, asked.login_token.as_bytes(), &asked.ke3.0)?;
    Ok(Answer::Ok(wire::encode(&LoginFinished { sealed: fixed(reply)? })))
}

pub(super) fn delete_record(
    service: &Service,
    account: &Account,
    body: &[u8],
) -> Result<Answer, Denial> {
    let asked: Delete = wire::decode(body)?;
    let grant = asked.grant.as_ref().map(|grant| &grant.0[..]);
    match service.vault.delete(account, asked.reg_id.as_bytes(), grant)? {
        Deletion::Done => Ok(Answer::Nothing),
        Deletion::NotBefore(not_before) => {
            Ok(Answer::Accepted(wire::encode(&DeleteAnnounced { not_before })))
        }
    }
}

pub(super) fn status(service: &Service, account: &Account, _: &[u8]) -> Result<Answer, Denial> {
    let counter = service.vault.status(account)?.unwrap_or_else(|| Counter::new(*account));
    let said = |slot: &Option<Slot>| slot.as_ref().map(record_status);
    Ok(Answer::Ok(wire::encode(&Status {
        current: said(&counter.live),
        pending: said(&counter.pending),
    })))
}

pub(super) fn info(service: &Service) -> Vec<u8> {
    wire::encode(&Info { version: VERSION, public_key: Fixed(service.public_key) })
}

fn record_status(slot: &Slot) -> RecordStatus {
    RecordStatus {
        name: bulla_vault::RegId::from_bytes(slot.reg_id).record_name(),
        state: match slot.state {
            State::Pending => RecordState::Pending,
            State::Active => RecordState::Active,
            State::Locked => RecordState::Locked,
        },
        left: slot.left.into(),
        max: slot.max.into(),
        not_before: slot.due,
    }
}

fn fixed<const N: usize>(bytes: Vec<u8>) -> Result<Fixed<N>, Denial> {
    bytes
        .try_into()
        .map(Fixed)
        .map_err(|_| Denial::unavailable("evaluator answers another length".to_owned()))
}

fn bounded<const MAX: usize>(bytes: &[u8]) -> Result<Bounded<MAX>, Denial> {
    Bounded::new(bytes)
        .ok_or_else(|| Denial::unavailable("evaluator answers another length".to_owned()))
}
