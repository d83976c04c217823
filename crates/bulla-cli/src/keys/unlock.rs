//! Finds the key of a container that exists: in a key file, by a passphrase, or at the terminal; as
//! it is, or out of an envelope.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bulla::{Error as ContainerError, Header, HeaderState, Key, Preamble};
use bulla_key::key_text;
use bulla_key::typing::find_mistake;
use bulla_key::{Envelope, EnvelopeCopies, Error, Locator, Passphrase, Secret, SlotKind};

use crate::args;
use crate::error::{Exit, Failure};
use crate::keys::prompt_key::{Answer, ask};
use crate::keys::source::{KeySource, no_key_file, read_key_text, read_passphrase};
use crate::keys::vault::Vault;
use crate::process::workers::compute;
use crate::terminal::display::shown;
use crate::terminal::prompt;
use crate::terminal::streams::note;

/// Bytes in the longest envelope.
const MAX_ENVELOPE_LEN: u64 = 1 << 20;

/// A container's key, and how it was come by.
pub(crate) struct Unlocked {
    way: Way,
    /// The recovery key that opened the envelope.
    pub(crate) recovery_key: Option<Key>,
    /// The state of the envelope; none if there is no envelope, or it was not looked at.
    copies: Option<EnvelopeCopies>,
    /// Of an envelope that could not be read.
    unread: Option<Error>,
}

enum Way {
    /// It is the key that was given.
    Key(Key),
    Envelope(Box<bulla_key::Unlocked>),
}

impl Unlocked {
    pub(crate) fn key(&self) -> &Key {
        match &self.way {
            Way::Key(key) => key,
            Way::Envelope(unlocked) => unlocked.key(),
        }
    }

    /// The key that a person has: the container's own, or a recovery key; none if a passphrase
    /// opened it.
    pub(crate) fn typed_key(&self) -> Option<&Key> {
        match &self.way {
            Way::Key(key) => Some(key),
            Way::Envelope(_) => self.recovery_key.as_ref(),
        }
    }

    /// Whether there is an envelope, opened or not, whole or not.
    pub(crate) fn has_envelope(&self) -> bool {
        self.copies.is_some() || self.unread.is_some()
    }

    /// The envelope that was opened; none if the container's key itself was given.
    pub(crate) fn envelope(&self) -> Option<&bulla_key::Unlocked> {
        match &self.way {
            Way::Key(_) => None,
            Way::Envelope(unlocked) => Some(unlocked),
        }
    }

    /// Warns of an envelope that is not as it should be.
    pub(crate) fn warn(&self, name: &str) -> Exit {
        let copies = self.copies.map_or(Exit::Done, |copies| warn_of_envelope(name, copies));
        if let Some(error) = &self.unread {
            note(&format!(
                "{name}: warning: {error}; this key is the container's own, so it opens all the same"
            ));
            return Exit::Warnings;
        }
        if self.envelope().is_some_and(|unlocked| !unlocked.is_intact()) {
            let text = "the envelope was altered by somebody who does not have the container's key, to add a slot say; \
                        the content is authentic all the same; `bulla key rotate` gives it a fresh envelope";
            note(&format!("{name}: warning: {text}"));
            return Exit::Warnings;
        }
        copies
    }
}

/// Warns of copies of an envelope that are not both as they should be.
pub(crate) fn warn_of_envelope(name: &str, copies: EnvelopeCopies) -> Exit {
    let state = match copies {
        EnvelopeCopies::Intact | EnvelopeCopies::Single => return Exit::Done,
        EnvelopeCopies::FirstDamaged => {
            "the first copy of its envelope is damaged, and the second stands in for it"
        }
        EnvelopeCopies::SecondDamaged => "the second copy of its envelope is damaged",
        EnvelopeCopies::Differ => "the two copies of its envelope differ, and the newer one counts",
        _ => "the copies of its envelope are not as they should be",
    };
    note(&format!(
        "{name}: warning: {state}; `bulla key add` and `bulla key remove` write both anew"
    ));
    Exit::Warnings
}

/// What there is to open a container with its envelope: the container's own, or one beside it.
pub(crate) fn envelope_of(
    preamble: &Preamble,
    beside: Option<&Path>,
) -> Result<Result<(Envelope, EnvelopeCopies), Error>, Failure> {
    let Some(path) = beside else {
        return Ok(Envelope::of(preamble));
    };
    let failure = |e| Failure::io(shown(path), &e).and("this should be an envelope");
    let file = File::open(path).map_err(failure)?;
    let mut bytes = Vec::new();
    file.take(MAX_ENVELOPE_LEN + 1).read_to_end(&mut bytes).map_err(failure)?;
    let envelope = Envelope::parse(&bytes).map_err(|e| of_envelope(&e, &shown(path)))?;
    if !envelope.belongs_to(preamble.header()) {
        return Err(of_envelope(&Error::AnotherContainer, &shown(path)));
    }
    Ok(Ok((envelope, EnvelopeCopies::Single)))
}

