//! The commands of the vault, and backups whose key lies in one, against a vault in memory over
//! HTTP on loopback.

#[allow(dead_code, reason = "the client's own tests look into it")]
#[path = "../../../bulla-vault/tests/client/server.rs"]
mod server;
mod front;

use std::fs;
use std::process::Command;

use base64ct::{Base64UrlUnpadded, Encoding};
use bulla_vault::AccountHash;
use front::Front;
use server::Server;

use crate::sandbox::{Ran, Sandbox};

/// A directory with a key, and a configuration that names a vault. Passwords are in `first`,
/// `second` and `wrong`.
struct Place {
    sandbox: Sandbox,
    front: Front,
}

impl Place {
    fn new() -> Place {
        let place = Place {
            sandbox: Sandbox::new(),
            front: Front::new(Server::new(AccountHash::of("https://id.example", "alice"))),
        };
        place.configure(&place.front.public_key());
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
            self.front.address
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

    fn run(&self, args: &str) -> Ran {
        self.command(args).output().unwrap().into()
    }

    fn registered() -> Place {
        let place = Place::new();
        place
            .run("vault register -k k --vault-password-file first")
            .exits(0)
            .says("the key lies there now");
        place
    }

    fn status(&self) -> String {
        String::from_utf8(self.run("vault status").exits(0).out).unwrap()
    }

    /// As if on another machine: what the client kept is gone.
    fn lose_the_machine(&self) {
        fs::remove_file(self.sandbox.path("config/bulla/vault.locator")).unwrap();
        fs::remove_file(self.sandbox.path("k")).unwrap();
    }
}

#[test]
fn registered_and_recovered() {
    let place = Place::new();
    assert!(place.status().contains("no key lies there"));
    let place = Place::registered();
    assert!(place.status().contains("10 of 10 guesses are left; its locator is here"));
    place
        .run("vault recover -o back --vault-password-file first")
        .exits(0)
        .says("back: the key is back");
    assert_eq!(place.sandbox.read("back"), place.sandbox.read("k"));
    place.run("vault recover -o back --vault-password-file first").exits(1).says("already exists");
    let refused = place.run("vault recover -o b --vault-password-file wrong").exits(3);
    refused.says("wrong password; 9 guesses left");
    assert!(place.status().contains("9 of 10 guesses are left"));
    let recovered = place.run("vault recover -o b --vault-password-file first").exits(0);
    recovered.says("1 attempt failed").says("choose a new password");
}

#[test]
fn registered_anew() {
    let place = Place::registered();
    let anew = "vault register -k k --new-password-file second --vault-password-file";
    place.run(&format!("{anew} wrong")).exits(3);
    place.run(&format!("{anew} first")).exits(0);
    place.run("vault recover -o b --vault-password-file first").exits(3);
    place.run("vault recover -o b --vault-password-file second").exits(0);
    // Not with another key: backups may need the one that lies there.
    place.run("keygen -o other").exits(0);
    let other = "vault register -k other --new-password-file first --vault-password-file second";
    place.run(other).exits(2).says("another key lies there");
    // And not at once without the password.
    let forgotten = place.run("vault register -k k --forgotten --new-password-file first").exits(0);
    forgotten.says("replaces it from 2033-05-18").says("Until then the old password counts");
    place.run("vault recover -o c --vault-password-file second").exits(0);
}

/// Without a terminal to type a new password on, it is said which option takes it from a file.
#[test]
#[cfg(target_os = "linux")]
fn no_terminal_for_the_password() {
    let place = Place::new();
    let refused = |args: &str| -> Ran {
        let mut command =
            place.sandbox.wrapped("setsid", &format!("--wait {} {args}", crate::sandbox::BULLA));
        command.env("XDG_CONFIG_HOME", place.sandbox.path("config"));
        let ran: Ran = command.output().unwrap().into();
        ran.exits(2)
    };
    refused("vault register -k k")
        .says("password of the vault: none was given")
        .says("--new-password-file FILE");
    let backup = format!("backup --vault {} a first", place.front.address);
    refused(&backup)
        .says("password of the vault: none was given")
        .says("--vault-password-file FILE");
    assert!(place.status().contains("no key lies there"));
}

/// A key that lies there, and whose locator is elsewhere, is not replaced by mistake.
#[test]
fn locator_is_elsewhere() {
    let place = Place::registered();
    fs::remove_file(place.sandbox.path("config/bulla/vault.locator")).unwrap();
    let again = place.run("vault register -k k --vault-password-file second").exits(2);
    again.says("a key of this account lies there already").says("--forgotten");
    let backup =
        format!("backup --vault {} --vault-password-file second a first", place.front.address);
    place.run(&backup).exits(2).says("a key of this account lies there already");
    assert!(!place.sandbox.path("a").exists());
}

/// The whole of it: a backup whose key nobody has, the machine lost, and all of it back with the
/// password alone.
#[test]
fn backup_and_restore() {
    let place = Place::new();
    let address = place.front.address.clone();
    fs::create_dir(place.sandbox.path("photos")).unwrap();
    place.sandbox.write("photos/one", b"first photo");
    let backup = format!("backup --vault {address} --vault-password-file first a photos");
    place
        .run(&backup)
        .exits(0)
        .says("the key lies there now")
        .says("forgets the password of the vault");
    // The second backup takes the same key, and so the same password.
    place.sandbox.write("photos/two", b"second photo");
    let again = backup.replace(" a ", " b ");
    place.run(&again.replace("first", "wrong")).exits(3).says("wrong password");
    place.run(&again).exits(0);
    let list = String::from_utf8(place.run("key list b").exits(0).out).unwrap();
    assert!(list.contains("vault"), "{list}");

    place.lose_the_machine();
    place.run("restore --vault-password-file wrong a -C no").exits(3).says("wrong password");
    for (archive, there) in [("a", "x"), ("b", "y")] {
        place.run(&format!("restore --vault-password-file first {archive} -C {there}")).exits(0);
        assert_eq!(place.sandbox.read(&format!("{there}/photos/one")), b"first photo");
    }
    assert_eq!(place.sandbox.read("y/photos/two"), b"second photo");

    // The key itself can be had as well, and opens both without the vault.
    place.run("vault recover a -o key --vault-password-file first").exits(0);
    assert!(place.sandbox.path("config/bulla/vault.locator").exists());
    place.sandbox.run("restore -k key b -C z").exits(0);
    assert_eq!(place.sandbox.read("z/photos/two"), b"second photo");
}

/// A backup from before holds the old locator. It gets the new one, and opens by the vault on
/// another machine again.
#[test]
fn locator_is_written_anew() {
    let place = Place::registered();
    let address = place.front.address.clone();
    place.run(&format!("seal --vault {address} --vault-password-file first second -o e")).exits(0);
    place
        .run("vault register -k k --vault-password-file first --new-password-file second")
        .exits(0);
    place
        .run("key add e -k k --vault-slot --vault-password-file second")
        .exits(0)
        .says("slot 2, a vault");
    place.lose_the_machine();
    place.run("open --vault-password-file second e -o opened").exits(0);
    assert_eq!(place.sandbox.read("opened"), place.sandbox.read("second"));
}

#[test]
fn deleted() {
    let place = Place::registered();
    let announced = place.run("vault delete --forgotten").exits(0);
    announced.says("will be deleted from 2033-05-18").says("calls that off");
    assert!(place.sandbox.path("config/bulla/vault.locator").exists());
    place.run("vault delete --vault-password-file wrong").exits(3);
    place.run("vault delete --vault-password-file first").exits(0).says("the key is deleted");
    assert!(!place.sandbox.path("config/bulla/vault.locator").exists());
    assert!(place.status().contains("no key lies there"));
    place.run("vault delete --vault-password-file first").exits(2).says("there is no locator");
    place.run("vault recover -o b --vault-password-file first").exits(2).says("no locator");
}

#[test]
fn what_is_missing_or_wrong() {
    let place = Place::registered();
    place.configure(&[7; 32]);
    place.run("vault status").exits(2).says("not the configured vault");
    place
        .run("vault recover -o b --vault-password-file first")
        .exits(2)
        .says("not the configured vault");
    place
        .run("vault status --vault http://127.0.0.1:9")
        .exits(2)
        .says("its public key is not known");
    place.run("vault status --vault http://vault.example").exits(2);
    place.run("vault status --vault-public-key 7").exits(2).says("64 hex digits");
    place.run("vault status --vault-token-file first").exits(2).says("not a JWT");
    place.run("vault status --vault-token-file -").exits(2);
    place.sandbox.write("config/bulla/vault.toml", b"adress = \"x\"\n");
    place.run("vault status").exits(2).says("unknown field");
    fs::remove_file(place.sandbox.path("config/bulla/vault.toml")).unwrap();
    place.run("vault status").exits(2).says("vault.toml");
    place.run("vault status --vault-config nowhere").exits(1).says("no such file");
}

/// A vault that cannot be reached is told as that, and no secret is in what is said.
#[test]
fn unreachable() {
    let place = Place::registered();
    place.front.stop();
    let ran = place.run("vault recover -o b --vault-password-file first").exits(1);
    assert!(!ran.err.contains("first password"));
    ran.says("no response from the vault");
}
