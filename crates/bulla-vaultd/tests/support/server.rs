//! A vault that listens on loopback, and a client that shows its raw responses.

use std::net::TcpListener;
use std::num::NonZeroU32;
use std::sync::Arc;

use bulla_vault::messages::{
    Code, Failure, LoginFinish, LoginFinished, LoginStart, LoginStarted, RegisterFinish,
    RegisterStart, RegisterStarted, Status, path,
};
use bulla_vault::reply::{LoginReply, ReplyContext};
use bulla_vault::wire::{self, Bounded, Fixed};
use bulla_vault::{AccountHash, AttemptId, RegId, Stretching};
use bulla_vaultd::evaluator::Evaluated;
use bulla_vaultd::server::{Limits, Rates, Service};
use bulla_vaultd::tokens::{Issuer, Tenants};
use bulla_vaultd::vault::Vault;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Guess, NOW, TestVault, WRAPPED, begin, upload};

pub const ISSUER: &str = "https://id.example";

/// A vault client, with an issuer whose tokens the vault accepts.
pub struct TestClient {
    pub url: String,
    pub issuer: Arc<Issuer>,
    /// The issuer's name in tokens.
    pub name: String,
    /// The clock used for tokens.
    pub now: Arc<dyn Fn() -> u64 + Send + Sync>,
    agent: ureq::Agent,
}

/// A vault in this process that listens on a port.
pub struct TestServer {
    pub client: TestClient,
    pub service: Arc<Service>,
}

/// A response.
pub struct Response {
    pub status: u16,
    pub headers: Vec<String>,
    pub body: Vec<u8>,
}

impl TestServer {
    pub fn new(fixture: &TestVault) -> TestServer {
        let many = NonZeroU32::new(1_000_000).unwrap();
        TestServer::with(fixture, Rates { per_address: many, per_account: many })
    }

    pub fn with(fixture: &TestVault, rates: Rates) -> TestServer {
        let issuer = Arc::new(Issuer::generate(ISSUER).unwrap());
        let mut tenants = Tenants::default();
        tenants.add(ISSUER, issuer.public_key());
        let vault = Vault::new(fixture.store.clone(), fixture.local.clone(), None);
        let service =
            Service::new(vault, tenants, Limits::new(rates), fixture.clock.clock()).unwrap();
        let service = Arc::new(service);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = Arc::clone(&service);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.unwrap().block_on(bulla_vaultd::server::run(listener, served, None)).unwrap();
        });
        TestServer { client: TestClient::new(url, issuer, ISSUER, Arc::new(|| NOW)), service }
    }
}

impl std::ops::Deref for TestServer {
    type Target = TestClient;

    fn deref(&self) -> &TestClient {
        &self.client
    }
}

impl TestClient {
    pub fn new(
        url: String,
        issuer: Arc<Issuer>,
        name: &str,
        now: Arc<dyn Fn() -> u64 + Send + Sync>,
    ) -> TestClient {
        TestClient { url, issuer, name: name.to_owned(), now, agent: agent() }
    }

    /// Returns another client for the same vault.
    pub fn another(&self) -> TestClient {
        TestClient::new(
            self.url.clone(),
            Arc::clone(&self.issuer),
            &self.name,
            Arc::clone(&self.now),
        )
    }

    pub fn token(&self, subject: &str) -> String {
        self.issuer.token(subject, (self.now)(), 900)
    }

    pub fn post(&self, path: &str, token: &str, message: &impl Serialize) -> Response {
        call(&self.agent, "POST", &format!("{}{path}", self.url), token, &wire::encode(message))
    }

    pub fn delete(&self, token: &str, message: &impl Serialize) -> Response {
        call(
            &self.agent,
            "DELETE",
            &format!("{}{}", self.url, path::RECORD),
            token,
            &wire::encode(message),
        )
    }

    pub fn raw(&self, method: &str, path: &str, token: &str, body: &[u8]) -> Response {
        call(&self.agent, method, &format!("{}{path}", self.url), token, body)
    }

    /// Registers with cheap stretching, but tells the vault a different cost.
    pub fn register(
        &self,
        subject: &str,
        reg_id: [u8; 32],
        password: &str,
        max: u32,
        stated: Stretching,
    ) -> Response {
        let token = self.token(subject);
        let account = AccountHash::of(&self.name, subject);
        let registering = begin(password);
        let request = RegisterStart {
            reg_id: RegId::from_bytes(reg_id),
            request: Fixed(registering.request),
        };
        let started: RegisterStarted = self.post(path::REGISTER_START, &token, &request).is();
        let call = upload(
            account.as_bytes(),
            &reg_id,
            password,
            &registering,
            &started.response.0,
            max,
            None,
        );
        let request = RegisterFinish {
            reg_id: RegId::from_bytes(reg_id),
            upload: Fixed(call.upload.try_into().unwrap()),
            wrapped_key: Fixed(WRAPPED),
            max,
            stretching: stated,
            grant: None,
        };
        self.post(path::REGISTER_FINISH, &token, &request)
    }

