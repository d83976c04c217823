//! Shared test code: a vault in a directory, a clock that is set manually, and an OPAQUE client
//! with cheap key stretching.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

#[cfg(unix)]
pub mod cluster;
pub mod contract;
pub mod faults;
pub mod server;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bulla_key::PassphraseCost;
use bulla_vault::reply::{LoginReply, ReplyContext};
use bulla_vault::suite::{self, ClientIdentity, Suite};
use bulla_vault::{AccountHash, AttemptId, RegId, Stretching};
use bulla_vaultd::evaluator::{Evaluated, Local, RegisterCall, Registered};
use bulla_vaultd::hsm::{Hsm, KeyFile};
use bulla_vaultd::record::Policy;
use bulla_vaultd::store::{Embedded, Store};
use bulla_vaultd::vault::{Login, Vault, VaultError};
use opaque_ke::{
    ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, CredentialResponse, RegistrationResponse,
};
use rand_core::OsRng;

pub const ALICE: [u8; 32] = [0xa1; 32];
pub const REG: [u8; 32] = [0x11; 32];
pub const NEW_REG: [u8; 32] = [0x22; 32];
pub const WRAPPED: [u8; 48] = [0x5a; 48];

/// The Unix time at which tests begin.
pub const NOW: u64 = 1_800_000_000;

/// A clock that is set manually.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub fn new() -> TestClock {
        TestClock(Arc::new(AtomicU64::new(NOW)))
    }

    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn clock(&self) -> bulla_vaultd::evaluator::Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// A vault in a directory, as a single process would run it.
pub struct TestVault {
    pub store: Arc<dyn Store>,
    pub hsm: Arc<dyn Hsm>,
    pub local: Arc<Local>,
    pub vault: Vault,
    pub clock: TestClock,
}

/// Returns a policy without delays. Tests for delays set their own.
pub fn policy() -> Policy {
    Policy { delays: [0; 11], ..Policy::default() }
}

impl TestVault {
    pub fn open(directory: &Path) -> TestVault {
        TestVault::with(directory, policy(), TestClock::new())
    }

    pub fn with(directory: &Path, policy: Policy, clock: TestClock) -> TestVault {
        let keys = directory.join("keys");
        let hsm =
            if keys.exists() { KeyFile::open(&keys) } else { KeyFile::create(&keys) }.unwrap();
        let store = Arc::new(Embedded::open(&directory.join("records")).unwrap());
        let watermarks = Arc::new(Embedded::open(&directory.join("marks")).unwrap());
        TestVault::from_parts(store, Arc::new(hsm), watermarks, policy, clock)
    }

    pub fn from_parts(
        store: Arc<dyn Store>,
        hsm: Arc<dyn Hsm>,
        watermarks: Arc<dyn Store>,
        policy: Policy,
        clock: TestClock,
    ) -> TestVault {
        let local =
            Arc::new(Local::new(Arc::clone(&hsm), watermarks, policy, clock.clock()).unwrap());
        let vault = Vault::new(Arc::clone(&store), local.clone(), None);
        TestVault { store, hsm, local, vault, clock }
    }

    /// Registers, and proves the registration with a login.
    pub fn enroll(&self, account: &[u8; 32], reg_id: &[u8; 32], password: &str, max: u32) {
        register(&self.vault, account, reg_id, password, max, None).unwrap();
        login(&self.vault, account, reg_id, password).unwrap();
    }

    pub fn left(&self, account: &[u8; 32], reg_id: &[u8; 32]) -> u8 {
        self.vault.status(account).unwrap().unwrap().registration(reg_id).unwrap().left
    }
}

/// Returns the cheapest cost that Argon2id allows.
pub fn cheap() -> Stretching {
    Stretching::new(PassphraseCost::new(1, 8, 1).unwrap())
}

pub fn identity(account: &[u8; 32], reg_id: &[u8; 32]) -> ClientIdentity {
    ClientIdentity::new(&AccountHash::from_bytes(*account), &RegId::from_bytes(*reg_id))
}

/// A client's registration between its two calls.
pub struct RegistrationStart {
    pub state: ClientRegistration<Suite>,
    pub request: [u8; 32],
}

pub fn begin(password: &str) -> RegistrationStart {
    let started = ClientRegistration::<Suite>::start(&mut OsRng, password.as_bytes()).unwrap();
    RegistrationStart { state: started.state, request: started.message.serialize().into() }
}

