//! The vault commands, and backups whose key is stored in a vault, with an in-memory vault over
//! HTTP on the loopback interface.

#[allow(dead_code, reason = "the client's own tests use the rest")]
#[path = "../../../bulla-vault/tests/client/server.rs"]
mod server;
mod http_server;

use std::fs;
use std::process::Command;

use base64ct::{Base64UrlUnpadded, Encoding};
use bulla_vault::AccountHash;
use http_server::HttpServer;
use server::Server;

use crate::sandbox::{Outcome, Sandbox};

/// A sandbox with a vault and its configuration. The files `first`, `second` and `wrong` contain
/// passwords.
struct VaultSandbox {
    sandbox: Sandbox,
    server: HttpServer,
}

impl VaultSandbox {
    fn new() -> VaultSandbox {
        let place = VaultSandbox {
            sandbox: Sandbox::new(),
            server: HttpServer::new(Server::new(AccountHash::of("https://id.example", "alice"))),
        };
        place.configure(&place.server.public_key());
        for name in ["first", "second", "wrong"] {
            place.secret(name, &format!("the {name} password\n"));
        }
        place
    }

    fn configure(&self, public_key: &[u8]) {
        let digits: String = public_key.iter().map(|byte| format!("{byte:02x}")).collect();
        let claims =
            Base64UrlUnpadded::encode_string(br#"{"iss":"https://id.example","sub":"alice"}"#);
        fs::create_dir_all(self.sandbox.path("config/bulla")).unwrap();
        self.secret("config/bulla/token", &format!("e30.{claims}.c2ln\n"));
        let text = format!(
            "address = \"{}\"\npublic_key = \"{digits}\"\ntoken_file = \"token\"\n",
            self.server.address
        );
        self.sandbox.write("config/bulla/vault.toml", text.as_bytes());
    }

    fn secret(&self, name: &str, text: &str) {
        self.sandbox.write(name, text.as_bytes());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(self.sandbox.path(name), fs::Permissions::from_mode(0o600))
                .unwrap();
        }
    }

    fn command(&self, args: &str) -> Command {
        let mut command = self.sandbox.command(args);
        command.env("XDG_CONFIG_HOME", self.sandbox.path("config")).env_remove("BULLA_VAULT_TOKEN");
        command
    }

    fn run(&self, args: &str) -> Outcome {
        self.command(args).output().unwrap().into()
    }

    fn registered() -> VaultSandbox {
        let place = VaultSandbox::new();
        place
            .run("vault register -k k --vault-password-file first")
            .exits(0)
            .says("the key is stored in the vault");
        place
    }

    fn status(&self) -> String {
        String::from_utf8(self.run("vault status").exits(0).out).unwrap()
    }

    /// Simulates another machine, without the local files.
    fn lose_the_machine(&self) {
        fs::remove_file(self.sandbox.path("config/bulla/vault.locator")).unwrap();
        fs::remove_file(self.sandbox.path("k")).unwrap();
    }
}

#[test]
fn registers_and_recovers_a_key() {
    let place = VaultSandbox::new();
    assert!(place.status().contains("no key stored"));
    let place = VaultSandbox::registered();
    assert!(place.status().contains("10 of 10 guesses left; locator present"));
    place
        .run("vault recover -o back --vault-password-file first")
        .exits(0)
        .says("back: recovered the key");
    assert_eq!(place.sandbox.read("back"), place.sandbox.read("k"));
    place.run("vault recover -o back --vault-password-file first").exits(1).says("already exists");
    let refused = place.run("vault recover -o b --vault-password-file wrong").exits(3);
    refused.says("9 guesses");
    assert!(place.status().contains("9 of 10 guesses left"));
    let recovered = place.run("vault recover -o b --vault-password-file first").exits(0);
    recovered.says("1 failed attempt").says("change the password");
}

#[test]
fn registering_again_changes_the_password() {
    let place = VaultSandbox::registered();
    let again = "vault register -k k --new-password-file second --vault-password-file";
    place.run(&format!("{again} wrong")).exits(3);
    place.run(&format!("{again} first")).exits(0);
    place.run("vault recover -o b --vault-password-file first").exits(3);
    place.run("vault recover -o b --vault-password-file second").exits(0);
    // Another key is rejected, because backups may need the stored one.
    place.run("keygen -o other").exits(0);
    let other = "vault register -k other --new-password-file first --vault-password-file second";
    place.run(other).exits(2).says("the vault stores another key");
    // Without the password, the replacement is delayed.
    let forgotten = place.run("vault register -k k --forgotten --new-password-file first").exits(0);
    forgotten.says("replaces it on 2033-05-18").says("Until then the old password remains valid");
    place.run("vault recover -o c --vault-password-file second").exits(0);
}

/// Without a terminal, the message names the option for a password file.
#[test]
#[cfg(target_os = "linux")]
fn missing_password_is_a_usage_error() {
    let place = VaultSandbox::new();
    let refused = |args: &str| -> Outcome {
        let mut command =
            place.sandbox.wrapped("setsid", &format!("--wait {} {args}", crate::sandbox::BULLA));
        command.env("XDG_CONFIG_HOME", place.sandbox.path("config"));
        let outcome: Outcome = command.output().unwrap().into();
        outcome.exits(2)
    };
    refused("vault register -k k")
        .says("vault password: none given")
        .says("--new-password-file FILE");
    let backup = format!("backup --vault {} a first", place.server.address);
    refused(&backup).says("vault password: none given").says("--vault-password-file FILE");
    assert!(place.status().contains("no key stored"));
}

