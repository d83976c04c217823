//! The client, which performs complete registrations, recoveries and deletions over a transport.

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

/// Number of times that a request is sent before the client gives up.
const TRIES: u32 = 5;
/// Delay before the first retry. It doubles with each subsequent retry.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest `retry_after`, in seconds, that the client waits for instead of giving up.
const LONGEST_WAIT_S: u32 = 10;

/// The vault's address and public key, pinned by the client's configuration. Neither a locator nor
/// a response can replace them (V-3.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultIdentity {
    /// The address, as written into locators.
    pub address: String,
    /// The public key.
    pub public_key: PublicKey,
}

/// A client for one account at one vault.
pub struct Client<T> {
    transport: T,
    vault: VaultIdentity,
    account: AccountHash,
}

/// The result of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The registration is active and proven by a login. The previous one, if any, was deleted.
    Active,
    /// The registration is pending, because no grant was given and another registration is active.
    /// Until the new registration replaces the active one, the old password recovers the key, and
    /// both locators are stored.
    Announced {
        /// Time from which a login to the new registration replaces the active one, as Unix time in
        /// seconds.
        not_before: u64,
    },
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The record no longer exists, or never did.
    Gone,
    /// The record will be deleted unless a login cancels the deletion.
    Announced {
        /// Time of the deletion, as Unix time in seconds.
        not_before: u64,
    },
}

impl<T: Transport> Client<T> {
    /// Creates a client. `account` must be the account that the transport's token names.
    pub fn new(transport: T, vault: VaultIdentity, account: AccountHash) -> Client<T> {
        Client { transport, vault, account }
    }

