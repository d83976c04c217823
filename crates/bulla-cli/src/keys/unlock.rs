//! Unlocks an existing container: finds its key in a key file, behind a passphrase, in a vault or
//! on the terminal, either directly or through the container's envelope.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bulla::{Error as ContainerError, Header, HeaderState, Key, Preamble};
use bulla_key::key_text;
use bulla_key::typing::find_mistake;
use bulla_key::{Envelope, EnvelopeState, Error, Locator, Passphrase, Secret, SlotKind};

use crate::args::options::{KeyArgs, VaultArgs};
use crate::error::{Exit, Failure};
use crate::keys::prompt_key::{Answer, prompt_key};
use crate::keys::source::{KeySource, not_a_key_file, read_key_text, read_passphrase};
use crate::keys::vault::Vault;
use crate::process::workers::WorkerPool;
use crate::terminal::display::shown;
use crate::terminal::message::note;
use crate::terminal::prompt;

/// The length of the longest envelope, in bytes.
const MAX_ENVELOPE_LEN: u64 = 1 << 20;

/// The key of a container, and how it was obtained.
pub(crate) struct UnlockedContainer {
    by: UnlockedBy,
    /// The recovery key that opened the envelope.
    pub(crate) recovery_key: Option<Key>,
    /// The state of the envelope, or `None` if the container has none or it was not read.
    copies: Option<EnvelopeState>,
    /// Why the envelope could not be read.
    envelope_error: Option<Error>,
}

enum UnlockedBy {
    /// The container's own key was given.
    Key(Key),
    Envelope(Box<bulla_key::Unlocked>),
}

impl UnlockedContainer {
    pub(crate) fn key(&self) -> &Key {
        match &self.by {
            UnlockedBy::Key(key) => key,
            UnlockedBy::Envelope(unlocked) => unlocked.key(),
        }
    }

    /// Returns the key that the user has: the container's own or a recovery key. `None` if a
    /// passphrase unlocked the container.
    pub(crate) fn user_key(&self) -> Option<&Key> {
        match &self.by {
            UnlockedBy::Key(key) => Some(key),
            UnlockedBy::Envelope(_) => self.recovery_key.as_ref(),
        }
    }

    /// Returns whether the container has an envelope, readable or not.
    pub(crate) fn has_envelope(&self) -> bool {
        self.copies.is_some() || self.envelope_error.is_some()
    }

    /// Returns the envelope that was opened, or `None` if the container's own key was given.
    pub(crate) fn envelope(&self) -> Option<&bulla_key::Unlocked> {
        match &self.by {
            UnlockedBy::Key(_) => None,
            UnlockedBy::Envelope(unlocked) => Some(unlocked),
        }
    }

    /// Warns about a damaged or altered envelope.
    pub(crate) fn warn(&self, name: &str) -> Exit {
        let exit = self.copies.map_or(Exit::Success, |copies| warn_of_copies(name, copies));
        if let Some(error) = &self.envelope_error {
            let failure = envelope_failure(error, &format!("{name}: warning"));
            note(&failure.and("unlocked with the container's own key instead").to_string());
            return Exit::Warnings;
        }
        if self.envelope().is_some_and(|unlocked| !unlocked.is_intact()) {
            note(&format!(
                "{name}: warning: the envelope was altered by someone without the container's key, \
                 possibly to add a slot, but the content is authentic; use `bulla key rotate` to \
                 create a new envelope"
            ));
            return Exit::Warnings;
        }
        exit
    }
}

/// Warns about damaged or differing copies of an envelope.
pub(crate) fn warn_of_copies(name: &str, copies: EnvelopeState) -> Exit {
    let state = match copies {
        EnvelopeState::Intact | EnvelopeState::Single => return Exit::Success,
        EnvelopeState::FirstDamaged => {
            "the first copy of the envelope is damaged, and the second was used"
        }
        EnvelopeState::SecondDamaged => "the second copy of the envelope is damaged",
        EnvelopeState::Differ => {
            "the two copies of the envelope differ, and the newer one was used"
        }
        _ => "the copies of the envelope are in an unknown state",
    };
    note(&format!(
        "{name}: warning: {state}; use `bulla key add` or `bulla key remove` to rewrite both copies"
    ));
    Exit::Warnings
}

