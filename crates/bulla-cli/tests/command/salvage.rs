//! `bulla salvage`: restores what is left of a damaged archive and reports what is lost (A-7).

use std::fs;
use std::path::PathBuf;

use bulla_archive::Metadata;

use crate::restore::file;
use crate::sandbox::{Sandbox, noise};

/// Bytes in a header.
const HEADER: usize = 128;
/// Bytes in a sealed 4 KiB chunk, including its tag.
const SEALED: usize = 4096 + 16;

/// Returns a sandbox with the archive `a`, which contains small and large files in 4 KiB chunks.
fn with_files() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| {
        writer.directory(b"f", &Metadata::new().mode(0o710)).unwrap();
        file(writer, "f/1", &noise(100));
        file(writer, "f/large", &noise(40_000));
        file(writer, "f/2", &noise(200));
        file(writer, "f/zero", b"");
        writer.symlink(b"f/link", &Metadata::new(), b"1").unwrap();
    });
    sandbox
}

fn damage(sandbox: &Sandbox, chunk: usize) {
    sandbox.change("a", |bytes| bytes[HEADER + chunk * SEALED + 50] ^= 1);
}

const ALL: [&str; 6] = ["f", "f/1", "f/2", "f/large", "f/link", "f/zero"];

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

#[test]
fn restores_an_intact_archive() {
    for args in ["", "--no-sync"] {
        let sandbox = with_files();
        let outcome = sandbox.run(&format!("salvage -k k a -C new/out {args}")).exits(0);
        outcome.says("new/out: salvaged 6 entries from a; 0 bytes lost");
        assert_eq!(sandbox.below("new/out"), paths(&ALL));
        assert!(sandbox.read("new/out/f/large") == noise(40_000));
        assert_eq!(sandbox.mode("new/out/f"), 0o710);
        assert_eq!(sandbox.mode("new/out/f/large"), 0o640);
        sandbox.run("salvage -qk k a -C other").exits(0).says_nothing();
    }
}

/// A-7.3
#[test]
fn fills_a_hole_with_zeros() {
    let sandbox = with_files();
    damage(&sandbox, 3);
    let outcome = sandbox.run("salvage -qk k a -C out").exits(6).says("f/large: lost bytes ");
    let outcome = outcome
        .says("out: salvaged 5 entries and 1 damaged (PATH.damaged) from a; 4096 bytes lost");
    let range = outcome.err.split("bytes ").nth(1).unwrap().split_whitespace().next().unwrap();
    let (start, end) = range.split_once("..").unwrap();
    let range = start.parse::<usize>().unwrap()..end.parse().unwrap();
    assert_eq!(range.len(), 4096);
    assert_eq!(
        sandbox.below("out"),
        paths(&["f", "f/1", "f/2", "f/large.damaged", "f/link", "f/zero"])
    );
    let mut expected = noise(40_000);
    expected[range].fill(0);
    assert!(sandbox.read("out/f/large.damaged") == expected);
    assert!(sandbox.read("out/f/2") == noise(200));
}

/// The damaged file keeps its length.
#[test]
fn fills_a_hole_at_the_end() {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| {
        file(writer, "large", &noise(20_000));
        (0..200).for_each(|number| file(writer, format!("small/{number}"), b"x"));
    });
    damage(&sandbox, 4);
    sandbox.run("salvage -k k a -C out").exits(6).says("..20000\n");
    let damaged = sandbox.read("out/large.damaged");
    assert_eq!(damaged.len(), 20_000);
    assert!(
        damaged[..16_000] == noise(20_000)[..16_000]
            && damaged[16_384..].iter().all(|byte| *byte == 0)
    );
}

/// The index still contains the path of the lost file.
#[test]
fn reports_a_lost_file() {
    let sandbox = with_files();
    damage(&sandbox, 0);
    sandbox
        .run("salvage -k k a -C out")
        .exits(6)
        .says("f/1: lost bytes 0..100\n")
        .says("f/1: not restored: all of its content is lost");
    assert!(!sandbox.path("out/f/1").exists() && !sandbox.path("out/f/1.damaged").exists());
    assert!(sandbox.read("out/f/2") == noise(200));
    sandbox.assert_no_temporary_files("out");
}

