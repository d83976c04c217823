//! What will open a container about to be made: a key that it is sealed under, or the slots of an
//! envelope.

use std::io;
use std::path::{Path, PathBuf};

use bulla::{Draft, Key, Options};
use bulla_key::{Envelope, Error, Passphrase, PassphraseCost, Slots};

use crate::args::{self, NewSlots, SealingKeys};
use crate::error::{Exit, Failure};
use crate::io::input::Identity;
use crate::keys::new_key::{self, NewKey};
use crate::keys::prompt_key::ask_for_new_passphrase;
use crate::keys::source::{KeySource, read_key, read_passphrase, refuse_dash};
use crate::keys::vault::key_for_sealing;
use crate::process::workers::compute;
use crate::terminal::display::{shown, word};

/// What will open a container, before any of it is read, asked for or made.
#[derive(Default)]
pub(crate) struct WaysIn {
    /// Where the key comes from that it is sealed under; none if there is an envelope, or a new
    /// key.
    source: Option<KeySource>,
    recovery_keys: Vec<PathBuf>,
    pub(crate) new_key: Option<PathBuf>,
    passphrase: Option<PassphraseSource>,
    /// The vault that keeps a key that will open it.
    vault: Option<args::Vault>,
    has_envelope: bool,
}

enum PassphraseSource {
    Terminal,
    File(PathBuf),
}

impl WaysIn {
    /// Those of `seal` and `backup`. An envelope is made only if there is more than one key to it,
    /// or a passphrase.
    pub(crate) fn of_sealing(args: &SealingKeys) -> Result<WaysIn, Failure> {
        let passphrase = passphrase(args.passphrase, args.passphrase_file.as_deref())?;
        let vault = args.vault.vault.is_some().then(|| args.vault.clone());
        let has_envelope = passphrase.is_some() || vault.is_some() || !args.recovery_key.is_empty();
        let mut ways = WaysIn {
            source: None,
            recovery_keys: args.recovery_key.clone(),
            new_key: args.new_key.clone(),
            passphrase,
            vault,
            has_envelope,
        };
        match &args.file {
            Some(path) if has_envelope => {
                refuse_dash("-k", path)?;
                ways.recovery_keys.insert(0, path.clone());
            }
            _ if has_envelope || ways.new_key.is_some() => {}
            file => ways.source = Some(KeySource::new(file.as_deref())?),
        }
        ways.checked()
    }

    /// Those that are to be added to an envelope.
    pub(crate) fn of_slots(args: &NewSlots, vault: &args::Vault) -> Result<WaysIn, Failure> {
        let ways = WaysIn {
            source: None,
            recovery_keys: args.recovery_key.clone(),
            new_key: args.new_key.clone(),
            passphrase: passphrase(args.passphrase, args.new_passphrase_file.as_deref())?,
            vault: args.vault_slot.then(|| vault.clone()),
            has_envelope: true,
        };
        ways.checked()
    }

    fn checked(self) -> Result<WaysIn, Failure> {
        self.new_key.iter().try_for_each(|path| new_key::refuse_existing(path))?;
        self.recovery_keys.iter().try_for_each(|path| refuse_dash("--recovery-key", path))?;
        Ok(self)
    }

    /// Nothing was said of them.
    pub(crate) fn is_empty(&self) -> bool {
        self.recovery_keys.is_empty()
            && self.new_key.is_none()
            && self.passphrase.is_none()
            && self.vault.is_none()
    }

    /// A passphrase is to be asked for as well.
    pub(crate) fn ask_for_passphrase(&mut self) {
        self.passphrase = Some(PassphraseSource::Terminal);
    }

    /// Without an envelope: there is one new key, and nothing else.
    pub(crate) fn without_envelope(mut self) -> WaysIn {
        self.has_envelope =
            self.passphrase.is_some() || self.vault.is_some() || !self.recovery_keys.is_empty();
        self
    }

    /// A passphrase will open it.
    pub(crate) fn takes_passphrase(&self) -> bool {
        self.passphrase.is_some()
    }

    /// A vault keeps a key that will open it.
    pub(crate) fn takes_vault(&self) -> bool {
        self.vault.is_some()
    }

    /// The key files of which each will open it.
    pub(crate) fn key_files(&self) -> Vec<&Path> {
        self.recovery_keys.iter().chain(&self.new_key).map(PathBuf::as_path).collect()
    }

