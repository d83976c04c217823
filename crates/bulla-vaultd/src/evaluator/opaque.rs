//! The OPAQUE server (RFC 9807), with its OPRF keys in the HSM.

use bulla_vault::suite::{
    self, ClientIdentity, KE1_LEN, KE3_LEN, REGISTRATION_REQUEST_LEN, REGISTRATION_UPLOAD_LEN,
    SESSION_KEY_LEN, Suite,
};
use bulla_vault::{AccountHash, RegId as RegIdName};
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::scalar::Scalar;
use opaque_ke::generic_array::GenericArray;
use opaque_ke::generic_array::typenum::U32;
use opaque_ke::keypair::{KeyPair, PrivateKey, PublicKey};
use opaque_ke::{
    CredentialFinalization, CredentialRequest, RegistrationRequest, RegistrationUpload,
    Ristretto255, ServerLogin, ServerLoginParameters, ServerRegistration, ServerSetup,
};
use rand_core::OsRng;
use zeroize::{Zeroize, Zeroizing};

use super::Refusal;
use crate::hsm::Hsm;
use crate::record::sealed::RecordContent;
use crate::record::{Account, AttemptId, RegId};

const KEY_PAIR_LABEL: &[u8] = b"bulla v1 vault opaque key pair\0";
const STAND_IN_LABEL: &[u8] = b"bulla v1 vault stand-in\0";
/// Bytes in the server's login state: the session key, and the MAC expected in KE3.
const STATE_LEN: usize = 2 * SESSION_KEY_LEN;

/// The server's key pair. `setup` contains `()` in place of the OPRF seed, which is in the HSM, and
/// in place of the private key. `opaque-ke` therefore leaves one multiplication by the private key
/// to its caller, which needs the scalar.
pub(crate) struct Opaque {
    setup: ServerSetup<Suite, (), ()>,
    private: Zeroizing<Scalar>,
}

/// A login's account, registration and attempt.
pub(crate) struct LoginRef<'a> {
    pub(crate) account: &'a Account,
    pub(crate) reg_id: &'a RegId,
    pub(crate) attempt_id: &'a AttemptId,
}

impl Opaque {
    /// Derives the key pair from the HSM's derivation key. The key pair is the same at every start
    /// and in every evaluator.
    pub(crate) fn new(hsm: &dyn Hsm) -> Result<Opaque, Refusal> {
        let derived = hsm.derive(KEY_PAIR_LABEL)?;
        let mut scalar = Zeroizing::new([0; 32]);
        scalar.copy_from_slice(&derived[..32]);
        // Clearing four bits leaves a scalar below 2^252, which is below the group order. The bias
        // is 2^-128.
        scalar[31] &= 0x0f;
        let unusable = || Refusal::Unavailable("HSM: derived key is not a scalar".to_owned());
        let private = Zeroizing::new(
            Option::from(Scalar::from_canonical_bytes(*scalar)).ok_or_else(unusable)?,
        );
        let public = PrivateKey::<Ristretto255>::deserialize(&scalar[..])
            .map_err(|_| unusable())?
            .public_key();
        let setup =
            ServerSetup::new_with_key_pair_and_seed(&mut OsRng, KeyPair::new((), public), ());
        Ok(Opaque { setup, private })
    }

    /// Returns the public key.
    pub(super) fn public_key(&self) -> [u8; 32] {
        self.setup.keypair().public().serialize().into()
    }

    /// Returns the response to a registration request.
    pub(super) fn registration_response(
        &self,
        hsm: &dyn Hsm,
        account: &Account,
        reg_id: &RegId,
        rk: &[u8; 32],
        request: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let request =
            read(request, REGISTRATION_REQUEST_LEN, RegistrationRequest::<Suite>::deserialize);
        let request = request.ok_or(Refusal::Malformed)?;
        let key = self.key_material(hsm, account, reg_id, rk)?;
        let started =
            ServerRegistration::<Suite>::start_with_key_material(&self.setup, key, request);
        Ok(started.map_err(|_| Refusal::Malformed)?.message.serialize().to_vec())
    }