/// Reads the envelope of a container: the one saved in `file`, or the container's own.
///
/// The inner result is an error if the container has no readable envelope, in which case its own
/// key may still open it.
pub(crate) fn read_envelope(
    preamble: &Preamble,
    file: Option<&Path>,
) -> Result<Result<(Envelope, EnvelopeState), Error>, Failure> {
    let Some(path) = file else {
        return Ok(Envelope::from_preamble(preamble));
    };
    let failure = |e| Failure::io(shown(path), &e).and("expected an envelope");
    let file = File::open(path).map_err(failure)?;
    let mut bytes = Vec::new();
    file.take(MAX_ENVELOPE_LEN + 1).read_to_end(&mut bytes).map_err(failure)?;
    let envelope = Envelope::parse(&bytes).map_err(|e| envelope_failure(&e, &shown(path)))?;
    if !envelope.belongs_to(preamble.header()) {
        return Err(envelope_failure(&Error::AnotherContainer, &shown(path)));
    }
    Ok(Ok((envelope, EnvelopeState::Single)))
}

/// Unlocks the container that `preamble` belongs to.
pub(crate) fn unlock(
    preamble: &Preamble,
    name: &str,
    source: &KeySource,
    args: &KeyArgs,
    pool: &WorkerPool,
) -> Result<UnlockedContainer, Failure> {
    if preamble.header().needs_context() {
        // Reported before prompting, because no key helps.
        return Err(Failure::container(&ContainerError::ContextRequired, name, name));
    }
    let (envelope, copies, envelope_error) =
        match read_envelope(preamble, args.envelope.file.as_deref())? {
            Ok((envelope, copies)) => (Some(envelope), Some(copies), None),
            Err(Error::NoEnvelope) => (None, None, None),
            Err(error) => (None, None, Some(error)),
        };
    let mut locked = LockedContainer { preamble, name, envelope, copies, envelope_error, pool };
    match source {
        KeySource::KeyFile(path, named_by_environment) => {
            match locked.unlock_with_file(path) {
                // BULLA_KEY_FILE names a default key, which need not belong to this container.
                Err(failure)
                    if *named_by_environment
                        && locked.takes_passphrases()
                        && prompt::is_possible() =>
                {
                    note(&failure.to_string());
                    locked.unlock_with_prompt()
                }
                unlocked => unlocked,
            }
        }
        KeySource::PassphraseFile(path) => locked.unlock_with_passphrase_file(path),
        KeySource::Vault => locked.unlock_with_vault(&args.vault),
        // A passphrase is preferred: the vault requires a connection, and a wrong password costs a
        // guess.
        KeySource::Terminal
            if !locked.takes_passphrases()
                && !locked.locators().is_empty()
                && Vault::is_named(&args.vault) =>
        {
            locked.unlock_with_vault(&args.vault)
        }
        KeySource::Terminal => locked.unlock_with_prompt(),
    }
}

/// A container whose key is not known yet.
struct LockedContainer<'u> {
    preamble: &'u Preamble,
    name: &'u str,
    envelope: Option<Envelope>,
    copies: Option<EnvelopeState>,
    envelope_error: Option<Error>,
    pool: &'u WorkerPool,
}

