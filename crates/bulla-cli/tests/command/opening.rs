//! `bulla open` and `bulla verify` of what cannot be opened, or not without a word. Nothing is left
//! of it.

use bulla::{ContentType, Key, Options};
use bulla_key::key_text;

use crate::sandbox::Sandbox;

/// Length of the plaintext: two full chunks of 4 KiB, and some.
const LEN: usize = 10_000;
const HEADER: usize = 128;
const SEALED: usize = 4096 + 16;

/// Opens and verifies `c` in all ways, with the same result. Through a pipe, a damaged header
/// cannot be made up for.
fn opens_to(sandbox: &Sandbox, code: i32, says: &str) {
    let names = sandbox.names();
    sandbox.run("open -k k c -o opened").exits(code).says(says);
    assert_eq!(sandbox.names(), names, "nothing is left");
    sandbox.run("verify -k k c").exits(code).says(says);
    sandbox.run("open -k k c -o -").exits(code).says(says);
    let container = sandbox.read("c");
    let piped = sandbox.run_with_input("verify -k k -", &container).exits(code);
    let opened = sandbox.run_with_input("open -k k", &container).exits(code);
    assert!(sandbox.read("plain").starts_with(&opened.out), "only what was verified");
    drop((piped, opened));
    sandbox.run_with_input("open -k k - -o opened", &container).exits(code);
    assert_eq!(sandbox.names(), names, "nothing is left");
}

#[test]
fn wrong_key() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.run("keygen -o right").exits(0);
    std::fs::rename(sandbox.path("right"), sandbox.path("k")).unwrap();
    let cause = "more than one digit may be wrong, or it is the key of another container";
    let says = format!(
        "c: the key does not belong to this container; {cause}; look for another key file than k"
    );
    opens_to(&sandbox, 3, &says);
}

#[test]
fn chunk_tampered_with() {
    for chunk in 0..3 {
        let sandbox = Sandbox::with_container(LEN);
        sandbox.change("c", |bytes| bytes[HEADER + chunk * SEALED + 100] ^= 1);
        opens_to(&sandbox, 4, &format!("c: chunk {chunk} is damaged or was tampered with"));
    }
}

/// The one that is named is the first.
#[test]
fn first_and_last_chunk_tampered_with() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| {
        bytes[HEADER + SEALED] ^= 1;
        bytes[HEADER + 2 * SEALED] ^= 1;
    });
    opens_to(&sandbox, 4, "c: chunk 1 is damaged");
}

#[test]
fn cut_off() {
    let whole = Sandbox::with_container(LEN).read("c").len();
    for len in
        [HEADER - 1, HEADER, HEADER + SEALED, HEADER + SEALED + 20, whole - HEADER, whole - 1]
    {
        let sandbox = Sandbox::with_container(LEN);
        sandbox.change("c", |bytes| bytes.truncate(len));
        opens_to(&sandbox, 4, "truncated after ");
    }
}

#[test]
fn trailing_data() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| bytes.extend(b"more"));
    sandbox
        .run("open -k k c -o opened")
        .exits(4)
        .says("4 bytes of trailing data")
        .says("nothing was written");
    sandbox.run("verify -k k c").exits(4);
    sandbox.run_with_input("verify -k k -", &sandbox.read("c")).exits(4);
    assert_eq!(sandbox.names(), ["c", "k", "plain"].map(String::from).into());
}

#[test]
fn no_container() {
    let sandbox = Sandbox::with_container(LEN);
    for content in [&b""[..], b"text", &[0; 5000]] {
        sandbox.write("c", content);
        opens_to(&sandbox, 5, "c: not a bulla container");
        sandbox.run("inspect c").exits(5);
    }
}

#[test]
fn both_headers_damaged() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| {
        bytes[20] ^= 1;
        let foot = bytes.len() - 1;
        bytes[foot] ^= 1;
    });
    opens_to(&sandbox, 4, "c: the header is damaged");
    sandbox.run("inspect c").exits(4);
}

#[test]
fn other_version() {
    let sandbox = Sandbox::with_container(LEN);
    for version in [0, 2, 255] {
        sandbox.change("c", |bytes| {
            bytes[8] = version;
            let foot = bytes.len() - HEADER;
            bytes[foot + 8] = version;
        });
        opens_to(&sandbox, 5, &format!("container version {version} is not supported"));
        sandbox.run("inspect c").exits(5);
    }
}