    /// Returns KE2, and the server state needed to check KE3.
    pub(crate) fn evaluate(
        &self,
        hsm: &dyn Hsm,
        login: &LoginRef<'_>,
        content: &RecordContent,
        ke1: &[u8],
    ) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), Refusal> {
        let ke1 = read(ke1, KE1_LEN, CredentialRequest::<Suite>::deserialize)
            .ok_or(Refusal::Malformed)?;
        let registration = match content.stand_in {
            true => None,
            false => Some(
                ServerRegistration::<Suite>::deserialize(&content.upload)
                    .map_err(|_| Refusal::Tampered)?,
            ),
        };
        let key = self.key_material(hsm, login.account, login.reg_id, &content.rk)?;
        let (identity, context) = login.identity_and_context();
        let parameters =
            ServerLoginParameters { context: Some(&context), identifiers: identity.identifiers() };
        let builder = ServerLogin::builder_with_key_material(
            &mut OsRng,
            &self.setup,
            key,
            registration,
            ke1,
            parameters,
        );
        let builder = builder.map_err(|_| Refusal::Malformed)?;
        let shared = self.diffie_hellman(builder.data())?;
        let started = builder.build(shared).map_err(|_| Refusal::Malformed)?;
        Ok((
            started.message.serialize().to_vec(),
            Zeroizing::new(started.state.serialize().to_vec()),
        ))
    }

    /// Returns the session key if KE3 proves that the client has it, or `None` otherwise.
    pub(crate) fn finish(
        &self,
        login: &LoginRef<'_>,
        state: &[u8],
        ke3: &[u8],
    ) -> Result<Option<Zeroizing<[u8; 64]>>, Refusal> {
        let ke3 = read(ke3, KE3_LEN, CredentialFinalization::<Suite>::deserialize)
            .ok_or(Refusal::Malformed)?;
        let server_login =
            read(state, STATE_LEN, ServerLogin::<Suite>::deserialize).ok_or(Refusal::Conflict)?;
        let (identity, context) = login.identity_and_context();
        let parameters =
            ServerLoginParameters { context: Some(&context), identifiers: identity.identifiers() };
        let Ok(mut finished) = server_login.finish(ke3, parameters) else { return Ok(None) };
        let mut session_key = Zeroizing::new([0; 64]);
        session_key.copy_from_slice(&finished.session_key);
        finished.session_key.zeroize();
        Ok(Some(session_key))
    }

    /// Returns the Diffie-Hellman secret shared with a client's ephemeral key.
    fn diffie_hellman(
        &self,
        ephemeral: &PublicKey<Ristretto255>,
    ) -> Result<GenericArray<u8, U32>, Refusal> {
        let point = CompressedRistretto(ephemeral.serialize().into())
            .decompress()
            .ok_or(Refusal::Malformed)?;
        let shared = Zeroizing::new((point * *self.private).compress());
        Ok(GenericArray::clone_from_slice(shared.as_bytes()))
    }

    /// Returns a registration's OPRF key material. When HKDF-Expand (RFC 5869, 2.3) outputs one
    /// block, it is a single HMAC, which the HSM computes.
    fn key_material(
        &self,
        hsm: &dyn Hsm,
        account: &Account,
        reg_id: &RegId,
        rk: &[u8; 32],
    ) -> Result<GenericArray<u8, U32>, Refusal> {
        let identifier = Zeroizing::new([&rk[..], account, reg_id].concat());
        let info = self.setup.key_material_info(&identifier).info;
        let mac = hsm.oprf(&Zeroizing::new([info[0], info[1], &[1]].concat()))?;
        Ok(GenericArray::clone_from_slice(&mac[..32]))
    }
}

/// Returns a stand-in's random number. It depends only on the account, so that the same KE1 always
/// evaluates to the same value.
pub(super) fn stand_in_rk(hsm: &dyn Hsm, account: &Account) -> Result<[u8; 32], Refusal> {
    let derived = hsm.derive(&[STAND_IN_LABEL, account].concat())?;
    let mut rk = [0; 32];
    rk.copy_from_slice(&derived[..32]);
    Ok(rk)
}

/// Returns whether `bytes` are a valid OPAQUE registration record.
pub(crate) fn is_upload(bytes: &[u8]) -> bool {
    read(bytes, REGISTRATION_UPLOAD_LEN, RegistrationUpload::<Suite>::deserialize).is_some()
}

/// Returns whether `bytes` are a valid KE1.
pub(super) fn is_ke1(bytes: &[u8]) -> bool {
    read(bytes, KE1_LEN, CredentialRequest::<Suite>::deserialize).is_some()
}

/// Deserializes a message that must be exactly `len` bytes long. `opaque-ke` alone would ignore
/// trailing bytes.
fn read<T, E>(bytes: &[u8], len: usize, deserialize: impl Fn(&[u8]) -> Result<T, E>) -> Option<T> {
    (bytes.len() == len).then(|| deserialize(bytes).ok()).flatten()
}

impl LoginRef<'_> {
    fn identity_and_context(&self) -> (ClientIdentity, [u8; 30]) {
        let account = AccountHash::from_bytes(*self.account);
        let identity = ClientIdentity::new(&account, &RegIdName::from_bytes(*self.reg_id));
        (identity, suite::context(&bulla_vault::AttemptId::from_bytes(*self.attempt_id)))
    }
}
