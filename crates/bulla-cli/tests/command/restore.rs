//! `bulla restore`: restored files, conflicts and failures.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use bulla::{ChunkSize, Key, Options};
use bulla_archive::{ArchiveBuilder, Metadata, Time};
use bulla_key::key_text;
use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::{Outcome, Sandbox, finish, noise, wait_until};

impl Sandbox {
    pub(crate) fn key(&self) -> Key {
        key_text::parse(std::str::from_utf8(&self.read("k")).unwrap()).unwrap()
    }

    /// Creates the archive `a` with 4 KiB chunks.
    pub(crate) fn archive(&self, plan: impl FnOnce(&mut ArchiveBuilder<Bytes>)) {
        let mut writer = ArchiveBuilder::new();
        plan(&mut writer);
        let options = Options::new().chunk_size(ChunkSize::MIN);
        let (bytes, _) = writer.seal_to(&self.key(), Vec::new(), &options).unwrap();
        self.write("a", &bytes);
    }

    /// Returns all paths below `directory`, including directories.
    pub(crate) fn below(&self, directory: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.path(directory), &mut found);
        found.sort();
        found
            .iter()
            .map(|path| path.strip_prefix(self.path(directory)).unwrap().to_owned())
            .collect()
    }

    pub(crate) fn assert_no_temporary_files(&self, directory: &str) {
        let temporary =
            self.below(directory).into_iter().find(|path| path.to_string_lossy().ends_with(".tmp"));
        assert_eq!(temporary, None);
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::symlink_metadata(self.path(name)).unwrap().mode() & 0o7777
    }

    fn mtime(&self, name: impl AsRef<OsStr>) -> (i64, i64) {
        let metadata = fs::symlink_metadata(self.path("").join(name.as_ref())).unwrap();
        (metadata.mtime(), metadata.mtime_nsec())
    }
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            walk(&path, found);
        }
        found.push(path);
    }
}

pub(crate) fn file(writer: &mut ArchiveBuilder<Bytes>, name: impl AsRef<[u8]>, bytes: &[u8]) {
    let metadata =
        Metadata::new().mode(0o640).mtime(Time { seconds: 1_000_000_000, nanoseconds: 5 });
    writer
        .file(name.as_ref(), &metadata, bytes.len() as u64, Bytes::copy_from_slice(bytes))
        .unwrap();
}

/// Returns a sandbox with the archive `a`, which contains three small files, two of them in
/// `photos`.
fn with_photos() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| {
        writer.directory(b"photos", &Metadata::new().mode(0o750)).unwrap();
        file(writer, "photos/1.jpg", b"one");
        file(writer, "photos/2.jpg", b"two");
        file(writer, "notes", b"notes");
    });
    sandbox
}

const TEXT: &[u8] = b"caf\xe9";

/// Plans an archive with every kind of entry.
fn plan_everything(writer: &mut ArchiveBuilder<Bytes>) {
    let at = |seconds, nanoseconds| Metadata::new().mtime(Time { seconds, nanoseconds });
    writer.directory(b"all", &at(1_000_000_001, 0).mode(0o755)).unwrap();
    writer.directory(b"all/empty", &at(-5, 7).mode(0o1777)).unwrap();
    writer.directory(b"all/locked", &at(1_000_000_002, 0).mode(0o555)).unwrap();
    writer.directory(b"all/locked/within", &at(1_000_000_003, 0).mode(0)).unwrap();
    file(writer, "all/locked/within/deep", b"deep");
    writer.file(b"all/set", &at(3, 4).mode(0o6755), 3, Bytes::from_static(b"run")).unwrap();
    writer.file(b"all/bare", &Metadata::new(), 4, Bytes::from_static(b"bare")).unwrap();
    file(writer, "all/zero", b"");
    file(writer, "all/large", &noise(3_000_001));
    file(writer, [b"all/", TEXT].concat(), b"text");
    file(writer, format!("all/{}", "n".repeat(255)), b"long");
    for number in 0..30 {
        file(writer, format!("implied/{number}"), &noise(number));
    }
    writer.symlink(b"all/relative", &at(9, 8), b"../all/zero").unwrap();
    writer.symlink(b"all/absolute", &Metadata::new(), b"/etc/hostname").unwrap();
    writer.symlink(b"all/dangling", &Metadata::new(), b"no\xff/where").unwrap();
}

