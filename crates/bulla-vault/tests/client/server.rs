//! An in-memory vault for one account. It implements every endpoint, counts guesses, and records
//! the requests that it receives.

use std::collections::BTreeMap;

use bulla_vault::messages::*;
use bulla_vault::reply::{LoginReply, ReplyContext};
use bulla_vault::suite::{ClientIdentity, PublicKey, Suite, context};
use bulla_vault::transport::{Method, Request, Response};
use bulla_vault::wire::{Bounded, Fixed, decode, encode};
use bulla_vault::{AccountHash, AttemptId, RegId};
use opaque_ke::{
    CredentialFinalization, CredentialRequest, RegistrationRequest, RegistrationUpload,
    ServerLogin, ServerLoginParameters, ServerRegistration, ServerSetup,
};
use rand_core::OsRng;
use zeroize::Zeroizing;

/// The grant that this vault returns at every login.
pub(crate) const GRANT: [u8; 64] = [0x47; 64];
/// The time of every announced replacement and deletion.
pub(crate) const ANNOUNCED: u64 = 2_000_000_000;

pub(crate) struct Server {
    setup: ServerSetup<Suite>,
    account: AccountHash,
    pub(crate) current: Option<Record>,
    pub(crate) pending: Option<Record>,
    /// The number of distinct KE1 messages evaluated.
    pub(crate) evaluations: u32,
    /// The bodies of all requests.
    pub(crate) received: Vec<u8>,
}

pub(crate) struct Record {
    pub(crate) reg_id: RegId,
    pub(crate) content: RegisterFinish,
    pub(crate) left: u32,
    pub(crate) failures: u32,
    pub(crate) locked: bool,
    not_before: Option<u64>,
    attempts: BTreeMap<AttemptId, [u8; 96]>,
    /// The states of started logins, by login token.
    tokens: BTreeMap<Vec<u8>, Vec<u8>>,
    finished: Option<(AttemptId, LoginFinished)>,
}

impl Server {
    pub(crate) fn new(account: AccountHash) -> Server {
        let setup = ServerSetup::new(&mut OsRng);
        Server {
            setup,
            account,
            current: None,
            pending: None,
            evaluations: 0,
            received: Vec::new(),
        }
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        self.setup.keypair().public().serialize().into()
    }

    pub(crate) fn respond(&mut self, request: &Request<'_>) -> Response {
        let body = request.body.unwrap_or_default();
        self.received.extend(body);
        let handled = match (request.method, request.path) {
            (Method::Post, path::REGISTER_START) => self.register_start(decode(body).unwrap()),
            (Method::Post, path::REGISTER_FINISH) => self.register_finish(decode(body).unwrap()),
            (Method::Post, path::LOGIN_START) => self.login_start(decode(body).unwrap()),
            (Method::Post, path::LOGIN_FINISH) => self.login_finish(decode(body).unwrap()),
            (Method::Delete, path::RECORD) => self.delete(decode(body).unwrap()),
            (Method::Get, path::STATUS) => Ok((200, encode(&self.status()))),
            (Method::Get, path::INFO) => {
                Ok((200, encode(&Info { version: VERSION, public_key: Fixed(self.public_key()) })))
            }
            _ => Err(Failure::new(Code::Malformed)),
        };
        let (status, body) =
            handled.unwrap_or_else(|failure| (failure.code.number(), encode(&failure)));
        Response { status, body }
    }

    fn register_start(&mut self, start: RegisterStart) -> Handled {
        let request = RegistrationRequest::deserialize(&start.request.0).unwrap();
        let response =
            ServerRegistration::<Suite>::start(&self.setup, request, start.reg_id.as_bytes())
                .unwrap();
        Ok((200, encode(&RegisterStarted { response: Fixed(response.message.serialize().into()) })))
    }

    fn register_finish(&mut self, finish: RegisterFinish) -> Handled {
        let granted = finish.grant.as_ref().is_some_and(|grant| grant.0 == GRANT);
        let not_before = (self.current.is_some() && !granted).then_some(ANNOUNCED);
        let respond = |state| Ok((200, encode(&RegisterFinished { state, not_before })));
        if let Some(record) = self.record(&finish.reg_id) {
            if encode(&record.content) != encode(&finish) {
                return Err(Failure::new(Code::Conflict));
            }
            let active =
                self.current.as_ref().is_some_and(|current| current.reg_id == finish.reg_id);
            return respond(if active { RecordState::Active } else { RecordState::Pending });
        }
        self.pending = Some(Record {
            reg_id: finish.reg_id,
            left: finish.max,
            content: finish,
            failures: 0,
            locked: false,
            not_before,
            attempts: BTreeMap::new(),
            tokens: BTreeMap::new(),
            finished: None,
        });
        respond(RecordState::Pending)
    }

