//! The vault that the options or the configuration name, its account token, and its locator.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bulla::Key;
use bulla_key::{Locator, Passphrase};
use bulla_vault::http::{HttpTransport, Trust};
use bulla_vault::{
    Client, Error, LocatorFiles, LocatorStore, Recovered, Registered, RegistrationOptions, Token,
    VaultIdentity,
};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::args::options::VaultArgs;
use crate::error::{Exit, Failure};
use crate::keys::prompt_key::prompt_new_passphrase;
use crate::keys::source::{no_terminal, read_passphrase, reject_dash, without_line_break};
use crate::process::workers::WorkerPool;
use crate::terminal::display::shown;
use crate::terminal::message::note;
use crate::terminal::prompt;

/// The environment variable with the account's token if no file is named.
const TOKEN: &str = "BULLA_VAULT_TOKEN";
/// The longest configuration, token or certificate file, in bytes.
const MAX_FILE_LEN: u64 = 1 << 20;

/// The configuration file. Its paths are relative to its directory.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    address: Option<String>,
    public_key: Option<String>,
    token_file: Option<PathBuf>,
    authorities: Option<PathBuf>,
    locator: Option<PathBuf>,
}

/// A client of a vault.
pub(crate) struct Vault<'p> {
    pool: &'p WorkerPool,
    client: Client<HttpTransport>,
    pub(crate) address: String,
    pub(crate) locators: LocatorFiles,
    password_file: Option<PathBuf>,
}