#[test]
fn restores_every_kind_of_entry() {
    let sandbox = Sandbox::new();
    sandbox.archive(plan_everything);
    for (number, args) in ["", "--no-sync", "--threads 1", "--threads 8", "--threads 8 --no-sync"]
        .into_iter()
        .enumerate()
    {
        let target = format!("new/{number}");
        let outcome = sandbox.run(&format!("restore -k k a -C {target} {args}"));
        outcome.exits(0).says(&format!("{target}: restored 44 entries, 3000455 bytes, from a"));
        let at = |name: &str| format!("{target}/{name}");
        let read = |name: &str| sandbox.read(&at(name));

        assert_eq!(sandbox.mode(&at("all/locked/within")), 0);
        fs::set_permissions(
            sandbox.path(&at("all/locked/within")),
            fs::Permissions::from_mode(0o700),
        )
        .unwrap();
        assert_eq!(read("all/locked/within/deep"), b"deep");
        assert!(read("all/large") == noise(3_000_001));
        assert_eq!(
            (read("all/zero"), read("all/bare"), read("all/set")),
            (vec![], b"bare".into(), b"run".into())
        );
        assert_eq!(read(&format!("all/{}", "n".repeat(255))), b"long");
        let text = Path::new(&target).join("all").join(OsStr::from_bytes(TEXT));
        assert_eq!(fs::read(sandbox.path("").join(text)).unwrap(), b"text");
        assert!((0..30).all(|number| read(&format!("implied/{number}")) == noise(number)));

        // Set-user-ID, set-group-ID and sticky bits are not restored. Entries without stored
        // permissions are private.
        let modes = [
            ("all", 0o755),
            ("all/empty", 0o777),
            ("all/locked", 0o555),
            ("all/set", 0o755),
            ("all/bare", 0o600),
            ("all/zero", 0o640),
        ];
        modes.iter().for_each(|(name, mode)| assert_eq!(sandbox.mode(&at(name)), *mode, "{name}"));
        let times = [
            ("all", (1_000_000_001, 0)),
            ("all/empty", (-5, 7)),
            ("all/locked", (1_000_000_002, 0)),
            ("all/set", (3, 4)),
            ("all/large", (1_000_000_000, 5)),
            ("all/relative", (9, 8)),
        ];
        times.iter().for_each(|(name, time)| assert_eq!(sandbox.mtime(at(name)), *time, "{name}"));

        let link = |name: &str| fs::read_link(sandbox.path(&at(name))).unwrap();
        assert_eq!(link("all/relative"), Path::new("../all/zero"));
        assert_eq!(link("all/absolute"), Path::new("/etc/hostname"));
        assert_eq!(link("all/dangling").as_os_str().as_bytes(), b"no\xff/where");
        // The 44 entries, and the directory `implied`, which has no entry.
        assert_eq!(sandbox.below(&target).len(), 45);
        // The sandbox could not remove a read-only directory.
        fs::set_permissions(sandbox.path(&at("all/locked")), fs::Permissions::from_mode(0o700))
            .unwrap();
    }
}

#[test]
fn round_trips_a_directory() {
    let sandbox = Sandbox::new();
    sandbox
        .shell(
            r#"mkdir -p d/e/f d/g; echo 1 > d/1; : > d/e/0; ln -s ../1 d/e/link
            chmod 500 d/e/f; touch -d 1999-12-31 d/g
            "$BULLA" backup -qk k a d && "$BULLA" restore -qk k a -C out || exit 1
            diff -r --no-dereference d out/d || exit 1
            find d -printf '%p %M %T@ %l\n' | sort > before
            cd out; find d -printf '%p %M %T@ %l\n' | sort > ../after
            diff ../before ../after"#,
        )
        .exits(0)
        .says_nothing();
}

