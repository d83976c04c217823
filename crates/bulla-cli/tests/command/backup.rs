//! `bulla backup`: which files are stored, under which paths, and which warnings are printed.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::listing::Listing;
use crate::sandbox::{Outcome, Sandbox, noise};

impl Sandbox {
    /// Returns a sandbox with the directory `photos`, which holds files of various lengths, one of
    /// them hidden, and directories, one of them empty.
    fn with_photos() -> Sandbox {
        let sandbox = Sandbox::new();
        for directory in ["photos", "photos/2024", "photos/none"] {
            fs::create_dir(sandbox.path(directory)).unwrap();
        }
        for (name, len) in PHOTOS {
            sandbox.write(name, &noise(len));
        }
        sandbox
    }

    /// Returns the contents of a file in an archive.
    fn cat(&self, archive: &str, name: &str) -> Vec<u8> {
        let outcome: Outcome =
            self.command("cat -k k").args([archive, name]).output().unwrap().into();
        outcome.exits(0).out
    }
}

const PHOTOS: [(&str, usize); 4] = [
    ("photos/.hidden", 5),
    ("photos/2024/large", 3_000_000),
    ("photos/2024/small", 1),
    ("photos/zero", 0),
];

const PATHS: [&str; 7] = [
    "photos",
    "photos/.hidden",
    "photos/2024",
    "photos/2024/large",
    "photos/2024/small",
    "photos/none",
    "photos/zero",
];

#[test]
fn backs_up_a_directory() {
    let sandbox = Sandbox::with_photos();
    let at = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 7_000);
    let file = fs::OpenOptions::new().write(true).open(sandbox.path("photos/zero")).unwrap();
    file.set_modified(at).unwrap();
    sandbox
        .run("backup -k k a photos")
        .exits(0)
        .says("a: backed up 7 entries, 3000006 bytes\n")
        .says("To list it: bulla list -k k a\n")
        .says("To restore it: bulla restore -k k a -C restored\n");

    let listing = Listing::of(&sandbox, "a");
    assert_eq!(listing.paths(), PATHS);
    for (name, len) in PHOTOS {
        assert_eq!(
            (&listing.get(name)["kind"], &listing.get(name)["len"]),
            (&"file".into(), &len.into())
        );
        assert!(sandbox.cat("a", name) == sandbox.read(name), "{name}");
        assert!(listing.state(name).is_empty());
    }
    assert_eq!(listing.get("photos/none")["kind"], "directory");
    assert_eq!(listing.get("photos/zero")["modified"], "2001-09-09T01:46:40.000007Z");
    assert_eq!(sandbox.names(), ["a", "k", "photos"].map(String::from).into());
    sandbox.run("verify -k k a").exits(0);
}

#[test]
fn any_number_of_threads_creates_a_valid_archive() {
    let sandbox = Sandbox::with_photos();
    for threads in [1, 2, 64] {
        sandbox.run(&format!("backup -qfk k a photos --threads {threads}")).exits(0).says_nothing();
        sandbox.run("verify -k k a").exits(0);
        assert!(sandbox.cat("a", "photos/2024/large") == sandbox.read("photos/2024/large"));
    }
}

/// If the argument has no last component, as in `.`, the directory's contents are stored without a
/// prefix.
#[test]
fn stored_paths_start_with_the_last_component() {
    let sandbox = Sandbox::with_photos();
    let absolute = sandbox.path("photos");
    let below = sandbox.path("photos/2024");
    let in_2024 = ["2024", "2024/large", "2024/small"];
    for (directory, path, paths) in [
        (".", "photos/", &PATHS[..]),
        (".", "./photos/.", &PATHS),
        (".", absolute.to_str().unwrap(), &PATHS),
        (".", "photos/2024", &in_2024),
        ("photos", ".", &[".hidden", "2024", "2024/large", "2024/small", "none", "zero"]),
        ("photos", "2024 zero", &["2024", "2024/large", "2024/small", "zero"]),
        ("photos/none", "../2024", &in_2024),
        (
            "photos/none",
            "../../photos/2024/..",
            &[".hidden", "2024", "2024/large", "2024/small", "none", "zero"],
        ),
        (".", "photos/2024/small", &["small"]),
        ("photos/none", ".", &[]),
        (".", below.to_str().unwrap(), &in_2024),
    ] {
        let key = sandbox.path("k");
        let archive = sandbox.path("a");
        let args = format!("backup -fk {} {} {path}", key.display(), archive.display());
        let outcome: Outcome =
            sandbox.command(&args).current_dir(sandbox.path(directory)).output().unwrap().into();
        outcome.exits(0);
        assert_eq!(Listing::of(&sandbox, "a").paths(), paths, "{path} in {directory}");
        sandbox.run("verify -k k a").exits(0);
    }
}

