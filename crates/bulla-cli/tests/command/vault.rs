//! The vault commands, and backups whose key is stored in a vault. The vault is kept in memory and
//! serves HTTP on the loopback interface.

#[allow(dead_code, reason = "the client's own tests use the other items")]
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
        let vault = VaultSandbox {
            sandbox: Sandbox::new(),
            server: HttpServer::new(Server::new(AccountHash::of("https://id.example", "alice"))),
        };
        vault.configure(&vault.server.public_key());
        for name in ["first", "second", "wrong"] {
            vault.secret(name, &format!("the {name} password\n"));
        }
        vault
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
        let vault = VaultSandbox::new();
        vault
            .run("vault register -k k --vault-password-file first")
            .exits(0)
            .says("the key is stored in the vault");
        vault
    }

    fn status(&self) -> String {
        String::from_utf8(self.run("vault status").exits(0).out).unwrap()
    }

    /// Simulates the loss of the machine by deleting the locator and the key file.
    fn lose_the_machine(&self) {
        fs::remove_file(self.sandbox.path("config/bulla/vault.locator")).unwrap();
        fs::remove_file(self.sandbox.path("k")).unwrap();
    }
}

#[test]
fn registers_and_recovers_a_key() {
    let vault = VaultSandbox::new();
    assert!(vault.status().contains("no key stored"));
    let vault = VaultSandbox::registered();
    assert!(vault.status().contains("10 of 10 guesses left; locator present"));
    vault
        .run("vault recover -o back --vault-password-file first")
        .exits(0)
        .says("back: recovered the key");
    assert_eq!(vault.sandbox.read("back"), vault.sandbox.read("k"));
    vault.run("vault recover -o back --vault-password-file first").exits(1).says("already exists");
    let refused = vault.run("vault recover -o b --vault-password-file wrong").exits(3);
    refused.says("9 guesses");
    assert!(vault.status().contains("9 of 10 guesses left"));
    let recovered = vault.run("vault recover -o b --vault-password-file first").exits(0);
    recovered.says("1 failed attempt").says("change the password");
}

#[test]
fn registering_again_changes_the_password() {
    let vault = VaultSandbox::registered();
    let again = "vault register -k k --new-password-file second --vault-password-file";
    vault.run(&format!("{again} wrong")).exits(3);
    vault.run(&format!("{again} first")).exits(0);
    vault.run("vault recover -o b --vault-password-file first").exits(3);
    vault.run("vault recover -o b --vault-password-file second").exits(0);
    // Registering a different key is refused, because existing backups may need the stored one.
    vault.run("keygen -o other").exits(0);
    let other = "vault register -k other --new-password-file first --vault-password-file second";
    vault.run(other).exits(2).says("the vault stores another key");
    // Without the password, the replacement is delayed.
    let forgotten = vault.run("vault register -k k --forgotten --new-password-file first").exits(0);
    forgotten.says("replaces it on 2033-05-18").says("Until then the old password remains valid");
    vault.run("vault recover -o c --vault-password-file second").exits(0);
}

/// Without a terminal to prompt on, the error names the password-file option.
#[test]
#[cfg(target_os = "linux")]
fn missing_password_is_a_usage_error() {
    let vault = VaultSandbox::new();
    let refused = |args: &str| -> Outcome {
        let mut command =
            vault.sandbox.wrapped("setsid", &format!("--wait {} {args}", crate::sandbox::BULLA));
        command.env("XDG_CONFIG_HOME", vault.sandbox.path("config"));
        let outcome: Outcome = command.output().unwrap().into();
        outcome.exits(2)
    };
    refused("vault register -k k")
        .says("vault password: none given")
        .says("--new-password-file FILE");
    let backup = format!("backup --vault {} a first", vault.server.address);
    refused(&backup).says("vault password: none given").says("--vault-password-file FILE");
    assert!(vault.status().contains("no key stored"));
}

/// A stored key is not replaced by mistake when its locator is missing.
#[test]
fn missing_locator_prevents_a_replacement() {
    let vault = VaultSandbox::registered();
    fs::remove_file(vault.sandbox.path("config/bulla/vault.locator")).unwrap();
    let again = vault.run("vault register -k k --vault-password-file second").exits(2);
    again.says("already stores a key for this account").says("--forgotten");
    let backup =
        format!("backup --vault {} --vault-password-file second a first", vault.server.address);
    vault.run(&backup).exits(2).says("already stores a key for this account");
    assert!(!vault.sandbox.path("a").exists());
}