    /// The files there are already that a secret is read from.
    pub(crate) fn files(&self) -> Vec<&Path> {
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

    pub(crate) fn identities(&self) -> Vec<Identity> {
        self.files().into_iter().filter_map(Identity::of).collect()
    }

    /// As options for a command to copy that opens what was made.
    pub(crate) fn opening_options(&self) -> String {
        match (&self.source, &self.passphrase, self.new_key.as_ref().or(self.recovery_keys.first()))
        {
            (Some(source), ..) => source.options(),
            (None, Some(PassphraseSource::File(path)), _) => {
                format!(" --passphrase-file {}", word(path))
            }
            // It is asked for.
            (None, Some(PassphraseSource::Terminal), _) | (None, None, None) => String::new(),
            (None, None, Some(path)) if self.vault.is_none() => format!(" -k {}", word(path)),
            (None, None, Some(_)) => String::new(),
        }
    }

    /// Reads them, asks for them and makes them. `recovery_key` is one more that was read already.
    pub(crate) fn read(&self, recovery_key: Option<&Key>) -> Result<Keys, Failure> {
        if !self.has_envelope {
            return match (&self.new_key, &self.source) {
                (Some(path), _) => {
                    let (new_key, key) = NewKey::create(path)?;
                    Ok(Keys { key, slots: None, new_key: Some(new_key) })
                }
                (None, Some(source)) => {
                    Ok(Keys { key: source.read_for_sealing()?, slots: None, new_key: None })
                }
                (None, None) => Err(Failure::usage("key", "there is none to seal with")),
            };
        }
        let key =
            Key::generate().map_err(|e| Failure::new(Exit::Environment, "key", e.to_string()))?;
        let mut slots = Slots::new();
        recovery_key
            .iter()
            .try_for_each(|key| slots.add_recovery_key(key).map(drop))
            .map_err(|e| refused(&e))?;
        let new_key = self.add_to(&mut slots)?;
        Ok(Keys { key, slots: Some(slots), new_key })
    }

    /// As [`read`](WaysIn::read), into slots that there are already. Gives the new key file back,
    /// if there is one.
    pub(crate) fn add_to(&self, slots: &mut Slots) -> Result<Option<NewKey>, Failure> {
        for path in &self.recovery_keys {
            slots.add_recovery_key(&read_key(path)?).map_err(|e| refused(&e).and(&shown(path)))?;
        }
        let passphrase: Option<Passphrase> = match &self.passphrase {
            None => None,
            Some(PassphraseSource::File(path)) => Some(read_passphrase(path)?),
            Some(PassphraseSource::Terminal) => {
                let instead = "name a file that holds it instead of --passphrase";
                Some(ask_for_new_passphrase("passphrase", instead)?)
            }
        };
        if let Some(passphrase) = &passphrase {
            slots.add_passphrase(passphrase, PassphraseCost::default()).map_err(|e| refused(&e))?;
        }
        if let Some(vault) = &self.vault {
            let (key, locator) = key_for_sealing(vault)?;
            slots.add_locator(&key, locator).map_err(|e| refused(&e))?;
        }
        // Last, so that it was not made in vain if a passphrase was not typed.
        let Some(path) = &self.new_key else { return Ok(None) };
        let (new_key, key) = NewKey::create(path)?;
        slots.add_recovery_key(&key).map_err(|e| refused(&e))?;
        Ok(Some(new_key))
    }
}

/// A container's key, and what it is wrapped under.
pub(crate) struct Keys {
    key: Key,
    /// None if the container is to have no envelope.
    slots: Option<Slots>,
    pub(crate) new_key: Option<NewKey>,
}

impl Keys {
    /// A container about to be sealed, with its envelope if it is to have one.
    pub(crate) fn draft<'a>(&self, options: &Options<'a>) -> bulla::Result<Draft<'a>> {
        let Some(slots) = &self.slots else { return Draft::new(&self.key, options) };
        let draft = Draft::new(&self.key, &self.with_envelope(options))?;
        let envelope = compute(|| slots.seal(&draft, &self.key)).map_err(|e| match e {
            Error::Container(e) => e,
            // There is no memory, or there are too many slots to fit in.
            e => io::Error::other(e.to_string()).into(),
        })?;
        draft.envelope(&envelope)
    }

    /// The options that the draft is made with.
    pub(crate) fn with_envelope<'a>(&self, options: &Options<'a>) -> Options<'a> {
        match &self.slots {
            Some(_) => options.envelope_len(Envelope::DEFAULT_LEN),
            None => *options,
        }
    }
}

fn passphrase(asked: bool, file: Option<&Path>) -> Result<Option<PassphraseSource>, Failure> {
    match file {
        Some(path) => {
            refuse_dash("--passphrase-file", path)?;
            Ok(Some(PassphraseSource::File(path.to_owned())))
        }
        None => Ok(asked.then_some(PassphraseSource::Terminal)),
    }
}

fn refused(error: &Error) -> Failure {
    Failure::usage("key", error.to_string())
}
