//! Checks the library and the groups that the vault uses against the RFC 9807 vectors for
//! OPAQUE-3DH over ristretto255 with SHA-512 (C.1.1, C.1.2, C.2.1). These vectors use no key
//! stretching.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

use std::collections::BTreeMap;

use opaque_ke::ksf::Identity;
use opaque_ke::*;
use rand_core::{CryptoRng, RngCore};

struct Unstretched;

impl CipherSuite for Unstretched {
    type OprfCs = <bulla_vault::suite::Suite as CipherSuite>::OprfCs;
    type KeyExchange = <bulla_vault::suite::Suite as CipherSuite>::KeyExchange;
    type Ksf = Identity;
}

/// A vector's values, keyed by their names in the RFC, in lower case.
struct Vector(BTreeMap<String, String>);

impl Vector {
    fn named(name: &str) -> Vector {
        let text = include_str!("vectors.json");
        Vector(serde_json::from_str::<BTreeMap<String, _>>(text).unwrap().remove(name).unwrap())
    }

    fn get(&self, name: &str) -> Vec<u8> {
        self.find(name).unwrap_or_else(|| panic!("{name} is missing"))
    }

    fn find(&self, name: &str) -> Option<Vec<u8>> {
        let digits = self.0.get(name)?;
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        Some((0..digits.len()).step_by(2).map(byte).collect())
    }

    fn setup(&self, unknown_client: &[u8]) -> ServerSetup<Unstretched> {
        let parts = [&self.get("oprf_seed")[..], &self.get("server_private_key"), unknown_client];
        ServerSetup::deserialize(&parts.concat()).unwrap()
    }
}

/// A random number generator that returns given bytes, and panics when they run out.
struct Scripted(Vec<u8>);

impl Scripted {
    fn new(parts: &[&[u8]]) -> Scripted {
        Scripted(parts.concat())
    }

    /// Returns 64 bytes from which `opaque-ke` derives the given scalar. `opaque-ke` reduces the
    /// bytes modulo the group order, which does not change a scalar.
    fn scalar(scalar: &[u8]) -> Vec<u8> {
        [scalar, &[0; 32]].concat()
    }
}

impl RngCore for Scripted {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        assert!(to.len() <= self.0.len(), "{} bytes requested, {} left", to.len(), self.0.len());
        to.copy_from_slice(&self.0[..to.len()]);
        self.0.drain(..to.len());
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(to);
        Ok(())
    }
}

impl CryptoRng for Scripted {}

/// Checks each message, the export key and the session key (V-3.1).
fn check_real_client(name: &str) {
    let vector = Vector::named(name);
    let (password, context) = (vector.get("password"), vector.get("context"));
    let (client, server) = (vector.find("client_identity"), vector.find("server_identity"));
    let identifiers = Identifiers { client: client.as_deref(), server: server.as_deref() };
    let setup = vector.setup(&vector.get("server_public_key"));
    let credential = vector.get("credential_identifier");
    assert_eq!(setup.keypair().public().serialize()[..], vector.get("server_public_key"));

    let mut rng = Scripted(Scripted::scalar(&vector.get("blind_registration")));
    let started = ClientRegistration::<Unstretched>::start(&mut rng, &password).unwrap();
    assert_eq!(started.message.serialize()[..], vector.get("registration_request"));
    let responded = ServerRegistration::start(&setup, started.message, &credential).unwrap();
    assert_eq!(responded.message.serialize()[..], vector.get("registration_response"));
    let mut rng = Scripted(vector.get("envelope_nonce"));
    let parameters = ClientRegistrationFinishParameters::new(identifiers, None);
    let registered =
        started.state.finish(&mut rng, &password, responded.message, parameters).unwrap();
    assert_eq!(registered.message.serialize()[..], vector.get("registration_upload"));
    assert_eq!(registered.export_key[..], vector.get("export_key"));

    let blind = Scripted::scalar(&vector.get("blind_login"));
    let mut rng =
        Scripted::new(&[&blind, &vector.get("client_keyshare_seed"), &vector.get("client_nonce")]);
    let started = ClientLogin::<Unstretched>::start(&mut rng, &password).unwrap();
    assert_eq!(started.message.serialize()[..], vector.get("ke1"));
    // The server also draws the masking key that an unknown client would need, so that both cases
    // take the same time.
    let mut rng = Scripted::new(&[
        &[0; 64],
        &vector.get("masking_nonce"),
        &vector.get("server_keyshare_seed"),
        &vector.get("server_nonce"),
    ]);
    let server_parameters = ServerLoginParameters { context: Some(&context), identifiers };
    let record = ServerRegistration::finish(registered.message);
    let responded = ServerLogin::start(
        &mut rng,
        &setup,
        Some(record),
        started.message,
        &credential,
        server_parameters.clone(),
    )
    .unwrap();
    assert_eq!(responded.message.serialize()[..], vector.get("ke2"));
    let parameters = ClientLoginFinishParameters::new(Some(&context), identifiers, None);
    let proven = started
        .state
        .finish(&mut Scripted(Vec::new()), &password, responded.message, parameters)
        .unwrap();
    assert_eq!(proven.message.serialize()[..], vector.get("ke3"));
    assert_eq!(proven.export_key[..], vector.get("export_key"));
    assert_eq!(proven.session_key[..], vector.get("session_key"));
    let finished = responded.state.finish(proven.message, server_parameters).unwrap();
    assert_eq!(finished.session_key[..], vector.get("session_key"));
}

/// V-3.1
#[test]
fn real_client_without_identities() {
    check_real_client("real_1");
}

/// V-3.1, V-3.2
#[test]
fn real_client_with_identities() {
    check_real_client("real_2");
}

/// V-3.1
#[test]
fn fake_response_to_an_unknown_client() {
    let vector = Vector::named("fake_1");
    let (client, server) = (vector.get("client_identity"), vector.get("server_identity"));
    let context = vector.get("context");
    let parameters = ServerLoginParameters {
        context: Some(&context),
        identifiers: Identifiers { client: Some(&client), server: Some(&server) },
    };
    let mut rng = Scripted::new(&[
        &vector.get("masking_key"),
        &vector.get("masking_nonce"),
        &vector.get("server_keyshare_seed"),
        &vector.get("server_nonce"),
    ]);
    let responded = ServerLogin::<Unstretched>::start(
        &mut rng,
        &vector.setup(&vector.get("client_public_key")),
        None,
        CredentialRequest::deserialize(&vector.get("ke1")).unwrap(),
        &vector.get("credential_identifier"),
        parameters,
    )
    .unwrap();
    assert_eq!(responded.message.serialize()[..], vector.get("ke2"));
}
