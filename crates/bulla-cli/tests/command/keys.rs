//! Key files: how they are created, read and rejected, and that keys are never printed
//! unexpectedly.

use std::fs;

use crate::sandbox::Sandbox;

fn digits(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8(sandbox.read(name)).unwrap().split_whitespace().collect()
}

#[test]
fn keygen_writes_16_groups_of_4_digits() {
    let sandbox = Sandbox::new();
    let text = String::from_utf8(sandbox.read("k")).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines.iter().all(|groups| groups.len() == 4 && groups.iter().all(|group| group.len() == 4))
    );
    assert!(digits(&sandbox, "k").chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)));
}

#[test]
#[cfg(unix)]
fn only_the_owner_can_access_a_key_file() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with_container(10);
    sandbox.shell("umask 0; \"$BULLA\" keygen -o a; \"$BULLA\" seal --new-key b plain").exits(0);
    for name in ["a", "b"] {
        let mode = fs::metadata(sandbox.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
    }
}

#[test]
fn keygen_does_not_print_the_key_to_a_pipe() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run("keygen -o new").exits(0);
    assert!(outcome.out.is_empty());
    let group = &digits(&sandbox, "new")[..8];
    let spaced = format!("{} {}", &group[..4], &group[4..]);
    assert!(!outcome.err.contains(group) && !outcome.err.contains(&spaced), "{}", outcome.err);
}

#[test]
fn keygen_does_not_overwrite_files() {
    let sandbox = Sandbox::new();
    let before = sandbox.read("k");
    sandbox.run("keygen -o k").exits(1).says("k: already exists");
    assert_eq!(sandbox.read("k"), before);
    sandbox.run("keygen -o -").exits(2).says("never written to standard output");
    assert_eq!(sandbox.names(), ["k".to_owned()].into());
}

#[test]
#[cfg(unix)]
fn keygen_does_not_overwrite_links() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink("nowhere", sandbox.path("link")).unwrap();
    sandbox.run("keygen -o link").exits(1).says("link: already exists");
    sandbox.write("plain", b"x");
    sandbox.run("seal --new-key link plain").exits(1).says("link: already exists");
    assert_eq!(sandbox.names(), ["k", "link", "plain"].map(String::from).into());
}

#[test]
fn new_key_seals_and_opens() {
    let sandbox = Sandbox::with_container(10);
    let outcome = sandbox.run("seal --new-key n plain").exits(0);
    outcome.says("bulla open -k n plain.bulla").says("If you lose n, the data is lost");
    sandbox.run("open -k n plain.bulla -o opened").exits(0);
    assert_eq!(sandbox.read("opened"), sandbox.read("plain"));
    sandbox.run("open -k k plain.bulla -o other").exits(3);
}

#[test]
fn new_key_does_not_overwrite_files() {
    let sandbox = Sandbox::with_container(10);
    let (before, names) = (sandbox.read("k"), sandbox.names());
    sandbox.run("seal --new-key k plain").exits(1).says("k: already exists");
    sandbox.run("seal --new-key k plain --force").exits(1).says("k: already exists");
    assert_eq!((sandbox.read("k"), sandbox.names()), (before, names));
}

/// A new key file is kept only if the container was written.
#[test]
fn new_key_is_removed_on_failure() {
    let sandbox = Sandbox::with_container(10);
    let names = sandbox.names();
    sandbox.run("seal --new-key n missing").exits(1).says("missing: no such file");
    sandbox.run("seal --new-key n plain -o c").exits(1).says("c: already exists");
    sandbox
        .run("seal --new-key n plain -o missing/c")
        .exits(1)
        .says("missing/c: no such file or directory");
    sandbox
        .run("seal --new-key missing/n plain")
        .exits(1)
        .says("missing/n: no such file or directory");
    sandbox
        .run("seal --new-key n plain -o n")
        .exits(2)
        .says("the output and the new key file are the same");
    sandbox.run("seal --new-key n plain -o ./n --force").exits(2);
    assert_eq!(sandbox.names(), names);
}

#[test]
#[cfg(target_os = "linux")]
fn new_key_is_removed_when_the_device_is_full() {
    let sandbox = Sandbox::with_container(1 << 20);
    let names = sandbox.names();
    sandbox.run("seal --new-key n plain -o /dev/full").exits(1).says("/dev/full: no space left");
    assert_eq!(sandbox.names(), names);
}

#[test]
fn environment_variable_sets_the_default_key_file() {
    let sandbox = Sandbox::with_container(10);
    sandbox.command("verify c").env("BULLA_KEY_FILE", "k").status().unwrap();
    let run_with = |args: &str, file: &str| {
        sandbox
            .command(args)
            .env("BULLA_KEY_FILE", file)
            .output()
            .map(crate::sandbox::Outcome::from)
            .unwrap()
    };
    run_with("verify c", "k").exits(0);
    run_with("verify c", "missing")
        .exits(1)
        .says("missing: no such file or directory; expected the key file");
    sandbox.run("keygen -o other").exits(0);
    // -k takes precedence.
    run_with("verify -k k c", "other").exits(0);
    run_with("verify c", "other").exits(3).says("wrong key in other");
}

