//! RFC 9807's own vectors for OPAQUE-3DH over ristretto255 with SHA-512 (C.1.1, C.1.2, C.2.1)
//! through the library and the groups that the vault uses, with the stretching that those vectors
//! have: none.

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

/// One vector: its values by their names in the RFC, in lower case.
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

/// Gives these bytes in place of random ones, and no others.
struct Scripted(Vec<u8>);

impl Scripted {
    fn new(parts: &[&[u8]]) -> Scripted {
        Scripted(parts.concat())
    }

    /// A scalar is drawn as 64 bytes and reduced, so that what is less than the order stays what it
    /// is.
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
        assert!(
            to.len() <= self.0.len(),
            "{} bytes are asked for, {} are left",
            to.len(),
            self.0.len()
        );
        to.copy_from_slice(&self.0[..to.len()]);
        self.0.drain(..to.len());
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(to);
        Ok(())
    }
}

impl CryptoRng for Scripted {}

/// V-3.1: each message, the export key and the session key.
fn real(name: &str) {
    let vector = Vector::named(name);
    let (password, context) = (vector.get("password"), vector.get("context"));
    let (client, server) = (vector.find("client_identity"), vector.find("server_identity"));
    let identifiers = Identifiers { client: client.as_deref(), server: server.as_deref() };
    let setup = vector.setup(&vector.get("server_public_key"));
    let credential = vector.get("credential_identifier");
    assert_eq!(setup.keypair().public().serialize()[..], vector.get("server_public_key"));

    let mut rng = Scripted(Scripted::scalar(&vector.get("blind_registration")));
    let begun = ClientRegistration::<Unstretched>::start(&mut rng, &password).unwrap();
    assert_eq!(begun.message.serialize()[..], vector.get("registration_request"));
    let answered = ServerRegistration::start(&setup, begun.message, &credential).unwrap();
    assert_eq!(answered.message.serialize()[..], vector.get("registration_response"));
    let mut rng = Scripted(vector.get("envelope_nonce"));
    let parameters = ClientRegistrationFinishParameters::new(identifiers, None);
    let registered = begun.state.finish(&mut rng, &password, answered.message, parameters).unwrap();
    assert_eq!(registered.message.serialize()[..], vector.get("registration_upload"));
    assert_eq!(registered.export_key[..], vector.get("export_key"));

    let blind = Scripted::scalar(&vector.get("blind_login"));
    let mut rng =
        Scripted::new(&[&blind, &vector.get("client_keyshare_seed"), &vector.get("client_nonce")]);
    let begun = ClientLogin::<Unstretched>::start(&mut rng, &password).unwrap();
    assert_eq!(begun.message.serialize()[..], vector.get("ke1"));
    // The server draws the masking key of an unknown client for every login, so that it takes the
    // same time.
    let mut rng = Scripted::new(&[
        &[0; 64],
        &vector.get("masking_nonce"),
        &vector.get("server_keyshare_seed"),
        &vector.get("server_nonce"),
    ]);
    let server_parameters = ServerLoginParameters { context: Some(&context), identifiers };
    let record = ServerRegistration::finish(registered.message);
    let answered = ServerLogin::start(
        &mut rng,
        &setup,
        Some(record),
        begun.message,
        &credential,
        server_parameters.clone(),
    )
    .unwrap();
    assert_eq!(answered.message.serialize()[..], vector.get("ke2"));
    let parameters = ClientLoginFinishParameters::new(Some(&context), identifiers, None);
    let proven = begun
        .state
        .finish(&mut Scripted(Vec::new()), &password, answered.message, parameters)
        .unwrap();
    assert_eq!(proven.message.serialize()[..], vector.get("ke3"));
    assert_eq!(proven.export_key[..], vector.get("export_key"));
    assert_eq!(proven.session_key[..], vector.get("session_key"));
    let finished = answered.state.finish(proven.message, server_parameters).unwrap();
    assert_eq!(finished.session_key[..], vector.get("session_key"));
}

/// V-3.1
#[test]
fn real_without_identities() {
    real("real_1");
}

/// V-3.1, V-3.2
#[test]
fn real_with_identities() {
    real("real_2");
}

/// V-3.1: the answer to a client that the server does not know.
#[test]
fn fake() {
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
    let answered = ServerLogin::<Unstretched>::start(
        &mut rng,
        &vector.setup(&vector.get("client_public_key")),
        None,
        CredentialRequest::deserialize(&vector.get("ke1")).unwrap(),
        &vector.get("credential_identifier"),
        parameters,
    )
    .unwrap();
    assert_eq!(answered.message.serialize()[..], vector.get("ke2"));
}
