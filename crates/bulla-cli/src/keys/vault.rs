//! The vault that options and configuration name, the account's token, and the locator.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bulla::Key;
use bulla_key::{Locator, Passphrase};
use bulla_vault::http::{HttpTransport, Trust};
use bulla_vault::{
    Client, Error, LocatorFiles, Locators, Recovered, Registered, Terms, Token, VaultIdentity,
};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::args;
use crate::error::{Exit, Failure};
use crate::keys::prompt_key::ask_for_new_passphrase;
use crate::keys::source::{no_terminal, read_passphrase, refuse_dash, without_line_break};
use crate::process::workers::compute;
use crate::terminal::display::shown;
use crate::terminal::prompt;
use crate::terminal::streams::note;

/// Holds the account's token, if no file is named.
const TOKEN: &str = "BULLA_VAULT_TOKEN";
/// The most bytes of a configuration, a token's file, or a file of authorities.
const MAX_FILE_LEN: u64 = 1 << 20;

/// The configuration file. Paths in it are relative to its directory.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    address: Option<String>,
    public_key: Option<String>,
    token_file: Option<PathBuf>,
    authorities: Option<PathBuf>,
    locator: Option<PathBuf>,
}

/// A vault, and what it takes to ask it.
pub(crate) struct Vault {
    client: Client<HttpTransport>,
    pub(crate) address: String,
    pub(crate) locators: LocatorFiles,
    password_file: Option<PathBuf>,
}

impl Vault {
    /// The vault that the options name, and where they do not, the configuration.
    pub(crate) fn open(args: &args::Vault) -> Result<Vault, Failure> {
        let (configuration, directory) = read_configuration(args.vault_config.as_deref())?;
        let configured = |path: &PathBuf| directory.join(path);
        let address = args.vault.clone().or_else(|| configuration.address.clone()).ok_or_else(|| {
            let text = "none is named; give its address with --vault URL, or in the configuration file";
            Failure::usage("vault", text).and(&shown(&configuration_path(None)))
        })?;
        let address = address.trim_end_matches('/').to_owned();
        // The configured key is that of the configured vault, and of no other.
        let configured_vault =
            configuration.address.as_deref().map(|own| own.trim_end_matches('/'));
        let own_key = configuration
            .public_key
            .as_ref()
            .filter(|_| configured_vault == Some(address.as_str()));
        let public_key = args.vault_public_key.as_ref().or(own_key);
        let public_key = public_key.ok_or_else(|| {
            let text = "its public key is not known; its operator tells it: give it with --vault-public-key, or in the configuration file";
            Failure::usage(&address, text)
        })?;
        let public_key = parse_public_key(public_key).ok_or_else(|| {
            Failure::usage(&address, "its public key is not given as 64 hex digits")
        })?;
        let token_file = args
            .vault_token_file
            .clone()
            .or_else(|| configuration.token_file.as_ref().map(configured));
        let token = read_token(token_file.as_deref())?;
        let authorities = args
            .vault_authorities
            .clone()
            .or_else(|| configuration.authorities.as_ref().map(configured));
        let trust = match authorities {
            Some(path) => {
                Trust::Authorities(read(&path, "this should be a file with certificates in PEM")?)
            }
            None => Trust::System,
        };
        let locator = args
            .locator
            .clone()
            .or_else(|| configuration.locator.as_ref().map(configured))
            .unwrap_or_else(|| directory.join("vault.locator"));
        let account = token.account();
        let transport = HttpTransport::new(&address, token, &trust)
            .map_err(|e| failure(&Error::Transport(e), &address))?;
        let identity = VaultIdentity { address: address.clone(), public_key };
        Ok(Vault {
            client: Client::new(transport, identity, account),
            address,
            locators: LocatorFiles::new(locator),
            password_file: args.vault_password_file.clone(),
        })
    }

    /// Whether there is one: an option or the configuration names it.
    pub(crate) fn is_named(args: &args::Vault) -> bool {
        args.vault.is_some()
            || read_configuration(args.vault_config.as_deref())
                .is_ok_and(|(read, _)| read.address.is_some())
    }

    pub(crate) fn client(&mut self) -> &mut Client<HttpTransport> {
        &mut self.client
    }

