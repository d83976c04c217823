//! `bulla list`, `bulla cat`, and how the single-stream commands handle archives.

use std::fs;

use bulla::{ContentType, Key, Options};
use bulla_archive::{ArchiveBuilder, Metadata, Time};
use bulla_key::key_text;
use bytes::Bytes;

use crate::sandbox::{Outcome, Sandbox, noise};

fn key(sandbox: &Sandbox) -> Key {
    key_text::parse(std::str::from_utf8(&sandbox.read("k")).unwrap()).unwrap()
}

/// Returns a sandbox with the archive `a`. The library creates it, so that all of its contents are
/// known.
fn with_archive() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut writer = ArchiveBuilder::new();
    let at = |seconds| Metadata::new().mtime(Time { seconds, nanoseconds: 5 });
    writer.directory(b"photos", &at(0).mode(0o755)).unwrap();
    for (name, bytes) in
        [(&b"photos/1.jpg"[..], noise(100_000)), (b"photos/none", vec![]), (b"photo", vec![1])]
    {
        let len = bytes.len() as u64;
        writer.file(name, &at(1_000_000_000).mode(0o4644), len, Bytes::from(bytes)).unwrap();
    }
    // This file is shorter than its declared length.
    writer.file(b"photos/short", &Metadata::new(), 10, Bytes::from_static(b"short")).unwrap();
    // The parent directories of this file have no entries.
    writer.file(b"music/2024/caf\xe9", &at(i64::MAX), 1, Bytes::from_static(b"x")).unwrap();
    writer.symlink(b"photos/link\x1b[2J", &Metadata::new(), b"../some\nwhere").unwrap();
    writer.skip(b"photos/socket");
    let (bytes, _) = writer.seal_to(&key(&sandbox), Vec::new(), &Options::new()).unwrap();
    sandbox.write("a", &bytes);
    sandbox
}

const PATHS: &str = "\
music/2024/caf\\xe9
photo
photos
photos/1.jpg
photos/link\\u{1b}[2J
photos/none
photos/short
";

fn out(outcome: Outcome) -> String {
    String::from_utf8(outcome.out).unwrap()
}

#[test]
fn lists_paths() {
    let sandbox = with_archive();
    let outcome = sandbox
        .run("list -k k a")
        .exits(0)
        .says("a: 1 incomplete, 1 skipped; use --long to see which");
    assert_eq!(out(outcome), PATHS);
    for (names, listed) in [
        ("photo", "photo\n"),
        ("music", "music/2024/caf\\xe9\n"),
        ("music/2024/ photo", "music/2024/caf\\xe9\nphoto\n"),
        ("./photos/1.jpg", "photos/1.jpg\n"),
        ("photos/socket", ""),
    ] {
        assert_eq!(out(sandbox.run(&format!("list -k k a {names}")).exits(0)), listed, "{names}");
    }
}

/// The paths that do exist are still listed.
#[test]
fn reports_missing_paths() {
    let sandbox = with_archive();
    let outcome = sandbox.run("list -k k a no photo phot photos/1").exits(1);
    let outcome = outcome.says("no: not found in a").says("phot: ").says("photos/1: ");
    assert_eq!(out(outcome), "photo\n");
    for path in ["/", "./"] {
        sandbox.run(&format!("list -k k a {path}")).exits(2).says("not a valid archive path");
    }
}

#[test]
fn lists_in_long_format() {
    let listed = out(with_archive().run("list --long -k k a").exits(0));
    let expected = "\
-?????????              1 @9223372036854775807 music/2024/caf\\xe9
-rwSr--r--              1 2001-09-09T01:46:40Z photo
drwxr-xr-x              - 1970-01-01T00:00:00Z photos
-rwSr--r--         100000 2001-09-09T01:46:40Z photos/1.jpg
l?????????              - -                    photos/link\\u{1b}[2J -> ../some\\nwhere
-rwSr--r--              0 2001-09-09T01:46:40Z photos/none
-?????????              5 -                    photos/short  [shrank while it was read]
-                       - -                    photos/socket  [was skipped]
";
    assert_eq!(listed, expected);
}

#[test]
fn lists_as_json() {
    let outcome = with_archive().run("list --json -k k a").exits(0);
    assert_eq!(outcome.err, "");
    let listed: Vec<serde_json::Value> =
        out(outcome).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(listed.len(), 8);
    let expected = [
        r#"{"name":"music/2024/caf�","name_hex":"6d757369632f323032342f636166e9",
            "kind":"file","len":1,"mode":null,"modified":null,
            "target":null,"state":[]}"#,
        r#"{"name":"photo",
            "kind":"file","len":1,"mode":"4644","modified":"2001-09-09T01:46:40.000000005Z",
            "target":null,"state":[]}"#,
        r#"{"name":"photos/link\u001b[2J",
            "kind":"symlink","len":0,"mode":null,"modified":null,
            "target":"../some\nwhere","state":[]}"#,
        r#"{"name":"photos/short",
            "kind":"file","len":5,"mode":null,"modified":null,
            "target":null,"state":["short"]}"#,
        r#"{"name":"photos/socket",
            "kind":null,"len":null,"mode":null,"modified":null,
            "target":null,"state":["left_out"]}"#,
    ];
    for (number, object) in [0, 1, 4, 6, 7].into_iter().zip(expected) {
        assert_eq!(listed[number], serde_json::from_str::<serde_json::Value>(object).unwrap());
    }
}