impl<'p> Vault<'p> {
    /// Returns the vault that the options or the configuration name.
    pub(crate) fn open(args: &VaultArgs, pool: &'p WorkerPool) -> Result<Vault<'p>, Failure> {
        let (configuration, directory) = read_configuration(args.vault_config.as_deref())?;
        let configured = |path: &PathBuf| directory.join(path);
        let address =
            args.vault.clone().or_else(|| configuration.address.clone()).ok_or_else(|| {
                let path = shown(&configuration_path(None));
                let problem = format!("no address; use --vault URL or set `address` in {path}");
                Failure::usage("vault", problem)
            })?;
        let address = address.trim_end_matches('/').to_owned();
        // The configured public key applies to the configured vault only.
        let configured_vault =
            configuration.address.as_deref().map(|own| own.trim_end_matches('/'));
        let own_key = configuration
            .public_key
            .as_ref()
            .filter(|_| configured_vault == Some(address.as_str()));
        let public_key = args.vault_public_key.as_ref().or(own_key);
        let public_key = public_key.ok_or_else(|| {
            let problem = "no public key; get it from the operator, and use --vault-public-key or \
                           set `public_key` in the configuration file";
            Failure::usage(&address, problem)
        })?;
        let public_key = parse_public_key(public_key).ok_or_else(|| {
            Failure::usage(&address, "invalid public key; expected 64 hex digits")
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
            Some(path) => Trust::Authorities(read(&path, "expected a file with PEM certificates")?),
            None => Trust::System,
        };
        let locator = args
            .locator
            .clone()
            .or_else(|| configuration.locator.as_ref().map(configured))
            .unwrap_or_else(|| directory.join("vault.locator"));
        let account = token.account();
        let transport = HttpTransport::new(&address, token, &trust)
            .map_err(|e| vault_failure(&Error::Transport(e), &address))?;
        let identity = VaultIdentity { address: address.clone(), public_key };
        Ok(Vault {
            pool,
            client: Client::new(transport, identity, account),
            address,
            locators: LocatorFiles::new(locator),
            password_file: args.vault_password_file.clone(),
        })
    }

    /// Returns whether an option or the configuration names a vault.
    pub(crate) fn is_named(args: &VaultArgs) -> bool {
        args.vault.is_some()
            || read_configuration(args.vault_config.as_deref())
                .is_ok_and(|(read, _)| read.address.is_some())
    }

    pub(crate) fn client(&mut self) -> &mut Client<HttpTransport> {
        &mut self.client
    }

    /// Reads the locators from the locator file.
    pub(crate) fn stored_locators(&self) -> Result<Vec<Locator>, Failure> {
        self.locators.read().map_err(|e| Failure::io(shown(self.locators.path()), &e))
    }

    /// Recovers the key with the password, and reports failed attempts since the last login.
    pub(crate) fn recover(&mut self, locators: &[Locator]) -> Result<Recovered, Failure> {
        let password = self.password()?;
        let recovered = self.pool.install(|| self.client.recover(&password, locators));
        let recovered = recovered.map_err(|e| vault_failure(&e, &self.address))?;
        let attempts = match recovered.failures {
            0 => return Ok(recovered),
            1 => "1 failed attempt".to_owned(),
            count => format!("{count} failed attempts"),
        };
        note(&format!("{}: {attempts} since the last successful one", self.address));
        Ok(recovered)
    }

    /// Registers a key under a new password, and writes the locator file.
    pub(crate) fn register(
        &mut self,
        password: &Passphrase,
        key: &Key,
        options: &RegistrationOptions,
    ) -> Result<Registered, Failure> {
        if let Some(directory) = self.locators.path().parent() {
            fs::create_dir_all(directory).map_err(|e| Failure::io(shown(directory), &e))?;
        }
        let mut locators = self.locators.clone();
        let registered =
            self.pool.install(|| self.client.register(password, key, &mut locators, options));
        registered.map_err(|e| vault_failure(&e, &self.address))
    }

    /// Fails if the vault stores a key whose locator is missing here. Backups may need that key, so
    /// it is not replaced by mistake.
    pub(crate) fn reject_key_without_locator(&mut self) -> Result<(), Failure> {
        let status = self.client.status().map_err(|e| vault_failure(&e, &self.address))?;
        if status.current.is_none() {
            return Ok(());
        }
        let problem = "the vault already stores a key for this account, and its locator is \
                       missing; use `bulla vault recover BACKUP` to recover it, or \
                       `bulla vault register --forgotten` to replace it";
        Err(Failure::usage(&self.address, problem))
    }

    /// Writes a locator that was found in a container to the locator file, unless that exists.
    pub(crate) fn store_locator(&mut self, locator: &Locator) -> Result<(), Failure> {
        if !self.stored_locators()?.is_empty() {
            return Ok(());
        }
        if let Some(directory) = self.locators.path().parent() {
            fs::create_dir_all(directory).map_err(|e| Failure::io(shown(directory), &e))?;
        }
        let kept = self.locators.stage(locator).and_then(|()| self.locators.promote());
        kept.map_err(|e| Failure::io(shown(self.locators.path()), &e))
    }

    /// Reads the current password.
    fn password(&self) -> Result<Passphrase, Failure> {
        if let Some(path) = &self.password_file {
            reject_dash("--vault-password-file", path)?;
            return read_passphrase(path);
        }
        let typed = prompt::read_passphrase("Vault password (not shown): ")
            .map_err(|_| no_terminal("password", "use --vault-password-file FILE"))?;
        // Checked here, so that an invalid password does not use up a guess.
        Passphrase::new(without_line_break(&typed))
            .map_err(|e| Failure::usage("password", e.to_string()))
    }
}

/// Returns the key for a new container, and the locator for its envelope. If the vault stores no
/// key yet, a new one is registered.
pub(crate) fn key_for_sealing(
    args: &VaultArgs,
    pool: &WorkerPool,
) -> Result<(Key, Locator), Failure> {
    let mut vault = Vault::open(args, pool)?;
    let locators = vault.stored_locators()?;
    if !locators.is_empty() {
        let recovered = vault.recover(&locators)?;
        let is_current = |locator: &Locator| locator.registration() == recovered.reg_id.as_bytes();
        let locator = locators.into_iter().find(is_current);
        let locator = locator.ok_or_else(|| vault_failure(&Error::NoLocator, &vault.address))?;
        return Ok((recovered.key, locator));
    }
    vault.reject_key_without_locator()?;
    let key = Key::generate().map_err(|e| Failure::new(Exit::Environment, "key", e.to_string()))?;
    let password = new_password(args.vault_password_file.as_deref(), "--vault-password-file")?;
    if let Registered::Announced { .. } =
        vault.register(&password, &key, &RegistrationOptions::default())?
    {
        let problem = "another client registered a key at the same time; use `bulla vault status`";
        return Err(Failure::new(Exit::Environment, vault.address, problem));
    }
    let locator = vault.stored_locators()?.into_iter().next();
    let locator = locator.ok_or_else(|| vault_failure(&Error::NoLocator, &vault.address))?;
    note(&format!(
        "{}: the key is stored in the vault; also keep a copy of {}, which is useless without the \
         password",
        vault.address,
        shown(vault.locators.path())
    ));
    Ok((key, locator))
}

/// Reads a new password from a file, which `option` names, or prompts for it twice.
pub(crate) fn new_password(file: Option<&Path>, option: &str) -> Result<Passphrase, Failure> {
    match file {
        Some(path) => {
            reject_dash(option, path)?;
            read_passphrase(path)
        }
        None => {
            let alternative = format!("use {option} FILE, or run bulla on a terminal");
            prompt_new_passphrase("vault password", &alternative)
        }
    }
}

/// Creates the failure for a vault request.
pub(crate) fn vault_failure(error: &Error, address: &str) -> Failure {
    let exit = match error {
        Error::WrongPassword { .. } | Error::Locked | Error::NoRecord => Exit::WrongKey,
        Error::VaultMismatch
        | Error::InvalidToken
        | Error::NoLocator
        | Error::GuessesOutOfRange => Exit::Usage,
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

/// Reads the configuration, and returns it with its directory. The default file need not exist.
fn read_configuration(named: Option<&Path>) -> Result<(Configuration, PathBuf), Failure> {
    let path = configuration_path(named);
    let directory = path.parent().unwrap_or(Path::new("")).to_owned();
    if named.is_none()
        && matches!(fs::metadata(&path), Err(e) if e.kind() == io::ErrorKind::NotFound)
    {
        return Ok((Configuration::default(), directory));
    }
    let bytes = read(&path, "expected the vault configuration")?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Failure::usage(shown(&path), "not UTF-8 text"))?;
    let configuration =
        toml::from_str(text).map_err(|e| Failure::usage(shown(&path), e.message().to_owned()))?;
    Ok((configuration, directory))
}

fn read_token(file: Option<&Path>) -> Result<Token, Failure> {
    let (text, subject) = match file {
        Some(path) => {
            reject_dash("--vault-token-file", path)?;
            let bytes = Zeroizing::new(read(path, "expected a token file")?);
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| Failure::usage(shown(path), "not UTF-8 text"))?;
            (Zeroizing::new(text.to_owned()), shown(path))
        }
        None => {
            let text = env::var(TOKEN).map_err(|_| {
                let problem = format!(
                    "none given; use --vault-token-file FILE, `token_file` in the configuration \
                     file, or the environment variable {TOKEN}"
                );
                Failure::usage("token", problem)
            })?;
            (Zeroizing::new(text), TOKEN.to_owned())
        }
    };
    Token::parse(&text).map_err(|e| Failure::usage(subject, e.to_string()))
}

fn read(path: &Path, expected: &str) -> Result<Vec<u8>, Failure> {
    let failure = |e: &io::Error| Failure::io(shown(path), e).and(expected);
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
    fn parses_public_keys() {
        assert_eq!(parse_public_key(&"0A".repeat(32)), Some([10; 32]));
        for text in
            ["", "0a", &"0a".repeat(31), &"0a".repeat(33), &"0g".repeat(32), &"0".repeat(63)]
        {
            assert_eq!(parse_public_key(text), None, "{text}");
        }
    }
}