#[test]
fn restores_selected_paths() {
    for (names, found) in [
        ("notes", &["notes"][..]),
        ("photos/2.jpg", &["photos", "photos/2.jpg"]),
        ("photos", &["photos", "photos/1.jpg", "photos/2.jpg"]),
        ("./photos/ photos/1.jpg notes", &["notes", "photos", "photos/1.jpg", "photos/2.jpg"]),
        ("", &["notes", "photos", "photos/1.jpg", "photos/2.jpg"]),
    ] {
        let sandbox = with_photos();
        sandbox.run(&format!("restore -qk k a {names} -C out")).exits(0).says_nothing();
        assert_eq!(
            sandbox.below("out"),
            found.iter().map(PathBuf::from).collect::<Vec<_>>(),
            "{names}"
        );
    }
}

#[test]
fn restores_into_the_current_directory_by_default() {
    let sandbox = with_photos();
    sandbox
        .run("restore -k k a photos/1.jpg")
        .exits(0)
        .says(".: restored 1 entry, 3 bytes, from a");
    assert_eq!(sandbox.names(), ["a", "k", "photos"].map(String::from).into());
    assert_eq!(sandbox.read("photos/1.jpg"), b"one");
}

#[test]
fn missing_path_restores_nothing() {
    let sandbox = with_photos();
    let names = sandbox.names();
    sandbox
        .run("restore -k k a notes phot photos/3.jpg / -C out")
        .exits(1)
        .says("phot: not found in a")
        .says("photos/3.jpg: not found in a")
        .says("a: nothing was restored");
    let outcome: Outcome =
        sandbox.command("restore -k k a -C out").arg("").output().unwrap().into();
    outcome.exits(1).says("nothing was restored");
    assert_eq!(sandbox.names(), names);
}

#[test]
fn existing_files_are_conflicts() {
    let sandbox = with_photos();
    fs::create_dir_all(sandbox.path("out/photos")).unwrap();
    fs::set_permissions(sandbox.path("out/photos"), fs::Permissions::from_mode(0o700)).unwrap();
    sandbox.write("out/photos/2.jpg", b"precious");
    symlink("nowhere", sandbox.path("out/notes")).unwrap();
    let before = sandbox.below("out");
    sandbox
        .run("restore -k k a -C out")
        .exits(1)
        .says("out/notes: already exists")
        .says("out/photos/2.jpg: already exists")
        .says("out: 2 conflicting entries; nothing was restored; use --force");
    assert_eq!(sandbox.below("out"), before);
    assert_eq!(sandbox.read("out/photos/2.jpg"), b"precious");

    // If there are no conflicts, files are restored, and existing directories keep their
    // permissions.
    sandbox.run("restore -k k a photos/1.jpg -C out").exits(0);
    sandbox.run("restore -k k a photos -C out").exits(1);
    fs::remove_file(sandbox.path("out/photos/2.jpg")).unwrap();
    fs::remove_file(sandbox.path("out/photos/1.jpg")).unwrap();
    sandbox.run("restore -k k a photos -C out").exits(0);
    assert_eq!(sandbox.mode("out/photos"), 0o700);
}

#[test]
fn force_replaces_existing_files() {
    let sandbox = with_photos();
    fs::create_dir_all(sandbox.path("out/photos")).unwrap();
    sandbox.write("out/photos/2.jpg", &noise(1000));
    fs::set_permissions(sandbox.path("out/photos"), fs::Permissions::from_mode(0o500)).unwrap();
    sandbox.write("outside", b"precious");
    symlink("../outside", sandbox.path("out/notes")).unwrap();
    for sync in ["", "--no-sync"] {
        sandbox.run(&format!("restore -k k a -C out --force {sync}")).exits(0);
        assert_eq!(sandbox.read("out/photos/2.jpg"), b"two");
        assert_eq!(sandbox.mode("out/photos"), 0o750);
        assert!(!sandbox.path("out/notes").is_symlink());
        assert_eq!(
            (sandbox.read("out/notes"), sandbox.read("outside")),
            (b"notes".into(), b"precious".into())
        );
        assert_eq!(sandbox.below("out").len(), 4);
    }
}

#[test]
fn prints_a_limited_number_of_conflicts() {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| (0..25).for_each(|number| file(writer, format!("f/{number}"), b"x")));
    sandbox.run("restore -qk k a -C out").exits(0).says_nothing();
    let outcome = sandbox.run("restore -k k a -C out").exits(1).says("25 conflicting entries");
    assert_eq!(outcome.err.matches("already exists").count(), 10, "{}", outcome.err);
    sandbox.run("restore -qk k a -C out --force").exits(0).says_nothing();
}