#[test]
fn cat_writes_files_and_ranges() {
    let sandbox = with_archive();
    let photo = noise(100_000);
    let cat = |args: &str| sandbox.run(&format!("cat -k k a {args}"));
    assert!(cat("photos/1.jpg").exits(0).out == photo);
    assert!(cat("./photos/1.jpg").exits(0).out == photo);
    cat("photos/none").exits(0).says_nothing();
    for (range, from, to) in [
        ("0..1", 0, 1),
        ("65530..65540", 65530, 65540),
        ("99999..", 99999, 100_000),
        ("..7", 0, 7),
        ("100000..", 100_000, 100_000),
    ] {
        assert!(
            cat(&format!("photos/1.jpg --range {range}")).exits(0).out == photo[from..to],
            "{range}"
        );
    }
    for range in ["100001..", "0..100001", "..100001"] {
        let outcome = cat(&format!("photos/1.jpg --range {range}")).exits(2);
        assert!(
            outcome
                .says("the range extends past the end of the file, which has 100000 bytes")
                .out
                .is_empty()
        );
    }
    cat("photos/1.jpg --range 5..3").exits(2);
}

#[test]
fn cat_rejects_directories_and_links() {
    let sandbox = with_archive();
    for name in ["photos", "photos/", "music", "music/2024"] {
        sandbox
            .run(&format!("cat -k k a {name}"))
            .exits(2)
            .says("is a directory; use `bulla list`");
    }
    let outcome: Outcome =
        sandbox.command("cat -k k a").arg("photos/link\u{1b}[2J").output().unwrap().into();
    outcome
        .exits(2)
        .says("photos/link\\u{1b}[2J: is a symbolic link to ../some\\nwhere; name the file");
    for name in ["no", "photos/1", "phot", "photos/socket"] {
        sandbox.run(&format!("cat -k k a {name}")).exits(1).says("not found in a");
    }
}

/// The stored content is still written, with a warning.
#[test]
fn cat_warns_about_a_file_that_shrank() {
    let sandbox = with_archive();
    let outcome = sandbox.run("cat -k k a photos/short").exits(6);
    let outcome =
        outcome.says("photos/short: warning: during the backup, it shrank while it was read");
    assert_eq!(outcome.out, b"short");
    sandbox.run("cat -k k a photos/short --range 0..6").exits(2).says("which has 5 bytes");
}

#[test]
fn verify_counts_the_entries() {
    let sandbox = with_archive();
    let said = out(sandbox.run("verify -k k a").exits(0));
    assert!(said.starts_with("a: verified ") && said.ends_with(" bytes, 7 entries\n"), "{said}");
    let said = out(sandbox.run_with_input("verify -k k -", &sandbox.read("a")).exits(0));
    assert!(said.ends_with(" bytes\n"), "{said}");
}

