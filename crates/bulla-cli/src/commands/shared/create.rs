//! Creates containers, for the commands that write them.

use std::fs;
use std::path::Path;

use crate::error::Failure;
use crate::io::input::Input;
use crate::io::output::{Output, Target};
use crate::io::staged::Access;
use crate::keys::access_methods::AccessMethods;
use crate::terminal::display::shown;
use crate::terminal::message::say;

/// Rejects an output that is also a key file, existing or new.
pub(crate) fn reject_key_file_output(
    methods: &AccessMethods,
    target: &Target,
) -> Result<(), Failure> {
    let reject = |problem| Err(Failure::usage(target.name(), problem));
    if methods.identities().iter().any(|file| target.is(Some(file))) {
        return reject("the output is the key file; choose another output");
    }
    match (&methods.new_key, target) {
        (Some(new_key), Target::New(output)) if is_same_path(output, new_key) => {
            reject("the output and the new key file are the same file; choose another name")
        }
        _ => Ok(()),
    }
}

/// Rejects an output that is also the input, and an input that is the key file.
pub(crate) fn reject_input_output(
    methods: &AccessMethods,
    input: &Input,
    target: &Target,
) -> Result<(), Failure> {
    let identity = input.identity();
    if target.is(identity.as_ref()) {
        let problem = "the output is the input; choose another output with -o";
        return Err(Failure::usage(target.name(), problem));
    }
    if identity.is_some_and(|identity| methods.identities().contains(&identity)) {
        return Err(Failure::usage(&input.name, KEY_UNDER_ITSELF));
    }
    Ok(())
}

/// The problem with sealing a key file under the key that it contains.
pub(crate) const KEY_UNDER_ITSELF: &str = "the input is the key file, which could never \
     be opened if it were sealed under its own key; choose another input";

/// Opens the output of a container. A terminal is rejected.
pub(crate) fn create_output(target: &Target) -> Result<Output, Failure> {
    let output = target.create(Access::Umask)?;
    if output.is_terminal() {
        let problem = "refusing to write binary data to a terminal; name a file or use a pipe";
        return Err(Failure::usage(target.name(), problem));
    }
    Ok(output)
}

/// Tells the user which secret must not be lost. `keeps_key` means that an existing recovery key
/// also unlocks the container.
pub(crate) fn print_recovery_hint(methods: &AccessMethods, keeps_key: bool) {
    if methods.has_vault() {
        say("If you forget the vault password, the data is lost unless another key unlocks it.");
        return;
    }
    match (methods.has_passphrase(), &methods.key_files()[..]) {
        (true, []) if !keeps_key => say("If you forget the passphrase, the data is lost."),
        (true, _) => {
            say("If you forget the passphrase, only the key file unlocks the data. Keep it safe.");
        }
        (false, _) => {
            if let Some(path) = &methods.new_key {
                let name = shown(path);
                say(&format!("If you lose {name}, the data is lost. Keep a copy elsewhere."));
            }
        }
    }
}

/// Returns whether two paths that do not exist yet name the same file.
fn is_same_path(a: &Path, b: &Path) -> bool {
    let directory = |path: &Path| fs::canonicalize(Path::new(".").join(path.parent()?)).ok();
    a.file_name() == b.file_name() && directory(a) == directory(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_paths_of_new_files() {
        assert!(is_same_path(Path::new("x"), Path::new("./x")));
        assert!(is_same_path(Path::new("src/../x"), Path::new("x")));
        assert!(!is_same_path(Path::new("x"), Path::new("y")));
        assert!(!is_same_path(Path::new("src/x"), Path::new("x")));
    }
}
