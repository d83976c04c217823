//! Recovery sheets: what is on them, and that they are as well kept as a key file.

use std::fs;

use crate::sandbox::Sandbox;

fn text(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8(sandbox.read(name)).unwrap()
}

/// Checks that all groups of the key file stand on the sheet, each as a text of its own.
fn holds(sandbox: &Sandbox, sheet: &str, key: &str) {
    let sheet = text(sandbox, sheet);
    for group in text(sandbox, key).split_whitespace() {
        assert!(sheet.contains(&format!(">{group}</text>")), "{group} is missing");
    }
}

/// Checks that nothing of the key was said.
fn keeps_quiet(sandbox: &Sandbox, key: &str, said: &str) {
    let digits: Vec<String> = text(sandbox, key).split_whitespace().map(str::to_owned).collect();
    for pair in digits.windows(2) {
        assert!(!said.contains(&pair.concat()) && !said.contains(&pair.join(" ")), "{said}");
    }
}

#[test]
fn with_a_new_key() {
    let sandbox = Sandbox::new();
    let ran = sandbox
        .run("keygen -o n --sheet n.svg")
        .exits(0)
        .says("n.svg: a recovery sheet that holds the key");
    assert!(ran.out.is_empty());
    holds(&sandbox, "n.svg", "n");
    keeps_quiet(&sandbox, "n", &ran.err);
    assert!(text(&sandbox, "n.svg").contains("width=\"210mm\""));
    sandbox.run("keygen -q -o m --sheet m.svg --paper letter").exits(0).says_nothing();
    assert!(text(&sandbox, "m.svg").contains("width=\"215.9mm\""));
}

#[test]
fn of_a_key_that_exists() {
    let sandbox = Sandbox::with_container(10);
    let ran = sandbox.run("sheet -k k -o k.svg").exits(0).says("print it, then delete it");
    assert!(ran.out.is_empty());
    holds(&sandbox, "k.svg", "k");
    keeps_quiet(&sandbox, "k", &ran.err);
    sandbox.run("sheet -q -k k -o other.svg").exits(0).says_nothing();
}

/// The id is what `inspect` shows of the salt.
#[test]
fn of_a_container() {
    let sandbox = Sandbox::with_container(10);
    fs::create_dir(sandbox.path("d")).unwrap();
    fs::rename(sandbox.path("c"), sandbox.path("d/c.bulla")).unwrap();
    sandbox.run("sheet -k k -o k.svg --container d/c.bulla").exits(0);
    holds(&sandbox, "k.svg", "k");
    let sheet = text(&sandbox, "k.svg");
    let inspected = String::from_utf8(sandbox.run("inspect d/c.bulla").exits(0).out).unwrap();
    let salt = inspected
        .lines()
        .find(|line| line.contains("salt"))
        .unwrap()
        .split_whitespace()
        .last()
        .unwrap();
    assert!(sheet.contains(">c.bulla</text>"), "its name without its directory");
    assert!(sheet.contains(&format!(">{}</text>", &salt[..16])), "{salt}");
}

#[test]
fn of_another_container() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("keygen -o other").exits(0);
    let names = sandbox.names();
    sandbox
        .run("sheet -k other -o s --container c")
        .exits(3)
        .says("c: ")
        .says("other key file than other");
    sandbox.run("sheet -k k -o s --container plain").exits(5);
    sandbox.run("sheet -k k -o s --container missing").exits(1).says("missing: no such file");
    sandbox.run("sheet -k k -o s --container -").exits(2);
    assert_eq!(sandbox.names(), names);
}

#[test]
#[cfg(unix)]
fn sheets_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.shell(r#"umask 0; "$BULLA" keygen -o n --sheet a; "$BULLA" sheet -k k -o b"#).exits(0);
    for name in ["a", "b"] {
        let mode = fs::metadata(sandbox.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let sandbox = Sandbox::with_container(10);
    let (before, names) = (sandbox.read("plain"), sandbox.names());
    sandbox.run("sheet -k k -o plain").exits(1).says("plain: already exists");
    sandbox.run("sheet -k k -o k").exits(1).says("k: already exists");
    sandbox.run("keygen -o n --sheet plain").exits(1).says("plain: already exists");
    sandbox.run("keygen -o k --sheet s").exits(1).says("k: already exists");
    sandbox.run("keygen -o n --sheet n").exits(2).says("the sheet and the key file are the same");
    sandbox.run("keygen -o n --sheet ./n").exits(1).says("./n: already exists");
    assert_eq!((sandbox.read("plain"), sandbox.names()), (before, names));
}

#[test]
fn never_to_standard_output() {
    let sandbox = Sandbox::new();
    for args in ["sheet -k k -o -", "keygen -o n --sheet -"] {
        let ran = sandbox.run(args).exits(2).says("never to standard output");
        assert!(ran.out.is_empty());
    }
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}

/// A key file stays only if its sheet was written.
#[test]
fn new_key_goes_with_a_failure() {
    let sandbox = Sandbox::new();
    sandbox
        .run("keygen -o n --sheet missing/s")
        .exits(1)
        .says("missing/s: no such file or directory");
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}