    /// The locators that lie in their files.
    pub(crate) fn kept_locators(&self) -> Result<Vec<Locator>, Failure> {
        self.locators.read().map_err(|e| Failure::io(shown(self.locators.path()), &e))
    }

    /// Gets the key back by the password, and says what happened since the last time.
    pub(crate) fn recover(&mut self, locators: &[Locator]) -> Result<Recovered, Failure> {
        let password = self.password()?;
        let recovered = compute(|| self.client.recover(&password, locators));
        let recovered = recovered.map_err(|e| failure(&e, &self.address))?;
        match recovered.failures {
            0 => {}
            1 => note(&format!("{}: 1 attempt failed since the last that succeeded", self.address)),
            count => note(&format!(
                "{}: {count} attempts failed since the last that succeeded",
                self.address
            )),
        }
        Ok(recovered)
    }

    /// Puts a key behind a new password, and keeps the locator in its file.
    pub(crate) fn register(
        &mut self,
        password: &Passphrase,
        key: &Key,
        terms: &Terms,
    ) -> Result<Registered, Failure> {
        if let Some(directory) = self.locators.path().parent() {
            fs::create_dir_all(directory).map_err(|e| Failure::io(shown(directory), &e))?;
        }
        let mut locators = self.locators.clone();
        let registered = compute(|| self.client.register(password, key, &mut locators, terms));
        registered.map_err(|e| failure(&e, &self.address))
    }

    /// Another key that lies there is not to be replaced by mistake: backups may need it.
    pub(crate) fn refuse_key_without_locator(&mut self) -> Result<(), Failure> {
        let status = self.client.status().map_err(|e| failure(&e, &self.address))?;
        if status.current.is_none() {
            return Ok(());
        }
        let text = "a key of this account lies there already, and its locator is not here";
        let advice = "get it back with `bulla vault recover BACKUP`, or replace it with `bulla vault register --forgotten`";
        Err(Failure::usage(&self.address, text).and(advice))
    }

    /// Keeps a locator that was found elsewhere, if there is none.
    pub(crate) fn keep(&mut self, locator: &Locator) -> Result<(), Failure> {
        if !self.kept_locators()?.is_empty() {
            return Ok(());
        }
        if let Some(directory) = self.locators.path().parent() {
            fs::create_dir_all(directory).map_err(|e| Failure::io(shown(directory), &e))?;
        }
        let kept = self.locators.keep_beside(locator).and_then(|()| self.locators.replace_old());
        kept.map_err(|e| Failure::io(shown(self.locators.path()), &e))
    }

    /// The password that there is.
    fn password(&self) -> Result<Passphrase, Failure> {
        if let Some(path) = &self.password_file {
            refuse_dash("--vault-password-file", path)?;
            return read_passphrase(path);
        }
        let typed =
            prompt::ask_for_passphrase("Password of the vault (not shown): ").map_err(|_| {
                no_terminal(
                    "password",
                    "name the file that holds it with --vault-password-file FILE",
                )
            })?;
        // Before the vault counts it: what cannot be the password is no guess.
        Passphrase::new(without_line_break(&typed))
            .map_err(|e| Failure::usage("password", e.to_string()))
    }
}

/// The key for a new container, and the locator for its envelope: the vault's key if there is one,
/// else a new one.
pub(crate) fn key_for_sealing(args: &args::Vault) -> Result<(Key, Locator), Failure> {
    let mut vault = Vault::open(args)?;
    let locators = vault.kept_locators()?;
    if !locators.is_empty() {
        let recovered = vault.recover(&locators)?;
        let its_own = |locator: &Locator| locator.registration() == recovered.reg_id.as_bytes();
        let locator = locators.into_iter().find(its_own);
        let locator = locator.ok_or_else(|| failure(&Error::NoLocator, &vault.address))?;
        return Ok((recovered.key, locator));
    }
    vault.refuse_key_without_locator()?;
    let key = Key::generate().map_err(|e| Failure::new(Exit::Environment, "key", e.to_string()))?;
    let password = new_password(args.vault_password_file.as_deref(), "--vault-password-file")?;
    if let Registered::Announced { .. } = vault.register(&password, &key, &Terms::default())? {
        let text = "another client has registered a key there meanwhile; see `bulla vault status`";
        return Err(Failure::new(Exit::Environment, vault.address, text));
    }
    let locator = vault.kept_locators()?.into_iter().next();
    let locator = locator.ok_or_else(|| failure(&Error::NoLocator, &vault.address))?;
    note(&format!(
        "{}: the key lies there now; keep {} as well, which is of use with the password only",
        vault.address,
        shown(vault.locators.path())
    ));
    Ok((key, locator))
}