impl LockedContainer<'_> {
    fn header(&self) -> &Header {
        self.preamble.header()
    }

    fn takes_passphrases(&self) -> bool {
        let is_passphrase =
            |kind: &SlotKind| matches!(kind, SlotKind::Passphrase(_) | SlotKind::TooCostly);
        self.envelope
            .as_ref()
            .is_some_and(|envelope| envelope.list().iter().any(|slot| is_passphrase(&slot.kind)))
    }

    /// Returns whether `key` is the container's own key or a recovery key.
    fn matches(&self, key: &Key) -> bool {
        self.header().matches(key, None)
            || self.envelope.as_ref().is_some_and(|envelope| envelope.matches(key))
    }

    fn open(&self, envelope: &Envelope, secret: &Secret<'_>) -> Result<bulla_key::Unlocked, Error> {
        self.pool.install(|| envelope.open(secret, self.header(), None))
    }

    fn unlocked(&self, unlocked: bulla_key::Unlocked) -> UnlockedContainer {
        UnlockedContainer {
            by: UnlockedBy::Envelope(Box::new(unlocked)),
            recovery_key: None,
            copies: self.copies,
            envelope_error: None,
        }
    }

    /// Unlocks with the container's own key or a recovery key. Returns `None` if `key` is neither.
    fn unlock_with_key(&mut self, key: Key) -> Result<Option<UnlockedContainer>, Failure> {
        if self.header().matches(&key, None) {
            return Ok(Some(UnlockedContainer {
                by: UnlockedBy::Key(key),
                recovery_key: None,
                copies: self.copies,
                envelope_error: self.envelope_error.take(),
            }));
        }
        let Some(envelope) = &self.envelope else { return Ok(None) };
        match self.open(envelope, &Secret::Key(&key)) {
            Ok(unlocked) => {
                Ok(Some(UnlockedContainer { recovery_key: Some(key), ..self.unlocked(unlocked) }))
            }
            Err(Error::WrongSecret | Error::NoSuchSlot) => Ok(None),
            Err(e) => Err(envelope_failure(&e, self.name)),
        }
    }

    fn unlock_with_file(&mut self, path: &Path) -> Result<UnlockedContainer, Failure> {
        let text = read_key_text(path)?;
        if let Ok(key) = key_text::parse(&text)
            && self.matches(&key)
        {
            return self.unlock_with_key(key)?.ok_or_else(|| self.wrong_key(Some(path)));
        }
        let mistake = self.pool.install(|| find_mistake(&text, |key| self.matches(key)));
        Err(match (mistake.ok().flatten(), key_text::parse(&text)) {
            (Some(found), _) => {
                let file = shown(path);
                let problem = format!("mistyped key in {file}: {}", found.mistake);
                Failure::new(Exit::WrongKey, self.name, problem)
                    .with_remedy("correct it in the file")
            }
            (None, Ok(_)) => self.wrong_key(Some(path)),
            (None, Err(e)) => not_a_key_file(path, &e.to_string()),
        })
    }

    fn unlock_with_passphrase_file(&self, path: &Path) -> Result<UnlockedContainer, Failure> {
        let Some(envelope) = &self.envelope else {
            return Err(self.no_envelope("use -k FILE to unlock it with its key"));
        };
        let passphrase = read_passphrase(path)?;
        match self.open(envelope, &Secret::Passphrase(&passphrase)) {
            Ok(unlocked) => Ok(self.unlocked(unlocked)),
            Err(Error::WrongSecret) => {
                let problem = format!("wrong passphrase in {}", shown(path));
                let failure = Failure::new(Exit::WrongKey, self.name, problem);
                Err(self.with_recovery_key_hint(failure))
            }
            Err(e) => Err(envelope_failure(&e, self.name)),
        }
    }

    /// Returns the locators in the envelope. Anyone could have written them, so the client compares
    /// them with its configuration (E-3.4).
    fn locators(&self) -> Vec<Locator> {
        let slots = self.envelope.as_ref().map(Envelope::list).unwrap_or_default();
        slots
            .into_iter()
            .filter_map(|slot| match slot.kind {
                SlotKind::Locator(locator) => Some(locator),
                _ => None,
            })
            .collect()
    }

    fn unlock_with_vault(&mut self, args: &VaultArgs) -> Result<UnlockedContainer, Failure> {
        let mut vault = Vault::open(args, self.pool)?;
        let mut locators = vault.stored_locators()?;
        for locator in self.locators() {
            if locators.iter().all(|stored| stored.registration() != locator.registration()) {
                locators.push(locator);
            }
        }
        let recovered = vault.recover(&locators)?;
        self.unlock_with_key(recovered.key)?.ok_or_else(|| {
            let problem = "the key stored in the vault does not unlock this container";
            Failure::new(Exit::WrongKey, self.name, problem)
        })
    }

    fn unlock_with_prompt(&mut self) -> Result<UnlockedContainer, Failure> {
        if self.envelope.is_none() && self.envelope_error.is_some() && !prompt::is_possible() {
            return Err(self.no_envelope("use --envelope FILE with a saved copy of the envelope"));
        }
        let answer = prompt_key(
            self.pool,
            self.takes_passphrases(),
            |key| self.matches(key),
            |passphrase: &Passphrase| match &self.envelope {
                Some(envelope) => match self.open(envelope, &Secret::Passphrase(passphrase)) {
                    Ok(unlocked) => Ok(Some(unlocked)),
                    Err(Error::WrongSecret) => Ok(None),
                    Err(e) => Err(envelope_failure(&e, self.name)),
                },
                None => Ok(None),
            },
        )?;
        match answer {
            Answer::Unlocked(unlocked) => Ok(self.unlocked(unlocked)),
            Answer::Key(key) => self.unlock_with_key(key)?.ok_or_else(|| self.wrong_key(None)),
            Answer::WrongKey => Err(self.wrong_key(None)),
            Answer::WrongPassphrase => {
                let problem = "wrong passphrase, or the passphrase of another container";
                let failure = Failure::new(Exit::WrongKey, self.name, problem);
                Err(self.with_recovery_key_hint(failure))
            }
        }
    }

    /// Suggests a recovery key to a user without the passphrase, if the container has one.
    fn with_recovery_key_hint(&self, failure: Failure) -> Failure {
        let slots = self.envelope.as_ref().map(Envelope::list).unwrap_or_default();
        match slots.iter().any(|slot| matches!(slot.kind, SlotKind::RecoveryKey)) {
            true => failure.with_remedy("use a recovery key with -k FILE, or type its 64 digits"),
            false => failure,
        }
    }

    /// Creates the failure for a key that does not match, and mentions if the container itself may
    /// be the cause.
    fn wrong_key(&self, path: Option<&Path>) -> Failure {
        if let Some(error) = &self.envelope_error {
            return envelope_failure(error, self.name)
                .and("the given key is not the container's own key");
        }
        let problem = match path {
            Some(path) => format!("wrong key in {}", shown(path)),
            None => "wrong key".to_owned(),
        };
        let failure = Failure::new(Exit::WrongKey, self.name, problem)
            .and("it belongs to another container, or more than one digit is mistyped");
        match self.preamble.header_state() {
            Some(HeaderState::Differ) => failure
                .and("the header and footer also differ, so the header may have been replaced")
                .with_remedy("try another copy of the container"),
            Some(HeaderState::HeaderDamaged) => failure.and(
                "the header is also damaged, and the footer used instead may belong to another \
                 container",
            ),
            _ => failure,
        }
    }

    fn no_envelope(&self, remedy: &str) -> Failure {
        match &self.envelope_error {
            Some(error) => envelope_failure(error, self.name).with_remedy(remedy),
            None => Failure::usage(self.name, "no passphrase unlocks this container")
                .with_remedy(remedy),
        }
    }
}

/// Creates the failure for an error while reading, opening or changing an envelope.
pub(crate) fn envelope_failure(error: &Error, object: &str) -> Failure {
    let exit = match error {
        Error::Container(error) => return Failure::container(error, object, object),
        Error::NotAnEnvelope | Error::UnsupportedVersion { .. } => Exit::Unsupported,
        Error::Damaged | Error::Malformed { .. } | Error::Altered => Exit::Damaged,
        Error::AnotherContainer | Error::WrongSecret | Error::NoSuchSlot | Error::TooCostly => {
            Exit::WrongKey
        }
        Error::NoEnvelope
        | Error::TooManySlots
        | Error::NoSlots
        | Error::NoRoom { .. }
        | Error::UnknownSlot { .. }
        | Error::Passphrase(_) => Exit::Usage,
        _ => Exit::Environment,
    };
    let failure = Failure::library(exit, object, error);
    match error {
        Error::Damaged => failure.with_remedy("use --envelope FILE with an intact copy of it"),
        Error::TooCostly => Failure::new(exit, object, error.to_string()),
        _ => failure,
    }
}