/// A stored key whose locator is missing is not replaced by mistake.
#[test]
fn missing_locator_prevents_a_replacement() {
    let place = VaultSandbox::registered();
    fs::remove_file(place.sandbox.path("config/bulla/vault.locator")).unwrap();
    let again = place.run("vault register -k k --vault-password-file second").exits(2);
    again.says("already stores a key for this account").says("--forgotten");
    let backup =
        format!("backup --vault {} --vault-password-file second a first", place.server.address);
    place.run(&backup).exits(2).says("already stores a key for this account");
    assert!(!place.sandbox.path("a").exists());
}

/// The key exists only in the vault, the machine is lost, and the password restores the backup.
#[test]
fn restores_a_backup_with_the_password() {
    let place = VaultSandbox::new();
    let address = place.server.address.clone();
    fs::create_dir(place.sandbox.path("photos")).unwrap();
    place.sandbox.write("photos/one", b"first photo");
    let backup = format!("backup --vault {address} --vault-password-file first a photos");
    place
        .run(&backup)
        .exits(0)
        .says("the key is stored in the vault")
        .says("forget the vault password");
    // The second backup uses the same key and password.
    place.sandbox.write("photos/two", b"second photo");
    let again = backup.replace(" a ", " b ");
    place.run(&again.replace("first", "wrong")).exits(3).says("password");
    place.run(&again).exits(0);
    let list = String::from_utf8(place.run("key list b").exits(0).out).unwrap();
    assert!(list.contains("vault"), "{list}");

    place.lose_the_machine();
    place.run("restore --vault-password-file wrong a -C no").exits(3).says("password");
    for (archive, target) in [("a", "x"), ("b", "y")] {
        place.run(&format!("restore --vault-password-file first {archive} -C {target}")).exits(0);
        assert_eq!(place.sandbox.read(&format!("{target}/photos/one")), b"first photo");
    }
    assert_eq!(place.sandbox.read("y/photos/two"), b"second photo");

    // The recovered key opens both without the vault.
    place.run("vault recover a -o key --vault-password-file first").exits(0);
    assert!(place.sandbox.path("config/bulla/vault.locator").exists());
    place.sandbox.run("restore -k key b -C z").exits(0);
    assert_eq!(place.sandbox.read("z/photos/two"), b"second photo");
}

/// An older backup contains the old locator. With the new one added, the vault unlocks it on
/// another machine.
#[test]
fn adds_the_current_locator_to_a_backup() {
    let place = VaultSandbox::registered();
    let address = place.server.address.clone();
    place.run(&format!("seal --vault {address} --vault-password-file first second -o e")).exits(0);
    place
        .run("vault register -k k --vault-password-file first --new-password-file second")
        .exits(0);
    place
        .run("key add e -k k --vault-slot --vault-password-file second")
        .exits(0)
        .says("added slot 2, vault");
    place.lose_the_machine();
    place.run("open --vault-password-file second e -o opened").exits(0);
    assert_eq!(place.sandbox.read("opened"), place.sandbox.read("second"));
}

#[test]
fn deletes_a_key() {
    let place = VaultSandbox::registered();
    let announced = place.run("vault delete --forgotten").exits(0);
    announced.says("will be deleted on 2033-05-18").says("cancels the deletion");
    assert!(place.sandbox.path("config/bulla/vault.locator").exists());
    place.run("vault delete --vault-password-file wrong").exits(3);
    place.run("vault delete --vault-password-file first").exits(0).says("deleted the key");
    assert!(!place.sandbox.path("config/bulla/vault.locator").exists());
    assert!(place.status().contains("no key stored"));
    place.run("vault delete --vault-password-file first").exits(2).says("no locator");
    place.run("vault recover -o b --vault-password-file first").exits(2).says("no locator");
}

#[test]
fn rejects_invalid_configurations() {
    let place = VaultSandbox::registered();
    place.configure(&[7; 32]);
    place.run("vault status").exits(2).says(&place.server.address);
    place
        .run("vault recover -o b --vault-password-file first")
        .exits(2)
        .says(&place.server.address);
    place.run("vault status --vault http://127.0.0.1:9").exits(2).says("no public key");
    place.run("vault status --vault http://vault.example").exits(2);
    place.run("vault status --vault-public-key 7").exits(2).says("64 hex digits");
    place.run("vault status --vault-token-file first").exits(2).says("first: not a");
    place.run("vault status --vault-token-file -").exits(2);
    place.sandbox.write("config/bulla/vault.toml", b"adress = \"x\"\n");
    place.run("vault status").exits(2).says("unknown field");
    fs::remove_file(place.sandbox.path("config/bulla/vault.toml")).unwrap();
    place.run("vault status").exits(2).says("vault.toml");
    place.run("vault status --vault-config nowhere").exits(1).says("no such file");
}

/// The message contains no secret.
#[test]
fn unreachable_vault_is_an_error() {
    let place = VaultSandbox::registered();
    place.server.stop();
    let outcome = place.run("vault recover -o b --vault-password-file first").exits(1);
    assert!(!outcome.err.contains("first password"));
    outcome.says(&place.server.address);
}