#[test]
fn force_does_not_change_file_types() {
    for (prepare, message) in [
        (
            "mkdir -p out/notes",
            "out/notes: is a directory, but the archive has a file or link here",
        ),
        (
            "mkdir out; echo 1 > out/photos",
            "out/photos: is not a directory, but the archive has one here",
        ),
    ] {
        let sandbox = with_photos();
        sandbox.shell(prepare).exits(0);
        let before = sandbox.below("out");
        for force in ["", "--force"] {
            sandbox
                .run(&format!("restore -k k a -C out {force}"))
                .exits(1)
                .says(message)
                .says("1 conflicting entry; nothing was restored");
            assert_eq!(sandbox.below("out"), before);
        }
    }
    let sandbox = with_photos();
    sandbox.write("out", b"");
    sandbox.run("restore -k k a -C out").exits(1).says("out: ");
    assert_eq!(sandbox.read("out"), b"");
}

#[test]
fn does_not_replace_the_archive_or_its_key() {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| {
        file(writer, "a", b"x");
        file(writer, "k", b"x");
    });
    let (archive, key) = (sandbox.read("a"), sandbox.read("k"));
    for name in ["a", "k", ""] {
        sandbox.run(&format!("restore -k k a {name}")).exits(1).says("already exists");
        let outcome = sandbox.run(&format!("restore -k k a {name} --force")).exits(2);
        outcome.says("cannot replace the archive or key file being read");
    }
    assert_eq!((sandbox.read("a"), sandbox.read("k")), (archive, key));
}

#[test]
fn wrong_key_restores_nothing() {
    let sandbox = with_photos();
    sandbox.run("keygen -qo other").exits(0);
    let names = sandbox.names();
    sandbox.run("restore -k other a -C out").exits(3).says("wrong key in other");
    assert_eq!(sandbox.names(), names);
}

