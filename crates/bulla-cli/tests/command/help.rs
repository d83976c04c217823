//! Help pages, manual pages, completions and usage errors.

use crate::sandbox::Sandbox;

const COMMANDS: [&str; 16] = [
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
    "help",
];

const SUBCOMMANDS: [&str; 9] = [
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

/// The exit codes, each with the start of its description.
const EXIT_CODES: [(&str, &str); 8] = [
    ("0", "success"),
    ("1", "a file could not be read or written, or already exists"),
    ("2", "invalid command line or key file"),
    ("3", "wrong key or passphrase"),
    ("4", "the container is damaged or truncated, or was tampered with"),
    ("5", "not a container, or not supported by this version"),
    ("6", "success with warnings"),
    ("128+n", "stopped by signal n"),
];

fn stdout(sandbox: &Sandbox, args: &str) -> String {
    String::from_utf8(sandbox.run(args).exits(0).out).unwrap()
}

#[test]
fn exit_codes_are_a_help_topic() {
    let topic = stdout(&Sandbox::new(), "help exit-codes");
    for (code, meaning) in EXIT_CODES {
        assert!(topic.contains(&format!("\n  {code:<7}{meaning}")), "{code}:\n{topic}");
    }
}

#[test]
fn exit_codes_are_only_in_the_main_manual_page() {
    let sandbox = Sandbox::new();
    let page = stdout(&sandbox, "man");
    assert!(page.contains("EXIT STATUS"), "{page}");
    EXIT_CODES.iter().for_each(|(_, meaning)| assert!(page.contains(meaning), "{meaning}"));
    for command in COMMANDS.iter().chain(&SUBCOMMANDS) {
        for args in [format!("{command} --help"), format!("man {command}")] {
            let page = stdout(&sandbox, &args);
            assert!(!page.contains("tampered with") && !page.contains("EXIT STATUS"), "{page}");
        }
    }
}

#[test]
fn help_command_prints_the_help_page() {
    let sandbox = Sandbox::new();
    for command in ["", "backup", "key add", "vault"] {
        let page = stdout(&sandbox, &format!("help {command}"));
        assert_eq!(page, stdout(&sandbox, &format!("{command} --help")), "{command}");
    }
    sandbox.run("help nosuch").exits(2).says("bulla nosuch: no such command");
}

/// An option group must not leak its heading to the options that follow it.
#[test]
fn options_are_listed_under_their_headings() {
    let page = stdout(&Sandbox::new(), "backup --help");
    let (mut heading, mut found) = ("", Vec::new());
    for line in page.lines() {
        if let Some(title) = line.strip_suffix(':').filter(|title| !title.starts_with(' ')) {
            heading = title;
        }
        let option = line.trim_start().split([' ', ',']).next().unwrap_or_default();
        if option.starts_with('-') && line.starts_with("  ") {
            found.push((option, heading));
        }
    }
    for expected in [
        ("-k", "Key options"),
        ("--recovery-key", "Key options"),
        ("--vault", "Vault options"),
        ("--exclude", "Selection options"),
        ("--include", "Selection options"),
        ("-f", "Output options"),
        ("-q", "Output options"),
        ("--threads", "Performance options"),
        ("-h", "Options"),
    ] {
        assert!(found.contains(&expected), "{expected:?}: {found:?}");
    }
}

#[test]
fn every_command_is_listed() {
    let help = stdout(&Sandbox::new(), "--help");
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
    }
}

#[test]
fn prints_the_version() {
    let out = Sandbox::new().run("--version").exits(0).out;
    assert_eq!(String::from_utf8(out).unwrap(), format!("bulla {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn rejects_invalid_command_lines() {
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
fn names_the_valid_chunk_sizes() {
    let sandbox = Sandbox::with_container(10);
    sandbox
        .run("seal -k k plain --chunk-size 2M")
        .exits(2)
        .says("4K, 8K, 16K, 32K, 64K, 128K, 256K, 512K or 1M");
}

#[test]
fn completions_contain_every_command() {
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
fn manual_pages_have_titles_and_options() {
    let sandbox = Sandbox::new();
    for (args, title) in
        [("man", "BULLA"), ("man backup", "BULLA-BACKUP"), ("man key add", "BULLA-KEY-ADD")]
    {
        let page = stdout(&sandbox, args);
        assert!(page.contains(&format!(".TH {title}")) && page.contains(".SH OPTIONS"), "{page}");
    }
    sandbox.run("man nosuch").exits(2).says("bulla nosuch: no such command");
    sandbox.run("man key nosuch").exits(2).says("bulla key nosuch: no such command");
}

/// Every option on the help page is also on the manual page, with a description.
#[test]
fn manual_pages_describe_every_option() {
    let sandbox = Sandbox::new();
    for command in COMMANDS.iter().chain(&SUBCOMMANDS) {
        let help = stdout(&sandbox, &format!("{command} --help"));
        let page = stdout(&sandbox, &format!("man {command}")).replace("\\-", "-");
        for item in page.split("\n.TP\n").skip(1) {
            let description = item.lines().nth(1).unwrap_or_default();
            assert!(
                !description.is_empty() && !description.starts_with(".SH"),
                "{command}: {item}"
            );
        }
        let words = help.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
        for option in words.filter(|word| word.starts_with("--") && word.len() > 2) {
            assert!(page.contains(option), "{command} {option}:\n{page}");
        }
    }
}