    /// Returns the transport.
    pub fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Stores `key` in the vault under `password`, and logs in to prove that the key can be
    /// recovered.
    ///
    /// An existing registration stays usable with its locator and password until the login succeeds
    /// (V-6.2). After an error, call [`recover`](Self::recover) with the stored locators before
    /// registering again, because another registration replaces the staged locator.
    ///
    /// # Errors
    ///
    /// Returns errors from the vault, the transport and the locator store, and
    /// [`Error::KeyMismatch`] if the vault returns another key. Locators that have already been
    /// stored are not removed.
    pub fn register(
        &mut self,
        password: &Passphrase,
        key: &Key,
        locators: &mut impl LocatorStore,
        options: &RegistrationOptions,
    ) -> Result<Registered> {
        self.promote_active(locators)?;
        let locator = self.new_locator()?;
        let parties = self.parties(&locator);
        let (registration, request) = Registration::start(password, locator.pepper(), &parties)?;
        let started: RegisterStarted =
            self.request(Method::Post, path::REGISTER_START, &request)?;
        let upload = registration.finish(&started, key, options)?;
        let finished: RegisterFinished =
            self.request(Method::Post, path::REGISTER_FINISH, &upload)?;
        // Stage the locator before the login, because the login may delete the old record. From
        // here on, both locators are stored.
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

    /// Recovers the key.
    ///
    /// First asks the vault which records exist, so that no guess is spent on a locator without a
    /// record. If an interrupted registration left several locators, the active record's locator is
    /// tried first, then the pending record's. Each try with a wrong password costs a guess.
    ///
    /// # Errors
    ///
    /// Returns [`Error::VaultMismatch`], before anything is sent, if a locator's hints name a vault
    /// other than the configured one; [`Error::NoRecord`] if the vault has no record for any of the
    /// locators; [`Error::WrongPassword`], [`Error::Locked`], and other errors from the vault and
    /// the transport.
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
            let names_record =
                |locator: &&Locator| registration_id(locator).record_name() == record.name;
            let Some(locator) = locators.iter().find(names_record) else { continue };
            match self.login(password, locator) {
                Err(error @ (Error::WrongPassword { .. } | Error::NoRecord | Error::Locked)) => {
                    refused = more_specific(refused, error);
                }
                other => return other,
            }
        }
        Err(refused)
    }

    /// Returns the status of the account's records.
    ///
    /// # Errors
    ///
    /// Returns errors from the vault and the transport.
    pub fn status(&mut self) -> Result<Status> {
        parse(&self.exchange(Method::Get, path::STATUS, None)?)
    }

    /// Returns the vault's protocol version and public key.
    ///
    /// # Errors
    ///
    /// Returns [`Error::VaultMismatch`] if the public key is not the pinned one, and errors from
    /// the vault and the transport.
    pub fn info(&mut self) -> Result<Info> {
        let info: Info = parse(&self.exchange(Method::Get, path::INFO, None)?)?;
        if info.public_key.0 == self.vault.public_key {
            Ok(info)
        } else {
            Err(Error::VaultMismatch)
        }
    }

    /// Deletes a record. The deletion is immediate if the record is pending, or if `grant` comes
    /// from a recent login to it. Otherwise, the vault announces a later deletion.
    ///
    /// # Errors
    ///
    /// Returns errors from the vault and the transport.
    pub fn delete(
        &mut self,
        reg_id: RegId,
        grant: Option<&Zeroizing<[u8; GRANT_LEN]>>,
    ) -> Result<Deleted> {
        let request = Delete { reg_id, grant: grant.map(|grant| Fixed(**grant)) };
        let body = Zeroizing::new(encode(&request));
        let response = self.exchange(Method::Delete, path::RECORD, Some(&body))?;
        match response.status {
            204 => Ok(Deleted::Gone),
            _ => parse(&response)
                .map(|DeleteAnnounced { not_before }| Deleted::Announced { not_before }),
        }
    }

    /// Promotes the staged locator of an earlier registration if its record has become the active
    /// one. Otherwise, staging another locator would delete the only locator that leads to the
    /// active record.
    fn promote_active(&mut self, locators: &mut impl LocatorStore) -> Result<()> {
        let stored = locators.load().map_err(Error::Locator)?;
        let [_, staged] = &stored[..] else { return Ok(()) };
        let current = self.status()?.current;
        if current.is_some_and(|record| record.name == registration_id(staged).record_name()) {
            locators.promote().map_err(Error::Locator)?;
        }
        Ok(())
    }

    /// Generates a registration and a pepper for the configured vault.
    fn new_locator(&self) -> Result<Locator> {
        let mut pepper = Zeroizing::new([0; 32]);
        OsRng.try_fill_bytes(&mut pepper[..])?;
        let too_long = |_| Error::Locator(std::io::Error::other("vault address too long"));
        Locator::new(*RegId::generate()?.as_bytes(), &pepper)
            .with_hint(Locator::ADDRESS, self.vault.address.as_bytes())
            .and_then(|locator| locator.with_hint(Locator::PUBLIC_KEY, &self.vault.public_key))
            .map_err(too_long)
    }

    fn login(&mut self, password: &Passphrase, locator: &Locator) -> Result<Recovered> {
        let (login, request) = Login::start(password, locator.pepper(), &self.parties(locator))?;
        let started: LoginStarted = self.request(Method::Post, path::LOGIN_START, &request)?;
        let (proven, proof) = login.prove(&started)?;
        let finished: LoginFinished = self.request(Method::Post, path::LOGIN_FINISH, &proof)?;
        proven.open(&finished)
    }

    fn parties(&self, locator: &Locator) -> Parties {
        Parties {
            account: self.account,
            reg_id: registration_id(locator),
            public_key: self.vault.public_key,
        }
    }

    /// Checks a locator's hints against the configured vault (V-3.6). Hints may be missing.
    fn check_hints(&self, locator: &Locator) -> Result<()> {
        let differs = |tag, own: &[u8]| locator.hint(tag).is_some_and(|hint| hint != own);
        if differs(Locator::ADDRESS, self.vault.address.as_bytes())
            || differs(Locator::PUBLIC_KEY, &self.vault.public_key)
        {
            return Err(Error::VaultMismatch);
        }
        Ok(())
    }

    fn request<R: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &'static str,
        message: &impl Serialize,
    ) -> Result<R> {
        // Wipe the body, because the message may contain a grant.
        let body = Zeroizing::new(encode(message));
        parse(&self.exchange(method, path, Some(&body))?)
    }

    /// Sends a request, and sends the same bytes again until the vault responds or the retries run
    /// out. The vault counts identical requests once (V-4.2, V-5.2).
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
            let (failed, retry_after) = match self.transport.send(&Request { method, path, body }) {
                Ok(response) => match check_status(response) {
                    Ok(response) => return Ok(response),
                    Err(Error::Refused(failure)) if failure.code == Code::Unavailable => {
                        (Error::Refused(failure), failure.retry_after)
                    }
                    Err(error @ Error::Transport(TransportError::Lost { .. })) => (error, None),
                    Err(error) => return Err(error),
                },
                Err(error @ TransportError::Lost { .. }) => (Error::Transport(error), None),
                Err(error) => return Err(Error::Transport(error)),
            };
            if tries == TRIES || retry_after.is_some_and(|seconds| seconds > LONGEST_WAIT_S) {
                return Err(failed);
            }
            self.transport
                .sleep(retry_after.map_or(wait, |seconds| Duration::from_secs(seconds.into())));
            wait *= 2;
        }
    }
}

fn registration_id(locator: &Locator) -> RegId {
    RegId::from_bytes(*locator.registration())
}

/// Returns the response if its status indicates success, and otherwise the error that it reports
/// (V-2.6).
fn check_status(response: Response) -> Result<Response> {
    if (200..300).contains(&response.status) {
        return Ok(response);
    }
    match decode::<Failure>(&response.body) {
        Ok(failure) if failure.code.number() == response.status => Err(failure.into()),
        // Such a response comes from a proxy between the client and the vault.
        _ if response.status >= 500 => Err(Error::Transport(TransportError::Lost {
            reason: format!("HTTP status {}", response.status),
        })),
        Ok(_) => Err(Error::ProtocolViolation { what: "error code differs from the HTTP status" }),
        Err(error) => Err(Error::InvalidResponse(error)),
    }
}

fn parse<R: DeserializeOwned>(response: &Response) -> Result<R> {
    Ok(decode(&response.body)?)
}

/// Returns the error that tells the user more: the second one, unless it is [`Error::NoRecord`].
fn more_specific(first: Error, second: Error) -> Error {
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
