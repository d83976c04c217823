//! The steps of a registration, without I/O (V-4.1).

use std::fmt;

use bulla::Key;
use bulla_key::Passphrase;
use opaque_ke::{ClientRegistration, ClientRegistrationFinishParameters, RegistrationResponse};
use rand_core::OsRng;
use zeroize::Zeroizing;

use crate::client::secrets::{ExportKey, PasswordInput, message_bytes, opaque_error};
use crate::error::{Error, Result};
use crate::protocol::Stretching;
use crate::protocol::messages::{MAX_GUESSES, RegisterFinish, RegisterStart, RegisterStarted};
use crate::protocol::reply::GRANT_LEN;
use crate::protocol::suite::{ClientIdentity, PublicKey, Suite};
use crate::protocol::wire::Fixed;
use crate::protocol::{AccountHash, RegId};

/// The identities that a registration or login is bound to (V-3.2, V-3.6).
#[derive(Clone, Copy, Debug)]
pub struct Parties {
    /// The account.
    pub account: AccountHash,
    /// The registration.
    pub reg_id: RegId,
    /// The vault's public key, as pinned by the client's configuration.
    pub public_key: PublicKey,
}

/// Options for a registration.
#[derive(Clone, Debug)]
pub struct RegistrationOptions {
    /// Number of guesses allowed between successful logins: 1 to [`MAX_GUESSES`].
    pub max_guesses: u32,
    /// The cost of stretching the password.
    pub stretching: Stretching,
    /// The grant from a recent login to the active registration. With a grant, the new registration
    /// replaces the active one immediately.
    pub grant: Option<Zeroizing<[u8; GRANT_LEN]>>,
}

/// A registration that is waiting for the vault's registration response. It is not `Clone`, because
/// it can be used for only one attempt.
pub struct Registration {
    state: ClientRegistration<Suite>,
    input: PasswordInput,
    parties: Parties,
}

impl Registration {
    /// Starts a registration, and returns the request to send.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Internal`] if a cryptographic library fails.
    pub fn start(
        password: &Passphrase,
        pepper: &[u8; 32],
        parties: &Parties,
    ) -> Result<(Registration, RegisterStart)> {
        let input = PasswordInput::new(password, pepper)?;
        let started = ClientRegistration::<Suite>::start(&mut OsRng, input.as_bytes())
            .map_err(|error| opaque_error(error, None))?;
        let request = RegisterStart {
            reg_id: parties.reg_id,
            request: message_bytes(&started.message.serialize())?,
        };
        Ok((Registration { state: started.state, input, parties: *parties }, request))
    }

    /// Checks the registration response, and returns the message to send, which contains the
    /// registration record and the wrapped key. Runs Argon2id on the password.
    ///
    /// # Errors
    ///
    /// Returns [`Error::VaultMismatch`], before the password is stretched, if the response is from
    /// a vault other than the pinned one. Other errors are [`Error::GuessesOutOfRange`],
    /// [`Error::ProtocolViolation`], [`Error::OutOfMemory`] and [`Error::Internal`].
    pub fn finish(
        self,
        started: &RegisterStarted,
        key: &Key,
        options: &RegistrationOptions,
    ) -> Result<RegisterFinish> {
        if !(1..=MAX_GUESSES).contains(&options.max_guesses) {
            return Err(Error::GuessesOutOfRange);
        }
        let response = RegistrationResponse::<Suite>::deserialize(&started.response.0)
            .map_err(|error| opaque_error(error, None))?;
        if started.response.0[32..] != self.parties.public_key {
            return Err(Error::VaultMismatch);
        }
        let Parties { account, reg_id, .. } = self.parties;
        let identity = ClientIdentity::new(&account, &reg_id);
        let parameters = ClientRegistrationFinishParameters::new(
            identity.identifiers(),
            Some(&options.stretching),
        );
        let mut finished = self
            .state
            .finish(&mut OsRng, self.input.as_bytes(), response, parameters)
            .map_err(|error| opaque_error(error, None))?;
        let export_key = ExportKey::take(&mut finished.export_key)?;
        Ok(RegisterFinish {
            reg_id,
            upload: message_bytes(&finished.message.serialize())?,
            wrapped_key: Fixed(export_key.wrap(key, &account, &reg_id)?),
            max: options.max_guesses,
            stretching: options.stretching,
            grant: options.grant.as_ref().map(|grant| Fixed(**grant)),
        })
    }
}

impl Default for RegistrationOptions {
    /// Returns options with 10 guesses, the default stretching, and no grant.
    fn default() -> Self {
        RegistrationOptions { max_guesses: 10, stretching: Stretching::default(), grant: None }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({})", self.parties.reg_id)
    }
}
