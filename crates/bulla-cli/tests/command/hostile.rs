//! Restoring never writes outside the target directory, whatever paths and links the archive and
//! the target contain (A-6.5).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use bulla::{ContentType, Options, Sealer};
use bulla_archive::Metadata;

use crate::restore::file;
use crate::sandbox::{Sandbox, noise};

/// Returns a sandbox with the archive `a`, which contains photos and notes, and a directory
/// `outside` that must not change.
fn with_outside() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.archive(|writer| {
        writer.directory(b"photos", &Metadata::new().mode(0o777)).unwrap();
        file(writer, "photos/1.jpg", b"one");
        file(writer, "photos/deep/2.jpg", b"two");
        file(writer, "notes", b"notes");
    });
    fs::create_dir_all(sandbox.path("outside/deep")).unwrap();
    sandbox.write("outside/1.jpg", b"precious");
    sandbox
}

/// Checks that `outside` did not change.
fn assert_outside_unchanged(sandbox: &Sandbox) {
    assert_eq!(sandbox.below("outside"), ["1.jpg", "deep"].map(PathBuf::from));
    assert_eq!(sandbox.read("outside/1.jpg"), b"precious");
}

/// Even a link that points into the target directory is rejected, because it may change later.
#[test]
fn rejects_a_link_in_place_of_a_directory() {
    for link in ["../outside", "elsewhere", "nowhere", ".", ".."] {
        for command in
            ["restore", "restore --force", "restore --no-sync --threads 1", "salvage", "salvage -f"]
        {
            let sandbox = with_outside();
            fs::create_dir_all(sandbox.path("out/elsewhere")).unwrap();
            symlink(link, sandbox.path("out/photos")).unwrap();
            let outcome = sandbox.run(&format!("{command} -k k a -C out"));
            match command.starts_with("salvage") {
                true => drop(
                    outcome
                        .exits(6)
                        .says("photos/1.jpg: not restored: conflicts with an existing file"),
                ),
                false => drop(
                    outcome
                        .exits(1)
                        .says("out/photos: is not a directory, but the archive has one here"),
                ),
            }
            assert_outside_unchanged(&sandbox);
            assert!(sandbox.below("out/elsewhere").is_empty());
            assert_eq!(sandbox.path("out/photos").read_link().unwrap(), PathBuf::from(link));
            assert_eq!(sandbox.path("out/notes").exists(), command.starts_with("salvage"));
        }
    }
}

#[test]
fn rejects_an_absolute_link_in_place_of_a_deeper_directory() {
    let sandbox = with_outside();
    fs::create_dir_all(sandbox.path("out/photos")).unwrap();
    symlink(sandbox.path("outside"), sandbox.path("out/photos/deep")).unwrap();
    sandbox.run("restore -k k a -C out --force").exits(1).says("out/photos/deep: ");
    sandbox
        .run("restore -k k a photos/deep/2.jpg -C out --force")
        .exits(1)
        .says("out/photos/deep: ");
    sandbox.run("restore -k k a notes -C out").exits(0);
    assert_outside_unchanged(&sandbox);
}

#[test]
fn force_replaces_a_link_instead_of_following_it() {
    let sandbox = with_outside();
    fs::create_dir_all(sandbox.path("out/photos")).unwrap();
    symlink("../../outside/1.jpg", sandbox.path("out/photos/1.jpg")).unwrap();
    sandbox.run("restore -k k a -C out").exits(1).says("out/photos/1.jpg: already exists");
    sandbox.run("restore -k k a -C out --force").exits(0);
    assert!(!sandbox.path("out/photos/1.jpg").is_symlink());
    assert_outside_unchanged(&sandbox);
}

/// The user chose the target directory, so it may be a link.
#[test]
fn follows_a_link_to_the_target() {
    let sandbox = with_outside();
    fs::create_dir(sandbox.path("real")).unwrap();
    symlink("real", sandbox.path("out")).unwrap();
    sandbox.run("restore -k k a -C out").exits(0);
    assert_eq!(sandbox.read("real/photos/1.jpg"), b"one");
    symlink("nowhere", sandbox.path("dangling")).unwrap();
    sandbox.run("restore -k k a -C dangling").exits(1);
}