#[test]
fn rejects_files_that_are_not_archives() {
    let sandbox = Sandbox::with_container(100);
    sandbox.run("restore -k k c -C out").exits(5).says("use `bulla open`");
    sandbox.run("restore -k k plain -C out").exits(5).says("plain: not a ");
    sandbox.run("restore -k k nothing -C out").exits(1);
    sandbox.archive(|writer| file(writer, "x", b""));
    sandbox.shell(r#"cat a | "$BULLA" restore -k k - -C out"#).exits(2).says("a pipe");
    assert!(!sandbox.path("out").exists());
    sandbox.shell(r#""$BULLA" restore -qk k - -C out < a"#).exits(0).says_nothing();
    assert_eq!(sandbox.below("out"), [PathBuf::from("x")]);
}

/// Complete files are kept, and incomplete ones are removed.
#[test]
fn damaged_chunk_keeps_complete_files() {
    for args in ["", "--no-sync", "--threads 1", "--threads 8"] {
        let sandbox = Sandbox::new();
        sandbox.archive(|writer| {
            writer.directory(b"f", &Metadata::new().mode(0o755)).unwrap();
            (0..20).for_each(|number| file(writer, format!("f/{number:02}"), &noise(50_000)));
            file(writer, "f/large", &noise(4_000_000));
            file(writer, "f/last", &noise(10));
            writer.symlink(b"f/link", &Metadata::new(), b"last").unwrap();
        });
        sandbox.change("a", |bytes| bytes[3_000_000] ^= 1);
        sandbox
            .run(&format!("restore -k k a -C out {args}"))
            .exits(4)
            .says("a: chunk ")
            .says("use `bulla salvage` to restore what is left")
            .says(" of 23 files and links");
        let restored = sandbox.below("out");
        assert!(restored.contains(&PathBuf::from("f/00")), "{restored:?}");
        for path in restored {
            let path = format!("out/{}", path.to_str().unwrap());
            match path.as_str() {
                "out/f" => assert_eq!(sandbox.mode(&path), 0o755),
                "out/f/last" => assert!(sandbox.read(&path) == noise(10)),
                _ => assert!(sandbox.read(&path) == noise(50_000), "{path}"),
            }
        }
    }
}

#[test]
fn damaged_index_restores_nothing() {
    let sandbox = with_photos();
    sandbox.change("a", |bytes| bytes[200] ^= 1);
    sandbox.run("restore -k k a -C out").exits(4).says("`bulla salvage`");
    assert!(!sandbox.path("out").exists());
}

#[test]
fn warns_about_a_damaged_header() {
    let sandbox = with_photos();
    sandbox.change("a", |bytes| bytes[5] ^= 1);
    sandbox
        .run("restore -qk k a -C out")
        .exits(6)
        .says("the header is damaged, and the footer was used instead");
    assert_eq!(sandbox.read("out/photos/1.jpg"), b"one");
}

#[test]
fn file_size_limit_leaves_no_partial_file() {
    for args in ["", "--no-sync", "--threads 1"] {
        let sandbox = Sandbox::new();
        sandbox.archive(|writer| {
            file(writer, "small", &noise(1000));
            file(writer, "large", &noise(3_000_000));
        });
        sandbox
            .shell(&format!("ulimit -f 100; \"$BULLA\" restore -k k a -C out {args}"))
            .exits(1)
            .says("out/large: file too large")
            .says(" of 2 files and links");
        sandbox.assert_no_temporary_files("out");
        assert!(!sandbox.path("out/large").exists());
    }
}

#[test]
fn warns_about_files_that_shrank() {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| {
        file(writer, "complete", b"complete");
        for number in 0..25 {
            let metadata = Metadata::new();
            writer
                .file(
                    format!("short/{number:02}").as_bytes(),
                    &metadata,
                    10,
                    Bytes::from_static(b"cut"),
                )
                .unwrap();
        }
    });
    let outcome = sandbox.run("restore -qk k a -C out").exits(6).says("warning: 5 more like this");
    let outcome = outcome.says("short/00: warning: during the backup, it shrank while it was read");
    assert!(!outcome.err.contains("short/20"), "{}", outcome.err);
    assert_eq!(sandbox.read("out/short/24"), b"cut");
    sandbox.run("restore -qk k a complete -C other").exits(0).says_nothing();
}

/// Returns a sandbox with the archive `a`, which takes long enough to restore that it can be
/// interrupted.
fn with_many_files() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| {
        (0..2000)
            .for_each(|number| file(writer, format!("{}/{number}", number % 7), &noise(10_000)));
        file(writer, "large", &noise(5_000_000));
    });
    sandbox
}

#[test]
fn signal_keeps_only_complete_files() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let sandbox = with_many_files();
        let child = sandbox.command_with_signals("restore -k k a -C out").spawn().unwrap();
        wait_until("some files are created", || sandbox.below("out").len() > 100);
        kill_process(Pid::from_child(&child), signal).unwrap();
        finish(child).exits(code).says("temporary files were removed");
        sandbox.assert_no_temporary_files("out");
        // The next attempt finds only complete files to replace.
        sandbox.run("restore -qk k a -C out --force").exits(0);
        assert_eq!(sandbox.below("out").len(), 2001 + 7);
    }
}

#[test]
fn signal_at_any_time_leaves_complete_files() {
    let sandbox = with_many_files();
    let mut counts = Vec::new();
    for delay in (0..60).step_by(3) {
        let child = sandbox.command("restore -qk k a -C out --no-sync").spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        drop(finish(child));
        sandbox.assert_no_temporary_files("out");
        let restored = sandbox.below("out");
        counts.push(restored.len());
        for path in
            restored.iter().map(|path| sandbox.path("out").join(path)).filter(|path| path.is_file())
        {
            let len = fs::metadata(&path).unwrap().len();
            assert!(
                len == 10_000 || (len == 5_000_000 && path.ends_with("large")),
                "{path:?} {len}"
            );
        }
        let _ = fs::remove_dir_all(sandbox.path("out"));
    }
    assert!(counts.iter().any(|count| *count < 2001), "{counts:?}");
}

#[test]
fn restores_an_empty_archive() {
    let sandbox = Sandbox::new();
    sandbox.archive(|_| ());
    sandbox.run("restore -k k a -C out").exits(0).says("out: restored 0 entries, 0 bytes, from a");
    assert!(sandbox.below("out").is_empty());
}