    pub fn guess(&self, subject: &str, reg_id: [u8; 32], password: &str) -> Guess {
        Guess::new(AccountHash::of(&self.name, subject).as_bytes(), &reg_id, password)
    }

    pub fn start(&self, subject: &str, guess: &Guess) -> Result<Response, ureq::Error> {
        let request = LoginStart {
            reg_id: RegId::from_bytes(guess.login.reg_id),
            attempt_id: AttemptId::from_bytes(guess.login.attempt_id),
            ke1: Fixed(guess.ke1.clone().try_into().unwrap()),
        };
        let url = format!("{}{}", self.url, path::LOGIN_START);
        try_call(&self.agent, "POST", &url, &self.token(subject), &wire::encode(&request))
    }

    pub fn finish(
        &self,
        subject: &str,
        guess: &Guess,
        token: &[u8],
        ke3: [u8; 64],
    ) -> Result<Response, ureq::Error> {
        let request = LoginFinish {
            reg_id: RegId::from_bytes(guess.login.reg_id),
            attempt_id: AttemptId::from_bytes(guess.login.attempt_id),
            login_token: Bounded::new(token).unwrap(),
            ke3: Fixed(ke3),
        };
        let url = format!("{}{}", self.url, path::LOGIN_FINISH);
        try_call(&self.agent, "POST", &url, &self.token(subject), &wire::encode(&request))
    }

    /// Performs a complete login with the correct password.
    pub fn login(&self, subject: &str, reg_id: [u8; 32], password: &str) -> LoginReply {
        let guess = self.guess(subject, reg_id, password);
        let started: LoginStarted = self.start(subject, &guess).unwrap().is();
        let proof = guess.prove(&evaluated(&started)).unwrap();
        let ke3 = proof.ke3.clone().try_into().unwrap();
        let finished: LoginFinished = self.finish(subject, &guess, &proof.token, ke3).unwrap().is();
        let context = ReplyContext {
            account: AccountHash::of(&self.name, subject),
            reg_id: RegId::from_bytes(reg_id),
            attempt_id: AttemptId::from_bytes(guess.login.attempt_id),
        };
        LoginReply::open(&finished.sealed.0, &proof.session_key, &context).unwrap()
    }

    /// Returns the number of guesses left, as the owner's status reports it.
    pub fn left(&self, subject: &str) -> u32 {
        let status: Status = self.raw("GET", path::STATUS, &self.token(subject), b"").is();
        status.current.or(status.pending).unwrap().left
    }

    /// Returns whether the health check succeeds.
    pub fn try_health(&self) -> bool {
        let response =
            try_call(&self.agent, "GET", &format!("{}{}", self.url, path::HEALTH), "", b"");
        response.is_ok_and(|response| response.status == 200)
    }

    /// Returns one of the server's metrics.
    pub fn metric(&self, name: &str) -> u64 {
        let metrics = String::from_utf8(self.raw("GET", path::METRICS, "", b"").body).unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap().parse().unwrap()
    }
}

/// Converts the response to a login's first call.
pub fn evaluated(started: &LoginStarted) -> Evaluated {
    let cost = started.stretching.cost();
    Evaluated {
        ke2: started.ke2.0.to_vec(),
        login_token: started.login_token.as_bytes().to_vec(),
        left: started.left as u8,
        stretching: [cost.passes(), cost.memory_kib(), cost.lanes()],
    }
}

pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .build()
        .into()
}

pub fn try_call(
    agent: &ureq::Agent,
    method: &str,
    url: &str,
    token: &str,
    body: &[u8],
) -> Result<Response, ureq::Error> {
    let request = ureq::http::Request::builder().method(method).uri(url);
    let request = match token {
        "" => request,
        token => request.header("authorization", format!("Bearer {token}")),
    };
    let mut response = agent.run(request.body(body.to_vec())?)?;
    let mut headers: Vec<_> =
        response.headers().keys().map(|name| name.as_str().to_owned()).collect();
    headers.sort();
    let status = response.status().as_u16();
    Ok(Response { status, headers, body: response.body_mut().read_to_vec()? })
}

pub fn call(agent: &ureq::Agent, method: &str, url: &str, token: &str, body: &[u8]) -> Response {
    try_call(agent, method, url, token, body).unwrap()
}

impl Response {
    pub fn is<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        wire::decode(&self.body).unwrap()
    }

    pub fn failure(&self) -> Failure {
        let failure: Failure = wire::decode(&self.body).unwrap();
        assert_eq!(failure.code.number(), self.status);
        failure
    }

    pub fn code(&self) -> Code {
        self.failure().code
    }
}
