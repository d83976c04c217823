//! Containers with an envelope: several ways in, changed in place, damaged, mistyped, rotated.

use std::fs;

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

const HEADER: usize = 128;
const ENVELOPE: usize = 16 << 10;
const LEN: usize = 10_000;

/// With `plain`, and with `e`, which has an envelope with a slot for the key in `k`.
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

/// The key in `k`, with digit `place` of it, from 1, replaced.
fn mistype(sandbox: &Sandbox, place: usize) -> String {
    let digits = String::from_utf8(sandbox.read("k")).unwrap();
    let mut digits: Vec<char> = digits.chars().filter(char::is_ascii_hexdigit).collect();
    digits[place - 1] = if digits[place - 1] == '3' { '8' } else { '3' };
    digits.into_iter().collect()
}

fn opens(sandbox: &Sandbox, args: &str, code: i32) -> crate::sandbox::Ran {
    let ran = sandbox.run(&format!("open {args} -o opened")).exits(code);
    let opened = code == 0 || code == 6;
    assert_eq!(sandbox.path("opened").exists(), opened, "{}", ran.err);
    if opened {
        assert_eq!(sandbox.read("opened"), sandbox.read("plain"));
        fs::remove_file(sandbox.path("opened")).unwrap();
    }
    ran
}

#[test]
fn passphrase_and_key_open() {
    let sandbox = Sandbox::new();
    sandbox.write("plain", &crate::sandbox::noise(LEN));
    write_secret(&sandbox, "pass", "correct horse battery staple\r\n");
    write_secret(&sandbox, "wrong", "Correct horse battery staple");
    let ran = sandbox.run("seal --passphrase-file pass --new-key n plain -o e").exits(0);
    ran.says("bulla open --passphrase-file pass e -o plain").says("needs a key file");
    opens(&sandbox, "--passphrase-file pass e", 0).says("opened 10000 bytes");
    opens(&sandbox, "-k n e", 0);
    opens(&sandbox, "--passphrase-file wrong e", 3)
        .says("e: the passphrase in wrong does not open it");
    opens(&sandbox, "-k k e", 3)
        .says("the key does not open this container")
        .says("another key file than k");
    // From a pipe as well.
    let piped = sandbox.run_with_input("open -k n", &sandbox.read("e")).exits(0);
    assert_eq!(piped.out, sandbox.read("plain"));
}

#[test]
fn passphrase_files_that_hold_none() {
    let sandbox = with_envelope();
    write_secret(&sandbox, "pass", "");
    for (text, why) in [("", "it is empty"), ("\n", "is empty"), ("a\nb\n", "character 2")] {
        write_secret(&sandbox, "pass", text);
        let ran = sandbox.run("seal --passphrase-file pass plain -o x").exits(2);
        ran.says("pass: not a file with a passphrase").says(why.trim_start_matches("it "));
    }
    write_secret(&sandbox, "pass", &"x".repeat(2000));
    sandbox.run("seal --passphrase-file pass plain -o x").exits(2).says("longer than");
    sandbox.run("open --passphrase-file missing e -o x").exits(1).says("missing: no such file");
    // No slot is for a passphrase, so none is hashed.
    write_secret(&sandbox, "pass", "a passphrase");
    sandbox
        .run("open --passphrase-file pass e -o x")
        .exits(3)
        .says("no slot for this kind of secret");
    sandbox.run("seal -k k plain -o c").exits(0);
    sandbox
        .run("open --passphrase-file pass c -o x")
        .exits(2)
        .says("it has no envelope")
        .says("-k FILE");
    sandbox.run("open --passphrase-file pass -k k c -o x").exits(2);
    assert!(!sandbox.path("x").exists());
}

#[test]
fn slots_come_and_go_in_place() {
    let sandbox = with_envelope();
    let before = sandbox.read("e");
    sandbox
        .run("key add e -k k --new-key two")
        .exits(0)
        .says("e: slot 2, a recovery key, opens it now");
    let list = String::from_utf8(sandbox.run("key list e").exits(0).out).unwrap();
    assert!(list.contains("e: 2 slots") && list.contains("  2  recovery key"), "{list}");
    opens(&sandbox, "-k k e", 0);
    opens(&sandbox, "-k two e", 0);

    let ran = sandbox.run("key remove e 1 -k two").exits(0);
    ran.says("slot 1 is removed").says("It is not revoked").says("bulla key rotate e -o NEW");
    opens(&sandbox, "-k k e", 3);
    opens(&sandbox, "-k two e", 0);
    sandbox.run("key remove e 1 -k two").exits(2).says("no slot 1");
    sandbox.run("key remove e 2 -k two").exits(2).says("the last slot that opens it");
    sandbox.run("key remove e 2 -k k").exits(3);
    opens(&sandbox, "-k two e", 0);

    let after = sandbox.read("e");
    assert_eq!(before.len(), after.len());
    let data = HEADER + ENVELOPE..before.len() - HEADER - ENVELOPE;
    assert_eq!(before[data.clone()], after[data], "the data was touched");
    assert_eq!(sandbox.names(), ["e", "k", "plain", "two"].map(String::from).into());
}

