//! `bulla key rotate`

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bulla::{ContentType, Opened, Options, Plan, Preamble, RangeReader, ReadAt, Workers};
use bulla_archive::{
    ArchiveReader, ArchiveWriter, Entry, EntryContent, Error, Kind, Source, State,
};
use bulla_key::SlotKind;

use super::seal::{refuse_same, tell_of_loss};
use super::{SEAL_ANEW, first_of, read_preamble, warn_of_copies};
use crate::args::KeyRotate;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::io::output::{Output, Target};
use crate::io::staged::Access;
use crate::keys::access_methods::{Keys, WaysIn};
use crate::keys::slots;
use crate::keys::source::KeySource;
use crate::keys::unlock::{Unlocked, unlock};
use crate::process::workers::Team;
use crate::terminal::display::{bytes, entries, word};
use crate::terminal::progress::{watch, watch_entries};
use crate::terminal::streams::say;

pub(super) fn run(args: &KeyRotate) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let mut input = Input::open(Some(&args.container))?;
    let target = Target::resolve(&args.output, args.writing.force)?;
    let mut ways = WaysIn::of_slots(&args.added, &args.key.vault)?;
    refuse_same(&ways, &input, &target)?;
    let source = KeySource::of_opening(&args.key)?;
    if target.is(source.identity().as_ref()) {
        return Err(Failure::usage(
            target.name(),
            "the output is the key file; name another file with -o",
        ));
    }
    let preamble =
        read_preamble(&mut input).map_err(|e| Failure::of_work(&e, &input.name, &input.name))?;
    if preamble.header_state().is_none() {
        return Err(Failure::usage(
            input.name,
            "it is read here and there, which a pipe does not allow",
        ));
    }
    refuse_unknown(preamble.header().content_type(), &input)?;
    let unlocked = unlock(&preamble, &input.name, &source, &args.key)?;

    let output = target.create(Access::Umask)?;
    if output.is_terminal() {
        let text =
            "a container is nothing to read on a terminal; name a file with -o FILE, or use a pipe";
        return Err(Failure::usage(target.name(), text));
    }
    let (mut keys, keeps_key) = new_keys(&mut ways, &unlocked, &input)?;
    let is_archive = preamble.header().content_type() == ContentType::ARCHIVE;
    if !args.working.quiet {
        // Nobody should wait for what they took for a matter of milliseconds, as the other commands
        // for keys are.
        let text = "under a new key all of it is encrypted anew, into a new file; this reads and writes as much as it holds";
        say(&format!("{}: {text}", input.name));
    }
    let rotation =
        Rotation { preamble: &preamble, input: &input, unlocked: &unlocked, keys: &keys, args };
    let options = Options::new().chunk_size(preamble.header().chunk_size()).workers(team.workers());
    let rotated = if is_archive {
        rotation.archive(&output, &options)
    } else {
        rotation.bytes(&output, &options)
    };
    let (opened, count) = rotated.map_err(|e| {
        let failure = Failure::of_archive(&e, &input.name, &target.name());
        match failure.exit {
            Exit::Damaged => {
                failure.and("nothing was written: what is left of it has to be salvaged first")
            }
            _ => failure,
        }
    })?;
    output.commit(&target.name(), keys.new_key.as_mut(), !args.writing.no_sync)?;

    if !args.working.quiet {
        let what = count.map_or_else(|| bytes(opened.plaintext_len), entries);
        say(&format!("{}: sealed {what} of {} anew, under a new key", target.name(), input.name));
        tell_of_old(&unlocked, &ways, keeps_key, &args.container, &input.name);
        tell_of_loss(&ways, keeps_key, if is_archive { "archive" } else { "container" });
    }
    Ok(first_of([
        warn_of_copies(&input.name, opened.header_state, SEAL_ANEW),
        unlocked.warn(&input.name),
    ]))
}

/// What the new container is sealed under, and whether the recovery key that opened the old one
/// opens it. Where nothing is said of it, what opens it is of the same kinds as before.
fn new_keys(
    ways: &mut WaysIn,
    unlocked: &Unlocked,
    input: &Input,
) -> Result<(Keys, bool), Failure> {
    let said = !ways.is_empty();
    let Some(envelope) = unlocked.envelope() else {
        if !said {
            let text = "say what is to open the new one: --new-key FILE, --passphrase, or --recovery-key FILE";
            return Err(Failure::usage(&input.name, text));
        }
        *ways = std::mem::take(ways).without_envelope();
        return Ok((ways.read(None)?, false));
    };
    if said {
        return Ok((ways.read(None)?, false));
    }
    let slots = envelope.slots().map(|slots| slots.list()).unwrap_or_default();
    if slots.iter().any(|slot| matches!(slot.kind, SlotKind::Passphrase(_) | SlotKind::TooCostly)) {
        ways.ask_for_passphrase();
    }
    if ways.is_empty() && unlocked.recovery_key.is_none() {
        ways.ask_for_passphrase();
    }
    Ok((ways.read(unlocked.recovery_key.as_ref())?, unlocked.recovery_key.is_some()))
}

/// The old container is still there, and nothing that opens it was revoked.
fn tell_of_old(unlocked: &Unlocked, ways: &WaysIn, keeps_key: bool, path: &Path, name: &str) {
    if let Some(envelope) = unlocked.envelope() {
        let old = envelope.slots().map_or(0, |slots| slots.list().len());
        let new =
            ways.key_files().len() + usize::from(ways.takes_passphrase()) + usize::from(keeps_key);
        if new < old {
            let text = format!(
                "the new one has {}, the old one has {old}; `bulla key add` adds more",
                slots::count(new)
            );
            say(&text);
        }
    }
    say(&format!(
        "{name} is as it was, and whatever opened it opens it still: once the new one is where it should be, \
         remove it and its copies (rm {})",
        word(path)
    ));
}