#[test]
fn rejects_two_sources_for_the_same_path() {
    let sandbox = Sandbox::with_photos();
    fs::create_dir_all(sandbox.path("other/photos")).unwrap();
    for paths in ["photos other/photos", "photos ./photos", "photos photos/"] {
        let second = paths.split(' ').nth(1).unwrap();
        sandbox
            .run(&format!("backup --new-key n a {paths}"))
            .exits(2)
            .says(&format!("{second}: would be stored as photos, and so would photos; rename"));
    }
    // This conflict is detected only while walking the directories.
    sandbox
        .run("backup --new-key n a photos .")
        .exits(2)
        .says("photos: two of the given paths contain this entry");
    assert_eq!(sandbox.names(), ["k", "other", "photos"].map(String::from).into());
}

#[test]
fn rejects_invalid_paths() {
    let sandbox = Sandbox::with_photos();
    sandbox.run("backup --new-key n a photos no").exits(1).says("no: no such file or directory");
    sandbox.run("backup --new-key n a photos -").exits(2).says("-: cannot back up standard input");
    sandbox.run("backup -k k photos").exits(2);
    sandbox
        .run("backup -k k photos k")
        .exits(2)
        .says("photos: is a directory; name the archive first, then the paths");
    sandbox
        .run("backup -k k photos/zero photos")
        .exits(1)
        .says("already exists")
        .says("the archive is the first argument");
    sandbox.run("backup -k k no/a photos").exits(1).says("no/a: no such file or directory");
    sandbox.run("backup -k no a photos").exits(1).says("expected the key file");
    assert_eq!(sandbox.names(), ["k", "photos"].map(String::from).into());
}

#[test]
fn patterns_select_files() {
    let sandbox = Sandbox::with_photos();
    for (options, names) in [
        (
            "--exclude large",
            &[
                "photos",
                "photos/.hidden",
                "photos/2024",
                "photos/2024/small",
                "photos/none",
                "photos/zero",
            ][..],
        ),
        ("--exclude 2024", &["photos", "photos/.hidden", "photos/none", "photos/zero"]),
        ("--exclude photos/2024 --exclude .*", &["photos", "photos/none", "photos/zero"]),
        ("--exclude photos/*/ --exclude zero/", &["photos", "photos/.hidden", "photos/zero"]),
        ("--exclude photos", &[]),
        ("--include s*", &["photos", "photos/2024", "photos/2024/small", "photos/none"]),
        (
            "--include 2024 --exclude small",
            &["photos", "photos/2024", "photos/2024/large", "photos/none"],
        ),
        ("--include **/zero", &["photos", "photos/2024", "photos/none", "photos/zero"]),
        ("--include nothing", &["photos", "photos/2024", "photos/none"]),
    ] {
        sandbox.run(&format!("backup -fk k a photos {options}")).exits(0);
        assert_eq!(Listing::of(&sandbox, "a").paths(), names, "{options}");
    }
    sandbox.run("backup -fk k a photos --exclude [").exits(2).says("--exclude [: invalid pattern");
    sandbox
        .run("backup -fk k a photos --include /photos")
        .exits(2)
        .says("do not start with a slash");
}

#[test]
fn replaces_an_existing_archive_only_with_force() {
    let sandbox = Sandbox::with_photos();
    sandbox.write("a", b"precious");
    sandbox
        .run("backup -k k a photos")
        .exits(1)
        .says("a: already exists; the archive is the first argument; use --force to replace it");
    assert_eq!(sandbox.read("a"), b"precious");
    sandbox.run("backup -k k a photos --force").exits(0);
    sandbox.run("verify -k k a").exits(0);
}

