//! The client: whole registrations and recoveries over a transport.

mod secrets;
mod registration;
mod login;

use std::fmt;
use std::time::Duration;

use bulla::Key;
use bulla_key::{Locator, Passphrase};
use rand_core::{OsRng, RngCore};
use serde::Serialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::locators::LocatorStore;
use crate::protocol::messages::{
    Code, Delete, DeleteAnnounced, Failure, Info, LoginFinished, LoginStarted, RegisterFinished,
    RegisterStarted, Status, path,
};
use crate::protocol::reply::GRANT_LEN;
use crate::protocol::suite::PublicKey;
use crate::protocol::wire::{Fixed, decode, encode};
use crate::protocol::{AccountHash, RegId};
use crate::transport::{Method, Request, Response, Transport, TransportError};

pub use login::{Login, ProvenLogin, Recovered};
pub use registration::{Parties, Registration, RegistrationOptions};

/// How often a call is made before the client gives up.
const TRIES: u32 = 5;
/// How long the client waits before a call is made again; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest time that the client lets the vault make it wait, in seconds.
const LONGEST_WAIT_S: u32 = 10;

/// The vault that the client's configuration names: no locator and no reply makes it another one
/// (V-3.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultIdentity {
    /// Its address, as it goes into locators.
    pub address: String,
    /// Its public key.
    pub public_key: PublicKey,
}

/// A client of one account at one vault.
pub struct Client<T> {
    transport: T,
    vault: VaultIdentity,
    account: AccountHash,
}

/// What became of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It is in use, proven by a login; one that was there before is gone.
    Active,
    /// It will replace the active one, for which there was no grant: from this time on (seconds of
    /// Unix time). Until then the old locator and the old password lead to the key, and both
    /// locators are kept.
    Announced {
        /// From when on.
        not_before: u64,
    },
}

/// What became of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The record is gone, if there was one.
    Gone,
    /// It will be gone, unless a login calls it off: from this time on (seconds of Unix time).
    Announced {
        /// From when on.
        not_before: u64,
    },
}

impl<T: Transport> Client<T> {
    /// A client of the account that the transport's token names.
    pub fn new(transport: T, vault: VaultIdentity, account: AccountHash) -> Client<T> {
        Client { transport, vault, account }
    }

    /// The transport.
    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Puts a backup key behind a password, and proves by a login that it can be got back. A
    /// registration that was there before stays usable until then, with the old locator and the
    /// old password (V-6.2).
    ///
    /// # Errors
    ///
    /// Whatever stops it, the key is not lost: what was registered before is usable still, or this
    /// registration is.
    pub fn register(
        &mut self,
        password: &Passphrase,
        key: &Key,
        locators: &mut impl LocatorStore,
        terms: &RegistrationOptions,
    ) -> Result<Registered> {
        self.settle(locators)?;
        let locator = self.new_locator()?;
        let parties = self.parties(&locator);
        let (registration, request) = Registration::start(password, locator.pepper(), &parties)?;
        let started: RegisterStarted = self.ask(Method::Post, path::REGISTER_START, &request)?;
        let upload = registration.finish(&started, key, terms)?;
        let finished: RegisterFinished = self.ask(Method::Post, path::REGISTER_FINISH, &upload)?;
        // Before the login, which may delete the old record: from here on both locators are there.
        locators.stage(&locator).map_err(Error::Locator)?;
        if let Some(not_before) = finished.not_before {
            return Ok(Registered::Announced { not_before });
        }
        let recovered = self.login(password, &locator)?;
        if !bool::from(recovered.key.expose().ct_eq(key.expose())) {
            return Err(Error::KeyMismatch);
        }
        locators.promote().map_err(Error::Locator)?;
        Ok(Registered::Active)
    }

    /// Of two locators that an earlier registration left, the new one may be in use by now. Before
    /// another new one takes its place, it takes the old one's.
    fn settle(&mut self, locators: &mut impl LocatorStore) -> Result<()> {
        let kept = locators.load().map_err(Error::Locator)?;
        let [_, new] = &kept[..] else { return Ok(()) };
        let current = self.status()?.current;
        if current.is_some_and(|record| record.name == registration(new).record_name()) {
            locators.promote().map_err(Error::Locator)?;
        }
        Ok(())
    }

    /// Gets the backup key back. The vault is asked first which records it has, so that no guess is
    /// spent where there is none; of several locators, as they lie there after a registration
    /// that was stopped, the active record's is tried first and then the pending one's, each at
    /// the cost of a guess if the password is not its own.
    ///
    /// # Errors
    ///
    /// [`Error::VaultMismatch`] before anything is sent, if a locator is of another vault than the
    /// configured one. [`Error::NoRecord`] if the vault says that it has a record for none of
    /// them.
    pub fn recover(&mut self, password: &Passphrase, locators: &[Locator]) -> Result<Recovered> {
        if locators.is_empty() {
            return Err(Error::NoLocator);
        }
        for locator in locators {
            self.check_hints(locator)?;
        }
        let status = self.status()?;
        let mut refused = Error::NoRecord;
        for record in [status.current, status.pending].into_iter().flatten() {
            let its_own = |locator: &&Locator| registration(locator).record_name() == record.name;
            let Some(locator) = locators.iter().find(its_own) else { continue };
            match self.login(password, locator) {
                Err(error @ (Error::WrongPassword { .. } | Error::NoRecord | Error::Locked)) => {
                    refused = worse(refused, error);
                }
                other => return other,
            }
        }
        Err(refused)
    }

    /// What the vault holds for the account.
    ///
    /// # Errors
    ///
    /// Those of the vault and the way to it.
    pub fn status(&mut self) -> Result<Status> {
        decoded(&self.exchange(Method::Get, path::STATUS, None)?)
    }