#[test]
fn accepts_any_spacing_and_case() {
    let sandbox = Sandbox::with_container(10);
    let text = digits(&sandbox, "k");
    sandbox.write("one line", text.as_bytes());
    sandbox.write(
        "spread",
        text.to_uppercase().chars().flat_map(|c| [c, '\n']).collect::<String>().as_bytes(),
    );
    sandbox.write("dashes", format!("\u{FEFF}{}-{}\r\n", &text[..7], &text[7..]).as_bytes());
    for name in ["one line", "spread", "dashes"] {
        let mut command = sandbox.command("verify c -k");
        crate::sandbox::Outcome::from(command.arg(name).output().unwrap()).exits(0);
    }
}

#[test]
fn rejects_malformed_key_files() {
    let sandbox = Sandbox::with_container(10);
    let text = digits(&sandbox, "k");
    for (content, reason) in [
        (&text.as_bytes()[2..], "62"),
        (text.replacen(|_| true, "g", 1).as_bytes(), "character 1"),
        (b"", "64 hex digits"),
        (b"\xFF\xFE0\0", "not text"),
        (&[b' '; 5000], "longer than 4096 bytes"),
        (&sandbox.read("c"), "it is a container"),
    ] {
        sandbox.write("bad", content);
        for args in ["open -k bad c -o opened", "seal -k bad plain -o sealed", "verify -k bad c"] {
            let outcome = sandbox.run(args).exits(2).says("bad: not a key file: ").says(reason);
            assert!(!outcome.err.contains(&text[1..5]), "{}", outcome.err);
        }
    }
    sandbox.run("verify -k . c").exits(2).says("it is a directory");
    assert_eq!(sandbox.names(), ["bad", "c", "k", "plain"].map(String::from).into());
}

#[test]
fn reads_only_the_start_of_an_endless_key_file() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("verify -k /dev/zero c").exits(2).says("longer than 4096 bytes");
}

#[test]
#[cfg(unix)]
fn reads_a_key_from_a_pipe() {
    let sandbox = Sandbox::with_container(10);
    sandbox.shell(r#"cat k | "$BULLA" verify -k /dev/stdin c"#).exits(0);
    sandbox.shell(r#""$BULLA" verify -k /dev/fd/3 c 3<k"#).exits(0);
    sandbox
        .shell(r#""$BULLA" verify -k - c"#)
        .exits(2)
        .says("for a key from a pipe, use /dev/stdin");
}

#[test]
#[cfg(unix)]
fn warns_about_a_key_file_that_others_can_access() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with_container(10);
    let set_mode =
        |mode| fs::set_permissions(sandbox.path("k"), fs::Permissions::from_mode(mode)).unwrap();
    for mode in [0o640, 0o604, 0o620] {
        set_mode(mode);
        sandbox
            .run("verify -q -k k c")
            .exits(0)
            .says("k: warning: other users can access")
            .says("chmod 600 k");
    }
    set_mode(0o400);
    sandbox.run("verify -q -k k c").exits(0).says_nothing();
}

/// The command has no terminal to prompt on.
#[test]
#[cfg(target_os = "linux")]
fn missing_key_is_a_usage_error() {
    let sandbox = Sandbox::with_container(10);
    for args in ["verify c", "open c -o opened", "seal plain"] {
        let command = format!("--wait {} {args}", crate::sandbox::BULLA);
        let outcome: crate::sandbox::Outcome =
            sandbox.wrapped("setsid", &command).output().unwrap().into();
        outcome.exits(2).says("-k FILE").says("BULLA_KEY_FILE").says("on a terminal");
    }
    assert_eq!(sandbox.names(), ["c", "k", "plain"].map(String::from).into());
}

#[test]
fn rejects_outputs_that_are_inputs() {
    let sandbox = Sandbox::with_container(10);
    let (key, plain) = (sandbox.read("k"), sandbox.read("plain"));
    fs::hard_link(sandbox.path("plain"), sandbox.path("link")).unwrap();
    for (args, reason) in [
        ("seal -k k plain -o plain --force", "the output is the input"),
        ("seal -k k plain -o link --force", "the output is the input"),
        ("seal -k k plain -o k --force", "the output is the key file"),
        ("seal -k k k", "the input is the key file"),
        ("open -k k c -o c --force", "the output is the input"),
        ("open -k k c -o k --force", "the output is the key file"),
    ] {
        if cfg!(not(unix)) && args.contains("link") {
            continue;
        }
        sandbox.run(args).exits(2).says(reason);
    }
    assert_eq!((sandbox.read("k"), sandbox.read("plain")), (key, plain));
    assert_eq!(sandbox.names(), ["c", "k", "link", "plain"].map(String::from).into());
}