#[test]
fn open_suggests_list_and_restore() {
    let sandbox = with_archive();
    for args in ["open -k k a -o x", "open -k k a -o -"] {
        sandbox
            .run(args)
            .exits(5)
            .says("a: is an archive; use `bulla list`")
            .says("`bulla restore`");
    }
}

const READ_COMMANDS: [&str; 3] = ["list -k k a", "list -k k a photo", "cat -k k a photo"];

#[test]
fn rejects_files_that_are_not_archives() {
    let sandbox = Sandbox::with_container(1000);
    fs::rename(sandbox.path("c"), sandbox.path("a")).unwrap();
    for args in READ_COMMANDS {
        // No key is needed to detect this, so `plain` is not read as a key file.
        sandbox
            .run(&args.replace("-k k", "-k plain"))
            .exits(5)
            .says("a: not an archive: it holds a single stream")
            .says("bulla open");
    }
    let key = key(&sandbox);
    let other = bulla::seal(&key, b"x", &Options::new().content_type(ContentType(200))).unwrap();
    for (bytes, code, message) in [
        (other, 5, "content of type 200; open it with the application that created it"),
        (Bytes::from_static(b"text"), 5, "a: not a "),
        (Bytes::new(), 5, "a: not a "),
    ] {
        sandbox.write("a", &bytes);
        READ_COMMANDS.iter().for_each(|args| drop(sandbox.run(args).exits(code).says(message)));
    }
    fs::remove_file(sandbox.path("a")).unwrap();
    READ_COMMANDS
        .iter()
        .for_each(|args| drop(sandbox.run(args).exits(1).says("a: no such file or directory")));
}

#[test]
fn rejects_a_wrong_key() {
    let sandbox = with_archive();
    sandbox.run("keygen -o other").exits(0);
    for args in READ_COMMANDS {
        let args = args.replace("-k k", "-k other");
        sandbox.run(&args).exits(3).says("a: wrong key in other");
    }
}

/// The container is authentic, but its content is not an archive.
#[test]
fn rejects_a_malformed_archive() {
    let sandbox = Sandbox::new();
    let options = Options::new().content_type(ContentType::ARCHIVE);
    sandbox.write("a", &bulla::seal(&key(&sandbox), &noise(10_000), &options).unwrap());
    for args in READ_COMMANDS.iter().chain(&["verify -k k a"]) {
        sandbox.run(args).exits(4).says("a: malformed archive");
    }
}

/// Damage to other chunks does not matter.
#[test]
fn rejects_damage_to_the_chunks_that_it_reads() {
    let sandbox = with_archive();
    sandbox.change("a", |bytes| bytes[128 + 70_000] ^= 1);
    sandbox.run("verify -k k a").exits(4).says("a: chunk 1 ");
    for args in READ_COMMANDS {
        sandbox
            .run(args)
            .exits(4)
            .says("a: chunk 1 ")
            .says("use `bulla salvage` to restore what is left");
    }

    let sandbox = with_archive();
    sandbox.change("a", |bytes| bytes[128 + 100] ^= 1);
    sandbox.run("list -k k a").exits(0);
    sandbox.run("cat -k k a photo").exits(0);
    sandbox
        .run("cat -k k a photos/1.jpg")
        .exits(4)
        .says("a: chunk 0 ")
        .says("the output is authentic but incomplete");
    assert_eq!(
        sandbox.run("cat -k k a photos/1.jpg --range 80000..").exits(0).out,
        noise(100_000)[80_000..]
    );
    sandbox.run("verify -k k a").exits(4).says("a: chunk 0 ");
}

