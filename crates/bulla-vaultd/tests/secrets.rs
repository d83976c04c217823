//! Searches the vault's disk and logs for secrets (V-7.1 of spec/VAULT.md).

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bulla_vault::AccountHash;
use bulla_vaultd::audit::AuditLog;
use bulla_vaultd::record::sealed::STORED_LEN;
use bulla_vaultd::store::{RecordKey, RecordKind};
use bulla_vaultd::vault::Vault;
use support::server::{ISSUER, TestServer};
use support::*;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

/// Returns the encodings of a secret to search for: raw, hexadecimal and base64.
fn shapes(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    // Only the part of the base64 text that does not depend on what follows the secret is used.
    let [plain, url] =
        [STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)].map(String::into_bytes);
    let middle = |text: Vec<u8>| text[..text.len() - 4].to_vec();
    vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        middle(plain),
        middle(url),
    ]
}

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    shapes(secret).iter().any(|shape| bytes.windows(shape.len()).any(|window| window == shape))
}

fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn no_secret_is_on_disk_or_in_logs() {
    let captured = Captured::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .init();
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let audit = Arc::new(
        AuditLog::open(&directory.path().join("audit.log"), &directory.path().join("audit.key"))
            .unwrap(),
    );
    let vault = Vault::new(fixture.store.clone(), fixture.local.clone(), Some(audit));
    let alice = *AccountHash::of(ISSUER, "alice.of.example").as_bytes();

    let password = "correct horse battery staple";
    register(&vault, &alice, &REG, password, 10, None).unwrap();
    let guess = Guess::new(&alice, &REG, password);
    let proof = guess.prove(&guess.start(&vault).unwrap()).unwrap();
    let reply = proof.finish(&vault).unwrap();
    login(&vault, &alice, &REG, "a wrong password").unwrap_err();

    // Make the same calls over HTTP, including malformed ones, to capture what they log.
    let server = TestServer::new(&fixture);
    let token = server.token("alice.of.example");
    for path in ["/v1/register/start", "/v1/login/start", "/v1/login/finish", "/v1/else"] {
        server.raw("POST", path, &token, br#"{"reg_id":"not what it says"}"#);
    }
    server.raw("GET", "/v1/status", &token, b"");

    let mut places = files(directory.path());
    places.push(("log".to_owned(), captured.0.lock().unwrap().clone()));
    assert!(
        places.iter().any(|(name, bytes)| name == "log" && holds(bytes, b"login_start")),
        "the search misses the log"
    );
    let secrets: [(&str, &[u8]); 8] = [
        ("password", password.as_bytes()),
        ("wrong password", b"a wrong password"),
        ("wrapped key", &reply.wrapped_key),
        ("session key", &proof.session_key),
        ("grant", &reply.grant[..]),
        ("login token", &proof.token),
        ("name", b"alice.of.example"),
        ("account's token", token.as_bytes()),
    ];
    for (place, bytes) in &places {
        for (name, secret) in secrets {
            assert!(!holds(bytes, secret), "{place} contains the {name}");
        }
        if place != "keys" {
            for line in
                std::fs::read_to_string(directory.path().join("keys")).unwrap().lines().skip(1)
            {
                let key = line.rsplit(' ').next().unwrap();
                let key: Vec<_> = (0..key.len() / 2)
                    .map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).unwrap())
                    .collect();
                assert!(!holds(bytes, &key), "{place} contains a key of the vault");
            }
        }
    }
}

#[test]
fn all_records_have_the_same_size() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    for number in 0..5u8 {
        let account = [number; 32];
        fixture.enroll(
            &account,
            &REG,
            &"p".repeat(1 + 40 * usize::from(number)),
            1 + u32::from(number),
        );
        // A stand-in's records must have the same size.
        login(&fixture.vault, &account, &NEW_REG, "any").unwrap_err();
        (0..number).for_each(|_| _ = login(&fixture.vault, &account, &REG, "wrong").unwrap_err());
    }
    let accounts = fixture.store.accounts(RecordKind::Counter, None, 100).unwrap();
    assert_eq!(accounts.len(), 10);
    let mut sizes = std::collections::BTreeSet::new();
    for account in accounts {
        let counter = fixture.vault.status(&account).unwrap().unwrap();
        let live = counter.live.unwrap();
        let keys = [RecordKey::Counter(account), RecordKey::Sealed(account, live.reg_id)];
        let read = fixture.store.read(&keys).unwrap();
        let size = |at: usize| read[at].as_ref().unwrap().value.len();
        sizes.insert((size(0), size(1)));
    }
    assert_eq!(sizes.len(), 1, "{sizes:?}");
    assert_eq!(sizes.first().unwrap().1, STORED_LEN);
}
