//! Starts, kills and restarts the command itself. Tests V-8.4 of spec/VAULT.md with a real SIGKILL.

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]
#![cfg(unix)]

mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bulla_vaultd::tokens::Issuer;
use support::cluster::{Process, free_port, until};
use support::server::TestClient;
use support::*;

fn vaultd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bulla-vaultd")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A development vault in a child process.
struct Dev {
    process: Process,
    client: TestClient,
}

impl Dev {
    fn start(directory: &Path) -> Dev {
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla-vaultd"));
        command
            .arg("dev")
            .arg("--data")
            .arg(directory)
            .args(["--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--delays", "0", "--per-address", "100000", "--per-account", "100000"]);
        let process = Process::spawn(&mut command, &directory.with_extension("log"));
        let key = directory.join("issuer.key");
        until("the issuer's key exists", || key.exists());
        let issuer = Arc::new(Issuer::open("dev", &key).unwrap());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let client =
            TestClient::new(format!("http://127.0.0.1:{port}"), issuer, "dev", Arc::new(now));
        until("the vault is healthy", || client.try_health());
        Dev { process, client }
    }
}

#[test]
fn dev_starts_a_vault_that_keeps_its_records() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("vault");
    let dev = Dev::start(&data);
    let key = data.join("issuer.key").display().to_string();
    let token = vaultd(&["token", "--key", &key, "--issuer", "dev", "--subject", "alice"]);
    let token = text(&token.stdout).trim().to_owned();
    assert_eq!(dev.client.raw("GET", "/v1/status", &token, b"").status, 200);
    assert_eq!(dev.client.register("alice", REG, "right", 10, cheap()).status, 200);
    assert_eq!(dev.client.login("alice", REG, "right").wrapped_key, WRAPPED);
    drop(dev);

    let log = std::fs::read_to_string(data.with_extension("log")).unwrap();
    assert!(log.contains("DEVELOPMENT KEYS"), "{log}");
    assert!(log.contains("public key: ") && log.contains("login_finish"), "{log}");
    // The registration survives a restart.
    let dev = Dev::start(&data);
    assert_eq!(dev.client.login("alice", REG, "right").failures, 0);
}

#[test]
fn killing_the_server_at_any_time_grants_no_guess() {
    const ROUNDS: u8 = 20;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("vault");
    let mut evaluated_in_all = 0;
    for round in 0..ROUNDS {
        let mut dev = Dev::start(&data);
        let subject = format!("user {round}");
        dev.client.register(&subject, REG, "right", 10, cheap());
        dev.client.login(&subject, REG, "right");
        let evaluated = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (client, subject, evaluated) = (&dev.client, &subject, &evaluated);
                scope.spawn(move || {
                    while let Ok(response) =
                        client.start(subject, &client.guess(subject, REG, "wrong"))
                    {
                        match response.status {
                            200 => _ = evaluated.fetch_add(1, Ordering::SeqCst),
                            429 => break,
                            status => panic!("{status}"),
                        }
                    }
                });
            }
            // The time of the kill ranges from before the first response to after the last one.
            std::thread::sleep(Duration::from_micros(700 * u64::from(round)));
            dev.process.kill();
        });
        let dev = Dev::start(&data);
        let (evaluated, left) = (evaluated.load(Ordering::SeqCst), dev.client.left(&subject));
        assert!(evaluated + left <= 10, "round {round}: {evaluated} evaluated, and {left} left");
        evaluated_in_all += evaluated;
        if left > 0 {
            let reply = dev.client.login(&subject, REG, "right");
            assert_eq!((reply.wrapped_key, reply.failures), (WRAPPED, 10 - left), "round {round}");
        }
    }
    assert!(evaluated_in_all > 0, "every kill came before the first response");
}

#[test]
fn audit_verify_detects_changes_and_a_missing_end() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("vault");
    let dev = Dev::start(&data);
    dev.client.register("alice", REG, "right", 10, cheap());
    dev.client.login("alice", REG, "right");
    drop(dev);
    let (log, key) = (data.join("audit.log"), data.join("audit.pub"));
    let (log, key) = (log.to_str().unwrap(), key.to_str().unwrap());
    let verified = vaultd(&["audit", "verify", log, "--key", key]);
    let output = text(&verified.stdout);
    assert!(verified.status.success(), "{}", text(&verified.stderr));
    // Started, begun, registered, granted, proven.
    assert!(output.starts_with("verified 5 events"), "{output}");
    let head = output.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(vaultd(&["audit", "verify", log, "--key", key, "--head", &head]).status.success());

    let whole = std::fs::read_to_string(log).unwrap();
    std::fs::write(log, whole.replacen("granted", "refused", 1)).unwrap();
    let changed = vaultd(&["audit", "verify", log, "--key", key]);
    assert!(
        !changed.status.success() && text(&changed.stderr).contains("line 4"),
        "{}",
        text(&changed.stderr)
    );
    let cut: String = whole.split_inclusive('\n').take(4).collect();
    std::fs::write(log, cut).unwrap();
    assert!(!vaultd(&["audit", "verify", log, "--key", key, "--head", &head]).status.success());
}

