//! Missing files, and directories where files are expected.

use crate::sandbox::Sandbox;

#[test]
fn missing_input_is_an_error() {
    let sandbox = Sandbox::new();
    for args in ["seal -k k no", "open -k k no.bulla", "verify -k k no", "inspect no"] {
        sandbox.run(args).exits(1).says("no such file or directory");
    }
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}

#[test]
fn rejects_a_directory_as_input() {
    let sandbox = Sandbox::new();
    for args in
        ["seal -k k .", "seal -k k . -o x", "open -k k . -o x", "verify -k k .", "inspect ."]
    {
        sandbox.run(args).exits(2).says("is a directory; use `bulla backup`");
    }
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}

#[test]
fn rejects_a_directory_as_output() {
    let sandbox = Sandbox::with_container(10);
    for args in ["seal -k k plain -o . --force", "open -k k c -o ."] {
        sandbox.run(args).exits(2).says("is a directory; name a file in it");
    }
}

#[test]
fn rejects_a_file_as_a_parent_directory() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("seal -k k plain -o plain/c").exits(1).says("is not a directory");
}

#[test]
fn escapes_control_characters_in_messages() {
    let sandbox = Sandbox::new();
    let outcome: crate::sandbox::Outcome =
        sandbox.command("inspect").arg("a\u{1b}[2Jb").output().unwrap().into();
    let outcome = outcome.exits(1).says("a\\u{1b}[2Jb: no such file");
    assert!(!outcome.err.contains('\u{1b}'));
}
