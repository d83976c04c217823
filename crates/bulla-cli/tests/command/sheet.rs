//! Recovery sheets: what they contain, and that they are protected like key files.

use std::fs;

use crate::sandbox::Sandbox;

fn text(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8(sandbox.read(name)).unwrap()
}

/// Checks that the sheet contains every group of the key file as a text element.
fn assert_contains_key(sandbox: &Sandbox, sheet: &str, key: &str) {
    let sheet = text(sandbox, sheet);
    for group in text(sandbox, key).split_whitespace() {
        assert!(sheet.contains(&format!(">{group}</text>")), "{group} is missing");
    }
}

/// Checks that `printed` contains no part of the key.
fn assert_key_not_printed(sandbox: &Sandbox, key: &str, printed: &str) {
    let digits: Vec<String> = text(sandbox, key).split_whitespace().map(str::to_owned).collect();
    for pair in digits.windows(2) {
        assert!(
            !printed.contains(&pair.concat()) && !printed.contains(&pair.join(" ")),
            "{printed}"
        );
    }
}

#[test]
fn keygen_creates_a_sheet() {
    let sandbox = Sandbox::new();
    let outcome = sandbox
        .run("keygen -o n --sheet n.svg")
        .exits(0)
        .says("n.svg: recovery sheet, which contains the key");
    assert!(outcome.out.is_empty());
    assert_contains_key(&sandbox, "n.svg", "n");
    assert_key_not_printed(&sandbox, "n", &outcome.err);
    assert!(text(&sandbox, "n.svg").contains("width=\"210mm\""));
    sandbox.run("keygen -q -o m --sheet m.svg --paper letter").exits(0).says_nothing();
    assert!(text(&sandbox, "m.svg").contains("width=\"215.9mm\""));
}

#[test]
fn creates_a_sheet_for_an_existing_key() {
    let sandbox = Sandbox::with_container(10);
    let outcome = sandbox.run("sheet -k k -o k.svg").exits(0).says("print it, then delete it");
    assert!(outcome.out.is_empty());
    assert_contains_key(&sandbox, "k.svg", "k");
    assert_key_not_printed(&sandbox, "k", &outcome.err);
    sandbox.run("sheet -q -k k -o other.svg").exits(0).says_nothing();
}

/// The container ID on the sheet is the start of the salt that `inspect` prints.
#[test]
fn sheet_names_the_container() {
    let sandbox = Sandbox::with_container(10);
    fs::create_dir(sandbox.path("d")).unwrap();
    fs::rename(sandbox.path("c"), sandbox.path("d/c.bulla")).unwrap();
    sandbox.run("sheet -k k -o k.svg --container d/c.bulla").exits(0);
    assert_contains_key(&sandbox, "k.svg", "k");
    let sheet = text(&sandbox, "k.svg");
    let inspected = String::from_utf8(sandbox.run("inspect d/c.bulla").exits(0).out).unwrap();
    let salt = inspected
        .lines()
        .find(|line| line.contains("salt"))
        .unwrap()
        .split_whitespace()
        .last()
        .unwrap();
    assert!(sheet.contains(">c.bulla</text>"), "the name is missing or includes the directory");
    assert!(sheet.contains(&format!(">{}</text>", &salt[..16])), "{salt}");
}

#[test]
fn rejects_the_key_of_another_container() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("keygen -o other").exits(0);
    let names = sandbox.names();
    sandbox
        .run("sheet -k other -o s --container c")
        .exits(3)
        .says("c: ")
        .says("wrong key in other");
    sandbox.run("sheet -k k -o s --container plain").exits(5);
    sandbox.run("sheet -k k -o s --container missing").exits(1).says("missing: no such file");
    sandbox.run("sheet -k k -o s --container -").exits(2);
    assert_eq!(sandbox.names(), names);
}

#[test]
#[cfg(unix)]
fn only_the_owner_can_access_a_sheet() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.shell(r#"umask 0; "$BULLA" keygen -o n --sheet a; "$BULLA" sheet -k k -o b"#).exits(0);
    for name in ["a", "b"] {
        let mode = fs::metadata(sandbox.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
}

#[test]
fn does_not_overwrite_files() {
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
fn sheet_is_not_written_to_standard_output() {
    let sandbox = Sandbox::new();
    for args in ["sheet -k k -o -", "keygen -o n --sheet -"] {
        let outcome = sandbox.run(args).exits(2).says("never written to standard output");
        assert!(outcome.out.is_empty());
    }
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}

/// A new key file is kept only if its sheet was written.
#[test]
fn new_key_is_removed_on_failure() {
    let sandbox = Sandbox::new();
    sandbox
        .run("keygen -o n --sheet missing/s")
        .exits(1)
        .says("missing/s: no such file or directory");
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}