/// Neither the new archive nor the file that it replaces is backed up.
#[test]
fn excludes_the_archive_itself() {
    let sandbox = Sandbox::with_photos();
    for _ in 0..2 {
        sandbox.run("backup -fk k photos/a photos").exits(0);
        assert_eq!(Listing::of(&sandbox, "photos/a").paths(), PATHS);
    }
    sandbox.run("backup -k k b photos").exits(0);
    assert!(
        Listing::of(&sandbox, "b").paths().contains(&"photos/a".to_owned()),
        "photos/a is missing"
    );
    sandbox
        .run("backup -fk k b b photos")
        .exits(2)
        .says("b: the archive is also one of the paths to back up");
    sandbox.run("verify -k k b").exits(0);
}

#[test]
fn excludes_the_key_file() {
    let sandbox = Sandbox::with_photos();
    let message = "excluded: this is the key file; keep a copy of it elsewhere";
    sandbox
        .run("backup --new-key photos/n a photos")
        .exits(0)
        .says(&format!("photos/n: {message}"));
    sandbox.run("backup -k photos/n b photos").exits(0).says(&format!("photos/n: {message}"));
    for archive in ["a", "b"] {
        let out = sandbox.run(&format!("list -k photos/n {archive}")).exits(0).out;
        assert_eq!(String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(), PATHS);
    }
    sandbox.run("backup -k k c k").exits(2).says("k: the input is the key file");
    sandbox.run("backup -fk k k photos").exits(2).says("the output is the key file");
    sandbox.run("backup --new-key c c photos").exits(2).says("the same");
    sandbox.run("backup --new-key k c photos").exits(1).says("a key file is never overwritten");
    assert!(!sandbox.path("c").exists());
}

#[test]
fn writes_to_a_pipe() {
    let sandbox = Sandbox::with_photos();
    let outcome = sandbox.run("backup -k k - photos").exits(0);
    outcome.says("standard output: backed up 7 entries").says("bulla list -k k ARCHIVE\n");
    let out = sandbox.run("backup -qk k - photos").exits(0).out;
    sandbox.write("a", &out);
    assert_eq!(Listing::of(&sandbox, "a").paths(), PATHS);
    assert!(sandbox.cat("a", "photos/2024/large") == sandbox.read("photos/2024/large"));
    sandbox.run("verify -k k a").exits(0);
}

/// Archives whose contents are similar in size have the same length.
#[test]
fn padding_hides_the_exact_size() {
    let sandbox = Sandbox::new();
    let mut lens = Vec::new();
    for len in [1_000_000, 1_000_100, 1_004_000] {
        sandbox.write("plain", &noise(len));
        sandbox.run("backup -fk k a plain --pad").exits(0);
        sandbox.run("verify -k k a").exits(0);
        assert!(sandbox.cat("a", "plain") == noise(len));
        lens.push(sandbox.read("a").len());
    }
    assert_eq!((lens[0], lens[0]), (lens[1], lens[2]));
}

#[test]
fn no_sync_creates_a_valid_archive() {
    let sandbox = Sandbox::with_photos();
    sandbox.run("backup --no-sync -k k a photos").exits(0);
    sandbox.run("verify -k k a").exits(0);
}

#[cfg(unix)]
mod on_unix {
    use std::ffi::OsStr;
    use std::io::{Read, Write};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::os::unix::process::CommandExt;

    use super::*;
    use crate::sandbox::finish;

