//! A registration, step by step and without input and output (V-4.1).

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

/// What both ends of a registration or login hold to: whose it is, and at which vault.
#[derive(Clone, Copy, Debug)]
pub struct Parties {
    /// The account.
    pub account: AccountHash,
    /// The registration.
    pub reg_id: RegId,
    /// The vault's public key, as pinned by the client's configuration.
    pub public_key: PublicKey,
}

/// What the client asks for when it registers.
#[derive(Clone, Debug)]
pub struct RegistrationOptions {
    /// Guesses allowed between two that are right: 1 to [`MAX_GUESSES`].
    pub max_guesses: u32,
    /// How the password is stretched.
    pub stretching: Stretching,
    /// Of a fresh login to the active record: with it, this registration replaces that one at
    /// once.
    pub grant: Option<Zeroizing<[u8; GRANT_LEN]>>,
}

/// A registration that waits for the vault's response.
///
/// It has no Clone: each one is for one try.
pub struct Registration {
    state: ClientRegistration<Suite>,
    input: PasswordInput,
    parties: Parties,
}

impl Registration {
    /// Begins one: the request to send.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`].
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

    /// Ends one: the record to send, with the backup key wrapped. Stretches the password, which
    /// takes time and memory.
    ///
    /// # Errors
    ///
    /// [`Error::VaultMismatch`] if the response is of another vault than the pinned one; nothing
    /// that depends on the password is made then. [`Error::GuessesOutOfRange`],
    /// [`Error::ProtocolViolation`], [`Error::OutOfMemory`].
    pub fn finish(
        self,
        started: &RegisterStarted,
        key: &Key,
        terms: &RegistrationOptions,
    ) -> Result<RegisterFinish> {
        if !(1..=MAX_GUESSES).contains(&terms.max_guesses) {
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
            Some(&terms.stretching),
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
            max: terms.max_guesses,
            stretching: terms.stretching,
            grant: terms.grant.as_ref().map(|grant| Fixed(**grant)),
        })
    }
}

impl Default for RegistrationOptions {
    /// 10 guesses, the recommended stretching, no grant.
    fn default() -> Self {
        RegistrationOptions { max_guesses: 10, stretching: Stretching::default(), grant: None }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({})", self.parties.reg_id)
    }
}