/// Seals `plain` into `c` with what the command itself has no option for.
fn seal_specially(sandbox: &Sandbox, options: &Options<'_>) {
    let key: Key = key_text::parse(std::str::from_utf8(&sandbox.read("k")).unwrap()).unwrap();
    sandbox.write("c", &bulla::seal(&key, &sandbox.read("plain"), options).unwrap());
}

#[test]
fn context_needed() {
    let sandbox = Sandbox::with_container(LEN);
    seal_specially(&sandbox, &Options::new().context(b"account 4711"));
    opens_to(&sandbox, 5, "c: sealed with a context, which this command cannot give");
}

#[test]
fn content_that_is_no_plain_bytes() {
    let sandbox = Sandbox::with_container(LEN);
    for (content, says) in
        [(1, "it holds an archive"), (2, "content of kind 2"), (200, "content of kind 200")]
    {
        seal_specially(&sandbox, &Options::new().content_type(ContentType(content)));
        sandbox.run("open -k k c -o opened").exits(5).says(says);
        sandbox.run_with_input("open -k k", &sandbox.read("c")).exits(5).says(says);
        // Whether it is whole can be told all the same. These bytes are no archive, whatever the
        // header says.
        sandbox.run("verify -k k c").exits(if content == 1 { 4 } else { 0 });
    }
}

#[test]
fn envelope() {
    let sandbox = Sandbox::with_container(LEN);
    seal_specially(&sandbox, &Options::new().envelope_len(1000));
    for args in ["open -k k c -fo opened", "verify -k k c"] {
        sandbox.run(args).exits(0);
    }
    assert_eq!(sandbox.read("opened"), sandbox.read("plain"));
    sandbox.shell(r#""$BULLA" open -k k c -o - > redirected"#).exits(0);
    assert_eq!(sandbox.read("redirected"), sandbox.read("plain"));
    assert_eq!(
        sandbox.run_with_input("open -k k", &sandbox.read("c")).exits(0).out,
        sandbox.read("plain")
    );
}

/// Opens `c` in all ways that give all of the plaintext, with a warning.
fn opens_with_warning(sandbox: &Sandbox, says: &str) {
    let plain = sandbox.read("plain");
    sandbox.run("open -k k c -qfo opened").exits(6).says(says);
    assert_eq!(sandbox.read("opened"), plain);
    let ran = sandbox.run("open -k k c -qo -").exits(6).says(says);
    assert_eq!(ran.out, plain);
    sandbox.shell(r#""$BULLA" open -k k c -qo - > redirected"#).exits(6).says(says);
    assert_eq!(sandbox.read("redirected"), plain);
    sandbox.run("verify -k k c").exits(6).says(says);
    sandbox.run("inspect c").exits(6);
}

#[test]
fn header_damaged() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| bytes[..HEADER].fill(0));
    opens_with_warning(
        &sandbox,
        "c: warning: the header is damaged, and the footer stands in for it",
    );
    sandbox.run_with_input("open -k k", &sandbox.read("c")).exits(5);
}

#[test]
fn footer_damaged() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    });
    opens_with_warning(&sandbox, "c: warning: the footer");
    let ran = sandbox.run_with_input("open -k k", &sandbox.read("c")).exits(6).says("the footer");
    assert_eq!(ran.out, sandbox.read("plain"));
}

#[test]
fn footer_of_another_container() {
    let sandbox = Sandbox::with_container(LEN);
    let first = sandbox.read("c");
    sandbox.run("seal -k k plain -fo c --chunk-size 4K").exits(0);
    sandbox.change("c", |bytes| {
        let foot = bytes.len() - HEADER;
        bytes[foot..].copy_from_slice(&first[foot..]);
    });
    opens_with_warning(&sandbox, "c: warning: header and footer are both valid and differ");
}

#[test]
fn header_of_another_container_under_another_key() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.run("seal --new-key other plain -o d --chunk-size 4K").exits(0);
    let other = sandbox.read("d");
    sandbox.change("c", |bytes| bytes[..HEADER].copy_from_slice(&other[..HEADER]));
    sandbox.run("open -k k c -o opened").exits(3).says("header and footer also differ");
    sandbox.run("verify -k k c").exits(3).says("header and footer also differ");
}

#[test]
fn name_without_the_ending() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.run("open -k k c").exits(2).says("its name does not end in .bulla").says("-o");
}