    fn chmod(sandbox: &Sandbox, name: &str, mode: u32) {
        fs::set_permissions(sandbox.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn keeps_permissions() {
        let sandbox = Sandbox::with_photos();
        let modes = [("photos/zero", 0o600), ("photos/.hidden", 0o4755), ("photos/none", 0o1777)];
        modes.iter().for_each(|(name, mode)| chmod(&sandbox, name, *mode));
        sandbox.run("backup -k k a photos").exits(0);
        let listing = Listing::of(&sandbox, "a");
        for (name, mode) in modes {
            assert_eq!(listing.get(name)["mode"], format!("{mode:04o}"));
        }
    }

    #[test]
    fn stores_links_as_links() {
        let sandbox = Sandbox::with_photos();
        symlink("zero", sandbox.path("photos/to file")).unwrap();
        symlink("../photos", sandbox.path("photos/round")).unwrap();
        symlink("/no/such", sandbox.path("photos/to nothing")).unwrap();
        symlink(OsStr::from_bytes(b"caf\xe9"), sandbox.path("photos/to bytes")).unwrap();
        fs::hard_link(sandbox.path("photos/.hidden"), sandbox.path("photos/hard")).unwrap();
        sandbox.run("backup -k k a photos").exits(0);
        let listing = Listing::of(&sandbox, "a");
        assert_eq!(listing.paths().len(), PATHS.len() + 5, "a link was followed");
        for (name, target) in [
            ("photos/to file", "zero"),
            ("photos/round", "../photos"),
            ("photos/to nothing", "/no/such"),
        ] {
            assert_eq!(
                (&listing.get(name)["kind"], &listing.get(name)["target"]),
                (&"symlink".into(), &target.into())
            );
        }
        assert_eq!(listing.get("photos/to bytes")["target_hex"], "636166e9");
        assert_eq!(sandbox.cat("a", "photos/hard"), sandbox.read("photos/.hidden"));
    }

    /// This is what tar does, except that `bulla backup` prints a message.
    #[test]
    fn stores_a_linked_argument_as_a_link() {
        let sandbox = Sandbox::with_photos();
        symlink("photos", sandbox.path("link")).unwrap();
        sandbox
            .run("backup -k k a link")
            .exits(0)
            .says("link: stored as a symbolic link")
            .says("use link/");
        assert_eq!(Listing::of(&sandbox, "a").get("link")["target"], "photos");
        sandbox.run("backup -fk k a link/").exits(0);
        assert_eq!(Listing::of(&sandbox, "a").paths().len(), PATHS.len());
        assert!(sandbox.cat("a", "link/2024/large") == sandbox.read("photos/2024/large"));
    }

    #[test]
    fn skips_special_files() {
        let sandbox = Sandbox::with_photos();
        sandbox.shell("mkfifo photos/pipe").exits(0);
        let _socket = UnixListener::bind(sandbox.path("photos/socket")).unwrap();
        let outcome = sandbox.run("backup -qk k a photos").exits(6);
        outcome
            .says("bulla: photos/pipe: warning: skipped: named pipe\n")
            .says("bulla: photos/socket: warning: skipped: socket\n");
        let listing = Listing::of(&sandbox, "a");
        assert_eq!(listing.paths(), PATHS);
        assert_eq!(listing.skipped(), ["photos/pipe", "photos/socket"]);
        assert_eq!(listing.state("photos/pipe"), ["left_out"]);
        sandbox
            .run("backup -qfk k a photos --exclude pipe --exclude socket")
            .exits(0)
            .says_nothing();
        sandbox.run("backup -fk k a /dev/null").exits(6).says("null: warning: skipped: device");
    }

    #[test]
    fn accepts_non_utf_8_names() {
        let sandbox = Sandbox::with_photos();
        let name = OsStr::from_bytes(b"caf\xe9\n");
        if fs::create_dir(sandbox.path("photos").join(name)).is_err() {
            return; // Some file systems accept only UTF-8 names.
        }
        fs::write(sandbox.path("photos").join(name).join("file"), "x").unwrap();
        sandbox.run("backup -k k a photos").exits(0);
        let listing = Listing::of(&sandbox, "a");
        assert_eq!(listing.get(b"photos/caf\xe9\n")["kind"], "directory");
        assert_eq!(listing.get(b"photos/caf\xe9\n/file")["len"], 1);
        let out = sandbox.run("list -k k a").exits(0).out;
        assert!(String::from_utf8(out).unwrap().contains("photos/caf\\xe9\\n/file\n"));
        let mut cat = sandbox.command("cat -k k a");
        let outcome: Outcome =
            cat.arg(OsStr::from_bytes(b"photos/caf\xe9\n/file")).output().unwrap().into();
        assert_eq!(outcome.exits(0).out, b"x");

        let outcome: Outcome = sandbox
            .command("backup -fk k a")
            .arg(sandbox.path("photos").join(name))
            .output()
            .unwrap()
            .into();
        outcome.exits(0);
        assert_eq!(Listing::of(&sandbox, "a").get(b"caf\xe9\n/file")["len"], 1);
    }

    /// Runs the command as an unprivileged user, who can write only to `out`.
    fn run_as_user(sandbox: &Sandbox, args: &str) -> Outcome {
        let mut command = sandbox.command(args);
        if rustix::process::geteuid().is_root() {
            // The unprivileged user might not have access to the build directory.
            fs::copy(crate::sandbox::BULLA, sandbox.path("bulla")).unwrap();
            command = sandbox.wrapped(sandbox.path("bulla"), args);
            command.uid(65534).gid(65534);
            chmod(sandbox, "", 0o755);
            chmod(sandbox, "k", 0o644);
        }
        fs::create_dir(sandbox.path("out")).unwrap();
        chmod(sandbox, "out", 0o777);
        command.output().unwrap().into()
    }

    #[test]
    fn skips_unreadable_files() {
        let sandbox = Sandbox::with_photos();
        fs::create_dir(sandbox.path("photos/locked")).unwrap();
        sandbox.write("photos/locked/file", b"x");
        fs::create_dir(sandbox.path("photos/blind")).unwrap();
        sandbox.write("photos/blind/file", b"x");
        chmod(&sandbox, "photos/locked", 0);
        chmod(&sandbox, "photos/blind", 0o444);
        chmod(&sandbox, "photos/zero", 0);
        let outcome = run_as_user(&sandbox, "backup -k k out/a photos").exits(6);
        outcome
            .says("photos/blind/file: warning: skipped: permission denied\n")
            .says("photos/locked/: warning: skipped: permission denied\n")
            .says("photos/zero: warning: skipped: permission denied\n")
            .says("out/a: backed up 8 entries");
        chmod(&sandbox, "photos/locked", 0o755);
        chmod(&sandbox, "photos/blind", 0o755);
        let listing = Listing::of(&sandbox, "out/a");
        assert_eq!(listing.skipped(), ["photos/blind/file", "photos/locked/", "photos/zero"]);
        assert_eq!(listing.get("photos/locked")["mode"], "0000");
        assert!(!listing.paths().contains(&"photos/zero".to_owned()));
    }

    #[test]
    fn prints_a_limited_number_of_warnings() {
        let sandbox = Sandbox::with_photos();
        sandbox.shell("for n in $(seq 1 45); do mkfifo photos/$n; done").exits(0);
        let outcome = sandbox.run("backup -qk k a photos").exits(6);
        assert_eq!(outcome.err.lines().count(), 21, "{}", outcome.err);
        let outcome = outcome.says("warning: 25 more; use `bulla list --long` to see all of them");
        drop(outcome);
        assert_eq!(Listing::of(&sandbox, "a").skipped().len(), 45);
    }

    /// Starts a backup of `photos` to a pipe. Returns once the directories have been walked and the
    /// first file is being written.
    fn start(sandbox: &Sandbox) -> (std::process::Child, Vec<u8>) {
        fs::write(sandbox.path("photos/.first"), noise(64 << 20)).unwrap();
        let mut child = sandbox.command("backup -k k --threads 1 - photos").spawn().unwrap();
        let mut out = vec![0; 1000];
        child.stdout.as_mut().unwrap().read_exact(&mut out).unwrap();
        (child, out)
    }

    /// Changes to files during the backup cause warnings and are recorded in the archive (A-3.2).
    #[test]
    fn records_files_that_change_during_the_backup() {
        let sandbox = Sandbox::with_photos();
        for name in
            ["shrinks", "grows", "vanishes", "becomes a pipe", "becomes a link", "is written to"]
        {
            sandbox.write(&format!("photos/{name}"), &noise(100_000));
        }
        let (mut child, mut out) = start(&sandbox);

        let open =
            |name: &str| fs::OpenOptions::new().append(true).open(sandbox.path(name)).unwrap();
        open("photos/shrinks").set_len(1000).unwrap();
        open("photos/grows").write_all(b"more").unwrap();
        open("photos/is written to").set_modified(SystemTime::UNIX_EPOCH).unwrap();
        for name in ["photos/vanishes", "photos/becomes a pipe", "photos/becomes a link"] {
            fs::remove_file(sandbox.path(name)).unwrap();
        }
        sandbox.shell("mkfifo 'photos/becomes a pipe'").exits(0);
        symlink("/etc/passwd", sandbox.path("photos/becomes a link")).unwrap();

        child.stdout.take().unwrap().read_to_end(&mut out).unwrap();
        let outcome = finish(child).exits(6);
        for (name, what) in [
            ("shrinks", "shrank while it was read"),
            ("grows", "grew while it was read"),
            ("vanishes", "could not be read"),
            ("becomes a pipe", "could not be read"),
            ("becomes a link", "could not be read"),
            ("is written to", "changed while it was read"),
        ] {
            let line = format!("bulla: photos/{name}: warning: {what}");
            assert!(outcome.err.contains(&line), "{line:?} is missing from {}", outcome.err);
        }
        sandbox.write("a", &out);
        let listing = Listing::of(&sandbox, "a");
        for (name, len, state) in [
            ("shrinks", 1000, "short"),
            ("grows", 100_000, "grew"),
            ("vanishes", 0, "unreadable"),
            ("becomes a pipe", 0, "unreadable"),
            ("becomes a link", 0, "unreadable"),
            ("is written to", 100_000, "changed"),
        ] {
            let name = format!("photos/{name}");
            assert_eq!(listing.get(&name)["len"], len, "{name}");
            assert!(listing.state(&name).contains(&state), "{name}");
            let outcome: Outcome =
                sandbox.command("cat -k k a").arg(&name).output().unwrap().into();
            let outcome =
                outcome.exits(6).says(&format!("bulla: {name}: warning: during the backup, it "));
            assert!(noise(100_000).starts_with(&outcome.out) && outcome.out.len() == len, "{name}");
        }
        assert!(listing.state("photos/2024/large").is_empty());
        sandbox.run("verify -k k a").exits(0);
    }

    #[test]
    fn closed_output_is_an_error() {
        let sandbox = Sandbox::with_photos();
        let (mut child, _) = start(&sandbox);
        drop(child.stdout.take());
        finish(child).exits(1).says("standard output: broken pipe");
    }

    #[test]
    fn excludes_the_redirected_output() {
        let sandbox = Sandbox::with_photos();
        sandbox.shell(r#""$BULLA" backup -qk k - photos > photos/a"#).exits(0).says_nothing();
        assert_eq!(Listing::of(&sandbox, "photos/a").paths(), PATHS);
        sandbox.run("verify -k k photos/a").exits(0);
    }

    #[test]
    fn failure_leaves_no_files() {
        let sandbox = Sandbox::with_photos();
        let outcome =
            sandbox.shell(r#"ulimit -f 100; "$BULLA" backup --new-key n a photos"#).exits(1);
        outcome.says("a: file too large");
        assert_eq!(sandbox.names(), ["k", "photos"].map(String::from).into());
    }

    #[test]
    fn printed_list_command_can_be_copied() {
        let sandbox = Sandbox::with_photos();
        let backup =
            sandbox.shell(r#""$BULLA" backup --new-key "my key" "it's all" photos"#).exits(0);
        let command =
            backup.err.lines().find_map(|line| line.strip_prefix("To list it: bulla ")).unwrap();
        let out = sandbox.shell(&format!("\"$BULLA\" {command}")).exits(0).out;
        assert_eq!(String::from_utf8(out).unwrap().lines().collect::<Vec<_>>(), PATHS);
    }

    /// Directories nested beyond the maximum path length are skipped with a warning.
    #[test]
    fn skips_directories_that_are_too_deep() {
        let sandbox = Sandbox::with_photos();
        let name = "n".repeat(200);
        let script = format!(
            "cd photos; for n in $(seq 1 25); do mkdir {name} && cd {name} || exit 1; done"
        );
        if sandbox.shell(&script).code != Some(0) {
            return;
        }
        sandbox.run("backup -k k a photos").exits(6).says("warning: skipped: ");
        assert!(Listing::of(&sandbox, "a").paths().len() > 20);
        // The sandbox cannot remove directories that are nested this deeply.
        sandbox.shell("rm -rf photos").exits(0);
    }
}
