//! What the tests of the vault share: a vault in a directory, a clock that they set, and a client
//! of OPAQUE that is fast.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

#[cfg(unix)]
pub mod cluster;
pub mod contract;
pub mod faults;
pub mod online;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bulla_key::PassphraseCost;
use bulla_vault::reply::{LoginReply, ReplyContext};
use bulla_vault::suite::{self, ClientIdentity, Suite};
use bulla_vault::{AccountHash, AttemptId, RegId, Stretching};
use bulla_vaultd::evaluator::{Evaluated, Local, PlaceCall, Placed};
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

/// Half past nine of some day.
pub const NOW: u64 = 1_800_000_000;

/// A clock that is set by hand.
#[derive(Clone)]
pub struct Time(Arc<AtomicU64>);

impl Time {
    pub fn new() -> Time {
        Time(Arc::new(AtomicU64::new(NOW)))
    }

    pub fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn clock(&self) -> bulla_vaultd::evaluator::Clock {
        let time = self.clone();
        Arc::new(move || time.now())
    }
}

/// A vault in a directory, as one process has it.
pub struct Bench {
    pub store: Arc<dyn Store>,
    pub hsm: Arc<dyn Hsm>,
    pub local: Arc<Local>,
    pub vault: Vault,
    pub time: Time,
}

/// No delays: tests of them set their own.
pub fn policy() -> Policy {
    Policy { delays: [0; 11], ..Policy::default() }
}

impl Bench {
    pub fn open(directory: &Path) -> Bench {
        Bench::with(directory, policy(), Time::new())
    }

    pub fn with(directory: &Path, policy: Policy, time: Time) -> Bench {
        let keys = directory.join("keys");
        let hsm =
            if keys.exists() { KeyFile::open(&keys) } else { KeyFile::create(&keys) }.unwrap();
        let store = Arc::new(Embedded::open(&directory.join("records")).unwrap());
        let marks = Arc::new(Embedded::open(&directory.join("marks")).unwrap());
        Bench::of(store, Arc::new(hsm), marks, policy, time)
    }

    pub fn of(
        store: Arc<dyn Store>,
        hsm: Arc<dyn Hsm>,
        marks: Arc<dyn Store>,
        policy: Policy,
        time: Time,
    ) -> Bench {
        let local = Arc::new(Local::new(Arc::clone(&hsm), marks, policy, time.clock()).unwrap());
        let vault = Vault::new(Arc::clone(&store), local.clone(), None);
        Bench { store, hsm, local, vault, time }
    }

    /// Registers, and proves it by a login.
    pub fn enroll(&self, account: &[u8; 32], reg_id: &[u8; 32], password: &str, max: u32) {
        register(&self.vault, account, reg_id, password, max, None).unwrap();
        login(&self.vault, account, reg_id, password).unwrap();
    }

    pub fn left(&self, account: &[u8; 32], reg_id: &[u8; 32]) -> u8 {
        self.vault.status(account).unwrap().unwrap().slot(reg_id).unwrap().left
    }
}

/// As little as Argon2id can cost.
pub fn cheap() -> Stretching {
    Stretching::new(PassphraseCost::new(1, 8, 1).unwrap())
}

pub fn identity(account: &[u8; 32], reg_id: &[u8; 32]) -> ClientIdentity {
    ClientIdentity::new(&AccountHash::from_bytes(*account), &RegId::from_bytes(*reg_id))
}

/// A registration between its two calls.
pub struct Registering {
    pub state: ClientRegistration<Suite>,
    pub request: [u8; 32],
}

pub fn begin(password: &str) -> Registering {
    let started = ClientRegistration::<Suite>::start(&mut OsRng, password.as_bytes()).unwrap();
    Registering { state: started.state, request: started.message.serialize().into() }
}

/// The second call of a registration.
pub fn upload(
    account: &[u8; 32],
    reg_id: &[u8; 32],
    password: &str,
    registering: &Registering,
    response: &[u8],
    max: u32,
    grant: Option<&[u8]>,
) -> PlaceCall {
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
    PlaceCall {
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
) -> Result<Placed, VaultError> {
    let registering = begin(password);
    let response = vault.register_start(account, reg_id, &registering.request)?;
    vault.register_finish(upload(account, reg_id, password, &registering, &response, max, grant))
}

/// A guess between its two calls.
#[derive(Clone)]
pub struct Guess {
    pub login: Login,
    pub state: ClientLogin<Suite>,
    pub ke1: Vec<u8>,
    password: String,
}

/// The third message of a login whose password was right.
pub struct Proof {
    pub login: Login,
    pub token: Vec<u8>,
    pub ke3: Vec<u8>,
    pub session_key: [u8; 64],
}

/// Why a login came to nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed {
    /// The client saw that the password is wrong.
    Wrong { left: u8 },
    /// The vault said no.
    Said(VaultError),
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

    /// What the client makes of the second message.
    pub fn prove(&self, evaluated: &Evaluated) -> Result<Proof, Failed> {
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
        let finished = finished.map_err(|_| Failed::Wrong { left: evaluated.left })?;
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

/// A whole login.
pub fn login(
    vault: &Vault,
    account: &[u8; 32],
    reg_id: &[u8; 32],
    password: &str,
) -> Result<LoginReply, Failed> {
    let guess = Guess::new(account, reg_id, password);
    let evaluated = guess.start(vault).map_err(Failed::Said)?;
    guess.prove(&evaluated)?.finish(vault).map_err(Failed::Said)
}
