//! `bulla open` and `bulla verify` with damaged and unsupported containers. Neither leaves partial
//! output behind.

use bulla::{ContentType, Key, Options};
use bulla_key::key_text;

use crate::sandbox::Sandbox;

/// Bytes in the plaintext: two full 4 KiB chunks and a partial one.
const LEN: usize = 10_000;
const HEADER: usize = 128;
const SEALED: usize = 4096 + 16;

/// Checks that opening and verifying `c` fails, whether it is read from a file or from a pipe.
fn assert_open_fails(sandbox: &Sandbox, code: i32, message: &str) {
    let names = sandbox.names();
    sandbox.run("open -k k c -o opened").exits(code).says(message);
    assert_eq!(sandbox.names(), names, "files were left behind");
    sandbox.run("verify -k k c").exits(code).says(message);
    sandbox.run("open -k k c -o -").exits(code).says(message);
    let container = sandbox.read("c");
    let piped = sandbox.run_with_input("verify -k k -", &container).exits(code);
    let opened = sandbox.run_with_input("open -k k", &container).exits(code);
    assert!(sandbox.read("plain").starts_with(&opened.out), "the output is not authentic");
    drop((piped, opened));
    sandbox.run_with_input("open -k k - -o opened", &container).exits(code);
    assert_eq!(sandbox.names(), names, "files were left behind");
}

#[test]
fn rejects_a_wrong_key() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.run("keygen -o right").exits(0);
    std::fs::rename(sandbox.path("right"), sandbox.path("k")).unwrap();
    let message = "c: wrong key in k; it belongs to another container, or more than one digit is";
    assert_open_fails(&sandbox, 3, message);
}

#[test]
fn rejects_a_changed_chunk() {
    for chunk in 0..3 {
        let sandbox = Sandbox::with_container(LEN);
        sandbox.change("c", |bytes| bytes[HEADER + chunk * SEALED + 100] ^= 1);
        assert_open_fails(&sandbox, 4, &format!("c: chunk {chunk} "));
    }
}

#[test]
fn reports_the_first_of_two_changed_chunks() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| {
        bytes[HEADER + SEALED] ^= 1;
        bytes[HEADER + 2 * SEALED] ^= 1;
    });
    assert_open_fails(&sandbox, 4, "c: chunk 1 ");
}

#[test]
fn rejects_a_truncated_container() {
    let whole = Sandbox::with_container(LEN).read("c").len();
    for len in
        [HEADER - 1, HEADER, HEADER + SEALED, HEADER + SEALED + 20, whole - HEADER, whole - 1]
    {
        let sandbox = Sandbox::with_container(LEN);
        sandbox.change("c", |bytes| bytes.truncate(len));
        assert_open_fails(&sandbox, 4, "truncated");
    }
}

#[test]
fn rejects_trailing_data() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| bytes.extend(b"more"));
    sandbox.run("open -k k c -o opened").exits(4).says("trailing data").says("nothing was written");
    sandbox.run("verify -k k c").exits(4);
    sandbox.run_with_input("verify -k k -", &sandbox.read("c")).exits(4);
    assert_eq!(sandbox.names(), ["c", "k", "plain"].map(String::from).into());
}

#[test]
fn rejects_files_that_are_not_containers() {
    let sandbox = Sandbox::with_container(LEN);
    for content in [&b""[..], b"text", &[0; 5000]] {
        sandbox.write("c", content);
        assert_open_fails(&sandbox, 5, "c: not a ");
        sandbox.run("inspect c").exits(5);
    }
}

#[test]
fn rejects_a_damaged_header_and_footer() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| {
        bytes[20] ^= 1;
        let foot = bytes.len() - 1;
        bytes[foot] ^= 1;
    });
    assert_open_fails(&sandbox, 4, "c: ");
    sandbox.run("inspect c").exits(4);
}

#[test]
fn rejects_unsupported_versions() {
    let sandbox = Sandbox::with_container(LEN);
    for version in [0, 2, 255] {
        sandbox.change("c", |bytes| {
            bytes[8] = version;
            let foot = bytes.len() - HEADER;
            bytes[foot + 8] = version;
        });
        assert_open_fails(&sandbox, 5, &format!("version {version}"));
        sandbox.run("inspect c").exits(5);
    }
}