/// The first archive creates a link, and the second has an entry below that link.
#[test]
fn rejects_a_link_from_an_earlier_archive() {
    for command in ["restore", "restore -f", "salvage", "salvage -f"] {
        let sandbox = with_outside();
        sandbox.archive(|writer| writer.symlink(b"d", &Metadata::new(), b"../outside").unwrap());
        sandbox.run(&format!("{command} -qk k a -C out")).exits(0);
        sandbox.archive(|writer| file(writer, "d/1.jpg", b"evil"));
        let outcome = sandbox.run(&format!("{command} -k k a -C out"));
        assert!(outcome.code != Some(0));
        assert_outside_unchanged(&sandbox);
    }
}

/// An entry in a hand-built archive that no writer would create.
#[derive(Clone, Default)]
struct Item {
    kind: u8,
    encoding: u8,
    row: u32,
    name: &'static [u8],
    /// The link target.
    target: &'static [u8],
    content: Vec<u8>,
    /// The number of the entry whose content this entry shares.
    same_as: Option<usize>,
}

fn item(name: &'static str, content: &[u8]) -> Item {
    Item { kind: 1, name: name.as_bytes(), content: content.to_vec(), ..Item::default() }
}

fn link(name: &'static str, target: &'static str) -> Item {
    Item { kind: 3, name: name.as_bytes(), target: target.as_bytes(), ..Item::default() }
}

/// Creates the archive `a` from `items`, which must be sorted by path. If `rows` is not 0, the
/// archive starts with a containers record of that many rows (A-3.4).
fn build(sandbox: &Sandbox, items: &[Item], rows: u64) {
    let options = Options::new().content_type(ContentType::ARCHIVE);
    let mut sealer = Sealer::new(&sandbox.key(), Vec::new(), &options).unwrap();
    let marker = sealer.export(b"archive record")[..16].to_vec();
    let head = |kind: u8, encoding: u8, name: &[u8], attributes: &[u8], len: usize| {
        let lens =
            [&(name.len() as u16).to_be_bytes()[..], &(attributes.len() as u32).to_be_bytes()]
                .concat();
        [&marker[..], &[kind, encoding], &lens, &(len as u64).to_be_bytes(), name, attributes]
            .concat()
    };
    let (mut plain, mut index, mut offsets, mut sum) = (Vec::new(), Vec::new(), Vec::new(), 0);
    if rows > 0 {
        plain.extend(
            [head(16, 0, b"", b"", 96 * rows as usize), vec![7; 96 * rows as usize]].concat(),
        );
    }
    for item in items {
        let attributes = match item.target {
            b"" => Vec::new(),
            target => [&[0, 3], &(target.len() as u16).to_be_bytes()[..], target].concat(),
        };
        plain.extend(head(item.kind, item.encoding, item.name, &attributes, item.content.len()));
        let offset = item.same_as.map_or(plain.len() as u64, |number| offsets[number]);
        let len =
            item.same_as.map_or(item.content.len(), |number| items[number].content.len()) as u64;
        offsets.push(offset);
        let place = if item.kind == 1 { [offset, len] } else { [0, 0] };
        sum += place[1];
        plain.extend(&item.content);
        index.extend([item.kind, item.encoding, 0, 0]);
        index.extend([&(item.name.len() as u16).to_be_bytes()[..], &[0; 2]].concat());
        index.extend((attributes.len() as u32).to_be_bytes());
        index.extend(item.row.to_be_bytes());
        index.extend(place.map(u64::to_be_bytes).concat());
        index.extend([item.name, &attributes].concat());
    }
    let notes = plain.len() as u64;
    plain.extend(head(17, 0, b"", b"", 0));
    let start = plain.len() as u64;
    plain.extend([head(18, 0, b"", b"", index.len()), index.clone()].concat());
    let fence_offset = plain.len() as u64;
    let fence = [
        &start.to_be_bytes()[..],
        &(index.len() as u32).to_be_bytes(),
        &(items[0].name.len() as u16).to_be_bytes(),
        &[0; 2],
        items[0].name,
    ]
    .concat();
    plain.extend([head(19, 0, b"", b"", fence.len()), fence].concat());
    plain.extend(head(20, 0, b"", b"", 96));
    let trailer = [notes, start, fence_offset, items.len() as u64, 1, rows, sum, 0, 0, 0, 0, 0];
    plain.extend(trailer.map(u64::to_be_bytes).concat());
    sealer.copy_from(&mut &plain[..]).unwrap();
    sandbox.write("a", &sealer.finish().unwrap().0);
}

