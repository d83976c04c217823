//! The OPAQUE cipher suite, and the identities and the context that a login is bound to.

use opaque_ke::{CipherSuite, Identifiers, Ristretto255, TripleDh};

use crate::protocol::ids::{AccountHash, AttemptId, RegId};
use crate::protocol::stretching::Stretching;

/// OPAQUE-3DH over ristretto255 with SHA-512 and Argon2id (V-3.1).
#[derive(Clone, Copy, Debug)]
pub struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2::Sha512>;
    type Ksf = Stretching;
}

/// Bytes in the vault's public key: a ristretto255 element.
pub const PUBLIC_KEY_LEN: usize = 32;
/// Bytes in a registration request, which is one group element (RFC 9807, 5.1).
pub const REGISTRATION_REQUEST_LEN: usize = 32;
/// Bytes in a registration response (RFC 9807, 5.1): an element and the vault's public key.
pub const REGISTRATION_RESPONSE_LEN: usize = 64;
/// Bytes in a registration record (RFC 9807, 5.1): the client's public key, masking key, and
/// envelope.
pub const REGISTRATION_UPLOAD_LEN: usize = 192;
/// Bytes in KE1, the first message of a login (RFC 9807, 6.1).
pub const KE1_LEN: usize = 96;
/// Bytes in KE2, the second message of a login (RFC 9807, 6.1).
pub const KE2_LEN: usize = 320;
/// Bytes in KE3, the third message of a login (RFC 9807, 6.1).
pub const KE3_LEN: usize = 64;
/// Bytes in the session key (V-3.1).
pub const SESSION_KEY_LEN: usize = 64;
/// Bytes in the export key (V-3.1).
pub const EXPORT_KEY_LEN: usize = 64;

/// The vault's public key, which clients pin.
pub type PublicKey = [u8; PUBLIC_KEY_LEN];

/// The OPAQUE client identity: the account and the registration (V-3.2). It binds a record to both,
/// so that a vault cannot use the record for another account or registration. The server identity
/// is the vault's public key.
#[derive(Clone, Copy, Debug)]
pub struct ClientIdentity([u8; 64]);

impl ClientIdentity {
    /// Returns the client identity of a registration.
    pub fn new(account: &AccountHash, reg_id: &RegId) -> ClientIdentity {
        let mut identity = [0; 64];
        identity[..32].copy_from_slice(account.as_bytes());
        identity[32..].copy_from_slice(reg_id.as_bytes());
        ClientIdentity(identity)
    }

    /// Returns the identity's bytes: the account, then the registration.
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Returns both identities for `opaque-ke`.
    pub fn identifiers(&self) -> Identifiers<'_> {
        Identifiers { client: Some(&self.0), server: None }
    }
}

/// Returns the OPAQUE context for a login: the protocol, the version and the attempt (V-3.2).
pub fn context(attempt_id: &AttemptId) -> [u8; 30] {
    let mut context = [0; 30];
    context[..14].copy_from_slice(b"bulla v1 vault");
    context[14..].copy_from_slice(attempt_id.as_bytes());
    context
}

#[cfg(test)]
mod tests {
    use opaque_ke::{ClientLogin, ClientRegistration, ServerRegistration, ServerSetup};
    use rand_core::OsRng;

    use super::*;

    /// V-3.1
    #[test]
    fn lengths_match_the_messages_of_opaque_ke() {
        let setup = ServerSetup::<Suite>::new(&mut OsRng);
        assert_eq!(setup.keypair().public().serialize().len(), PUBLIC_KEY_LEN);
        let registration = ClientRegistration::<Suite>::start(&mut OsRng, b"x").unwrap();
        assert_eq!(registration.message.serialize().len(), REGISTRATION_REQUEST_LEN);
        let response = ServerRegistration::start(&setup, registration.message, b"id").unwrap();
        assert_eq!(response.message.serialize().len(), REGISTRATION_RESPONSE_LEN);
        let login = ClientLogin::<Suite>::start(&mut OsRng, b"x").unwrap();
        assert_eq!(login.message.serialize().len(), KE1_LEN);
    }
}
