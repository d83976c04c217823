//! `bulla list`, `bulla cat`, and what the commands for single streams do about archives.

use std::fs;

use bulla::{ContentType, Key, Options};
use bulla_archive::{ArchiveBuilder, Metadata, Time};
use bulla_key::key_text;
use bytes::Bytes;

use crate::sandbox::{Ran, Sandbox, noise};

fn key(sandbox: &Sandbox) -> Key {
    key_text::parse(std::str::from_utf8(&sandbox.read("k")).unwrap()).unwrap()
}

/// With the archive `a`, made by the library, so that everything in it is known.
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
    // Planned longer than it is.
    writer.file(b"photos/short", &Metadata::new(), 10, Bytes::from_static(b"short")).unwrap();
    // Below directories that are no entries.
    writer.file(b"music/2024/caf\xe9", &at(i64::MAX), 1, Bytes::from_static(b"x")).unwrap();
    writer.symlink(b"photos/link\x1b[2J", &Metadata::new(), b"../some\nwhere").unwrap();
    writer.skip(b"photos/socket");
    let (bytes, _) = writer.seal_to(&key(&sandbox), Vec::new(), &Options::new()).unwrap();
    sandbox.write("a", &bytes);
    sandbox
}

const NAMES: &str = "\
music/2024/caf\\xe9
photo
photos
photos/1.jpg
photos/link\\u{1b}[2J
photos/none
photos/short
";

fn out(ran: Ran) -> String {
    String::from_utf8(ran.out).unwrap()
}

#[test]
fn names() {
    let sandbox = with_archive();
    let ran = sandbox
        .run("list -k k a")
        .exits(0)
        .says("a: changed or incomplete: 1, left out: 1; --long shows which");
    assert_eq!(out(ran), NAMES);
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

/// What is there is listed all the same.
#[test]
fn names_that_are_not_there() {
    let sandbox = with_archive();
    let ran = sandbox.run("list -k k a no photo phot photos/1").exits(1);
    let ran = ran.says("no: there is nothing of this name in a").says("phot: ").says("photos/1: ");
    assert_eq!(out(ran), "photo\n");
    for none in ["/", "./"] {
        sandbox.run(&format!("list -k k a {none}")).exits(2).says("the name of nothing");
    }
}

#[test]
fn long() {
    let listed = out(with_archive().run("list --long -k k a").exits(0));
    let expected = "\
-?????????              1 @9223372036854775807 music/2024/caf\\xe9
-rwSr--r--              1 2001-09-09T01:46:40Z photo
drwxr-xr-x              - 1970-01-01T00:00:00Z photos
-rwSr--r--         100000 2001-09-09T01:46:40Z photos/1.jpg
l?????????              - -                    photos/link\\u{1b}[2J -> ../some\\nwhere
-rwSr--r--              0 2001-09-09T01:46:40Z photos/none
-?????????              5 -                    photos/short  [shrank while it was being read]
-                       - -                    photos/socket  [was skipped]
";
    assert_eq!(listed, expected);
}

#[test]
fn json() {
    let ran = with_archive().run("list --json -k k a").exits(0);
    assert_eq!(ran.err, "");
    let listed: Vec<serde_json::Value> =
        out(ran).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(listed.len(), 8);
    let expected = [
        r#"{"name":"music/2024/caf�","name_hex":"6d757369632f323032342f636166e9","kind":"file","len":1,"mode":null,"modified":null,"target":null,"state":[]}"#,
        r#"{"name":"photo","kind":"file","len":1,"mode":"4644","modified":"2001-09-09T01:46:40.000000005Z","target":null,"state":[]}"#,
        r#"{"name":"photos/link\u001b[2J","kind":"symlink","len":0,"mode":null,"modified":null,"target":"../some\nwhere","state":[]}"#,
        r#"{"name":"photos/short","kind":"file","len":5,"mode":null,"modified":null,"target":null,"state":["short"]}"#,
        r#"{"name":"photos/socket","kind":null,"len":null,"mode":null,"modified":null,"target":null,"state":["left_out"]}"#,
    ];
    for (number, object) in [0, 1, 4, 6, 7].into_iter().zip(expected) {
        assert_eq!(listed[number], serde_json::from_str::<serde_json::Value>(object).unwrap());
    }
}

#[test]
fn contents() {
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
        let ran = cat(&format!("photos/1.jpg --range {range}")).exits(2);
        assert!(
            ran.says("photos/1.jpg: the range reaches behind the end; the file has 100000 bytes")
                .out
                .is_empty()
        );
    }
    cat("photos/1.jpg --range 5..3").exits(2);
}

#[test]
fn contents_of_what_has_none() {
    let sandbox = with_archive();
    for name in ["photos", "photos/", "music", "music/2024"] {
        sandbox
            .run(&format!("cat -k k a {name}"))
            .exits(2)
            .says("this is a directory; `bulla list` shows");
    }
    let ran: Ran =
        sandbox.command("cat -k k a").arg("photos/link\u{1b}[2J").output().unwrap().into();
    ran.exits(2)
        .says("photos/link\\u{1b}[2J: this is a symbolic link to ../some\\nwhere; name the file");
    for name in ["no", "photos/1", "phot", "photos/socket"] {
        sandbox
            .run(&format!("cat -k k a {name}"))
            .exits(1)
            .says("there is no file of this name in a");
    }
}

/// All that was there is written, and that it is not all is said.
#[test]
fn content_that_was_short() {
    let sandbox = with_archive();
    let ran = sandbox.run("cat -k k a photos/short").exits(6);
    let ran =
        ran.says("photos/short: warning: when it was backed up, it shrank while it was being read");
    assert_eq!(ran.out, b"short");
    sandbox.run("cat -k k a photos/short --range 0..6").exits(2).says("the file has 5 bytes");
}

#[test]
fn verify() {
    let sandbox = with_archive();
    let said = out(sandbox.run("verify -k k a").exits(0));
    assert!(
        said.starts_with("a: all ") && said.ends_with(" verified, an archive of 7 entries\n"),
        "{said}"
    );
    let said = out(sandbox.run_with_input("verify -k k -", &sandbox.read("a")).exits(0));
    assert!(said.ends_with(" bytes verified\n"), "{said}");
}

#[test]
fn open_points_elsewhere() {
    let sandbox = with_archive();
    for args in ["open -k k a -o x", "open -k k a -o -"] {
        sandbox
            .run(args)
            .exits(5)
            .says("a: it holds an archive; `bulla list`")
            .says("`bulla restore`");
    }
}

const READING: [&str; 3] = ["list -k k a", "list -k k a photo", "cat -k k a photo"];

#[test]
fn no_archive() {
    let sandbox = Sandbox::with_container(1000);
    fs::rename(sandbox.path("c"), sandbox.path("a")).unwrap();
    for args in READING {
        // It shows without the key.
        sandbox
            .run(&args.replace("-k k", "-k plain"))
            .exits(5)
            .says("a: not an archive: the container holds a single stream")
            .says("bulla open");
    }
    let key = key(&sandbox);
    let other = bulla::seal(&key, b"x", &Options::new().content_type(ContentType(200))).unwrap();
    for (bytes, code, says) in [
        (other, 5, "content of type 200; open it with the application that made it"),
        (Bytes::from_static(b"text"), 5, "not a bulla container"),
        (Bytes::new(), 5, "not a bulla container"),
    ] {
        sandbox.write("a", &bytes);
        READING.iter().for_each(|args| drop(sandbox.run(args).exits(code).says(says)));
    }
    fs::remove_file(sandbox.path("a")).unwrap();
    READING
        .iter()
        .for_each(|args| drop(sandbox.run(args).exits(1).says("a: no such file or directory")));
}

#[test]
fn wrong_key() {
    let sandbox = with_archive();
    sandbox.run("keygen -o other").exits(0);
    for args in READING {
        let args = args.replace("-k k", "-k other");
        sandbox.run(&args).exits(3).says("a: the key does not belong").says("than other");
    }
}

/// Authentic, and no archive all the same.
#[test]
fn malformed() {
    let sandbox = Sandbox::new();
    let options = Options::new().content_type(ContentType::ARCHIVE);
    sandbox.write("a", &bulla::seal(&key(&sandbox), &noise(10_000), &options).unwrap());
    for args in READING.iter().chain(&["verify -k k a"]) {
        sandbox
            .run(args)
            .exits(4)
            .says("a: malformed archive: ")
            .says("the program that wrote it is faulty");
    }
}

/// What of the archive is not needed may be damaged.
#[test]
fn damaged() {
    let sandbox = with_archive();
    sandbox.change("a", |bytes| bytes[128 + 70_000] ^= 1);
    sandbox.run("verify -k k a").exits(4).says("a: chunk 1 is damaged");
    for args in READING {
        sandbox
            .run(args)
            .exits(4)
            .says("a: chunk 1 is damaged")
            .says("`bulla salvage` restores what is left");
    }

    let sandbox = with_archive();
    sandbox.change("a", |bytes| bytes[128 + 100] ^= 1);
    sandbox.run("list -k k a").exits(0);
    sandbox.run("cat -k k a photo").exits(0);
    sandbox
        .run("cat -k k a photos/1.jpg")
        .exits(4)
        .says("a: chunk 0 is damaged")
        .says("it is not all");
    assert_eq!(
        sandbox.run("cat -k k a photos/1.jpg --range 80000..").exits(0).out,
        noise(100_000)[80_000..]
    );
    sandbox.run("verify -k k a").exits(4).says("a: chunk 0 is damaged");
}

/// The notes stand before the index, here in a chunk of their own.
#[test]
fn notes_damaged() {
    let sandbox = Sandbox::new();
    let mut writer = ArchiveBuilder::new();
    for number in 0..2000 {
        let name = format!("{number:04}");
        writer.file(name.as_bytes(), &Metadata::new(), 0, Bytes::new()).unwrap();
    }
    for number in 0..6000 {
        writer.skip(format!("left out {number:04}").as_bytes());
    }
    let (bytes, _) = writer.seal_to(&key(&sandbox), Vec::new(), &Options::new()).unwrap();
    sandbox.write("a", &bytes);
    // The records take 72 KB, the notes behind them 174 KB.
    sandbox.change("a", |bytes| bytes[128 + 150_000] ^= 1);
    let ran = sandbox.run("list -k k a").exits(4).says("a: chunk 2 is damaged");
    assert_eq!(out(ran).lines().count(), 2000, "the entries are listed all the same");
}

#[test]
fn header_damaged() {
    let sandbox = with_archive();
    sandbox.change("a", |bytes| bytes[..128].fill(0));
    let ran = sandbox
        .run("list -k k a")
        .exits(6)
        .says("a: warning: the header is damaged, and the footer stands in");
    assert_eq!(out(ran), NAMES);
    assert_eq!(sandbox.run("cat -k k a photo").exits(6).says("the header is damaged").out, [1]);
    sandbox.run("verify -k k a").exits(6);
}

#[test]
fn through_a_pipe() {
    let sandbox = with_archive();
    let archive = sandbox.read("a");
    for args in READING {
        let args = args.replace(" a", " -");
        sandbox.run_with_input(&args, &archive).exits(2).says("put it into a file first");
    }
}

#[cfg(unix)]
mod on_unix {
    use std::io::Read;

    use super::*;
    use crate::sandbox::finish;

    #[test]
    fn archive_as_standard_input() {
        let sandbox = with_archive();
        assert_eq!(out(sandbox.shell(r#""$BULLA" list -k k - < a"#).exits(0)), NAMES);
        assert_eq!(sandbox.shell(r#""$BULLA" cat -k k - photo < a"#).exits(0).out, [1]);
    }

    /// `head` has what it wanted, and nobody needs to hear of it. Of contents, what is missing is
    /// said.
    #[test]
    fn reader_goes_away() {
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
    fn redirected_content() {
        let sandbox = with_archive();
        sandbox.shell(r#"echo before > x; "$BULLA" cat -k k a photos/1.jpg >> x"#).exits(0);
        assert!(sandbox.read("x") == [b"before\n", &noise(100_000)[..]].concat());
        sandbox
            .shell(r#""$BULLA" cat -k k a photo >> a"#)
            .exits(2)
            .says("the output is the archive");
        sandbox.run("verify -k k a").exits(0);

        sandbox.change("a", |bytes| bytes[128 + 100] ^= 1);
        let ran =
            sandbox.shell(r#"echo before > x; "$BULLA" cat -k k a photos/1.jpg >> x"#).exits(4);
        ran.says("nothing was written");
        assert_eq!(sandbox.read("x"), b"before\n");
    }
}
