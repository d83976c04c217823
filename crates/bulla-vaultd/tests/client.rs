//! Runs the `bulla-vault` client against a real server.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use bulla_key::{Passphrase, PassphraseCost};
use bulla_vault::http::{HttpTransport, Trust};
use bulla_vault::{
    Client, Deleted, Error, LocatorFiles, Registered, RegistrationOptions, Stretching, Token,
    VaultIdentity,
};
use support::TestVault;
use support::server::TestServer;

fn client(server: &TestServer, subject: &str) -> Client<HttpTransport> {
    let token = Token::parse(&server.token(subject)).unwrap();
    let account = token.account();
    let transport = HttpTransport::new(&server.url, token, &Trust::System).unwrap();
    let vault =
        VaultIdentity { address: server.url.clone(), public_key: server.service.public_key() };
    Client::new(transport, vault, account)
}

fn terms(grant: Option<&bulla_vault::Recovered>) -> RegistrationOptions {
    RegistrationOptions {
        max_guesses: 3,
        stretching: Stretching::new(PassphraseCost::new(1, 8, 1).unwrap()),
        grant: grant.map(|recovered| recovered.grant.clone()),
    }
}

#[test]
fn registers_recovers_replaces_and_deletes() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let server = TestServer::new(&fixture);
    let mut locators = LocatorFiles::new(directory.path().join("locator"));
    let [old, new, wrong] =
        ["old password", "new password", "wrong"].map(|text| Passphrase::new(text).unwrap());
    let key = bulla::Key::generate().unwrap();

    let mut alice = client(&server, "alice");
    assert_eq!(
        alice.register(&old, &key, &mut locators, &terms(None)).unwrap(),
        Registered::Active
    );
    // Another machine has only the locator.
    let mut other_machine = client(&server, "alice");
    assert!(matches!(
        other_machine.recover(&wrong, &locators.read().unwrap()),
        Err(Error::WrongPassword { .. })
    ));
    let recovered = other_machine.recover(&old, &locators.read().unwrap()).unwrap();
    assert_eq!((recovered.key.expose(), recovered.failures), (key.expose(), 1));

    // Without a grant, the replacement waits, and both locators recover the key. With a grant, the
    // replacement is immediate.
    let announced = alice.register(&new, &key, &mut locators, &terms(None)).unwrap();
    assert!(matches!(announced, Registered::Announced { .. }));
    assert_eq!(locators.read().unwrap().len(), 2);
    let recovered = other_machine.recover(&old, &locators.read().unwrap()).unwrap();
    let registered = alice.register(&new, &key, &mut locators, &terms(Some(&recovered))).unwrap();
    assert_eq!(registered, Registered::Active);
    let recovered = other_machine.recover(&new, &locators.read().unwrap()).unwrap();
    assert_eq!(recovered.key.expose(), key.expose());
    assert!(other_machine.recover(&old, &locators.read().unwrap()).is_err());

    // The locator is useless to another account.
    let result = client(&server, "mallory").recover(&new, &locators.read().unwrap()).map(|_| ());
    assert!(matches!(result, Err(Error::WrongPassword { .. } | Error::NoRecord)), "{result:?}");
    let recovered = other_machine.recover(&new, &locators.read().unwrap()).unwrap();
    assert_eq!(alice.delete(recovered.reg_id, Some(&recovered.grant)).unwrap(), Deleted::Gone);
    assert!(other_machine.recover(&new, &locators.read().unwrap()).is_err());
}