/// The notes come before the index. Here the two are in different chunks.
#[test]
fn lists_entries_if_the_notes_are_damaged() {
    let sandbox = Sandbox::new();
    let mut writer = ArchiveBuilder::new();
    for number in 0..2000 {
        let name = format!("{number:04}");
        writer.file(name.as_bytes(), &Metadata::new(), 0, Bytes::new()).unwrap();
    }
    for number in 0..6000 {
        writer.skip(format!("skipped {number:04}").as_bytes());
    }
    let (bytes, _) = writer.seal_to(&key(&sandbox), Vec::new(), &Options::new()).unwrap();
    sandbox.write("a", &bytes);
    // The entry records take 72 KB, and the notes that follow them take 174 KB.
    sandbox.change("a", |bytes| bytes[128 + 150_000] ^= 1);
    let outcome = sandbox.run("list -k k a").exits(4).says("a: chunk 2 ");
    assert_eq!(out(outcome).lines().count(), 2000, "entries are missing");
}

#[test]
fn lists_with_a_damaged_header() {
    let sandbox = with_archive();
    sandbox.change("a", |bytes| bytes[..128].fill(0));
    let outcome = sandbox
        .run("list -k k a")
        .exits(6)
        .says("a: warning: the header is damaged, and the footer was used instead");
    assert_eq!(out(outcome), PATHS);
    assert_eq!(sandbox.run("cat -k k a photo").exits(6).says("the header is damaged").out, [1]);
    sandbox.run("verify -k k a").exits(6);
}

#[test]
fn rejects_a_pipe() {
    let sandbox = with_archive();
    let archive = sandbox.read("a");
    for args in READ_COMMANDS {
        let args = args.replace(" a", " -");
        sandbox.run_with_input(&args, &archive).exits(2).says("write it to a file first");
    }
}

#[cfg(unix)]
mod on_unix {
    use std::io::Read;

    use super::*;
    use crate::sandbox::finish;

    #[test]
    fn accepts_a_file_as_standard_input() {
        let sandbox = with_archive();
        assert_eq!(out(sandbox.shell(r#""$BULLA" list -k k - < a"#).exits(0)), PATHS);
        assert_eq!(sandbox.shell(r#""$BULLA" cat -k k - photo < a"#).exits(0).out, [1]);
    }

    /// A listing may be cut short, for example by `head`, but a file may not.
    #[test]
    fn closed_output_is_an_error_only_for_cat() {
        let sandbox = Sandbox::new();
        let mut writer = ArchiveBuilder::new();
        for number in 0..100_000 {
            let name = format!("directory/{number}");
            writer.file(name.as_bytes(), &Metadata::new(), 0, Bytes::new()).unwrap();
        }
        writer.file(b"large", &Metadata::new(), 4 << 20, Bytes::from(noise(4 << 20))).unwrap();
        let (bytes, _) = writer.seal_to(&key(&sandbox), Vec::new(), &Options::new()).unwrap();
        sandbox.write("a", &bytes);
        for args in ["list -k k a", "list --long -k k a", "list --json -k k a directory"] {
            let mut child = sandbox.command(args).spawn().unwrap();
            child.stdout.take().unwrap().read_exact(&mut [0; 100]).unwrap();
            finish(child).exits(0).says_nothing();
        }
        let mut child = sandbox.command("cat -k k a large").spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 100]).unwrap();
        finish(child).exits(1).says("standard output: broken pipe");
    }

    #[test]
    fn failure_restores_the_redirected_file() {
        let sandbox = with_archive();
        sandbox.shell(r#"echo before > x; "$BULLA" cat -k k a photos/1.jpg >> x"#).exits(0);
        assert!(sandbox.read("x") == [b"before\n", &noise(100_000)[..]].concat());
        sandbox
            .shell(r#""$BULLA" cat -k k a photo >> a"#)
            .exits(2)
            .says("the output is the archive");
        sandbox.run("verify -k k a").exits(0);

        sandbox.change("a", |bytes| bytes[128 + 100] ^= 1);
        let outcome =
            sandbox.shell(r#"echo before > x; "$BULLA" cat -k k a photos/1.jpg >> x"#).exits(4);
        outcome.says("nothing was written");
        assert_eq!(sandbox.read("x"), b"before\n");
    }
}
