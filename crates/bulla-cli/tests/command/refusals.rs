//! Inputs that are none.

use crate::sandbox::Sandbox;

#[test]
fn missing_input() {
    let sandbox = Sandbox::new();
    for args in ["seal -k k no", "open -k k no.bulla", "verify -k k no", "inspect no"] {
        sandbox.run(args).exits(1).says("no such file or directory");
    }
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}

#[test]
fn directory_as_input() {
    let sandbox = Sandbox::new();
    for args in
        ["seal -k k .", "seal -k k . -o x", "open -k k . -o x", "verify -k k .", "inspect ."]
    {
        sandbox.run(args).exits(2).says("this is a directory; `bulla backup`");
    }
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}

#[test]
fn directory_as_output() {
    let sandbox = Sandbox::with_container(10);
    for args in ["seal -k k plain -o . --force", "open -k k c -o ."] {
        sandbox.run(args).exits(2).says("this is a directory; name a file in it");
    }
}

#[test]
fn file_as_directory() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("seal -k k plain -o plain/c").exits(1).says("a part of the path is a file");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let sandbox = Sandbox::new();
    let ran: crate::sandbox::Ran =
        sandbox.command("inspect").arg("a\u{1b}[2Jb").output().unwrap().into();
    let ran = ran.exits(1).says("a\\u{1b}[2Jb: no such file");
    assert!(!ran.err.contains('\u{1b}'));
}
