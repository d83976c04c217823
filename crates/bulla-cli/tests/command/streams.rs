//! Pipes, including slow ones and those that close early.

use std::io::{Read, Write};
use std::process::Stdio;

use crate::sandbox::{Outcome, Sandbox, finish, noise};

#[test]
fn round_trips_through_pipes() {
    let sandbox = Sandbox::new();
    for len in [0, 1, 65_536, 1_000_000] {
        let plain = noise(len);
        let sealed = sandbox.run_with_input("seal -k k", &plain).exits(0).out;
        assert!(sandbox.run_with_input("open -k k", &sealed).exits(0).out == plain);
        assert!(sandbox.run_with_input("open -k k - -o -", &sealed).exits(0).out == plain);
        let verified = sandbox.run_with_input("verify -k k -", &sealed).exits(0).out;
        assert!(String::from_utf8(verified).unwrap().contains(&format!("verified {len} byte")));
    }
}

#[test]
fn round_trips_from_a_pipe_to_a_file() {
    let sandbox = Sandbox::with_container(300_000);
    sandbox
        .shell(r#"cat plain | "$BULLA" seal -k k -o x; cat x | "$BULLA" open -k k -o y"#)
        .exits(0);
    assert!(sandbox.read("y") == sandbox.read("plain"));
}

#[test]
fn accepts_one_byte_at_a_time() {
    let sandbox = Sandbox::new();
    let plain = noise(9000);
    let trickle = |args: &str, input: &[u8]| -> Outcome {
        let mut child = sandbox.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut out = Vec::new();
            stdout.read_to_end(&mut out).map(|_| out)
        });
        for byte in input {
            stdin.write_all(&[*byte]).unwrap();
        }
        drop(stdin);
        let outcome = finish(child);
        Outcome { out: reader.join().unwrap().unwrap(), ..outcome }
    };
    let sealed = trickle("seal -k k --chunk-size 4K", &plain).exits(0).out;
    assert!(trickle("open -k k", &sealed).exits(0).out == plain);
}

#[test]
fn closed_output_does_not_cause_a_panic() {
    let sandbox = Sandbox::with_container(4 << 20);
    for args in ["open -k k c -o -", "seal -k k plain -o -"] {
        let mut child = sandbox.command(args).spawn().unwrap();
        let mut some = [0; 1000];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        finish(child).exits(1).says("standard output: broken pipe");
    }
    for args in ["--help", "verify -k k c", "inspect c"] {
        let mut child = sandbox.command(args).spawn().unwrap();
        drop(child.stdout.take());
        // The command may also succeed, because its output can fit into the pipe buffer.
        let outcome = finish(child);
        assert!(!outcome.err.contains("panicked"), "{}", outcome.err);
    }
}

#[test]
fn closed_standard_error_is_ignored() {
    let sandbox = Sandbox::with_container(100);
    let mut child = sandbox.command("seal -k k plain -o x").spawn().unwrap();
    drop(child.stderr.take());
    finish(child).exits(0);
    sandbox.run("verify -k k x").exits(0);
}

/// `open` detects that its input was cut short. `seal` cannot, so a pipeline that seals needs the
/// shell's `pipefail` option.
#[test]
fn truncated_pipe_leaves_no_files() {
    let sandbox = Sandbox::with_container(300_000);
    sandbox.shell(r#"head -c 200000 c | "$BULLA" open -k k -o x"#).exits(4).says("truncated");
    assert!(!sandbox.path("x").exists());
}