/// A-7.2
#[test]
fn restores_without_the_index() {
    let sandbox = with_files();
    sandbox.change("a", |bytes| {
        let end = bytes.len() - HEADER;
        bytes[end - 20] ^= 1;
    });
    sandbox.run("restore -k k a -C out").exits(4);
    sandbox
        .run("salvage -k k a -C out")
        .exits(6)
        .says("a: warning: the index is lost; the archive may have contained more entries");
    assert!(sandbox.read("out/f/large") == noise(40_000));
}

#[test]
fn restores_a_truncated_archive() {
    let sandbox = with_files();
    sandbox.change("a", |bytes| bytes.truncate(HEADER + 5 * SEALED + 17));
    let outcome = sandbox
        .run("salvage -k k a -C out")
        .exits(6)
        .says("the index is lost")
        .says("the notes are lost");
    assert!(outcome.err.contains("f/large: lost bytes "), "{}", outcome.err);
    assert_eq!(sandbox.below("out"), paths(&["f", "f/1", "f/large.damaged"]));
    assert_eq!(sandbox.read("out/f/large.damaged").len(), 40_000);
}

#[test]
fn conflicts_are_skipped() {
    let sandbox = with_files();
    damage(&sandbox, 3);
    fs::create_dir_all(sandbox.path("out/f/2")).unwrap();
    for name in ["out/f/1", "out/f/large.damaged", "out/f/link"] {
        sandbox.write(name, b"precious");
    }
    sandbox
        .run("salvage -k k a -C out")
        .exits(6)
        .says("f/1: not restored: conflicts with an existing file")
        .says("f/2: not restored: conflicts with an existing file")
        .says("f/large.damaged: not restored: conflicts with an existing file")
        .says("f/link: not restored: conflicts with an existing file");
    assert_eq!(sandbox.read("out/f/1"), b"precious");
    assert_eq!(sandbox.read("out/f/large.damaged"), b"precious");
    assert!(sandbox.path("out/f/zero").exists());

    sandbox.run("salvage -fk k a -C out").exits(6).says("f/2: not restored");
    assert!(sandbox.read("out/f/1") == noise(100));
    assert_eq!(sandbox.read("out/f/large.damaged").len(), 40_000);
    assert!(sandbox.path("out/f/link").is_symlink());
    sandbox.assert_no_temporary_files("out");
}

#[test]
fn shortens_long_names() {
    let sandbox = Sandbox::new();
    let name = "n".repeat(255);
    sandbox.archive(|writer| file(writer, &name, &noise(20_000)));
    damage(&sandbox, 2);
    sandbox.run("salvage -k k a -C out").exits(6);
    assert_eq!(sandbox.below("out"), [PathBuf::from(format!("{}.damaged", &name[..247]))]);
}

#[test]
fn warns_about_files_that_shrank() {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| {
        writer.file(b"short", &Metadata::new(), 10, bytes::Bytes::from_static(b"cut")).unwrap();
    });
    let message = "short: warning: during the backup, it shrank while it was read";
    sandbox.run("salvage -k k a -C out").exits(6).says(message);
    assert_eq!(sandbox.read("out/short"), b"cut");
}

#[test]
fn rejects_files_that_cannot_be_salvaged() {
    let sandbox = with_files();
    sandbox.run("keygen -qo other").exits(0);
    sandbox.run("salvage -k other a -C out").exits(3).says("wrong key in other");
    sandbox.write("x", &noise(1000));
    sandbox.run("salvage -k k x -C out").exits(5);
    sandbox.run("seal -qk k x -o c").exits(0);
    sandbox.run("salvage -k k c -C out").exits(5).says("`bulla open`");
    sandbox.shell(r#"cat a | "$BULLA" salvage -k k - -C out"#).exits(2).says("a pipe");
    sandbox.run("salvage -k k nothing -C out").exits(1);
    assert!(!sandbox.path("out").exists());

    sandbox.change("a", |bytes| {
        let body = HEADER..bytes.len() - HEADER;
        bytes[body].fill(0);
    });
    sandbox.run("salvage -k k a -C out").exits(4).says("nothing could be salvaged");
}
