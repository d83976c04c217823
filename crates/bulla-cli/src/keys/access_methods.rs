//! The access methods of a new container: the key it is sealed under, or the slots of its envelope.

use std::io;
use std::path::{Path, PathBuf};

use bulla::{Draft, Key, Options};
use bulla_key::{Envelope, Error, Passphrase, PassphraseCost, Slots};

use crate::args::options::{NewSlotArgs, SealingKeyArgs, VaultArgs};
use crate::error::{Exit, Failure};
use crate::io::input::Identity;
use crate::keys::new_key::{NewKeyFile, reject_existing};
use crate::keys::prompt_key::prompt_new_passphrase;
use crate::keys::source::{KeySource, read_key, read_passphrase, reject_dash};
use crate::keys::vault::key_for_sealing;
use crate::process::cleanup::Cleanup;
use crate::process::workers::WorkerPool;
use crate::terminal::display::{shell_word, shown};

/// The secrets that will unlock a container, before any of them is read, prompted for or created.
#[derive(Default)]
pub(crate) struct AccessMethods {
    /// The source of the container's own key, or `None` if it is generated.
    source: Option<KeySource>,
    recovery_keys: Vec<PathBuf>,
    pub(crate) new_key: Option<PathBuf>,
    passphrase: Option<PassphraseSource>,
    /// The vault that stores a recovery key.
    vault: Option<VaultArgs>,
    has_envelope: bool,
}

enum PassphraseSource {
    Terminal,
    File(PathBuf),
}

impl AccessMethods {
    /// Returns the access methods that the options of `seal` and `backup` select. An envelope is
    /// only used for a passphrase, a vault, or more than one key.
    pub(crate) fn for_sealing(args: &SealingKeyArgs) -> Result<AccessMethods, Failure> {
        let passphrase = passphrase_source(args.passphrase, args.passphrase_file.as_deref())?;
        let vault = args.vault.vault.is_some().then(|| args.vault.clone());
        let has_envelope = passphrase.is_some() || vault.is_some() || !args.recovery_key.is_empty();
        let mut methods = AccessMethods {
            source: None,
            recovery_keys: args.recovery_key.clone(),
            new_key: args.new_key.clone(),
            passphrase,
            vault,
            has_envelope,
        };
        match &args.file {
            Some(path) if has_envelope => {
                reject_dash("-k", path)?;
                methods.recovery_keys.insert(0, path.clone());
            }
            _ if has_envelope || methods.new_key.is_some() => {}
            file => methods.source = Some(KeySource::for_key(file.as_deref())?),
        }
        methods.check()
    }

    /// Returns the access methods to add to an envelope.
    pub(crate) fn for_slots(
        args: &NewSlotArgs,
        vault: &VaultArgs,
    ) -> Result<AccessMethods, Failure> {
        let methods = AccessMethods {
            source: None,
            recovery_keys: args.recovery_key.clone(),
            new_key: args.new_key.clone(),
            passphrase: passphrase_source(args.passphrase, args.new_passphrase_file.as_deref())?,
            vault: args.vault_slot.then(|| vault.clone()),
            has_envelope: true,
        };
        methods.check()
    }

    fn check(self) -> Result<AccessMethods, Failure> {
        self.new_key.iter().try_for_each(|path| reject_existing(path))?;
        self.recovery_keys.iter().try_for_each(|path| reject_dash("--recovery-key", path))?;
        Ok(self)
    }

    /// Returns whether no option selected an access method.
    pub(crate) fn is_empty(&self) -> bool {
        self.recovery_keys.is_empty()
            && self.new_key.is_none()
            && self.passphrase.is_none()
            && self.vault.is_none()
    }

    /// Adds a passphrase from the terminal.
    pub(crate) fn add_prompted_passphrase(&mut self) {
        self.passphrase = Some(PassphraseSource::Terminal);
    }

    /// Drops the envelope if the only access method is one new key.
    pub(crate) fn without_needless_envelope(mut self) -> AccessMethods {
        self.has_envelope =
            self.passphrase.is_some() || self.vault.is_some() || !self.recovery_keys.is_empty();
        self
    }