    /// What the vault says of itself.
    ///
    /// # Errors
    ///
    /// [`Error::VaultMismatch`] if its public key is not the pinned one.
    pub fn info(&mut self) -> Result<Info> {
        let info: Info = decoded(&self.exchange(Method::Get, path::INFO, None)?)?;
        if info.public_key.0 == self.vault.public_key {
            Ok(info)
        } else {
            Err(Error::VaultMismatch)
        }
    }

    /// Deletes a record: at once with the grant of a fresh login to it, or if it is pending; else
    /// after a delay that the vault announces.
    ///
    /// # Errors
    ///
    /// Those of the vault and the way to it.
    pub fn delete(
        &mut self,
        reg_id: RegId,
        grant: Option<&Zeroizing<[u8; GRANT_LEN]>>,
    ) -> Result<Deleted> {
        let request = Delete { reg_id, grant: grant.map(|grant| Fixed(**grant)) };
        let body = Zeroizing::new(encode(&request));
        let answer = self.exchange(Method::Delete, path::RECORD, Some(&body))?;
        match answer.status {
            204 => Ok(Deleted::Gone),
            _ => decoded(&answer)
                .map(|DeleteAnnounced { not_before }| Deleted::Announced { not_before }),
        }
    }

    /// A fresh registration at the configured vault.
    fn new_locator(&self) -> Result<Locator> {
        let mut pepper = Zeroizing::new([0; 32]);
        OsRng.try_fill_bytes(&mut pepper[..])?;
        let too_long = |_| Error::Locator(std::io::Error::other("the vault's address is too long"));
        Locator::new(*RegId::generate()?.as_bytes(), &pepper)
            .with_hint(Locator::ADDRESS, self.vault.address.as_bytes())
            .and_then(|locator| locator.with_hint(Locator::PUBLIC_KEY, &self.vault.public_key))
            .map_err(too_long)
    }

    fn login(&mut self, password: &Passphrase, locator: &Locator) -> Result<Recovered> {
        let (login, request) = Login::start(password, locator.pepper(), &self.parties(locator))?;
        let started: LoginStarted = self.ask(Method::Post, path::LOGIN_START, &request)?;
        let (proven, proof) = login.prove(&started)?;
        let finished: LoginFinished = self.ask(Method::Post, path::LOGIN_FINISH, &proof)?;
        proven.open(&finished)
    }

    fn parties(&self, locator: &Locator) -> Parties {
        Parties {
            account: self.account,
            reg_id: registration(locator),
            public_key: self.vault.public_key,
        }
    }

    /// V-3.6
    fn check_hints(&self, locator: &Locator) -> Result<()> {
        let differs = |tag, own: &[u8]| locator.hint(tag).is_some_and(|hint| hint != own);
        if differs(Locator::ADDRESS, self.vault.address.as_bytes())
            || differs(Locator::PUBLIC_KEY, &self.vault.public_key)
        {
            return Err(Error::VaultMismatch);
        }
        Ok(())
    }

    fn ask<R: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &'static str,
        request: &impl Serialize,
    ) -> Result<R> {
        // It may hold a grant.
        let body = Zeroizing::new(encode(request));
        decoded(&self.exchange(method, path, Some(&body))?)
    }

    /// Makes a call until it is answered: every call can be made again by the same bytes, and then
    /// counts once (V-4.2, V-5.2).
    fn exchange(
        &mut self,
        method: Method,
        path: &'static str,
        body: Option<&[u8]>,
    ) -> Result<Response> {
        let mut wait = FIRST_WAIT;
        let mut tries = 0;
        loop {
            tries += 1;
            let (failed, asked_for) = match self.transport.send(&Request { method, path, body }) {
                Ok(answer) => match outcome(answer) {
                    Ok(answer) => return Ok(answer),
                    Err(Error::Refused(failure)) if failure.code == Code::Unavailable => {
                        (Error::Refused(failure), failure.retry_after)
                    }
                    Err(error @ Error::Transport(TransportError::Lost { .. })) => (error, None),
                    Err(error) => return Err(error),
                },
                Err(error @ TransportError::Lost { .. }) => (Error::Transport(error), None),
                Err(error) => return Err(Error::Transport(error)),
            };
            if tries == TRIES || asked_for.is_some_and(|seconds| seconds > LONGEST_WAIT_S) {
                return Err(failed);
            }
            self.transport
                .sleep(asked_for.map_or(wait, |seconds| Duration::from_secs(seconds.into())));
            wait *= 2;
        }
    }
}

fn registration(locator: &Locator) -> RegId {
    RegId::from_bytes(*locator.registration())
}

/// The answer, if it is a reply.
fn outcome(answer: Response) -> Result<Response> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    match decode::<Failure>(&answer.body) {
        Ok(failure) if failure.code.number() == answer.status => Err(failure.into()),
        // Whatever stands between client and vault answers so, and not the vault.
        _ if answer.status >= 500 => Err(Error::Transport(TransportError::Lost {
            reason: format!("HTTP status {}", answer.status),
        })),
        Ok(_) => Err(Error::ProtocolViolation { what: "code and HTTP status differ" }),
        Err(error) => Err(Error::InvalidResponse(error)),
    }
}

fn decoded<R: DeserializeOwned>(answer: &Response) -> Result<R> {
    Ok(decode(&answer.body)?)
}

/// Of two refusals the one that says more.
fn worse(first: Error, second: Error) -> Error {
    if matches!(second, Error::NoRecord) { first } else { second }
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("vault", &self.vault)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}
