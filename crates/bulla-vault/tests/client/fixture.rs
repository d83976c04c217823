//! An account, its vault, and a directory for its locators.

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
use crate::transport::{StepBudget, TestTransport};

pub(crate) struct Fixture {
    pub(crate) server: Rc<RefCell<Server>>,
    pub(crate) account: AccountHash,
    pub(crate) vault: VaultIdentity,
    pub(crate) key: Key,
    directory: TempDir,
}

impl Fixture {
    /// Creates an account without a registration.
    pub(crate) fn new() -> Fixture {
        let account = AccountHash::of("https://id.example", "alice");
        let server = Server::new(account);
        let vault = VaultIdentity {
            address: "https://vault.example".into(),
            public_key: server.public_key(),
        };
        let key = Key::from_bytes(&[0xB4; 32]);
        Fixture {
            server: Rc::new(RefCell::new(server)),
            account,
            vault,
            key,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Creates an account whose key is registered under the password "first".
    pub(crate) fn registered() -> Fixture {
        let fixture = Fixture::new();
        fixture
            .client()
            .register(&password("first"), &fixture.key, &mut fixture.files(), &options())
            .unwrap();
        fixture
    }

    pub(crate) fn client(&self) -> Client<TestTransport> {
        self.crashing_client(&StepBudget::new(u32::MAX))
    }

    pub(crate) fn crashing_client(&self, budget: &StepBudget) -> Client<TestTransport> {
        Client::new(TestTransport::new(&self.server, budget), self.vault.clone(), self.account)
    }

    pub(crate) fn files(&self) -> LocatorFiles {
        LocatorFiles::new(self.directory.path().join("key.locator"))
    }

    /// Recovers the key with the stored locators.
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

/// Returns options with 5 guesses and the cheapest stretching.
pub(crate) fn options() -> RegistrationOptions {
    RegistrationOptions {
        max_guesses: 5,
        stretching: Stretching::new(PassphraseCost::new(1, 8, 1).unwrap()),
        grant: None,
    }
}
