//! The steps of a login, without I/O (V-5.1).

use std::fmt;

use bulla::Key;
use bulla_key::Passphrase;
use opaque_ke::{ClientLogin, ClientLoginFinishParameters, CredentialResponse};
use rand_core::OsRng;
use zeroize::Zeroizing;

use crate::client::registration::Parties;
use crate::client::secrets::{ExportKey, PasswordInput, message_bytes, opaque_error, take_64};
use crate::error::{Error, Result};
use crate::protocol::messages::{LoginFinish, LoginFinished, LoginStart, LoginStarted};
use crate::protocol::reply::{GRANT_LEN, LoginReply, ReplyContext};
use crate::protocol::suite::{ClientIdentity, Suite, context};
use crate::protocol::{AttemptId, RegId};

/// A login that has sent KE1 and is waiting for KE2. It is not `Clone`, because each login is one
/// guess.
pub struct Login {
    state: ClientLogin<Suite>,
    input: PasswordInput,
    parties: Parties,
    attempt_id: AttemptId,
}

/// A login with a correct password that is waiting for the vault to release the wrapped key.
pub struct ProvenLogin {
    export_key: ExportKey,
    session_key: Zeroizing<[u8; 64]>,
    parties: Parties,
    attempt_id: AttemptId,
}

/// The result of a login.
pub struct Recovered {
    /// The registration that was logged in to.
    pub reg_id: RegId,
    /// The backup key.
    pub key: Key,
    /// Failed attempts at this registration since the last successful one. They are either the
    /// user's typing mistakes or someone else's guesses.
    pub failures: u32,
    /// Failed attempts at this account over its lifetime.
    pub lifetime_failures: u32,
    /// Proves this login to the vault for a few minutes. With this grant, a registration can be
    /// replaced or deleted immediately.
    pub grant: Zeroizing<[u8; GRANT_LEN]>,
}

impl Login {
    /// Starts a login, and returns the request to send. If the response is lost, send the request
    /// again unchanged.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NoRandomness`] or [`Error::Internal`].
    pub fn start(
        password: &Passphrase,
        pepper: &[u8; 32],
        parties: &Parties,
    ) -> Result<(Login, LoginStart)> {
        let attempt_id = AttemptId::generate()?;
        let input = PasswordInput::new(password, pepper)?;
        let started = ClientLogin::<Suite>::start(&mut OsRng, input.as_bytes())
            .map_err(|error| opaque_error(error, None))?;
        let request = LoginStart {
            reg_id: parties.reg_id,
            attempt_id,
            ke1: message_bytes(&started.message.serialize())?,
        };
        Ok((Login { state: started.state, input, parties: *parties, attempt_id }, request))
    }

    /// Checks KE2, and returns the proof (KE3) to send. Runs Argon2id on the password with the
    /// registration's parameters.
    ///
    /// # Errors
    ///
    /// Returns [`Error::WrongPassword`] if the password is wrong. In that case, send nothing: the
    /// vault has already counted the guess. Returns [`Error::VaultMismatch`] if the registration
    /// was made with a vault other than the pinned one. Other errors are
    /// [`Error::ProtocolViolation`], [`Error::OutOfMemory`] and [`Error::Internal`].
    pub fn prove(self, started: &LoginStarted) -> Result<(ProvenLogin, LoginFinish)> {
        let left = Some(started.left);
        let response = CredentialResponse::<Suite>::deserialize(&started.ke2.0)
            .map_err(|error| opaque_error(error, left))?;
        let Parties { account, reg_id, public_key } = self.parties;
        let identity = ClientIdentity::new(&account, &reg_id);
        let context = context(&self.attempt_id);
        let parameters = ClientLoginFinishParameters::new(
            Some(&context),
            identity.identifiers(),
            Some(&started.stretching),
        );
        let mut finished = self
            .state
            .finish(&mut OsRng, self.input.as_bytes(), response, parameters)
            .map_err(|error| opaque_error(error, left))?;
        let export_key = ExportKey::take(&mut finished.export_key)?;
        let session_key = take_64(&mut finished.session_key)?;
        if finished.server_s_pk.serialize()[..] != public_key {
            return Err(Error::VaultMismatch);
        }
        let proof = LoginFinish {
            reg_id,
            attempt_id: self.attempt_id,
            login_token: started.login_token.clone(),
            ke3: message_bytes(&finished.message.serialize())?,
        };
        let proven = ProvenLogin {
            export_key,
            session_key,
            parties: self.parties,
            attempt_id: self.attempt_id,
        };
        Ok((proven, proof))
    }
}

impl ProvenLogin {
    /// Opens the sealed reply, and unwraps the key in it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::ProtocolViolation`] if the reply or the wrapped key belongs to another
    /// login or registration, or [`Error::Internal`].
    pub fn open(self, finished: &LoginFinished) -> Result<Recovered> {
        let Parties { account, reg_id, .. } = self.parties;
        let context = ReplyContext { account, reg_id, attempt_id: self.attempt_id };
        let reply = LoginReply::open(&finished.sealed.0, &self.session_key, &context)
            .ok_or(Error::ProtocolViolation { what: "sealed reply belongs to another login" })?;
        Ok(Recovered {
            reg_id,
            key: self.export_key.unwrap(&reply.wrapped_key, &account, &reg_id)?,
            failures: reply.failures,
            lifetime_failures: reply.lifetime_failures,
            grant: reply.grant,
        })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}, {})", self.parties.reg_id, self.attempt_id)
    }
}

impl fmt::Debug for ProvenLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProvenLogin({}, {})", self.parties.reg_id, self.attempt_id)
    }
}

impl fmt::Debug for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovered")
            .field("reg_id", &self.reg_id)
            .field("failures", &self.failures)
            .field("lifetime_failures", &self.lifetime_failures)
            .finish_non_exhaustive()
    }
}
