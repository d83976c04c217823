//! Fuzzing seeds: valid encodings of every kind, identical on each run.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED;
use ring::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::json;

use super::DECODERS;
use super::fakes::{EPOCH, FakeHsm, MAC, NOW, TAG};
use super::socket::{attempt, written};
use super::texts::{ISSUER, names, signed, signing_key};
use crate::audit::LABEL;
use crate::evaluator::*;
use crate::record::sealed::{RecordContent, SealedRecord};
use crate::record::{
    Attempt, Counter, Finished, Registration, RegistrationDraft, RegistrationState, encode_counter,
};
use crate::store::etcd::gateway::Bytes;
use crate::tokens::AUDIENCE;

const ACCOUNT: [u8; 32] = [1; 32];
const REG: [u8; 32] = [2; 32];
const NEW_REG: [u8; 32] = [6; 32];

/// Generates the seeds, keyed by name. Each name begins with the name of the seed's decoder.
pub fn generate() -> BTreeMap<String, Vec<u8>> {
    let (live, busy) = (live(), busy());
    let mut seeds = BTreeMap::new();
    let mut seed = |decoder: &str, name: &str, bytes: &[u8]| {
        let at = DECODERS.iter().position(|(known, _)| *known == decoder).expect("a known decoder");
        let name = if name.is_empty() { decoder.to_owned() } else { format!("{decoder}_{name}") };
        assert!(seeds.insert(name, [&[at as u8], bytes].concat()).is_none(), "duplicate seed name");
    };
    seed("counter", "live", &encode_counter(&live));
    seed("counter", "busy", &encode_counter(&busy));
    seed("set_back", "", &[encode_counter(&live), encode_counter(&busy)].concat());
    seed("content", "", &content().encode());
    seed("sealed", "", &stored_content());
    for (name, call) in calls(&live, &busy) {
        seed("call", name, &written(&call));
    }
    for (name, response) in responses() {
        seed("answer", name, &written(&response));
    }
    seed("login_state", "", &[state(), vec![8; 64]].concat());
    seed("login_token", "", &token_of(&attempt()));

    let header = br#"{"alg":"EdDSA","typ":"JWT"}"#;
    let claims =
        json!({"iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "iat": NOW, "exp": NOW + 300});
    let claims = claims.to_string();
    seed("token", "", signed(header, claims.as_bytes()).as_bytes());
    seed("claims", "", &[header, claims.as_bytes()].join(&b'\n'));
    let keys = ["A".repeat(43), "E".repeat(43)];
    seed("tenants", "", json!({ISSUER: keys, "b": []}).to_string().as_bytes());

    let mut head = (0, "0".repeat(64));
    let lines: Vec<_> = ["started", "granted"].iter().map(|event| line(&mut head, event)).collect();
    seed("log", "", lines.concat().as_bytes());
    seed("event", "", lines[0].split('\t').next().unwrap_or_default().as_bytes());

    let [counter, _] = names().map(|Bytes(name)| STANDARD.encode(name));
    let kv = json!({"key": counter, "mod_revision": "3", "value": "AQI=", "version": "1"});
    let header = json!({"revision": "7"});
    let range = json!({"header": header, "kvs": [kv], "count": "1"});
    let responses = json!([{"response_range": range}, {"response_range": {"header": header}}]);
    let txn = json!({"header": header, "succeeded": true, "responses": responses});
    seed("records", "", txn.to_string().as_bytes());
    seed("accounts", "", range.to_string().as_bytes());

    let title = "bulla-vault development keys, NOT FOR PRODUCTION";
    let (short, long) = ("07".repeat(32), "08".repeat(64));
    let keys = format!(
        "{title}\ncounter {short}\noprf {long}\nderivation {long}\n\
         seal 1 {short}\nseal 10 {short}\n"
    );
    seed("key_file", "", keys.as_bytes());
    seeds
}

/// Returns a counter with one registration that has one spent guess.
fn live() -> Counter {
    let registration = Registration::new(REG, sha256(&stored_content()), [4; 32], 10);
    let attempts = vec![attempt()];
    let live = Registration {
        state: RegistrationState::Active,
        left: 9,
        last_grant: NOW - 100,
        attempts,
        ..registration
    };
    Counter { generation: 5, failures: 1, live: Some(live), ..Counter::new(ACCOUNT) }
}

/// Returns a later state of the same counter, with every optional field present.
fn busy() -> Counter {
    let live = live().live.map(|registration| Registration {
        left: 7,
        due: Some(NOW + 1000),
        attempts: (10..13)
            .map(|byte| Attempt { id: [byte; 16], ke1: [4; 32], generation: 8 })
            .collect(),
        finished: Some(Finished { attempt: attempt(), failures: 0, at: NOW - 50 }),
        ..registration
    });
    let pending =
        Registration { failures: 3, left: 2, ..Registration::new(NEW_REG, [3; 32], [4; 32], 5) };
    let draft = RegistrationDraft { reg_id: [7; 32], request: [8; 32], rk: draft_rk() };
    Counter {
        generation: 9,
        failures: 3,
        live,
        pending: Some(pending),
        draft: Some(draft),
        ..Counter::new(ACCOUNT)
    }
}

/// Returns a random number in the form that a draft contains.
fn draft_rk() -> [u8; 64] {
    let mut rk = [9; 64];
    rk[..4].copy_from_slice(&EPOCH.to_be_bytes());
    rk[48..].copy_from_slice(&TAG);
    rk
}

/// Returns a registration record: client public key, masking key, envelope.
fn upload() -> [u8; 192] {
    let mut upload = [5; 192];
    upload[..32].copy_from_slice(RISTRETTO_BASEPOINT_COMPRESSED.as_bytes());
    upload
}

fn content() -> RecordContent {
    RecordContent {
        stand_in: false,
        rk: [6; 32],
        stretching: [1, 8, 1],
        upload: upload(),
        wrapped_key: [7; 48],
    }
}

fn stored_content() -> Vec<u8> {
    let ciphertext = [&content().encode()[..], &TAG].concat();
    SealedRecord { epoch: EPOCH, nonce: [1; 12], ciphertext }.encode()
}

fn stored(counter: &Counter) -> Vec<u8> {
    [&encode_counter(counter)[..], &MAC].concat()
}

/// Returns a login state: a session key, and the expected KE3.
fn state() -> Vec<u8> {
    [[7; 64], [8; 64]].concat()
}

fn token_of(attempt: &Attempt) -> Vec<u8> {
    let sealed = login_token::seal_with([3; 32], &FakeHsm, &ACCOUNT, &REG, attempt, &state());
    sealed.expect("sealing with any salt")
}

/// Returns a KE1: blinded element, nonce, ephemeral public key.
fn ke1() -> Vec<u8> {
    let point = RISTRETTO_BASEPOINT_COMPRESSED.to_bytes();
    [point, [9; 32], point].concat()
}

/// Returns one of each call. The fake HSM makes the evaluator accept all of them.
fn calls(live: &Counter, busy: &Counter) -> Vec<(&'static str, AnyCall)> {
    let (account, attempt_id) = (ACCOUNT, attempt().id);
    let request = RISTRETTO_BASEPOINT_COMPRESSED.to_bytes();
    let drafted = busy.draft.as_ref().map_or(REG, |draft| draft.reg_id);
    let mut paid = live.clone();
    for attempt in paid.live.iter_mut().flat_map(|registration| &mut registration.attempts) {
        attempt.ke1 = sha256(&ke1());
    }
    let (live, busy) = (stored(live), stored(busy));
    let sealed = stored_content();
    let place = RegisterCall {
        account,
        counter: Some(busy.clone()),
        reg_id: drafted,
        upload: upload().to_vec(),
        wrapped_key: vec![7; 48],
        max: 10,
        stretching: [1, 8, 1],
        grant: Some(vec![0; 64]),
    };
    let evaluate = EvaluateCall {
        account,
        counter: stored(&paid),
        sealed: sealed.clone(),
        reg_id: REG,
        attempt_id,
        ke1: ke1(),
    };
    let finish = FinishCall {
        account,
        counter: live.clone(),
        sealed: sealed.clone(),
        reg_id: REG,
        attempt_id,
        login_token: token_of(&attempt()),
        ke3: vec![8; 64],
    };
    let older = SealedRecord { epoch: EPOCH, nonce: [1; 12], ciphertext: vec![0; 400] }.encode();
    let reseal = ResealCall {
        account,
        counter: live.clone(),
        sealed: vec![(NEW_REG, older), (REG, sealed)],
    };
    let grant = GrantCall {
        account,
        counter: live.clone(),
        reg_id: REG,
        attempt_id: [9; 16],
        ke1: [1; 32],
    };
    let begin = BeginCall { account, counter: Some(live.clone()), reg_id: NEW_REG, request };
    vec![
        ("about", AnyCall::About(AboutCall)),
        ("stand_in", AnyCall::StandIn(StandInCall { account, reg_id: REG })),
        ("begin", AnyCall::Begin(begin)),
        ("place", AnyCall::Register(place)),
        ("grant", AnyCall::Grant(grant)),
        ("evaluate", AnyCall::Evaluate(evaluate)),
        ("finish", AnyCall::Finish(finish)),
        (
            "delete",
            AnyCall::Delete(DeleteCall {
                account,
                counter: busy.clone(),
                reg_id: NEW_REG,
                grant: None,
            }),
        ),
        ("observe", AnyCall::Observe(ObserveCall { account, counter: live })),
        ("reseal", AnyCall::Reseal(reseal)),
        ("clamp", AnyCall::Clamp(ClampCall { account, counter: Some(busy) })),
        ("marked", AnyCall::Watermarked(WatermarkedCall { after: Some(account) })),
        ("epoch", AnyCall::Epoch(EpochCall::RetireBefore(EPOCH))),
    ]
}

fn responses() -> Vec<(&'static str, Result<AnyResponse, Refusal>)> {
    let evaluated =
        Evaluated { ke2: vec![1; 320], login_token: vec![2; 176], left: 9, stretching: [1, 8, 1] };
    let about = About { public_key: [1; 32], epochs: vec![1, 200], evaluations: 300, distinct: 7 };
    let resealed = Resealed { change: Some((vec![1; 8], vec![(REG, vec![2; 8])])) };
    vec![
        ("about", Ok(AnyResponse::About(about))),
        ("evaluated", Ok(AnyResponse::Evaluate(evaluated))),
        ("resealed", Ok(AnyResponse::Reseal(resealed))),
        ("marked", Ok(AnyResponse::Watermarked(Watermarked(vec![ACCOUNT, REG])))),
        ("stale", Err(Refusal::Stale { newest: 1000 })),
        ("unavailable", Err(Refusal::Unavailable("no HSM".to_owned()))),
    ]
}

/// Returns a signed log line, with its fields in the log's order.
fn line(head: &mut (u64, String), event: &str) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        number: u64,
        time: u64,
        event: &'a str,
        account: String,
        generation: u64,
        previous: &'a str,
    }
    let (number, previous) = (head.0 + 1, &head.1);
    let line =
        Line { number, time: NOW, event, account: "a1".repeat(32), generation: number, previous };
    let text = serde_json::to_string(&line).unwrap_or_default();
    let signature = signing_key().sign(&[LABEL, text.as_bytes()].concat());
    *head = (number, sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect());
    format!("{text}\t{}\n", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}