struct Rotation<'r> {
    preamble: &'r Preamble,
    input: &'r Input,
    unlocked: &'r Unlocked,
    keys: &'r Keys,
    args: &'r KeyRotate,
}

impl Rotation<'_> {
    /// Seals the same bytes anew.
    fn bytes(
        &self,
        output: &Output,
        options: &Options<'_>,
    ) -> Result<(Opened, Option<u64>), Error> {
        let serial = Options::new().workers(Workers::Serial);
        let reader = RangeReader::with_preamble(
            self.preamble.clone(),
            self.unlocked.key(),
            &self.input.file,
            &serial,
        )?;
        let options = options.content_type(self.preamble.header().content_type());
        let room = bulla::sealed_len(reader.len(), &self.keys.with_envelope(&options))?;
        watch(Some(reader.len()), self.args.working.quiet, |progress| -> bulla::Result<()> {
            output.fill(Some(room), !self.args.writing.no_sync, |file| {
                let draft = self.keys.draft(&options.progress(progress))?;
                match output.is_staged() {
                    true => draft.seal_plan(&Same(&reader), file).map(drop),
                    false => draft.seal_plan_to(&Same(&reader), file).map(drop),
                }
            })
        })?;
        Ok((reader.opened(), None))
    }

    /// Makes the archive anew: what marks its records depends on the container's key.
    fn archive(
        &self,
        output: &Output,
        options: &Options<'_>,
    ) -> Result<(Opened, Option<u64>), Error> {
        let serial = Options::new().workers(Workers::Serial);
        let key = self.unlocked.key();
        let reader =
            ArchiveReader::with_preamble(self.preamble.clone(), key, &self.input.file, &serial)?;
        let failure = Mutex::new(None);
        let mut writer = ArchiveWriter::new();
        writer.pad(self.args.pad);
        for entry in reader.entries() {
            let entry = entry?;
            let content = if entry.kind() == Kind::File { Some(entry.clone()) } else { None };
            writer.copy_entry(
                &entry,
                Carried { reader: &reader, entry: content, failure: &failure },
            )?;
        }
        for note in reader.notes()?.iter().filter(|note| note.state.has(State::SKIPPED)) {
            writer.skip(&note.path);
        }
        let (len, planned) = (writer.planned_len(), writer.len());
        let options = options.content_type(ContentType::ARCHIVE);
        let room = bulla::sealed_len(len, &self.keys.with_envelope(&options))?;
        watch_entries(len, planned, self.args.working.quiet, |progress, done| {
            output.fill(Some(room), !self.args.writing.no_sync, |file| -> Result<(), Error> {
                let draft = self.keys.draft(&options.progress(progress))?;
                match output.is_staged() {
                    true => writer.seal_draft(draft, file, done).map(drop)?,
                    false => writer.seal_draft_to(draft, file).map(drop)?,
                }
                // The writer notes what cannot be read, and goes on. Here, all of it is there, or
                // the old archive is damaged.
                match failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    Some(error) => Err(bulla::Error::from(error).into()),
                    None => Ok(()),
                }
            })
        })?;
        Ok((reader.opened(), Some(reader.len())))
    }
}

/// The plaintext of a container, as it is.
struct Same<'r, 'a, S: ReadAt>(&'r RangeReader<'a, S>);

impl<S: ReadAt> Plan for Same<'_, '_, S> {
    fn planned_len(&self) -> u64 {
        self.0.len()
    }

    fn fill(&self, slots: &mut [&mut [u8]], mut offset: u64) -> bulla::Result<()> {
        for slot in slots {
            self.0.read_into(slot, offset)?;
            offset += slot.len() as u64;
        }
        Ok(())
    }
}

/// An entry that goes from one archive to another.
struct Carried<'r, 'a, S: ReadAt> {
    reader: &'r ArchiveReader<'a, S>,
    /// None of what has no content.
    entry: Option<Entry>,
    /// The first failure to read any of them.
    failure: &'r Mutex<Option<io::Error>>,
}

impl<'r, 'a, S: ReadAt + Send> Source for Carried<'r, 'a, S> {
    type Content = CarriedContent<'r, 'a, S>;

    fn open(&self, _name: &[u8]) -> io::Result<Self::Content> {
        let entry = self.entry.as_ref().ok_or(io::ErrorKind::InvalidInput)?;
        let content = self.reader.content(entry).map_err(|e| io::Error::other(e.to_string()))?;
        Ok(CarriedContent { content, failure: self.failure })
    }
}

struct CarriedContent<'r, 'a, S: ReadAt> {
    content: EntryContent<'r, 'a, S>,
    failure: &'r Mutex<Option<io::Error>>,
}

impl<S: ReadAt> ReadAt for CarriedContent<'_, '_, S> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.content.read_at(buf, offset).map_err(|e| {
            let told = io::Error::from(e.kind());
            if e.kind() != io::ErrorKind::Interrupted {
                self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
            }
            told
        })
    }

    fn size(&self) -> io::Result<u64> {
        self.content.size()
    }
}

impl<S: ReadAt> bulla_archive::ContentSource for CarriedContent<'_, '_, S> {}

/// What this command does not know may depend on the container's key.
fn refuse_unknown(content: ContentType, input: &Input) -> Result<(), Failure> {
    match content {
        ContentType::BYTES | ContentType::ARCHIVE => Ok(()),
        ContentType(number) => {
            let text = format!(
                "it holds content of kind {number}, which may depend on its key; use the application that made it"
            );
            Err(Failure::new(Exit::Unsupported, &input.name, text))
        }
    }
}
