//! Containers with an envelope: multiple access methods, in-place changes, damage, mistyped keys
//! and rotation.

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

const HEADER: usize = 128;
const ENVELOPE: usize = 16 << 10;
const LEN: usize = 10_000;

/// Returns a sandbox with `plain` and its container `e`, whose envelope has a slot for the key `k`.
fn with_envelope() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("plain", &crate::sandbox::noise(LEN));
    sandbox.run("seal --recovery-key k plain -o e --chunk-size 4K").exits(0);
    sandbox
}

fn write_secret(sandbox: &Sandbox, name: &str, text: &str) {
    sandbox.write(name, text.as_bytes());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(sandbox.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Returns the digits of the key `k` with one of them replaced. Digits are counted from 1.
fn mistype(sandbox: &Sandbox, digit: usize) -> String {
    let digits = String::from_utf8(sandbox.read("k")).unwrap();
    let mut digits: Vec<char> = digits.chars().filter(char::is_ascii_hexdigit).collect();
    digits[digit - 1] = if digits[digit - 1] == '3' { '8' } else { '3' };
    digits.into_iter().collect()
}

/// Opens a container and checks the exit code and the output.
fn check_open(sandbox: &Sandbox, args: &str, code: i32) -> crate::sandbox::Outcome {
    let outcome = sandbox.run(&format!("open {args} -o opened")).exits(code);
    let opened = code == 0 || code == 6;
    assert_eq!(sandbox.path("opened").exists(), opened, "{}", outcome.err);
    if opened {
        assert_eq!(sandbox.read("opened"), sandbox.read("plain"));
        fs::remove_file(sandbox.path("opened")).unwrap();
    }
    outcome
}

#[test]
fn passphrase_and_key_unlock() {
    let sandbox = Sandbox::new();
    sandbox.write("plain", &crate::sandbox::noise(LEN));
    write_secret(&sandbox, "pass", "correct horse battery staple\r\n");
    write_secret(&sandbox, "wrong", "Correct horse battery staple");
    let outcome = sandbox.run("seal --passphrase-file pass --new-key n plain -o e").exits(0);
    outcome.says("bulla open --passphrase-file pass e -o plain").says("only the key file unlocks");
    check_open(&sandbox, "--passphrase-file pass e", 0).says("opened 10000 bytes");
    check_open(&sandbox, "-k n e", 0);
    check_open(&sandbox, "--passphrase-file wrong e", 3).says("e: wrong passphrase in wrong");
    check_open(&sandbox, "-k k e", 3).says("e: wrong key in k");
    // The container can also be read from a pipe.
    let piped = sandbox.run_with_input("open -k n", &sandbox.read("e")).exits(0);
    assert_eq!(piped.out, sandbox.read("plain"));
}

#[test]
fn rejects_invalid_passphrase_files() {
    let sandbox = with_envelope();
    write_secret(&sandbox, "pass", "");
    for (text, reason) in [("", "empty"), ("\n", "empty"), ("a\nb\n", "character 2")] {
        write_secret(&sandbox, "pass", text);
        let outcome = sandbox.run("seal --passphrase-file pass plain -o x").exits(2);
        outcome.says("pass: not a passphrase file").says(reason);
    }
    write_secret(&sandbox, "pass", &"x".repeat(2000));
    sandbox.run("seal --passphrase-file pass plain -o x").exits(2).says("longer than");
    sandbox.run("open --passphrase-file missing e -o x").exits(1).says("missing: no such file");
    // The envelope has no passphrase slot, so the passphrase is not even hashed.
    write_secret(&sandbox, "pass", "a passphrase");
    sandbox.run("open --passphrase-file pass e -o x").exits(3).says("slot");
    sandbox.run("seal -k k plain -o c").exits(0);
    sandbox
        .run("open --passphrase-file pass c -o x")
        .exits(2)
        .says("no passphrase unlocks this container")
        .says("-k FILE");
    sandbox.run("open --passphrase-file pass -k k c -o x").exits(2);
    assert!(!sandbox.path("x").exists());
}

#[test]
fn slots_are_added_and_removed_in_place() {
    let sandbox = with_envelope();
    let before = sandbox.read("e");
    sandbox.run("key add e -k k --new-key two").exits(0).says("e: added slot 2, recovery key");
    let list = String::from_utf8(sandbox.run("key list e").exits(0).out).unwrap();
    assert!(list.contains("e: 2 slots") && list.contains("  2  recovery key"), "{list}");
    check_open(&sandbox, "-k k e", 0);
    check_open(&sandbox, "-k two e", 0);

    let outcome = sandbox.run("key remove e 1 -k two").exits(0);
    outcome.says("e: removed slot 1").says("not revoked").says("bulla key rotate e -o NEW");
    check_open(&sandbox, "-k k e", 3);
    check_open(&sandbox, "-k two e", 0);
    sandbox.run("key remove e 1 -k two").exits(2).says("e: no slot 1");
    sandbox.run("key remove e 2 -k two").exits(2).says("cannot remove the last slot");
    sandbox.run("key remove e 2 -k k").exits(3);
    check_open(&sandbox, "-k two e", 0);

    let after = sandbox.read("e");
    assert_eq!(before.len(), after.len());
    let data = HEADER + ENVELOPE..before.len() - HEADER - ENVELOPE;
    assert_eq!(before[data.clone()], after[data], "the data changed");
    assert_eq!(sandbox.names(), ["e", "k", "plain", "two"].map(String::from).into());
}

/// `key add` and `key remove` take the same time for containers of any size. This test overwrites
/// all the data to show that neither command reads it.
#[test]
fn changing_slots_does_not_read_the_data() {
    let sandbox = with_envelope();
    let mut container = sandbox.read("e");
    let data = HEADER + ENVELOPE..container.len() - HEADER - ENVELOPE;
    container[data.clone()].fill(0);
    sandbox.write("e", &container);
    sandbox.run("key add -q e -k k --new-key two").exits(0).says_nothing();
    sandbox.run("key remove -q e 1 -k two").exits(0);
    assert_eq!(sandbox.read("e")[data.clone()], container[data]);
    sandbox.run("verify -q -k two e").exits(4);
}

#[test]
fn slots_cannot_be_changed_without_an_envelope() {
    let sandbox = Sandbox::with_container(LEN);
    let list = sandbox.run("key list c").exits(0);
    assert!(String::from_utf8(list.out).unwrap().contains("c: no slots"));
    sandbox.run("key add c -k k --new-key two").exits(2).says("no slots to change");
    sandbox.run("key add c -k k").exits(2);
    sandbox.run("key list plain").exits(5).says("plain: ");
    sandbox.run("key save c -o x").exits(2).says("c: no envelope");
    assert_eq!(sandbox.names(), ["c", "k", "plain"].map(String::from).into());
}

#[test]
fn reports_a_mistyped_digit() {
    for digit in [1, 37, 64] {
        let sandbox = with_envelope();
        sandbox.run("seal -k k plain -o c").exits(0);
        write_secret(&sandbox, "bad", &mistype(&sandbox, digit));
        let group = digit.div_ceil(4);
        for args in ["-k bad c", "-k bad e"] {
            check_open(&sandbox, args, 3)
                .says("mistyped key in bad: ")
                .says(&format!("digit {digit}"))
                .says(&format!("group {group}"))
                .says("correct it in the file");
        }
    }
}

#[test]
fn reports_other_typing_mistakes() {
    let sandbox = with_envelope();
    let digits = String::from_utf8(sandbox.read("k")).unwrap();
    let digits: Vec<char> = digits.chars().filter(char::is_ascii_hexdigit).collect();
    let differ = (0..63).find(|at| digits[*at] != digits[at + 1]).unwrap();
    let reversed = digits.chunks(4).rev().flatten().copied();
    let mistakes: [(Vec<char>, &str); 5] = [
        (digits[1..].to_vec(), "missing"),
        ([&digits[..7], &digits[6..]].concat(), "mistyped key in bad: "),
        (
            [&digits[..differ], &[digits[differ + 1], digits[differ]], &digits[differ + 2..]]
                .concat(),
            "mistyped key in bad: ",
        ),
        ([&digits[12..16], &digits[4..12], &digits[..4], &digits[16..]].concat(), "groups 1 and 4"),
        (reversed.collect(), "wrong key in bad"),
    ];
    for (typed, message) in mistakes {
        write_secret(&sandbox, "bad", &typed.into_iter().collect::<String>());
        check_open(&sandbox, "-k bad e", 3).says(message);
    }
    write_secret(&sandbox, "bad", &digits[..62].iter().collect::<String>());
    check_open(&sandbox, "-k bad e", 2).says("62");
}

#[test]
fn damaged_envelope_copies_are_reported_and_rewritten() {
    let second = LEN + 3 * 16 + HEADER + ENVELOPE;
    for (at, message) in
        [(HEADER + 200, "the first copy of the envelope"), (second + 200, "the second copy")]
    {
        let sandbox = with_envelope();
        sandbox.change("e", |bytes| bytes[at] ^= 1);
        check_open(&sandbox, "-k k e", 6).says(message).says("bulla key add");
        sandbox.run("verify -k k e").exits(6).says(message);
        sandbox.run("inspect e").exits(6).says(message);
        sandbox.run("key list e").exits(6).says(message);
        // Changing the slots rewrites both copies.
        sandbox.run("key add e -k k --new-key two").exits(0);
        check_open(&sandbox, "-k k e", 0);
    }
}

/// A saved envelope unlocks a container whose own copies are damaged, and its slots can be changed
/// without changing the container.
#[test]
fn saved_envelope_unlocks_and_can_be_changed() {
    let sandbox = with_envelope();
    sandbox.run("key save e -o e.envelope").exits(0);
    assert_eq!(sandbox.read("e.envelope").len(), ENVELOPE);
    let second = LEN + 3 * 16 + HEADER + ENVELOPE;
    sandbox.change("e", |bytes| {
        bytes[HEADER + 200] ^= 1;
        bytes[second + 200] ^= 1;
    });
    check_open(&sandbox, "-k k e", 4).says("e: ").says("not the container's own key");
    check_open(&sandbox, "-k k --envelope e.envelope e", 0);
    let before = sandbox.read("e");
    sandbox.run("key add e --envelope e.envelope -k k --new-key two").exits(0);
    assert_eq!(sandbox.read("e"), before);
    check_open(&sandbox, "-k two --envelope e.envelope e", 0);

    check_open(&sandbox, "-k k --envelope plain e", 5).says("plain: ");
    sandbox.run("seal --recovery-key k plain -o other").exits(0);
    check_open(&sandbox, "-k k --envelope e.envelope other", 3)
        .says("e.envelope: ")
        .says("another");
}

#[test]
fn altered_envelope_is_reported() {
    let sandbox = with_envelope();
    sandbox.run("key add e -k k --new-key two").exits(0);
    // Both copies and their checksums can be changed without the key.
    let second = LEN + 3 * 16 + HEADER + ENVELOPE;
    sandbox.change("e", |bytes| {
        for start in [HEADER, second] {
            let envelope = &mut bytes[start..start + ENVELOPE];
            envelope[ENVELOPE - 100] ^= 1;
            let checksum = checksum(&envelope[..ENVELOPE - 8]);
            envelope[ENVELOPE - 8..].copy_from_slice(&checksum);
        }
    });
    check_open(&sandbox, "-k k e", 6)
        .says("the envelope was altered by someone without the container's key");
    sandbox
        .run("key add e -k k --new-key three")
        .exits(4)
        .says("use `bulla key rotate` to create a new envelope");
    assert!(!sandbox.path("three").exists());
}

#[test]
fn inspect_shows_the_slots() {
    let sandbox = with_envelope();
    let properties: Value =
        serde_json::from_slice(&sandbox.run("inspect e --json").exits(0).out).unwrap();
    let slots = json!([{ "id": 1, "kind": "recovery_key" }]);
    assert_eq!(
        properties["envelope"],
        json!({ "revision": 1, "copies": "intact", "slots": slots })
    );
    let text = String::from_utf8(sandbox.run("inspect e").exits(0).out).unwrap();
    assert!(
        text.contains("revision 1, with 1 slot:") && text.contains("1  recovery key"),
        "{text}"
    );
}

#[test]
fn rotation_changes_the_key() {
    let sandbox = with_envelope();
    let outcome = sandbox.run("key rotate e -o new -k k --new-key two").exits(0);
    outcome
        .says("new: re-encrypted 10000 bytes of e")
        .says("e is unchanged, and its keys still unlock it");
    check_open(&sandbox, "-k two new", 0);
    check_open(&sandbox, "-k k new", 3);
    check_open(&sandbox, "-k k e", 0);
    let properties: Value =
        serde_json::from_slice(&sandbox.run("inspect new --json").exits(0).out).unwrap();
    assert_eq!(
        (&properties["chunk_size"], &properties["envelope"]["revision"]),
        (&json!(4096), &json!(1))
    );
    let (old, new) = (sandbox.read("e"), sandbox.read("new"));
    // The two ciphertexts have no block in common.
    let data = &old[HEADER + ENVELOPE..old.len() - HEADER - ENVELOPE];
    assert!(data.chunks_exact(16).all(|part| !new.windows(16).any(|other| other == part)));

    // By default, the recovery key that unlocked the old container also unlocks the new one.
    sandbox.run("key rotate e -o same -k k").exits(0);
    check_open(&sandbox, "-k k same", 0);
    // Without an envelope, there is no default for the new key.
    sandbox.run("seal -k k plain -o c").exits(0);
    sandbox.run("key rotate c -o x -k k").exits(2).says("c: no new key");
    sandbox.run("key rotate c -o x -k k --new-key three").exits(0);
    check_open(&sandbox, "-k three x", 0);
}

#[test]
fn damaged_container_is_not_rotated() {
    let sandbox = with_envelope();
    sandbox.change("e", |bytes| bytes[HEADER + ENVELOPE + 5000] ^= 1);
    sandbox.run("key rotate e -o new -k k --new-key two").exits(4).says("nothing was written");
    assert_eq!(sandbox.names(), ["e", "k", "plain"].map(String::from).into());
}

#[test]
fn archives_with_envelopes_are_rotated() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("photos/empty")).unwrap();
    for (name, len) in [("photos/one", 300_000), ("photos/two", 17), ("photos/none", 0)] {
        sandbox.write(name, &crate::sandbox::noise(len));
    }
    sandbox.run("backup --recovery-key k a photos").exits(0).says("bulla list -k k a");
    let list = |args: &str| {
        String::from_utf8(sandbox.run(&format!("list --long {args}")).exits(0).out).unwrap()
    };
    let before = list("-k k a");
    assert_eq!(before.lines().count(), 5);
    sandbox
        .run("key rotate a -o b -k k --new-key two")
        .exits(0)
        .says("b: re-encrypted 5 entries of a");
    sandbox.run("verify -k two b").exits(0);
    assert_eq!(list("-k two b"), before);
    assert_eq!(sandbox.run("cat -k two b photos/one").exits(0).out, sandbox.read("photos/one"));
    sandbox.run("list -k k b").exits(3);
    sandbox.run("salvage -k two b -C salvaged").exits(0);
    assert_eq!(sandbox.read("salvaged/photos/one"), sandbox.read("photos/one"));

    sandbox.change("a", |bytes| bytes[HEADER + ENVELOPE + 70_000] ^= 1);
    sandbox.run("key rotate a -o c -k k --new-key three").exits(4).says("chunk 1");
    assert!(!sandbox.path("c").exists() && !sandbox.path("three").exists());
}

/// Returns an envelope's checksum: the first 8 bytes of its SHA-256 hash (E-2.1).
fn checksum(covered: &[u8]) -> [u8; 8] {
    let mut checksum = [0; 8];
    checksum.copy_from_slice(&ring::digest::digest(&ring::digest::SHA256, covered).as_ref()[..8]);
    checksum
}
