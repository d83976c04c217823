//! Tests the calls over HTTP: codes, tokens, rate limits and sizes (V-2.1 to V-2.6), and that known
//! and unknown registrations are indistinguishable (V-8.5).

#![allow(clippy::unwrap_used, reason = "a test may unwrap")]

mod support;

use std::num::NonZeroU32;
use std::time::Instant;

use bulla_vault::messages::{
    Code, Delete, DeleteAnnounced, Info, LoginFinished, LoginStarted, RecordState,
    RegisterFinished, Status, path,
};
use bulla_vault::wire::Fixed;
use bulla_vault::{AccountHash, AttemptId, RegId, Stretching};
use bulla_vaultd::server::Rates;
use support::server::{ISSUER, TestServer, agent, evaluated, try_call};
use support::*;

fn reg_id(bytes: [u8; 32]) -> RegId {
    RegId::from_bytes(bytes)
}

#[test]
fn registers_logs_in_and_deletes() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let server = TestServer::new(&fixture);
    let alice = *AccountHash::of(ISSUER, "alice").as_bytes();
    let status = || -> Status { server.raw("GET", path::STATUS, &server.token("alice"), b"").is() };
    assert_eq!(status(), Status { current: None, pending: None });
    let registered: RegisterFinished = server.register("alice", REG, "right", 100, cheap()).is();
    assert_eq!(registered, RegisterFinished { state: RecordState::Pending, not_before: None });
    let pending = status().pending.unwrap();
    assert_eq!(
        (pending.state, pending.left, pending.max),
        (RecordState::Pending, 10, 10),
        "the vault allows more than 10 guesses"
    );

    // A token alone does not reveal the identity that a guess has to name (V-2.5).
    let body = server.raw("GET", path::STATUS, &server.token("alice"), b"").body;
    let plain = bulla_vault::wire::encode(&reg_id(REG));
    assert!(!body.windows(plain.len() - 2).any(|window| window == &plain[1..plain.len() - 1]));
    assert_eq!(pending.name, reg_id(REG).record_name());

    let guess = Guess::new(&alice, &REG, "right");
    let started: LoginStarted = server.start("alice", &guess).unwrap().is();
    let proof = guess.prove(&evaluated(&started)).unwrap();
    let ke3 = proof.ke3.clone().try_into().unwrap();
    let wrong = server.finish("alice", &guess, &proof.token, [7; 64]).unwrap().failure();
    assert_eq!((wrong.code, wrong.left), (Code::WrongPassword, Some(9)));
    let finished: LoginFinished = server.finish("alice", &guess, &proof.token, ke3).unwrap().is();
    let context = bulla_vault::reply::ReplyContext {
        account: AccountHash::from_bytes(alice),
        reg_id: reg_id(REG),
        attempt_id: AttemptId::from_bytes(guess.login.attempt_id),
    };
    let reply =
        bulla_vault::reply::LoginReply::open(&finished.sealed.0, &proof.session_key, &context)
            .unwrap();
    assert_eq!(reply.wrapped_key, WRAPPED);
    assert_eq!(status().current.unwrap().state, RecordState::Active);

    let delete = Delete { reg_id: reg_id(REG), grant: None };
    let announced = server.delete(&server.token("alice"), &delete);
    assert_eq!(announced.status, 202);
    let announced: DeleteAnnounced = bulla_vault::wire::decode(&announced.body).unwrap();
    assert_eq!(announced.not_before, NOW + 7 * 86_400);
    let delete = Delete { reg_id: reg_id(REG), grant: Some(Fixed(*reply.grant)) };
    for _ in 0..2 {
        let deleted = server.delete(&server.token("alice"), &delete);
        assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    }
    assert_eq!(status(), Status { current: None, pending: None });
}

#[test]
fn answers_each_failure_with_its_code() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let server = TestServer::new(&fixture);
    let alice = *AccountHash::of(ISSUER, "alice").as_bytes();
    server.register("alice", REG, "right", 1, cheap());

    let bodies: [&[u8]; 5] = [b"", b"{}", b"[]", b"{\"reg_id\":1}", &[b' '; 4097]];
    for path in [path::REGISTER_START, path::REGISTER_FINISH, path::LOGIN_START, path::LOGIN_FINISH]
    {
        // The vault stops reading such a body, so the client may fail before it sees the response.
        let url = format!("{}{path}", server.url);
        match try_call(&agent(), "POST", &url, &server.token("alice"), &[b' '; 100_000]) {
            Ok(response) => assert_eq!(response.code(), Code::Malformed, "{path}"),
            Err(error) => assert!(matches!(error, ureq::Error::Io(_)), "{error}"),
        }
        for body in bodies {
            let response = server.raw("POST", path, &server.token("alice"), body);
            assert_eq!(response.code(), Code::Malformed, "{path}");
        }
        for token in ["", "x", &server.token("alice")[1..]] {
            assert_eq!(server.raw("POST", path, token, b"{}").code(), Code::Unauthorized);
        }
    }
    // Zeros are not a valid KE1, so they spend nothing.
    let mut invalid = Guess::new(&alice, &REG, "right");
    invalid.ke1 = vec![0; 96];
    assert_eq!(server.start("alice", &invalid).unwrap().code(), Code::Malformed);

    let guess = Guess::new(&alice, &REG, "right");
    let started: LoginStarted = server.start("alice", &guess).unwrap().is();
    assert_eq!(server.finish("alice", &guess, &[7; 240], [7; 64]).unwrap().code(), Code::Conflict);
    let late = server.start("alice", &Guess::new(&alice, &REG, "right")).unwrap().failure();
    assert_eq!(
        (late.code, late.left, late.retry_after),
        (Code::TooManyRequests, Some(0), Some(600))
    );
    fixture.clock.advance(600);
    let locked = server.start("alice", &Guess::new(&alice, &REG, "right")).unwrap().failure();
    assert_eq!((locked.code, locked.left), (Code::Locked, Some(0)));
    let token = started.login_token.as_bytes().to_vec();
    assert_eq!(server.finish("alice", &guess, &token, [7; 64]).unwrap().code(), Code::Locked);

    let info: Info = server.raw("GET", path::INFO, "", b"").is();
    assert_eq!(info.public_key.0, server.service.public_key());
    assert_eq!(server.raw("GET", path::HEALTH, "", b"").body, b"ok\n");
    let metrics = String::from_utf8(server.raw("GET", path::METRICS, "", b"").body).unwrap();
    assert!(metrics.contains("bulla_vault_evaluations 1\n"), "{metrics}");
    assert!(
        metrics.contains(r#"bulla_vault_requests_total{call="login_start",status="410"} 1"#),
        "{metrics}"
    );
    assert_eq!(server.raw("GET", "/v1/else", "", b"").status, 404);
}