/// The key exists only in the vault. When the machine is lost, the password is enough to restore
/// the backup.
#[test]
fn restores_a_backup_with_the_password() {
    let vault = VaultSandbox::new();
    let address = vault.server.address.clone();
    fs::create_dir(vault.sandbox.path("photos")).unwrap();
    vault.sandbox.write("photos/one", b"first photo");
    let backup = format!("backup --vault {address} --vault-password-file first a photos");
    vault
        .run(&backup)
        .exits(0)
        .says("the key is stored in the vault")
        .says("forget the vault password");
    // The second backup uses the same key and password.
    vault.sandbox.write("photos/two", b"second photo");
    let again = backup.replace(" a ", " b ");
    vault.run(&again.replace("first", "wrong")).exits(3).says("password");
    vault.run(&again).exits(0);
    let list = String::from_utf8(vault.run("key list b").exits(0).out).unwrap();
    assert!(list.contains("vault"), "{list}");

    vault.lose_the_machine();
    vault.run("restore --vault-password-file wrong a -C no").exits(3).says("password");
    for (archive, target) in [("a", "x"), ("b", "y")] {
        vault.run(&format!("restore --vault-password-file first {archive} -C {target}")).exits(0);
        assert_eq!(vault.sandbox.read(&format!("{target}/photos/one")), b"first photo");
    }
    assert_eq!(vault.sandbox.read("y/photos/two"), b"second photo");

    // The recovered key also opens the backup without the vault.
    vault.run("vault recover a -o key --vault-password-file first").exits(0);
    assert!(vault.sandbox.path("config/bulla/vault.locator").exists());
    vault.sandbox.run("restore -k key b -C z").exits(0);
    assert_eq!(vault.sandbox.read("z/photos/two"), b"second photo");
}

/// A container sealed before the password change contains only the old locator. Once the new
/// locator is added, the vault unlocks the container on another machine.
#[test]
fn adds_the_current_locator_to_a_container() {
    let vault = VaultSandbox::registered();
    let address = vault.server.address.clone();
    vault.run(&format!("seal --vault {address} --vault-password-file first second -o e")).exits(0);
    vault
        .run("vault register -k k --vault-password-file first --new-password-file second")
        .exits(0);
    vault
        .run("key add e -k k --vault-slot --vault-password-file second")
        .exits(0)
        .says("added slot 2, vault");
    vault.lose_the_machine();
    vault.run("open --vault-password-file second e -o opened").exits(0);
    assert_eq!(vault.sandbox.read("opened"), vault.sandbox.read("second"));
}

#[test]
fn deletes_a_key() {
    let vault = VaultSandbox::registered();
    let announced = vault.run("vault delete --forgotten").exits(0);
    announced.says("will be deleted on 2033-05-18").says("cancels the deletion");
    assert!(vault.sandbox.path("config/bulla/vault.locator").exists());
    vault.run("vault delete --vault-password-file wrong").exits(3);
    vault.run("vault delete --vault-password-file first").exits(0).says("deleted the key");
    assert!(!vault.sandbox.path("config/bulla/vault.locator").exists());
    assert!(vault.status().contains("no key stored"));
    vault.run("vault delete --vault-password-file first").exits(2).says("no locator");
    vault.run("vault recover -o b --vault-password-file first").exits(2).says("no locator");
}

#[test]
fn rejects_invalid_configurations() {
    let vault = VaultSandbox::registered();
    vault.configure(&[7; 32]);
    vault.run("vault status").exits(2).says(&vault.server.address);
    vault
        .run("vault recover -o b --vault-password-file first")
        .exits(2)
        .says(&vault.server.address);
    vault.run("vault status --vault http://127.0.0.1:9").exits(2).says("no public key");
    vault.run("vault status --vault http://vault.example").exits(2);
    vault.run("vault status --vault-public-key 7").exits(2).says("64 hex digits");
    vault.run("vault status --vault-token-file first").exits(2).says("first: not a");
    vault.run("vault status --vault-token-file -").exits(2);
    vault.sandbox.write("config/bulla/vault.toml", b"adress = \"x\"\n");
    vault.run("vault status").exits(2).says("unknown field");
    fs::remove_file(vault.sandbox.path("config/bulla/vault.toml")).unwrap();
    vault.run("vault status").exits(2).says("vault.toml");
    vault.run("vault status --vault-config nowhere").exits(1).says("no such file");
}

/// The error message contains no secret.
#[test]
fn unreachable_vault_is_an_error() {
    let vault = VaultSandbox::registered();
    vault.server.stop();
    let outcome = vault.run("vault recover -o b --vault-password-file first").exits(1);
    assert!(!outcome.err.contains("first password"));
    outcome.says(&vault.server.address);
}