/// A password to be, from a file, which `option` names, or asked for twice.
pub(crate) fn new_password(file: Option<&Path>, option: &str) -> Result<Passphrase, Failure> {
    match file {
        Some(path) => {
            refuse_dash("the password's file", path)?;
            read_passphrase(path)
        }
        None => {
            let instead = format!("name the file that holds it with {option} FILE");
            ask_for_new_passphrase("password of the vault", &instead)
        }
    }
}

/// Something is wrong with the vault, or with what it was given.
pub(crate) fn failure(error: &Error, address: &str) -> Failure {
    let exit = match error {
        Error::WrongPassword { .. } | Error::Locked | Error::NoRecord => Exit::WrongKey,
        Error::AnotherVault | Error::BadToken | Error::NoLocator | Error::GuessesOutOfRange => {
            Exit::Usage
        }
        _ => Exit::Environment,
    };
    Failure::new(exit, address, error.to_string())
}

fn configuration_path(named: Option<&Path>) -> PathBuf {
    let home = |name, below: &str| {
        let value = env::var_os(name).filter(|value| !value.is_empty())?;
        Some(Path::new(&value).join(below))
    };
    let directory = home("XDG_CONFIG_HOME", "bulla")
        .or_else(|| home("HOME", ".config/bulla"))
        .or_else(|| home("APPDATA", "bulla"))
        .unwrap_or_else(|| PathBuf::from("."));
    named.map_or_else(|| directory.join("vault.toml"), Path::to_owned)
}

/// The configuration, and its directory. One that nobody named need not exist.
fn read_configuration(named: Option<&Path>) -> Result<(Configuration, PathBuf), Failure> {
    let path = configuration_path(named);
    let directory = path.parent().unwrap_or(Path::new("")).to_owned();
    if named.is_none()
        && matches!(fs::metadata(&path), Err(e) if e.kind() == io::ErrorKind::NotFound)
    {
        return Ok((Configuration::default(), directory));
    }
    let bytes = read(&path, "this should be the configuration of the vault")?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::usage(shown(&path), "it does not hold text"))?;
    let configuration =
        toml::from_str(text).map_err(|e| Failure::usage(shown(&path), e.message().to_owned()))?;
    Ok((configuration, directory))
}

fn read_token(file: Option<&Path>) -> Result<Token, Failure> {
    let (text, subject) = match file {
        Some(path) => {
            refuse_dash("--vault-token-file", path)?;
            let bytes = Zeroizing::new(read(path, "this should be the token's file")?);
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| Failure::usage(shown(path), "it does not hold text"))?;
            (Zeroizing::new(text.to_owned()), shown(path))
        }
        None => {
            let text = env::var(TOKEN).map_err(|_| {
                let text = "there is none; its file is named with --vault-token-file or in the configuration, or it is in the environment variable";
                Failure::usage("token", text).and(TOKEN)
            })?;
            (Zeroizing::new(text), TOKEN.to_owned())
        }
    };
    Token::parse(&text).map_err(|e| Failure::usage(subject, e.to_string()))
}

fn read(path: &Path, should: &str) -> Result<Vec<u8>, Failure> {
    let failure = |e: &io::Error| Failure::io(shown(path), e).and(should);
    let mut file = fs::File::open(path).map_err(|e| failure(&e))?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(&mut file, MAX_FILE_LEN), &mut bytes)
        .map_err(|e| failure(&e))?;
    Ok(bytes)
}

fn parse_public_key(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys() {
        assert_eq!(parse_public_key(&"0A".repeat(32)), Some([10; 32]));
        for text in
            ["", "0a", &"0a".repeat(31), &"0a".repeat(33), &"0g".repeat(32), &"0".repeat(63)]
        {
            assert_eq!(parse_public_key(text), None, "{text}");
        }
    }
}