/// `key add` and `key remove` know nothing of the data, so its size costs nothing: here all of it
/// is gone.
#[test]
fn the_data_is_not_looked_at() {
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
fn what_has_no_slots() {
    let sandbox = Sandbox::with_container(LEN);
    let list = sandbox.run("key list c").exits(0);
    assert!(String::from_utf8(list.out).unwrap().contains("c: no slots"));
    sandbox.run("key add c -k k --new-key two").exits(2).says("there are no slots to change");
    sandbox.run("key add c -k k").exits(2);
    sandbox.run("key list plain").exits(5).says("plain: ");
    sandbox.run("key save c -o x").exits(2).says("there is no envelope");
    assert_eq!(sandbox.names(), ["c", "k", "plain"].map(String::from).into());
}

#[test]
fn mistyped_digit_is_named() {
    for place in [1, 37, 64] {
        let sandbox = with_envelope();
        sandbox.run("seal -k k plain -o c").exits(0);
        write_secret(&sandbox, "bad", &mistype(&sandbox, place));
        let group = place.div_ceil(4);
        for args in ["-k bad c", "-k bad e"] {
            let named =
                format!("the key in bad is mistyped: digit {place}, in group {group}, is wrong");
            opens(&sandbox, args, 3).says(&named).says("correct it in the file");
        }
    }
}

#[test]
fn other_mistakes_are_named() {
    let sandbox = with_envelope();
    let digits = String::from_utf8(sandbox.read("k")).unwrap();
    let digits: Vec<char> = digits.chars().filter(char::is_ascii_hexdigit).collect();
    let differ = (0..63).find(|at| digits[*at] != digits[at + 1]).unwrap();
    let swapped = digits.chunks(4).rev().flatten().copied();
    let mistakes: [(Vec<char>, &str); 5] = [
        (digits[1..].to_vec(), "is missing"),
        ([&digits[..7], &digits[6..]].concat(), "is one too many, or typed twice"),
        (
            [&digits[..differ], &[digits[differ + 1], digits[differ]], &digits[differ + 2..]]
                .concat(),
            "are the wrong way round",
        ),
        (
            [&digits[12..16], &digits[4..12], &digits[..4], &digits[16..]].concat(),
            "groups 1 and 4 are swapped",
        ),
        (swapped.collect(), "another key file than bad"),
    ];
    for (typed, says) in mistakes {
        write_secret(&sandbox, "bad", &typed.into_iter().collect::<String>());
        opens(&sandbox, "-k bad e", 3).says(says);
    }
    write_secret(&sandbox, "bad", &digits[..62].iter().collect::<String>());
    opens(&sandbox, "-k bad e", 2).says("62 were given");
}

#[test]
fn damaged_copies_of_the_envelope() {
    let second = LEN + 3 * 16 + HEADER + ENVELOPE;
    for (at, says) in
        [(HEADER + 200, "the first copy of its envelope"), (second + 200, "the second copy")]
    {
        let sandbox = with_envelope();
        sandbox.change("e", |bytes| bytes[at] ^= 1);
        opens(&sandbox, "-k k e", 6).says(says).says("bulla key add");
        sandbox.run("verify -k k e").exits(6).says(says);
        sandbox.run("inspect e").exits(6).says(says);
        sandbox.run("key list e").exits(6).says(says);
        // A change mends both.
        sandbox.run("key add e -k k --new-key two").exits(0);
        opens(&sandbox, "-k k e", 0);
    }
}

/// An envelope kept beside the container opens it when there is no other left, and can be changed
/// by itself.
#[test]
fn envelope_beside_the_container() {
    let sandbox = with_envelope();
    sandbox.run("key save e -o e.envelope").exits(0);
    assert_eq!(sandbox.read("e.envelope").len(), ENVELOPE);
    let second = LEN + 3 * 16 + HEADER + ENVELOPE;
    sandbox.change("e", |bytes| {
        bytes[HEADER + 200] ^= 1;
        bytes[second + 200] ^= 1;
    });
    opens(&sandbox, "-k k e", 4).says("the envelope is damaged").says("not the container's own");
    opens(&sandbox, "-k k --envelope e.envelope e", 0);
    let before = sandbox.read("e");
    sandbox.run("key add e --envelope e.envelope -k k --new-key two").exits(0);
    assert_eq!(sandbox.read("e"), before);
    opens(&sandbox, "-k two --envelope e.envelope e", 0);

    opens(&sandbox, "-k k --envelope plain e", 5).says("plain: not a key envelope");
    sandbox.run("seal --recovery-key k plain -o other").exits(0);
    opens(&sandbox, "-k k --envelope e.envelope other", 3).says("belongs to another container");
}

#[test]
fn altered_envelope_is_told() {
    let sandbox = with_envelope();
    sandbox.run("key add e -k k --new-key two").exits(0);
    // Both copies, with a check that holds: as somebody does it who has no key.
    let second = LEN + 3 * 16 + HEADER + ENVELOPE;
    sandbox.change("e", |bytes| {
        for start in [HEADER, second] {
            let envelope = &mut bytes[start..start + ENVELOPE];
            envelope[ENVELOPE - 100] ^= 1;
            let check = check_of(&envelope[..ENVELOPE - 8]);
            envelope[ENVELOPE - 8..].copy_from_slice(&check);
        }
    });
    opens(&sandbox, "-k k e", 6).says("the envelope was altered by somebody who does not have");
    sandbox.run("key add e -k k --new-key three").exits(4).says("altered without the key");
    assert!(!sandbox.path("three").exists());
}

#[test]
fn inspect_shows_the_slots() {
    let sandbox = with_envelope();
    let facts: Value =
        serde_json::from_slice(&sandbox.run("inspect e --json").exits(0).out).unwrap();
    let slots = json!([{ "id": 1, "kind": "recovery_key" }]);
    assert_eq!(facts["envelope"], json!({ "revision": 1, "copies": "intact", "slots": slots }));
    let text = String::from_utf8(sandbox.run("inspect e").exits(0).out).unwrap();
    assert!(
        text.contains("revision 1, with 1 slot:") && text.contains("1  recovery key"),
        "{text}"
    );
}

#[test]
fn rotated_container_has_another_key() {
    let sandbox = with_envelope();
    let ran = sandbox.run("key rotate e -o new -k k --new-key two").exits(0);
    ran.says("sealed 10000 bytes of e anew")
        .says("e is as it was, and whatever opened it opens it still");
    opens(&sandbox, "-k two new", 0);
    opens(&sandbox, "-k k new", 3);
    opens(&sandbox, "-k k e", 0);
    let facts: Value =
        serde_json::from_slice(&sandbox.run("inspect new --json").exits(0).out).unwrap();
    assert_eq!((&facts["chunk_size"], &facts["envelope"]["revision"]), (&json!(4096), &json!(1)));
    let (old, new) = (sandbox.read("e"), sandbox.read("new"));
    // No block of the data is the same.
    let data = &old[HEADER + ENVELOPE..old.len() - HEADER - ENVELOPE];
    assert!(data.chunks_exact(16).all(|part| !new.windows(16).any(|other| other == part)));

    // The recovery key that opened the old one opens the new one, unless something else is said.
    sandbox.run("key rotate e -o same -k k").exits(0);
    opens(&sandbox, "-k k same", 0);
    // Without an envelope there is nothing to go by.
    sandbox.run("seal -k k plain -o c").exits(0);
    sandbox.run("key rotate c -o x -k k").exits(2).says("say what is to open the new one");
    sandbox.run("key rotate c -o x -k k --new-key three").exits(0);
    opens(&sandbox, "-k three x", 0);
}

#[test]
fn damaged_container_is_not_rotated() {
    let sandbox = with_envelope();
    sandbox.change("e", |bytes| bytes[HEADER + ENVELOPE + 5000] ^= 1);
    sandbox.run("key rotate e -o new -k k --new-key two").exits(4).says("nothing was written");
    assert_eq!(sandbox.names(), ["e", "k", "plain"].map(String::from).into());
}

#[test]
fn archives_have_envelopes_and_are_rotated() {
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
    sandbox.run("key rotate a -o b -k k --new-key two").exits(0).says("sealed 5 entries of a anew");
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

/// The first 8 bytes of SHA-256, which is public: E-2.1.
fn check_of(covered: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&ring::digest::digest(&ring::digest::SHA256, covered).as_ref()[..8]);
    check
}