/// Finds the key of the container that `preamble` and `name` are of.
pub(crate) fn unlock(
    preamble: &Preamble,
    name: &str,
    source: &KeySource,
    args: &args::Key,
) -> Result<Unlocked, Failure> {
    if preamble.header().needs_context() {
        // Before anything is asked for: no key is of use here.
        return Err(Failure::of_work(&ContainerError::ContextRequired, name, name));
    }
    let (envelope, copies, unread) = match envelope_of(preamble, args.envelope.as_deref())? {
        Ok((envelope, copies)) => (Some(envelope), Some(copies), None),
        Err(Error::NoEnvelope) => (None, None, None),
        Err(error) => (None, None, Some(error)),
    };
    let mut unlocking = Unlocking { preamble, name, envelope, copies, unread };
    match source {
        KeySource::KeyFile(path, named_by_environment) => {
            let opened = unlocking.by_file(path);
            match opened {
                // The key file that is meant for most containers need not be that of this one.
                Err(failure)
                    if *named_by_environment
                        && unlocking.takes_passphrases()
                        && prompt::is_possible() =>
                {
                    note(&failure.to_string());
                    unlocking.by_asking()
                }
                opened => opened,
            }
        }
        KeySource::PassphraseFile(path) => {
            let Some(envelope) = &unlocking.envelope else {
                return Err(
                    unlocking.no_envelope("it opens with a key: give its file with -k FILE")
                );
            };
            let passphrase = read_passphrase(path)?;
            match unlocking.open(envelope, &Secret::Passphrase(&passphrase)) {
                Ok(unlocked) => Ok(unlocking.opened(unlocked)),
                Err(Error::WrongSecret) => {
                    let text = format!("the passphrase in {} does not open it", shown(path));
                    Err(unlocking.or_by_key(Failure::new(Exit::WrongKey, name, text)))
                }
                Err(e) => Err(of_envelope(&e, name)),
            }
        }
        KeySource::Vault => unlocking.by_vault(&args.vault),
        // Whose passphrase opens it is asked for that; the vault costs a guess, and a way to it.
        KeySource::Terminal
            if !unlocking.takes_passphrases()
                && !unlocking.locators().is_empty()
                && Vault::is_named(&args.vault) =>
        {
            unlocking.by_vault(&args.vault)
        }
        KeySource::Terminal => unlocking.by_asking(),
    }
}

struct Unlocking<'u> {
    preamble: &'u Preamble,
    name: &'u str,
    envelope: Option<Envelope>,
    copies: Option<EnvelopeCopies>,
    unread: Option<Error>,
}

