//! Signals: an interrupted command leaves no incomplete files.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Sandbox, finish, noise, wait_until};

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Starts a command that reads from `pipe`, writes `input` to the pipe, and waits until part of the
/// output is written. Returns the process and the write end of the pipe.
fn start(sandbox: &Sandbox, args: &str, input: &[u8]) -> (Child, File) {
    sandbox.shell("mkfifo pipe").exits(0);
    let child = sandbox.command_with_signals(args).spawn().unwrap();
    let mut pipe = OpenOptions::new().write(true).open(sandbox.path("pipe")).unwrap();
    pipe.write_all(input).unwrap();
    wait_until("part of the output is written", || {
        let staged = sandbox.names().into_iter().find(|name| name.ends_with(".tmp"));
        staged.is_some_and(|name| {
            std::fs::metadata(sandbox.path(&name)).is_ok_and(|file| file.len() > 100_000)
        })
    });
    (child, pipe)
}

#[test]
fn signal_while_sealing_leaves_no_files() {
    for (signal, code) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129), (Signal::QUIT, 131)]
    {
        let sandbox = Sandbox::new();
        let (child, pipe) = start(&sandbox, "seal --new-key n pipe -o x", &noise(3 << 20));
        assert!(sandbox.names().contains("n"), "the key file is created before the container");
        send(&child, signal);
        finish(child).exits(code).says("temporary files were removed");
        drop(pipe);
        assert_eq!(sandbox.names(), ["k", "pipe"].map(String::from).into());
    }
}

#[test]
fn signal_while_opening_keeps_the_existing_output() {
    for threads in [1, 2, 8] {
        // With eight threads, several MiB are read before the first byte is written.
        let sandbox = Sandbox::with_container(12 << 20);
        sandbox.write("x", b"precious");
        let names = sandbox.names();
        let part = sandbox.read("c")[..10 << 20].to_vec();
        let (child, pipe) =
            start(&sandbox, &format!("open -k k pipe -fo x --threads {threads}"), &part);
        send(&child, Signal::TERM);
        finish(child).exits(143);
        drop(pipe);
        assert_eq!(sandbox.read("x"), b"precious");
        std::fs::remove_file(sandbox.path("pipe")).unwrap();
        assert_eq!(sandbox.names(), names);
    }
}

#[test]
fn signal_at_any_time_leaves_everything_or_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("plain", &noise(2 << 20));
    let (mut stopped, mut done) = (0, 0);
    for delay in (0..4000).step_by(50) {
        let child = sandbox.command("seal -q --no-sync --new-key n plain -o x").spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_micros(delay));
        send(&child, Signal::TERM);
        drop(finish(child));
        let names = sandbox.names();
        if names.contains("x") {
            sandbox.run("verify -k n x").exits(0);
            std::fs::remove_file(sandbox.path("x")).unwrap();
            std::fs::remove_file(sandbox.path("n")).unwrap();
            done += 1;
        } else {
            assert_eq!(names, ["k", "plain"].map(String::from).into());
            stopped += 1;
        }
    }
    assert!(stopped > 0, "{stopped} stopped, {done} done");
}

/// `nohup` starts the command with SIGHUP ignored.
#[test]
#[cfg(target_os = "linux")]
fn ignored_hangup_stays_ignored() {
    let sandbox = Sandbox::new();
    sandbox.shell("mkfifo pipe").exits(0);
    let child =
        sandbox.shell_command(r#"trap "" HUP; exec "$BULLA" seal -k k pipe -o x"#).spawn().unwrap();
    let mut pipe = OpenOptions::new().write(true).open(sandbox.path("pipe")).unwrap();
    pipe.write_all(b"some ").unwrap();
    wait_until("the output is created", || {
        sandbox.names().iter().any(|name| name.ends_with(".tmp"))
    });
    send(&child, Signal::HUP);
    std::thread::sleep(std::time::Duration::from_millis(50));
    pipe.write_all(b"text").unwrap();
    drop(pipe);
    finish(child).exits(0);
    assert_eq!(sandbox.run("open -k k x -o -").exits(0).out, b"some text");
}

/// A killed process cannot clean up, but it leaves no output file, and the next run succeeds.
#[test]
fn killed_process_leaves_the_output_unchanged() {
    let sandbox = Sandbox::new();
    let (mut child, pipe) = start(&sandbox, "seal -k k pipe -o x", &noise(3 << 20));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(pipe);
    assert!(!sandbox.path("x").exists());
    sandbox.write("plain", b"again");
    sandbox.run("seal -k k plain -o x").exits(0);
    assert_eq!(sandbox.run("open -k k x -o -").exits(0).out, b"again");
}

/// A core dump would contain the key.
#[test]
#[cfg(target_os = "linux")]
fn core_dumps_are_disabled() {
    let sandbox = Sandbox::new();
    let (child, pipe) = start(&sandbox, "seal -k k pipe -o x", &noise(3 << 20));
    let limits =
        std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap_or_default();
    send(&child, Signal::TERM);
    finish(child).exits(143);
    drop(pipe);
    // If access to the limits is denied, that also shows that the process is not dumpable.
    if let Some(line) = limits.lines().find(|line| line.starts_with("Max core file size")) {
        assert_eq!(line.split_whitespace().rev().nth(1), Some("0"), "{line}");
    }
}
