//! What `--help` promises.

use crate::sandbox::Sandbox;

const COMMANDS: [&str; 15] = [
    "keygen",
    "sheet",
    "backup",
    "restore",
    "list",
    "cat",
    "salvage",
    "seal",
    "open",
    "verify",
    "inspect",
    "key",
    "vault",
    "completions",
    "man",
];

const KEY_COMMANDS: [&str; 9] = [
    "key list",
    "key add",
    "key remove",
    "key rotate",
    "key save",
    "vault register",
    "vault recover",
    "vault status",
    "vault delete",
];

/// The lines of the exit codes, as the tests of each of them go by.
const EXIT_CODES: [&str; 8] = [
    "0  done",
    "1  a file could not be read or written, or exists already",
    "2  the command line, or the key file, cannot be used as it is",
    "3  wrong key or passphrase",
    "4  the container is damaged, truncated or tampered with",
    "5  not a container, or one that this release cannot open",
    "6  done, but with a warning",
    "128 + n  stopped by signal n",
];

#[test]
fn exit_codes_are_in_every_help() {
    let sandbox = Sandbox::new();
    let pages = COMMANDS.map(|command| format!("{command} --help"));
    let key_pages = KEY_COMMANDS.map(|command| format!("{command} --help"));
    for page in ["--help"].into_iter().chain(pages.iter().chain(&key_pages).map(String::as_str)) {
        let help = String::from_utf8(sandbox.run(page).exits(0).out).unwrap();
        for line in EXIT_CODES {
            assert!(help.contains(line), "{page} lacks {line:?}:\n{help}");
        }
    }
}

#[test]
fn every_command_is_listed() {
    let help = String::from_utf8(Sandbox::new().run("--help").exits(0).out).unwrap();
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
    }
}

#[test]
fn version() {
    let out = Sandbox::new().run("--version").exits(0).out;
    assert_eq!(String::from_utf8(out).unwrap(), format!("bulla {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn usage_errors() {
    let sandbox = Sandbox::with_container(10);
    for args in [
        "",
        "unknown",
        "seal --unknown",
        "keygen",
        "keygen -o n --paper a4",
        "keygen -o n --sheet s --paper a5",
        "sheet -k k",
        "verify -k k",
        "inspect",
        "seal -k k --new-key n plain",
        "seal -k k plain --threads 0",
        "seal -k k plain --threads 257",
        "seal -k k plain --threads x",
        "seal -k k plain --chunk-size 5K",
    ] {
        sandbox.run(args).exits(2);
    }
    assert_eq!(sandbox.names(), ["c", "k", "plain"].map(String::from).into());
}

#[test]
fn chunk_sizes_are_named() {
    let sandbox = Sandbox::with_container(10);
    sandbox
        .run("seal -k k plain --chunk-size 2M")
        .exits(2)
        .says("4K, 8K, 16K, 32K, 64K, 128K, 256K, 512K and 1M");
}

#[test]
fn completions_know_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let script =
            String::from_utf8(sandbox.run(&format!("completions {shell}")).exits(0).out).unwrap();
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(script.contains("passphrase-file"), "{shell}");
    }
    sandbox.run("completions nosuch").exits(2);
}

#[test]
fn manual_pages() {
    let sandbox = Sandbox::new();
    for (args, title) in
        [("man", "BULLA"), ("man backup", "BULLA-BACKUP"), ("man key add", "BULLA-KEY-ADD")]
    {
        let page = String::from_utf8(sandbox.run(args).exits(0).out).unwrap();
        assert!(page.contains(&format!(".TH {title}")) && page.contains(".SH OPTIONS"), "{page}");
    }
    sandbox.run("man nosuch").exits(2).says("there is no command nosuch in bulla");
    sandbox.run("man key nosuch").exits(2).says("there is no command nosuch in bulla key");
}
