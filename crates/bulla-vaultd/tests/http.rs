//! The calls over HTTP: codes, tokens, rates, sizes (V-2.1 to V-2.6); known and unknown accounts
//! (V-8.5).

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
use bulla_vaultd::limits::Rates;
use support::online::{ISSUER, Online, agent, evaluated, try_call};
use support::*;

fn reg_id(bytes: [u8; 32]) -> RegId {
    RegId::from_bytes(bytes)
}

#[test]
fn from_registration_to_deletion() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    let online = Online::new(&bench);
    let alice = *AccountHash::of(ISSUER, "alice").as_bytes();
    let status = || -> Status { online.raw("GET", path::STATUS, &online.token("alice"), b"").is() };
    assert_eq!(status(), Status { current: None, pending: None });
    let registered: RegisterFinished = online.register("alice", REG, "right", 100, cheap()).is();
    assert_eq!(registered, RegisterFinished { state: RecordState::Pending, not_before: None });
    let pending = status().pending.unwrap();
    assert_eq!(
        (pending.state, pending.left, pending.max),
        (RecordState::Pending, 10, 10),
        "no more than 10"
    );

    // Whoever has a token only does not learn what a guess would have to name.
    let told = online.raw("GET", path::STATUS, &online.token("alice"), b"").body;
    let plain = bulla_vault::wire::encode(&reg_id(REG));
    assert!(!told.windows(plain.len() - 2).any(|window| window == &plain[1..plain.len() - 1]));
    assert_eq!(pending.name, reg_id(REG).record_name());

    let guess = Guess::new(&alice, &REG, "right");
    let started: LoginStarted = online.start("alice", &guess).unwrap().is();
    let proof = guess.prove(&evaluated(&started)).unwrap();
    let ke3 = proof.ke3.clone().try_into().unwrap();
    let wrong = online.finish("alice", &guess, &proof.token, [7; 64]).unwrap().failure();
    assert_eq!((wrong.code, wrong.left), (Code::WrongPassword, Some(9)));
    let finished: LoginFinished = online.finish("alice", &guess, &proof.token, ke3).unwrap().is();
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
    let announced = online.delete(&online.token("alice"), &delete);
    assert_eq!(announced.status, 202);
    let announced: DeleteAnnounced = bulla_vault::wire::decode(&announced.body).unwrap();
    assert_eq!(announced.not_before, NOW + 7 * 86_400);
    let delete = Delete { reg_id: reg_id(REG), grant: Some(Fixed(*reply.grant)) };
    for _ in 0..2 {
        let deleted = online.delete(&online.token("alice"), &delete);
        assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    }
    assert_eq!(status(), Status { current: None, pending: None });
}

#[test]
fn codes() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    let online = Online::new(&bench);
    let alice = *AccountHash::of(ISSUER, "alice").as_bytes();
    online.register("alice", REG, "right", 1, cheap());

    let bodies: [&[u8]; 5] = [b"", b"{}", b"[]", b"{\"reg_id\":1}", &[b' '; 4097]];
    for path in [path::REGISTER_START, path::REGISTER_FINISH, path::LOGIN_START, path::LOGIN_FINISH]
    {
        // Of this much the vault reads a part, and whoever goes on sending may miss the answer.
        let url = format!("{}{path}", online.url);
        match try_call(&agent(), "POST", &url, &online.token("alice"), &[b' '; 100_000]) {
            Ok(answer) => assert_eq!(answer.code(), Code::Malformed, "{path}"),
            Err(error) => assert!(matches!(error, ureq::Error::Io(_)), "{error}"),
        }
        for body in bodies {
            let answer = online.raw("POST", path, &online.token("alice"), body);
            assert_eq!(answer.code(), Code::Malformed, "{path}");
        }
        for token in ["", "x", &online.token("alice")[1..]] {
            assert_eq!(online.raw("POST", path, token, b"{}").code(), Code::Unauthorized);
        }
    }
    // A KE1 of zeros is none, and costs nothing.
    let mut none = Guess::new(&alice, &REG, "right");
    none.ke1 = vec![0; 96];
    assert_eq!(online.start("alice", &none).unwrap().code(), Code::Malformed);

    let guess = Guess::new(&alice, &REG, "right");
    let started: LoginStarted = online.start("alice", &guess).unwrap().is();
    assert_eq!(online.finish("alice", &guess, &[7; 240], [7; 64]).unwrap().code(), Code::Conflict);
    let late = online.start("alice", &Guess::new(&alice, &REG, "right")).unwrap().failure();
    assert_eq!(
        (late.code, late.left, late.retry_after),
        (Code::TooManyRequests, Some(0), Some(600))
    );
    bench.time.pass(600);
    let locked = online.start("alice", &Guess::new(&alice, &REG, "right")).unwrap().failure();
    assert_eq!((locked.code, locked.left), (Code::Locked, Some(0)));
    let token = started.login_token.as_bytes().to_vec();
    assert_eq!(online.finish("alice", &guess, &token, [7; 64]).unwrap().code(), Code::Locked);

    let info: Info = online.raw("GET", path::INFO, "", b"").is();
    assert_eq!(info.public_key.0, online.service.public_key());
    assert_eq!(online.raw("GET", path::HEALTH, "", b"").body, b"ok\n");
    let metrics = String::from_utf8(online.raw("GET", path::METRICS, "", b"").body).unwrap();
    assert!(metrics.contains("bulla_vault_evaluations 1\n"), "{metrics}");
    assert!(
        metrics.contains(r#"bulla_vault_requests_total{call="login_start",status="410"} 1"#),
        "{metrics}"
    );
    assert_eq!(online.raw("GET", "/v1/else", "", b"").status, 404);
}

