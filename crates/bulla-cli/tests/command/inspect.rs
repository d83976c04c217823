//! The output of `bulla inspect`.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

fn inspect(sandbox: &Sandbox, code: i32) -> Value {
    serde_json::from_slice(&sandbox.run("inspect c --json").exits(code).out).unwrap()
}

#[test]
fn prints_properties_as_json() {
    let sandbox = Sandbox::with_container(10_000);
    let properties = inspect(&sandbox, 0);
    let container = sandbox.read("c");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(
        properties,
        json!({
            "version": { "major": 1, "minor": 0 },
            "suite": { "number": 1, "name": "HMAC-SHA-512, AES-256-GCM" },
            "content": { "number": 0, "name": "bytes" },
            "chunk_size": 4096,
            "needs_context": false,
            "envelope_len": 0,
            "envelope": null,
            "salt": hex(&container[32..64]),
            "commitment": hex(&container[64..96]),
            "copies": "intact",
            "container_len": container.len(),
            "plaintext_len": 10_000,
            "chunks": 3,
        })
    );
}

#[test]
fn prints_properties_as_text() {
    let sandbox = Sandbox::with_container(10_000);
    let text = String::from_utf8(sandbox.run("inspect c").exits(0).out).unwrap();
    for line in [
        "chunk size        4096",
        "plaintext length  10000",
        "header, footer    intact",
        "version           1.0",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn reports_a_damaged_header_or_footer() {
    for (at, state) in [(20, "header_damaged"), (10_000 + 3 * 16 + 128 + 20, "footer_damaged")] {
        let sandbox = Sandbox::with_container(10_000);
        sandbox.change("c", |bytes| bytes[at] ^= 1);
        assert_eq!(inspect(&sandbox, 6)["copies"], state);
    }
}

/// No complete container has this length.
#[test]
fn reports_an_impossible_length() {
    let sandbox = Sandbox::with_container(10_000);
    sandbox.change("c", |bytes| bytes.truncate(2 * 128 + 5));
    let properties = inspect(&sandbox, 6);
    assert_eq!(
        (&properties["plaintext_len"], &properties["container_len"]),
        (&Value::Null, &json!(261))
    );
    let text = String::from_utf8(sandbox.run("inspect c").exits(6).out).unwrap();
    assert!(text.contains("no complete container has this length"), "{text}");
}

/// `inspect` reads only the start of a pipe.
#[test]
fn footer_state_is_unknown_for_a_pipe() {
    let sandbox = Sandbox::with_container(10_000);
    let outcome = sandbox.run_with_input("inspect - --json", &sandbox.read("c")).exits(0);
    let properties: Value = serde_json::from_slice(&outcome.out).unwrap();
    assert_eq!((&properties["copies"], &properties["chunk_size"]), (&Value::Null, &json!(4096)));
}
