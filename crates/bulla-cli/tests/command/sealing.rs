//! `bulla seal` and back.

use crate::sandbox::{Sandbox, noise};

#[test]
fn default_names() {
    let sandbox = Sandbox::new();
    let plain = noise(200_000);
    sandbox.write("photo.jpg", &plain);
    sandbox
        .run("seal -k k photo.jpg")
        .exits(0)
        .says("To open it again: bulla open -k k photo.jpg.bulla\n");
    std::fs::remove_file(sandbox.path("photo.jpg")).unwrap();
    sandbox
        .run("open -k k photo.jpg.bulla")
        .exits(0)
        .says("photo.jpg: opened 200000 bytes of photo.jpg.bulla");
    assert_eq!(sandbox.read("photo.jpg"), plain);
    assert_eq!(sandbox.names(), ["k", "photo.jpg", "photo.jpg.bulla"].map(String::from).into());
}

/// Lengths around chunks, batches and extents; chunk sizes; numbers of threads.
#[test]
fn every_shape() {
    let sandbox = Sandbox::new();
    let (chunk, extent) = (4096, 1 << 20);
    for len in [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, extent, 3 * extent + 17] {
        let plain = noise(len);
        sandbox.write("plain", &plain);
        for how in
            ["", "--chunk-size 4K", "--chunk-size 1M", "--threads 1", "--threads 2", "--threads 64"]
        {
            sandbox.run(&format!("seal -k k plain -fqo c {how}")).exits(0).says_nothing();
            sandbox.run("open -k k c -fqo opened").exits(0).says_nothing();
            assert!(sandbox.read("opened") == plain, "{len} {how}");
        }
    }
}

#[test]
fn any_number_of_threads_opens_the_same() {
    let sandbox = Sandbox::with_container(5 << 20);
    for threads in [1, 2, 8, 64, 256] {
        sandbox.run(&format!("open -k k c -fo opened --threads {threads}")).exits(0);
        assert!(sandbox.read("opened") == sandbox.read("plain"), "{threads}");
        sandbox.run(&format!("verify -k k c --threads {threads}")).exits(0);
    }
}

#[test]
fn command_to_open_it_again_can_be_copied() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("my directory")).unwrap();
    sandbox.write("my directory/it's", b"mine");
    let sealed = sandbox.shell(r#""$BULLA" seal --new-key "my key" "my directory/it's""#).exits(0);
    let command =
        sealed.err.lines().find_map(|line| line.strip_prefix("To open it again: bulla ")).unwrap();
    std::fs::remove_file(sandbox.path("my directory/it's")).unwrap();
    sandbox.shell(&format!("\"$BULLA\" {command}")).exits(0);
    assert_eq!(sandbox.read("my directory/it's"), b"mine");
}

#[test]
fn command_names_an_output_where_the_name_does_not_tell_it() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("seal -k k plain -o other").exits(0).says("bulla open -k k other -o plain\n");
    sandbox.run("seal -k k plain -o -").exits(0).says("bulla open -k k CONTAINER -o FILE\n");
}

#[test]
fn quiet() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("seal -q --new-key n plain").exits(0).says_nothing();
    sandbox.run("open -q -k n plain.bulla -o opened").exits(0).says_nothing();
    sandbox.run("verify -q -k n plain.bulla").exits(0).says_nothing();
    sandbox.run("keygen -q -o another").exits(0).says_nothing();
}

#[test]
fn without_sync() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("seal --no-sync -k k plain").exits(0);
    sandbox.run("open --no-sync -k k plain.bulla -o opened").exits(0);
    assert_eq!(sandbox.read("opened"), sandbox.read("plain"));
}

#[test]
fn verify_says_what_it_verified() {
    let sandbox = Sandbox::with_container(10_000);
    let before = sandbox.names();
    assert_eq!(sandbox.run("verify -k k c").exits(0).out, b"c: all 10000 bytes verified\n");
    assert_eq!(sandbox.names(), before);
}

/// A file in `/proc` states no length and holds bytes.
#[test]
#[cfg(target_os = "linux")]
fn file_that_states_no_length() {
    let sandbox = Sandbox::new();
    sandbox.run("seal -k k /proc/version -o c").exits(0);
    assert_eq!(
        sandbox.run("open -k k c -o -").exits(0).out,
        std::fs::read("/proc/version").unwrap()
    );
}