#[test]
fn rates() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    let number = |number| NonZeroU32::new(number).unwrap();
    let online = Online::with(&bench, Rates { per_address: number(3), per_account: number(4) });
    let status = |subject: &str| online.raw("GET", path::STATUS, &online.token(subject), b"");
    assert_eq!((0..6).filter(|_| status("alice").status == 200).count(), 4);
    let limited = status("alice").failure();
    assert_eq!(limited.code, Code::TooManyRequests);
    assert!((1..=16).contains(&limited.retry_after.unwrap()));
    assert_eq!(status("bob").status, 200, "others are not held up");
    let codes: Vec<_> = (0..60).map(|number| status(&format!("user {number}")).status).collect();
    assert!(codes.contains(&429), "all from one address");
    assert_eq!(online.raw("GET", path::HEALTH, "", b"").status, 200);
}

/// A registration that is there and one that is not: the same codes, sizes and headers, and as good
/// as the same time.
#[test]
fn known_and_unknown_are_answered_alike() {
    const PAIRS: usize = 40;
    const GUESSES: usize = 8;
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::open(directory.path());
    let online = Online::new(&bench);
    for number in 0..PAIRS {
        online.register(&format!("known {number}"), REG, "right", 10, Stretching::default());
    }
    // One wrong guess: what is answered, and how long each call took.
    let guess = |subject: &str| {
        let account = *AccountHash::of(ISSUER, subject).as_bytes();
        let guess = Guess::new(&account, &REG, "wrong");
        let began = Instant::now();
        let start = online.start(subject, &guess).unwrap();
        let start_took = began.elapsed().as_secs_f64();
        let started: LoginStarted = start.is();
        let token = started.login_token.as_bytes().to_vec();
        let began = Instant::now();
        let finish = online.finish(subject, &guess, &token, [7; 64]).unwrap();
        let finish_took = began.elapsed().as_secs_f64();
        let left = [started.left, finish.failure().left.unwrap()];
        let sizes = [start.body.len(), finish.body.len()];
        let answers = ([start.status, finish.status], [start.headers, finish.headers], sizes, left);
        (answers, [start_took, finish_took])
    };
    // Each ratio is of two calls in a row, and the order changes, so that what else the machine
    // does is in both.
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
            // The first guess at an unknown one makes its stand-in, which takes a transaction more.
            if round > 0 {
                (0..2).for_each(|call| ratios[call].push(known.1[call] / unknown.1[call]));
            }
        }
    }
    for (call, mut ratios) in ["login start", "login finish"].iter().zip(ratios) {
        ratios.sort_by(f64::total_cmp);
        // Where the median lies, with four standard deviations of its rank: wide on a busy machine,
        // narrow on a quiet one.
        let (middle, reach) = (ratios.len() / 2, 2 * ratios.len().isqrt());
        let [low, median, high] = [middle - reach, middle, middle + reach].map(|rank| ratios[rank]);
        println!("known / unknown, {call}: median {median:.3}, within {low:.3} to {high:.3}");
        assert!(
            low <= 1.05 && high >= 0.95,
            "{call}: the times differ by more than 5%, for certain"
        );
    }
    // To the end: the grace, the lock, and what comes after.
    for subject in ["known 0", "other 0"] {
        let account = *AccountHash::of(ISSUER, subject).as_bytes();
        let start = || online.start(subject, &Guess::new(&account, &REG, "wrong")).unwrap();
        for _ in GUESSES..10 {
            assert_eq!(start().status, 200);
        }
        assert_eq!((start().code(), start().failure().left), (Code::TooManyRequests, Some(0)));
    }
    bench.time.pass(600);
    for subject in ["known 0", "other 0"] {
        let account = *AccountHash::of(ISSUER, subject).as_bytes();
        let start = || online.start(subject, &Guess::new(&account, &REG, "wrong")).unwrap();
        assert_eq!((start().code(), start().code()), (Code::Locked, Code::Locked));
    }
}