/// Returns a registration's second call.
pub fn upload(
    account: &[u8; 32],
    reg_id: &[u8; 32],
    password: &str,
    registering: &RegistrationStart,
    response: &[u8],
    max: u32,
    grant: Option<&[u8]>,
) -> RegisterCall {
    let identity = identity(account, reg_id);
    let stretching = cheap();
    let parameters =
        ClientRegistrationFinishParameters::new(identity.identifiers(), Some(&stretching));
    let response = RegistrationResponse::deserialize(response).unwrap();
    let finished = registering
        .state
        .clone()
        .finish(&mut OsRng, password.as_bytes(), response, parameters)
        .unwrap();
    RegisterCall {
        account: *account,
        counter: None,
        reg_id: *reg_id,
        upload: finished.message.serialize().to_vec(),
        wrapped_key: WRAPPED.to_vec(),
        max,
        stretching: [1, 8, 1],
        grant: grant.map(<[u8]>::to_vec),
    }
}

pub fn register(
    vault: &Vault,
    account: &[u8; 32],
    reg_id: &[u8; 32],
    password: &str,
    max: u32,
    grant: Option<&[u8]>,
) -> Result<Registered, VaultError> {
    let registering = begin(password);
    let response = vault.register_start(account, reg_id, &registering.request)?;
    vault.register_finish(upload(account, reg_id, password, &registering, &response, max, grant))
}

/// A client's guess between its two calls.
#[derive(Clone)]
pub struct Guess {
    pub login: Login,
    pub state: ClientLogin<Suite>,
    pub ke1: Vec<u8>,
    password: String,
}

/// The KE3 of a login with the correct password.
pub struct Proof {
    pub login: Login,
    pub token: Vec<u8>,
    pub ke3: Vec<u8>,
    pub session_key: [u8; 64],
}

/// The reason a login failed.
#[derive(Debug, PartialEq, Eq)]
pub enum LoginError {
    /// The client found that the password was wrong.
    WrongPassword { left: u8 },
    /// The vault returned an error.
    Vault(VaultError),
}

impl Guess {
    pub fn new(account: &[u8; 32], reg_id: &[u8; 32], password: &str) -> Guess {
        let started = ClientLogin::<Suite>::start(&mut OsRng, password.as_bytes()).unwrap();
        let attempt_id = *AttemptId::generate().unwrap().as_bytes();
        Guess {
            login: Login { account: *account, reg_id: *reg_id, attempt_id },
            state: started.state,
            ke1: started.message.serialize().to_vec(),
            password: password.to_owned(),
        }
    }

    /// Processes KE2.
    pub fn prove(&self, evaluated: &Evaluated) -> Result<Proof, LoginError> {
        let identity = identity(&self.login.account, &self.login.reg_id);
        let context = suite::context(&AttemptId::from_bytes(self.login.attempt_id));
        let [passes, memory, lanes] = evaluated.stretching;
        let stretching = Stretching::new(PassphraseCost::new(passes, memory, lanes).unwrap());
        let parameters = ClientLoginFinishParameters::new(
            Some(&context),
            identity.identifiers(),
            Some(&stretching),
        );
        let ke2 = CredentialResponse::deserialize(&evaluated.ke2).unwrap();
        let finished =
            self.state.clone().finish(&mut OsRng, self.password.as_bytes(), ke2, parameters);
        let finished = finished.map_err(|_| LoginError::WrongPassword { left: evaluated.left })?;
        Ok(Proof {
            login: self.login,
            token: evaluated.login_token.clone(),
            ke3: finished.message.serialize().to_vec(),
            session_key: finished.session_key.into(),
        })
    }

    pub fn start(&self, vault: &Vault) -> Result<Evaluated, VaultError> {
        vault.login_start(&self.login, &self.ke1)
    }
}

impl Proof {
    pub fn finish(&self, vault: &Vault) -> Result<LoginReply, VaultError> {
        let sealed = vault.login_finish(&self.login, &self.token, &self.ke3)?;
        let context = ReplyContext {
            account: AccountHash::from_bytes(self.login.account),
            reg_id: RegId::from_bytes(self.login.reg_id),
            attempt_id: AttemptId::from_bytes(self.login.attempt_id),
        };
        Ok(LoginReply::open(&sealed.try_into().unwrap(), &self.session_key, &context).unwrap())
    }
}

/// Performs a complete login.
pub fn login(
    vault: &Vault,
    account: &[u8; 32],
    reg_id: &[u8; 32],
    password: &str,
) -> Result<LoginReply, LoginError> {
    let guess = Guess::new(account, reg_id, password);
    let evaluated = guess.start(vault).map_err(LoginError::Vault)?;
    guess.prove(&evaluated)?.finish(vault).map_err(LoginError::Vault)
}