impl Unlocking<'_> {
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

    fn matches(&self, key: &Key) -> bool {
        self.header().matches(key, None)
            || self.envelope.as_ref().is_some_and(|envelope| envelope.matches(key))
    }

    fn open(&self, envelope: &Envelope, secret: &Secret<'_>) -> Result<bulla_key::Unlocked, Error> {
        compute(|| envelope.open(secret, self.header(), None))
    }

    fn opened(&self, unlocked: bulla_key::Unlocked) -> Unlocked {
        Unlocked {
            way: Way::Envelope(Box::new(unlocked)),
            recovery_key: None,
            copies: self.copies,
            unread: None,
        }
    }

    /// Takes a key: the container's own, or one of its envelope; none if it is neither.
    fn by_key(&mut self, key: Key) -> Result<Option<Unlocked>, Failure> {
        if self.header().matches(&key, None) {
            let (copies, unread) = (self.copies, self.unread.take());
            return Ok(Some(Unlocked { way: Way::Key(key), recovery_key: None, copies, unread }));
        }
        let Some(envelope) = &self.envelope else { return Ok(None) };
        match self.open(envelope, &Secret::Key(&key)) {
            Ok(unlocked) => Ok(Some(Unlocked { recovery_key: Some(key), ..self.opened(unlocked) })),
            Err(Error::WrongSecret | Error::NoSuchSlot) => Ok(None),
            Err(e) => Err(of_envelope(&e, self.name)),
        }
    }

    fn by_file(&mut self, path: &Path) -> Result<Unlocked, Failure> {
        let text = read_key_text(path)?;
        if let Ok(key) = key_text::parse(&text)
            && self.matches(&key)
        {
            return self.by_key(key)?.ok_or_else(|| self.wrong_key(Some(path)));
        }
        let mistake = compute(|| find_mistake(&text, |key| self.matches(key))).ok().flatten();
        Err(match (mistake, key_text::parse(&text)) {
            (Some(found), _) => {
                let text = format!("the key in {} is mistyped: {}", shown(path), found.mistake);
                Failure::new(Exit::WrongKey, self.name, text).and("correct it in the file")
            }
            (None, Ok(_)) => self.wrong_key(Some(path)),
            (None, Err(e)) => no_key_file(path, &e.to_string()),
        })
    }

    /// The locators in the envelope, which may be anybody's: the client compares them with its
    /// configuration (E-3.4).
    fn locators(&self) -> Vec<Locator> {
        let slots = self.envelope.as_ref().map(Envelope::list).unwrap_or_default();
        slots
            .iter()
            .filter_map(|slot| {
                if let SlotKind::Locator(locator) = &slot.kind {
                    Some(locator.clone())
                } else {
                    None
                }
            })
            .collect()
    }

    fn by_vault(&mut self, args: &args::Vault) -> Result<Unlocked, Failure> {
        let mut vault = Vault::open(args)?;
        let mut locators = vault.kept_locators()?;
        for locator in self.locators() {
            if locators.iter().all(|kept| kept.registration() != locator.registration()) {
                locators.push(locator);
            }
        }
        let recovered = vault.recover(&locators)?;
        self.by_key(recovered.key)?.ok_or_else(|| {
            Failure::new(Exit::WrongKey, self.name, "the key that the vault keeps does not open it")
        })
    }

    fn by_asking(&mut self) -> Result<Unlocked, Failure> {
        if self.envelope.is_none() && self.unread.is_some() && !prompt::is_possible() {
            return Err(
                self.no_envelope("give an envelope that was kept beside it with --envelope FILE")
            );
        }
        let takes_passphrases = self.takes_passphrases();
        let answered = ask(
            takes_passphrases,
            |key| self.matches(key),
            |passphrase: &Passphrase| match &self.envelope {
                Some(envelope) => match self.open(envelope, &Secret::Passphrase(passphrase)) {
                    Ok(unlocked) => Ok(Some(unlocked)),
                    Err(Error::WrongSecret) => Ok(None),
                    Err(e) => Err(of_envelope(&e, self.name)),
                },
                None => Ok(None),
            },
        )?;
        match answered {
            Answer::Opened(unlocked) => Ok(self.opened(unlocked)),
            Answer::Key(key) => self.by_key(key)?.ok_or_else(|| self.wrong_key(None)),
            Answer::WrongKey => Err(self.wrong_key(None)),
            Answer::WrongPassphrase => {
                let text = "that does not open it: a wrong passphrase, or the passphrase of another container";
                Err(self.or_by_key(Failure::new(Exit::WrongKey, self.name, text)))
            }
        }
    }

    /// Who has forgotten the passphrase may have the key, and not know what that is for.
    fn or_by_key(&self, failure: Failure) -> Failure {
        let slots = self.envelope.as_ref().map(Envelope::list).unwrap_or_default();
        match slots.iter().any(|slot| matches!(slot.kind, SlotKind::RecoveryKey)) {
            true => failure.and(
                "a key of 64 digits opens it as well: give its file with -k FILE, or type it when asked",
            ),
            false => failure,
        }
    }

    /// Of a key that does not fit, which one it was, and whether the container itself may be at
    /// fault.
    fn wrong_key(&self, path: Option<&Path>) -> Failure {
        if let Some(error) = &self.unread {
            return of_envelope(error, self.name)
                .and("the key that was given is not the container's own");
        }
        let failure = match &self.envelope {
            Some(_) => {
                Failure::new(Exit::WrongKey, self.name, "the key does not open this container")
            }
            None => Failure::of_work(&ContainerError::WrongKey, self.name, self.name),
        };
        let failure = match path {
            Some(path) => failure
                .and("more than one digit may be wrong, or it is the key of another container")
                .and(&format!("look for another key file than {}", shown(path))),
            None => failure
                .and("more than one digit may be mistyped, or it is the key of another container"),
        };
        match self.preamble.header_state() {
            Some(HeaderState::Differ) => failure.and(
                "header and footer also differ, so the header may have been exchanged: try another copy of the file",
            ),
            Some(HeaderState::HeaderDamaged) => {
                failure.and("the header is also damaged, and the footer in its place may be another container's")
            }
            _ => failure,
        }
    }

    fn no_envelope(&self, advice: &str) -> Failure {
        match &self.unread {
            Some(error) => of_envelope(error, self.name).and(advice),
            None => Failure::usage(self.name, "it has no envelope, so no passphrase opens it")
                .and(advice),
        }
    }
}

/// Something is wrong with an envelope.
pub(crate) fn of_envelope(error: &Error, subject: &str) -> Failure {
    let exit = match error {
        Error::Container(error) => return Failure::of_work(error, subject, subject),
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
    Failure::new(exit, subject, error.to_string())
}