#[test]
fn limits_requests_per_account_and_address() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let number = |number| NonZeroU32::new(number).unwrap();
    let server =
        TestServer::with(&fixture, Rates { per_address: number(3), per_account: number(4) });
    let status = |subject: &str| server.raw("GET", path::STATUS, &server.token(subject), b"");
    assert_eq!((0..6).filter(|_| status("alice").status == 200).count(), 4);
    let limited = status("alice").failure();
    assert_eq!(limited.code, Code::TooManyRequests);
    assert!((1..=16).contains(&limited.retry_after.unwrap()));
    assert_eq!(status("bob").status, 200, "another account is limited");
    let codes: Vec<_> = (0..60).map(|number| status(&format!("user {number}")).status).collect();
    assert!(codes.contains(&429), "the address is not limited");
    assert_eq!(server.raw("GET", path::HEALTH, "", b"").status, 200);
}

/// Known and unknown registrations get the same codes, sizes and headers, in times that differ by
/// no more than 5%.
#[test]
fn known_and_unknown_registrations_are_indistinguishable() {
    const PAIRS: usize = 40;
    const GUESSES: usize = 8;
    let directory = tempfile::tempdir().unwrap();
    let fixture = TestVault::open(directory.path());
    let server = TestServer::new(&fixture);
    for number in 0..PAIRS {
        server.register(&format!("known {number}"), REG, "right", 10, Stretching::default());
    }
    // Makes one wrong guess. Returns the responses and how long each call took.
    let guess = |subject: &str| {
        let account = *AccountHash::of(ISSUER, subject).as_bytes();
        let guess = Guess::new(&account, &REG, "wrong");
        let began = Instant::now();
        let start = server.start(subject, &guess).unwrap();
        let start_took = began.elapsed().as_secs_f64();
        let started: LoginStarted = start.is();
        let token = started.login_token.as_bytes().to_vec();
        let began = Instant::now();
        let finish = server.finish(subject, &guess, &token, [7; 64]).unwrap();
        let finish_took = began.elapsed().as_secs_f64();
        let left = [started.left, finish.failure().left.unwrap()];
        let sizes = [start.body.len(), finish.body.len()];
        let responses =
            ([start.status, finish.status], [start.headers, finish.headers], sizes, left);
        (responses, [start_took, finish_took])
    };
    // Each ratio compares two consecutive calls in alternating order, so that machine load affects
    // both.
    let mut ratios = [Vec::new(), Vec::new()];
    for number in 0..PAIRS {
        let (known, unknown) = (format!("known {number}"), format!("other {number}"));
        for round in 0..GUESSES {
            let [known, unknown] = match (number + round) % 2 {
                0 => [guess(&known), guess(&unknown)],
                _ => {
                    let unknown = guess(&unknown);
                    [guess(&known), unknown]
                }
            };
            assert_eq!(known.0, unknown.0);
            // The first guess for an unknown registration creates its stand-in in a transaction.
            if round > 0 {
                (0..2).for_each(|call| ratios[call].push(known.1[call] / unknown.1[call]));
            }
        }
    }
    for (call, mut ratios) in ["login start", "login finish"].iter().zip(ratios) {
        ratios.sort_by(f64::total_cmp);
        // The interval spans four standard deviations of the median's rank, so it is wide on a busy
        // machine and narrow on an idle one.
        let (middle, reach) = (ratios.len() / 2, 2 * ratios.len().isqrt());
        let [low, median, high] = [middle - reach, middle, middle + reach].map(|rank| ratios[rank]);
        println!("known / unknown, {call}: median {median:.3}, within {low:.3} to {high:.3}");
        assert!(low <= 1.05 && high >= 0.95, "{call}: the times differ by more than 5%");
    }
    // Use up the guesses to cover the grace period, the lock, and later attempts.
    for subject in ["known 0", "other 0"] {
        let account = *AccountHash::of(ISSUER, subject).as_bytes();
        let start = || server.start(subject, &Guess::new(&account, &REG, "wrong")).unwrap();
        for _ in GUESSES..10 {
            assert_eq!(start().status, 200);
        }
        assert_eq!((start().code(), start().failure().left), (Code::TooManyRequests, Some(0)));
    }
    fixture.clock.advance(600);
    for subject in ["known 0", "other 0"] {
        let account = *AccountHash::of(ISSUER, subject).as_bytes();
        let start = || server.start(subject, &Guess::new(&account, &REG, "wrong")).unwrap();
        assert_eq!((start().code(), start().code()), (Code::Locked, Code::Locked));
    }
}