/// Seals `plain` into `c` with options that the command does not offer.
fn seal_with(sandbox: &Sandbox, options: &Options<'_>) {
    let key: Key = key_text::parse(std::str::from_utf8(&sandbox.read("k")).unwrap()).unwrap();
    sandbox.write("c", &bulla::seal(&key, &sandbox.read("plain"), options).unwrap());
}

#[test]
fn rejects_a_container_with_a_context() {
    let sandbox = Sandbox::with_container(LEN);
    seal_with(&sandbox, &Options::new().context(b"account 4711"));
    assert_open_fails(&sandbox, 5, "c: sealed with a context, which this command cannot provide");
}

#[test]
fn rejects_content_types_other_than_bytes() {
    let sandbox = Sandbox::with_container(LEN);
    for (content, message) in
        [(1, "is an archive"), (2, "content of type 2"), (200, "content of type 200")]
    {
        seal_with(&sandbox, &Options::new().content_type(ContentType(content)));
        sandbox.run("open -k k c -o opened").exits(5).says(message);
        sandbox.run_with_input("open -k k", &sandbox.read("c")).exits(5).says(message);
        // Verifying still works, except that content type 1 declares an archive, and these bytes
        // are not one.
        sandbox.run("verify -k k c").exits(if content == 1 { 4 } else { 0 });
    }
}

#[test]
fn opens_a_container_with_an_unknown_envelope() {
    let sandbox = Sandbox::with_container(LEN);
    seal_with(&sandbox, &Options::new().envelope_len(1000));
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

/// Checks that every way of opening `c` returns the whole plaintext with a warning.
fn assert_opens_with_warning(sandbox: &Sandbox, message: &str) {
    let plain = sandbox.read("plain");
    sandbox.run("open -k k c -qfo opened").exits(6).says(message);
    assert_eq!(sandbox.read("opened"), plain);
    let outcome = sandbox.run("open -k k c -qo -").exits(6).says(message);
    assert_eq!(outcome.out, plain);
    sandbox.shell(r#""$BULLA" open -k k c -qo - > redirected"#).exits(6).says(message);
    assert_eq!(sandbox.read("redirected"), plain);
    sandbox.run("verify -k k c").exits(6).says(message);
    sandbox.run("inspect c").exits(6);
}

#[test]
fn opens_with_a_damaged_header() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| bytes[..HEADER].fill(0));
    assert_opens_with_warning(
        &sandbox,
        "c: warning: the header is damaged, and the footer was used instead",
    );
    sandbox.run_with_input("open -k k", &sandbox.read("c")).exits(5);
}

#[test]
fn opens_with_a_damaged_footer() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.change("c", |bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    });
    assert_opens_with_warning(&sandbox, "c: warning: the footer");
    let outcome =
        sandbox.run_with_input("open -k k", &sandbox.read("c")).exits(6).says("the footer");
    assert_eq!(outcome.out, sandbox.read("plain"));
}

#[test]
fn opens_with_the_footer_of_another_container() {
    let sandbox = Sandbox::with_container(LEN);
    let first = sandbox.read("c");
    sandbox.run("seal -k k plain -fo c --chunk-size 4K").exits(0);
    sandbox.change("c", |bytes| {
        let foot = bytes.len() - HEADER;
        bytes[foot..].copy_from_slice(&first[foot..]);
    });
    assert_opens_with_warning(
        &sandbox,
        "c: warning: the header and footer are both valid but differ",
    );
}

#[test]
fn rejects_the_header_of_another_container() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.run("seal --new-key other plain -o d --chunk-size 4K").exits(0);
    let other = sandbox.read("d");
    sandbox.change("c", |bytes| bytes[..HEADER].copy_from_slice(&other[..HEADER]));
    sandbox.run("open -k k c -o opened").exits(3).says("the header and footer also differ");
    sandbox.run("verify -k k c").exits(3).says("the header and footer also differ");
}

#[test]
fn default_output_requires_the_extension() {
    let sandbox = Sandbox::with_container(LEN);
    sandbox.run("open -k k c").exits(2).says("the input path does not end in .bulla").says("-o");
}