    pub(crate) fn has_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }

    pub(crate) fn has_vault(&self) -> bool {
        self.vault.is_some()
    }

    /// Returns the files of recovery keys, existing and new.
    pub(crate) fn key_files(&self) -> Vec<&Path> {
        self.recovery_keys.iter().chain(&self.new_key).map(PathBuf::as_path).collect()
    }

    /// Returns the existing files that secrets are read from.
    pub(crate) fn secret_files(&self) -> Vec<&Path> {
        let file = match &self.passphrase {
            Some(PassphraseSource::File(path)) => Some(path.as_path()),
            _ => None,
        };
        let source = self.source.as_ref().and_then(KeySource::path);
        source
            .into_iter()
            .chain(self.recovery_keys.iter().map(PathBuf::as_path))
            .chain(file)
            .collect()
    }

    /// Returns the identities of the [`secret_files`](AccessMethods::secret_files).
    pub(crate) fn identities(&self) -> Vec<Identity> {
        self.secret_files().into_iter().filter_map(Identity::of).collect()
    }

    /// Formats the options that unlock the result, for a command that the user can copy.
    pub(crate) fn unlock_options(&self) -> String {
        match (&self.source, &self.passphrase, self.new_key.as_ref().or(self.recovery_keys.first()))
        {
            (Some(source), ..) => source.options(),
            (None, Some(PassphraseSource::File(path)), _) => {
                format!(" --passphrase-file {}", shell_word(path))
            }
            // The command prompts for the passphrase.
            (None, Some(PassphraseSource::Terminal), _) | (None, None, None) => String::new(),
            (None, None, Some(path)) if self.vault.is_none() => {
                format!(" -k {}", shell_word(path))
            }
            (None, None, Some(_)) => String::new(),
        }
    }

    /// Reads, prompts for and creates the secrets. `recovery_key` is an additional key that has
    /// already been read.
    pub(crate) fn read<'p>(
        &self,
        recovery_key: Option<&Key>,
        pool: &'p WorkerPool,
    ) -> Result<ContainerKeys<'p>, Failure> {
        if !self.has_envelope {
            return match (&self.new_key, &self.source) {
                (Some(path), _) => {
                    let (new_key, key) = NewKeyFile::generate(path)?;
                    Ok(ContainerKeys { key, slots: None, new_key: Some(new_key), pool })
                }
                (None, Some(source)) => {
                    let key = source.read_for_sealing()?;
                    Ok(ContainerKeys { key, slots: None, new_key: None, pool })
                }
                (None, None) => Err(Failure::usage("key", "none given; use -k or --new-key")),
            };
        }
        let key =
            Key::generate().map_err(|e| Failure::new(Exit::Environment, "key", e.to_string()))?;
        let mut slots = Slots::new();
        recovery_key
            .iter()
            .try_for_each(|key| slots.add_recovery_key(key).map(drop))
            .map_err(|e| slot_failure(&e))?;
        let new_key = self.add_to(&mut slots, pool)?;
        Ok(ContainerKeys { key, slots: Some(slots), new_key, pool })
    }

    /// Does the same as [`read`](AccessMethods::read), but adds the secrets to existing slots.
    /// Returns the new key file.
    pub(crate) fn add_to(
        &self,
        slots: &mut Slots,
        pool: &WorkerPool,
    ) -> Result<Option<NewKeyFile>, Failure> {
        for path in &self.recovery_keys {
            slots
                .add_recovery_key(&read_key(path)?)
                .map_err(|e| Failure::usage(shown(path), e.to_string()))?;
        }
        let passphrase: Option<Passphrase> = match &self.passphrase {
            None => None,
            Some(PassphraseSource::File(path)) => Some(read_passphrase(path)?),
            Some(PassphraseSource::Terminal) => {
                let alternative = "read it from a file instead of using --passphrase";
                Some(prompt_new_passphrase("passphrase", alternative)?)
            }
        };
        if let Some(passphrase) = &passphrase {
            slots
                .add_passphrase(passphrase, PassphraseCost::default())
                .map_err(|e| slot_failure(&e))?;
        }
        if let Some(vault) = &self.vault {
            let (key, locator) = key_for_sealing(vault, pool)?;
            slots.add_locator(&key, locator).map_err(|e| slot_failure(&e))?;
        }
        // Last, so that no key file is created if a prompt fails.
        let Some(path) = &self.new_key else { return Ok(None) };
        let (new_key, key) = NewKeyFile::generate(path)?;
        slots.add_recovery_key(&key).map_err(|e| slot_failure(&e))?;
        Ok(Some(new_key))
    }
}

/// The key of a new container, and the slots that wrap it.
pub(crate) struct ContainerKeys<'p> {
    key: Key,
    /// `None` if the container has no envelope.
    slots: Option<Slots>,
    new_key: Option<NewKeyFile>,
    pool: &'p WorkerPool,
}

impl ContainerKeys<'_> {
    /// Returns a draft of a container, with its envelope if it has one.
    pub(crate) fn draft<'a>(&self, options: &Options<'a>) -> bulla::Result<Draft<'a>> {
        let Some(slots) = &self.slots else { return Draft::new(&self.key, options) };
        let draft = Draft::new(&self.key, &self.with_envelope(options))?;
        let sealed = self.pool.install(|| slots.seal(&draft, &self.key));
        let envelope = sealed.map_err(|e| match e {
            Error::Container(e) => e,
            // Out of memory, or the slots do not fit.
            e => io::Error::other(e.to_string()).into(),
        })?;
        draft.envelope(&envelope)
    }

    /// Returns the options with which the draft is created.
    pub(crate) fn with_envelope<'a>(&self, options: &Options<'a>) -> Options<'a> {
        match &self.slots {
            Some(_) => options.envelope_len(Envelope::DEFAULT_LEN),
            None => *options,
        }
    }

    /// Returns whether a key file was created.
    pub(crate) fn has_new_key(&self) -> bool {
        self.new_key.is_some()
    }

    /// Keeps the key file, if one was created.
    pub(crate) fn keep_new_key(&mut self, cleanup: &mut Cleanup) {
        if let Some(new_key) = &mut self.new_key {
            new_key.keep(cleanup);
        }
    }
}

fn passphrase_source(
    prompt: bool,
    file: Option<&Path>,
) -> Result<Option<PassphraseSource>, Failure> {
    match file {
        Some(path) => {
            reject_dash("--passphrase-file", path)?;
            Ok(Some(PassphraseSource::File(path.to_owned())))
        }
        None => Ok(prompt.then_some(PassphraseSource::Terminal)),
    }
}

fn slot_failure(error: &Error) -> Failure {
    Failure::usage("key", error.to_string())
}
