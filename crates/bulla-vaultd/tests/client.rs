//! The client of `bulla-vault` at a real server.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use bulla_key::{Passphrase, PassphraseCost};
use bulla_vault::http::{HttpTransport, Trust};
use bulla_vault::{
    Client, Deleted, Error, LocatorFiles, Registered, RegistrationOptions, Stretching, Token,
    VaultIdentity,
};
use support::Bench;
use support::online::Online;

fn client(online: &Online, subject: &str) -> Client<HttpTransport> {
    let token = Token::parse(&online.token(subject)).unwrap();
    let account = token.account();
    let transport = HttpTransport::new(&online.url, token, &Trust::System).unwrap();
    let vault =
        VaultIdentity { address: online.url.clone(), public_key: online.service.public_key() };
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
fn register_recover_register_anew_delete() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    let online = Online::new(&bench);
    let mut locators = LocatorFiles::new(directory.path().join("locator"));
    let [old, new, wrong] =
        ["old password", "new password", "wrong"].map(|text| Passphrase::new(text).unwrap());
    let key = bulla::Key::generate().unwrap();

    let mut alice = client(&online, "alice");
    assert_eq!(
        alice.register(&old, &key, &mut locators, &terms(None)).unwrap(),
        Registered::Active
    );
    // Another machine, with the locator.
    let mut elsewhere = client(&online, "alice");
    assert!(matches!(
        elsewhere.recover(&wrong, &locators.read().unwrap()),
        Err(Error::WrongPassword { .. })
    ));
    let recovered = elsewhere.recover(&old, &locators.read().unwrap()).unwrap();
    assert_eq!((recovered.key.expose(), recovered.failures), (key.expose(), 1));

    // Without a grant it waits, and both locators lead to the key; with one it replaces at once.
    let announced = alice.register(&new, &key, &mut locators, &terms(None)).unwrap();
    assert!(matches!(announced, Registered::Announced { .. }));
    assert_eq!(locators.read().unwrap().len(), 2);
    let recovered = elsewhere.recover(&old, &locators.read().unwrap()).unwrap();
    let registered = alice.register(&new, &key, &mut locators, &terms(Some(&recovered))).unwrap();
    assert_eq!(registered, Registered::Active);
    let recovered = elsewhere.recover(&new, &locators.read().unwrap()).unwrap();
    assert_eq!(recovered.key.expose(), key.expose());
    assert!(elsewhere.recover(&old, &locators.read().unwrap()).is_err());

    // Another account's client gets nothing by the locator.
    let said = client(&online, "mallory").recover(&new, &locators.read().unwrap()).map(|_| ());
    assert!(matches!(said, Err(Error::WrongPassword { .. } | Error::NoRecord)), "{said:?}");
    let recovered = elsewhere.recover(&new, &locators.read().unwrap()).unwrap();
    assert_eq!(alice.delete(recovered.reg_id, Some(&recovered.grant)).unwrap(), Deleted::Gone);
    assert!(elsewhere.recover(&new, &locators.read().unwrap()).is_err());
}
