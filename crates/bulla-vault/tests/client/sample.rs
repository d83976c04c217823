//! One account, its vault, and a directory for its locators.

use std::cell::RefCell;
use std::rc::Rc;

use bulla::Key;
use bulla_key::{Passphrase, PassphraseCost};
use bulla_vault::{
    AccountHash, Client, Error, LocatorFiles, Recovered, RegistrationOptions, Stretching,
    VaultIdentity,
};
use tempfile::TempDir;

use crate::server::Server;
use crate::wire::{Life, Wire};

pub(crate) struct Sample {
    pub(crate) server: Rc<RefCell<Server>>,
    pub(crate) account: AccountHash,
    pub(crate) vault: VaultIdentity,
    pub(crate) key: Key,
    directory: TempDir,
}

impl Sample {
    /// Nothing is registered yet.
    pub(crate) fn new() -> Sample {
        let account = AccountHash::of("https://id.example", "alice");
        let server = Server::new(account);
        let vault = VaultIdentity {
            address: "https://vault.example".into(),
            public_key: server.public_key(),
        };
        let key = Key::from_bytes(&[0xB4; 32]);
        Sample {
            server: Rc::new(RefCell::new(server)),
            account,
            vault,
            key,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// The key is registered under the password "first".
    pub(crate) fn registered() -> Sample {
        let sample = Sample::new();
        sample
            .client()
            .register(&password("first"), &sample.key, &mut sample.files(), &terms())
            .unwrap();
        sample
    }

    pub(crate) fn client(&self) -> Client<Wire> {
        self.mortal_client(&Life::of(u32::MAX))
    }

    pub(crate) fn mortal_client(&self, life: &Life) -> Client<Wire> {
        Client::new(Wire::new(&self.server, life), self.vault.clone(), self.account)
    }

    pub(crate) fn files(&self) -> LocatorFiles {
        LocatorFiles::new(self.directory.path().join("key.locator"))
    }

    /// What a client finds with what lies there.
    pub(crate) fn recover(&self, with: &str) -> Result<Recovered, Error> {
        self.client().recover(&password(with), &self.files().read().unwrap())
    }

    pub(crate) fn recovers(&self, with: &str) -> bool {
        match self.recover(with) {
            Ok(recovered) => recovered.key.expose() == self.key.expose(),
            Err(_) => false,
        }
    }
}

pub(crate) fn password(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

/// The cheapest stretching: what it costs is no subject here.
pub(crate) fn terms() -> RegistrationOptions {
    RegistrationOptions {
        max_guesses: 5,
        stretching: Stretching::new(PassphraseCost::new(1, 8, 1).unwrap()),
        grant: None,
    }
}