#[test]
fn serve_requires_tls_off_loopback() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(path("tenants"), "{}").unwrap();
    assert!(vaultd(&["init", "--hsm", &format!("keys:{}", path("keys"))]).status.success());
    let [store, watermarks, hsm] = ["store", "marks", "keys"].map(path);
    let [store, watermarks, hsm] =
        [format!("redb:{store}"), format!("redb:{watermarks}"), format!("keys:{hsm}")];
    let [tenants, audit] = ["tenants", "audit"].map(path);
    let serve = |listen: &str| -> Vec<String> {
        let args = [
            "serve",
            "--listen",
            listen,
            "--tenants",
            &tenants,
            "--audit",
            &audit,
            "--store",
            &store,
        ];
        args.into_iter().chain(["--hsm", &hsm, "--marks", &watermarks]).map(str::to_owned).collect()
    };
    let refused =
        Command::new(env!("CARGO_BIN_EXE_bulla-vaultd")).args(serve("0.0.0.0:0")).output().unwrap();
    assert!(!refused.status.success() && text(&refused.stderr).contains("--tls-certificate"));

    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(path("certificate"), made.cert.pem()).unwrap();
    std::fs::write(path("tls-key"), made.signing_key.serialize_pem()).unwrap();
    let port = free_port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bulla-vaultd"));
    command.args(serve(&format!("0.0.0.0:{port}")));
    command.args(["--tls-certificate", &path("certificate"), "--tls-key", &path("tls-key")]);
    let _server = Process::spawn(&mut command, &directory.path().join("log"));

    let certificate = ureq::tls::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ureq::tls::TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(ureq::tls::RootCerts::new_with_certs(&[certificate]))
        .build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    until("the server answers over TLS", || {
        agent.get(format!("https://localhost:{port}/healthz")).call().is_ok()
    });
    assert!(
        agent.get(format!("http://localhost:{port}/healthz")).call().is_err(),
        "the server answers without TLS"
    );
}

/// The server answers 503 while the evaluator is down, and recovers when the evaluator is back.
#[test]
fn the_server_survives_a_restart_of_the_evaluator() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let keys = format!("keys:{}", path("keys"));
    assert!(vaultd(&["init", "--hsm", &keys]).status.success());
    assert!(!vaultd(&["init", "--hsm", &keys]).status.success(), "overwrote existing keys");
    let issuer = Arc::new(Issuer::open("id", &directory.path().join("issuer")).unwrap());
    let tenant = vaultd(&["token", "--key", &path("issuer"), "--issuer", "id", "--tenant"]);
    std::fs::write(path("tenants"), tenant.stdout).unwrap();
    let evaluator = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bulla-vaultd"));
        let watermarks = format!("redb:{}", path("marks"));
        command.args([
            "evaluator",
            "--socket",
            &path("socket"),
            "--hsm",
            &keys,
            "--marks",
            &watermarks,
        ]);
        let process = Process::spawn(&mut command, &directory.path().join("evaluator.log"));
        let socket = directory.path().join("socket");
        until("the evaluator listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        process
    };
    let mut running = evaluator();
    let port = free_port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bulla-vaultd"));
    command.args([
        "serve",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--tenants",
        &path("tenants"),
    ]);
    command.args(["--audit", &path("audit"), "--store", &format!("redb:{}", path("records"))]);
    command.args(["--evaluator", &path("socket")]);
    let _server = Process::spawn(&mut command, &directory.path().join("server.log"));
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let client = TestClient::new(format!("http://127.0.0.1:{port}"), issuer, "id", Arc::new(now));
    until("the server is healthy", || client.try_health());
    client.register("alice", REG, "right", 10, cheap());
    client.login("alice", REG, "right");

    let guess = client.guess("alice", REG, "right");
    running.kill();
    assert_eq!(client.start("alice", &guess).unwrap().status, 503);
    assert!(!client.try_health());
    let _running = evaluator();
    assert_eq!(client.left("alice"), 10, "a guess was spent");
    assert_eq!(client.start("alice", &guess).unwrap().status, 200);
    assert_eq!(
        client.login("alice", REG, "right").failures,
        1,
        "the unfinished guess was not counted"
    );
}