/// A-2.2
#[test]
fn rejects_entries_below_a_link() {
    let sandbox = with_outside();
    build(&sandbox, &[link("a", "../outside"), item("a/1.jpg", b"evil"), item("b", b"b")], 0);
    for names in ["", "a", "a a/1.jpg"] {
        sandbox
            .run(&format!("restore -k k a {names} -C out"))
            .exits(4)
            .says("a: malformed archive");
        assert!(!sandbox.path("out").exists());
    }
    // If the link is not selected, the entry below it can be restored.
    sandbox.run("restore -k k a a/1.jpg -C out").exits(0);
    assert_eq!(sandbox.read("out/a/1.jpg"), b"evil");
    sandbox.run("salvage -k k a -C salvaged").exits(6);
    assert_eq!(sandbox.read("salvaged/a/1.jpg"), b"evil");
    assert_outside_unchanged(&sandbox);
}

/// A-2.1
#[test]
fn rejects_paths_that_leave_the_target() {
    for name in ["../outside/1.jpg", "/tmp/evil", "a/../../outside/1.jpg", "./a", "a//b", ".."] {
        let sandbox = with_outside();
        build(&sandbox, &[item(name, b"evil")], 0);
        sandbox.run("restore -k k a -C out").exits(4).says("a: ");
        assert!(!sandbox.path("out").exists());
        drop(sandbox.run("salvage -k k a -C out"));
        assert!(sandbox.below("out").is_empty(), "{name}");
        assert_outside_unchanged(&sandbox);
    }
}

/// The other entries are restored (A-1.4, A-3.4).
#[test]
fn skips_entries_with_unreadable_contents() {
    let sandbox = Sandbox::new();
    let strange = Item { encoding: 9, ..item("b", b"strange") };
    let elsewhere = Item { row: 1, ..item("c", b"elsewhere") };
    build(&sandbox, &[item("a", b"a"), strange, elsewhere, item("d", b"d")], 1);
    for command in ["restore", "salvage"] {
        let outcome = sandbox.run(&format!("{command} -k k a -C {command}d")).exits(6);
        outcome.says("b: ").says("c: ").says("not restored");
        assert_eq!(sandbox.below(&format!("{command}d")), ["a", "d"].map(PathBuf::from));
    }
}

/// More files share their content than the process may have open at the same time (A-3.3).
#[test]
fn restores_many_files_that_share_their_content() {
    let sandbox = Sandbox::new();
    let names: Vec<&'static str> = (100..400).map(|number| &*number.to_string().leak()).collect();
    let mut items = vec![item("000", &noise(2_000_000))];
    items.extend(names.iter().map(|name| Item { same_as: Some(0), ..item(name, b"") }));
    build(&sandbox, &items, 0);
    sandbox
        .shell(r#"ulimit -n 128; "$BULLA" restore -qk k a -C out --no-sync"#)
        .exits(0)
        .says_nothing();
    let first = sandbox.read("out/000");
    assert!(first == noise(2_000_000));
    assert!(names.iter().all(|name| sandbox.read(&format!("out/{name}")) == first));
}

/// Storing the full path of each of 2000 nested directories would take quadratic space.
#[test]
fn restores_the_deepest_path() {
    let sandbox = Sandbox::new();
    let name: &'static str = ["d"; 2040].join("/").leak();
    build(&sandbox, &[item(name, b"deep")], 0);
    sandbox.run("restore -qk k a -C out --no-sync").exits(0).says_nothing();
    let mut directory = sandbox.path("out");
    let mut depth = 0;
    while let Ok(Some(Ok(entry))) = fs::read_dir(&directory).map(|mut entries| entries.next())
        && depth < 300
    {
        directory = entry.path();
        depth += 1;
    }
    assert_eq!(depth, 300);
    sandbox.shell("rm -rf out").exits(0);
}