    fn login_start(&mut self, start: LoginStart) -> Handled {
        let (setup, account) = (self.setup.clone(), self.account);
        let record = self.record(&start.reg_id).ok_or(Failure::new(Code::NoRecord))?;
        match record.attempts.get(&start.attempt_id) {
            Some(ke1) if *ke1 != start.ke1.0 => return Err(Failure::new(Code::Conflict)),
            Some(_) => {}
            None => {
                record.locked |= record.left == 0;
                if record.locked {
                    return Err(Failure::new(Code::Locked));
                }
                record.left -= 1;
                record.failures += 1;
                record.attempts.insert(start.attempt_id, start.ke1.0);
                self.evaluations += 1;
            }
        }
        let record = self.record(&start.reg_id).unwrap();
        let upload = RegistrationUpload::deserialize(&record.content.upload.0).unwrap();
        let context = context(&start.attempt_id);
        let identity = ClientIdentity::new(&account, &start.reg_id);
        let parameters =
            ServerLoginParameters { context: Some(&context), identifiers: identity.identifiers() };
        let started = ServerLogin::<Suite>::start(
            &mut OsRng,
            &setup,
            Some(ServerRegistration::finish(upload)),
            CredentialRequest::deserialize(&start.ke1.0).unwrap(),
            start.reg_id.as_bytes(),
            parameters,
        )
        .unwrap();
        let token = vec![record.tokens.len() as u8, 7];
        record.tokens.insert(token.clone(), started.state.serialize().to_vec());
        let response = LoginStarted {
            ke2: Fixed::new(&started.message.serialize()).unwrap(),
            login_token: Bounded::new(&token).unwrap(),
            left: record.left,
            stretching: record.content.stretching,
        };
        Ok((200, encode(&response)))
    }

    fn login_finish(&mut self, finish: LoginFinish) -> Handled {
        let account = self.account;
        let record = self.record(&finish.reg_id).ok_or(Failure::new(Code::NoRecord))?;
        if let Some((attempt_id, finished)) = &record.finished
            && *attempt_id == finish.attempt_id
        {
            return Ok((200, encode(finished)));
        }
        if !record.attempts.contains_key(&finish.attempt_id) {
            return Err(Failure::new(Code::Conflict));
        }
        let state =
            record.tokens.get(finish.login_token.as_bytes()).ok_or(Failure::new(Code::Conflict))?;
        let context = context(&finish.attempt_id);
        let identity = ClientIdentity::new(&account, &finish.reg_id);
        let parameters =
            ServerLoginParameters { context: Some(&context), identifiers: identity.identifiers() };
        let session_key = ServerLogin::<Suite>::deserialize(state)
            .unwrap()
            .finish(CredentialFinalization::deserialize(&finish.ke3.0).unwrap(), parameters)
            .map_err(|_| Failure { left: Some(record.left), ..Failure::new(Code::WrongPassword) })?
            .session_key;
        let reply = LoginReply {
            wrapped_key: record.content.wrapped_key.0,
            // Exclude the current attempt, which was counted when it started.
            failures: record.failures - 1,
            lifetime_failures: record.failures - 1,
            grant: Zeroizing::new(GRANT),
        };
        let reply_context =
            ReplyContext { account, reg_id: finish.reg_id, attempt_id: finish.attempt_id };
        let sealed = reply.seal(&session_key.into(), &reply_context).unwrap();
        let finished = LoginFinished { sealed: Fixed(sealed) };
        record.left = record.content.max;
        record.failures = 0;
        record.attempts.clear();
        record.finished = Some((finish.attempt_id, finished.clone()));
        if self.pending.as_ref().is_some_and(|pending| pending.reg_id == finish.reg_id) {
            self.current = self.pending.take();
        }
        Ok((200, encode(&finished)))
    }

    fn delete(&mut self, delete: Delete) -> Handled {
        if self.pending.as_ref().is_some_and(|pending| pending.reg_id == delete.reg_id) {
            self.pending = None;
        }
        if self.current.as_ref().is_some_and(|current| current.reg_id == delete.reg_id) {
            if delete.grant.is_none_or(|grant| grant.0 != GRANT) {
                return Ok((202, encode(&DeleteAnnounced { not_before: ANNOUNCED })));
            }
            self.current = None;
        }
        Ok((204, Vec::new()))
    }

    fn status(&self) -> Status {
        let status = |record: &Record, state| RecordStatus {
            name: record.reg_id.record_name(),
            state: if record.locked { RecordState::Locked } else { state },
            left: record.left,
            max: record.content.max,
            not_before: record.not_before,
        };
        Status {
            current: self.current.as_ref().map(|record| status(record, RecordState::Active)),
            pending: self.pending.as_ref().map(|record| status(record, RecordState::Pending)),
        }
    }

    fn record(&mut self, reg_id: &RegId) -> Option<&mut Record> {
        [&mut self.current, &mut self.pending]
            .into_iter()
            .flatten()
            .find(|record| record.reg_id == *reg_id)
    }
}

/// An HTTP status and a body.
type Handled = Result<(u16, Vec<u8>), Failure>;
