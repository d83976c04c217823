//! `bulla seal`, and opening the result with `bulla open`.

use crate::sandbox::{Sandbox, noise};

#[test]
fn default_outputs_add_and_remove_the_extension() {
    let sandbox = Sandbox::new();
    let plain = noise(200_000);
    sandbox.write("photo.jpg", &plain);
    sandbox
        .run("seal -k k photo.jpg")
        .exits(0)
        .says("To open it: bulla open -k k photo.jpg.bulla\n");
    std::fs::remove_file(sandbox.path("photo.jpg")).unwrap();
    sandbox
        .run("open -k k photo.jpg.bulla")
        .exits(0)
        .says("photo.jpg: opened 200000 bytes of photo.jpg.bulla");
    assert_eq!(sandbox.read("photo.jpg"), plain);
    assert_eq!(sandbox.names(), ["k", "photo.jpg", "photo.jpg.bulla"].map(String::from).into());
}

/// Tries lengths around the chunk, batch and extent boundaries, with various chunk sizes and
/// numbers of threads.
#[test]
fn round_trips_with_all_lengths_and_options() {
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
fn any_number_of_threads_opens_the_same_plaintext() {
    let sandbox = Sandbox::with_container(5 << 20);
    for threads in [1, 2, 8, 64, 256] {
        sandbox.run(&format!("open -k k c -fo opened --threads {threads}")).exits(0);
        assert!(sandbox.read("opened") == sandbox.read("plain"), "{threads}");
        sandbox.run(&format!("verify -k k c --threads {threads}")).exits(0);
    }
}

#[test]
fn printed_open_command_can_be_copied() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("my directory")).unwrap();
    sandbox.write("my directory/it's", b"mine");
    let sealed = sandbox.shell(r#""$BULLA" seal --new-key "my key" "my directory/it's""#).exits(0);
    let command =
        sealed.err.lines().find_map(|line| line.strip_prefix("To open it: bulla ")).unwrap();
    std::fs::remove_file(sandbox.path("my directory/it's")).unwrap();
    sandbox.shell(&format!("\"$BULLA\" {command}")).exits(0);
    assert_eq!(sandbox.read("my directory/it's"), b"mine");
}

#[test]
fn printed_open_command_names_the_output_if_necessary() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("seal -k k plain -o other").exits(0).says("bulla open -k k other -o plain\n");
    sandbox.run("seal -k k plain -o -").exits(0).says("bulla open -k k CONTAINER -o FILE\n");
}

#[test]
fn quiet_prints_nothing() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("seal -q --new-key n plain").exits(0).says_nothing();
    sandbox.run("open -q -k n plain.bulla -o opened").exits(0).says_nothing();
    sandbox.run("verify -q -k n plain.bulla").exits(0).says_nothing();
    sandbox.run("keygen -q -o another").exits(0).says_nothing();
}

#[test]
fn no_sync_seals_and_opens() {
    let sandbox = Sandbox::with_container(10);
    sandbox.run("seal --no-sync -k k plain").exits(0);
    sandbox.run("open --no-sync -k k plain.bulla -o opened").exits(0);
    assert_eq!(sandbox.read("opened"), sandbox.read("plain"));
}

#[test]
fn verify_prints_the_verified_size() {
    let sandbox = Sandbox::with_container(10_000);
    let before = sandbox.names();
    assert_eq!(sandbox.run("verify -k k c").exits(0).out, b"c: verified 10000 bytes\n");
    assert_eq!(sandbox.names(), before);
}

/// Files in `/proc` report a length of 0 but are not empty.
#[test]
#[cfg(target_os = "linux")]
fn seals_a_file_that_reports_no_length() {
    let sandbox = Sandbox::new();
    sandbox.run("seal -k k /proc/version -o c").exits(0);
    assert_eq!(
        sandbox.run("open -k k c -o -").exits(0).out,
        std::fs::read("/proc/version").unwrap()
    );
}
