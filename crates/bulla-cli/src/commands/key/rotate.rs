//! `bulla key rotate`

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bulla::{ContentType, Opened, Options, Plan, Preamble, RangeReader, ReadAt, Workers};
use bulla_archive::{
    ArchiveBuilder, ArchiveReader, ContentSource, Entry, EntryContent, Error, Kind, Source, State,
};
use bulla_key::SlotKind;

use crate::args::keys::KeyRotateArgs;
use crate::commands::shared::archive::suggest_salvage;
use crate::commands::shared::container::read_preamble;
use crate::commands::shared::create::{
    create_output, print_recovery_hint, reject_input_output, reject_key_file_output,
};
use crate::commands::shared::warnings::{REENCRYPT, first_of, warn_of_header_state};
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::io::output::{Output, Target};
use crate::keys::access_methods::{AccessMethods, ContainerKeys};
use crate::keys::slots;
use crate::keys::source::KeySource;
use crate::keys::unlock::{UnlockedContainer, unlock};
use crate::process::workers::WorkerPool;
use crate::terminal::display::{bytes, entries, shell_word};
use crate::terminal::message::say;
use crate::terminal::progress;

pub(crate) fn run(args: &KeyRotateArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(args.threads.threads)?;
    let mut input = Input::open(Some(&args.container))?;
    let target = Target::resolve(&args.output, args.write.force)?;
    let mut methods = AccessMethods::for_slots(&args.added, &args.key.vault)?;
    reject_input_output(&methods, &input, &target)?;
    reject_key_file_output(&methods, &target)?;
    let source = KeySource::for_unlocking(&args.key)?;
    if target.is(source.identity().as_ref()) {
        let problem = "the output is the key file; choose another output with -o";
        return Err(Failure::usage(target.name(), problem));
    }
    let preamble = read_preamble(&mut input)?;
    if preamble.header_state().is_none() {
        let problem = "cannot re-encrypt a container from a pipe; write it to a file first";
        return Err(Failure::usage(input.name, problem));
    }
    reject_other_content(preamble.header().content_type(), &input)?;
    let unlocked = unlock(&preamble, &input.name, &source, &args.key, &pool)?;

    let output = create_output(&target)?;
    let (mut keys, keeps_key) = new_keys(&mut methods, &unlocked, &input, &pool)?;
    let quiet = args.quiet.quiet;
    if !quiet {
        // The other key commands take milliseconds, so the user may not expect this.
        say(&format!("{}: re-encrypting the whole content under a new key", input.name));
    }
    let rotation =
        Rotation { preamble: &preamble, input: &input, unlocked: &unlocked, keys: &keys, args };
    let options = Options::new().chunk_size(preamble.header().chunk_size()).workers(pool.workers());
    let rotated = match preamble.header().content_type() {
        ContentType::ARCHIVE => rotation.archive(&output, &options),
        _ => rotation.bytes(&output, &options),
    };
    let (opened, count) = rotated.map_err(|e| {
        let mut failure = Failure::archive(&e, &input.name, &target.name());
        if preamble.header().content_type() == ContentType::ARCHIVE {
            failure = suggest_salvage(failure, &e);
        }
        match failure.exit {
            Exit::Damaged if output.is_staged() || output.is_redirected() => {
                failure.and("nothing was written")
            }
            Exit::Damaged => failure.and("the output is incomplete"),
            _ => failure,
        }
    })?;
    let sync = !args.write.no_sync;
    output.commit_with(&target.name(), sync, |cleanup| keys.keep_new_key(cleanup))?;

    if !quiet {
        let size = count.map_or_else(|| bytes(opened.plaintext_len), entries);
        say(&format!("{}: re-encrypted {size} of {}", target.name(), input.name));
        print_old_container(&unlocked, &methods, keeps_key, &args.container, &input.name);
        print_recovery_hint(&methods, keeps_key);
    }
    Ok(first_of([
        warn_of_header_state(&input.name, opened.header_state, REENCRYPT),
        unlocked.warn(&input.name),
    ]))
}

/// Returns the keys of the new container, and whether the recovery key that unlocked the old one
/// is among them. If no option selects access methods, the new container gets the same kinds as the
/// old one.
fn new_keys<'p>(
    methods: &mut AccessMethods,
    unlocked: &UnlockedContainer,
    input: &Input,
    pool: &'p WorkerPool,
) -> Result<(ContainerKeys<'p>, bool), Failure> {
    let is_selected = !methods.is_empty();
    let Some(envelope) = unlocked.envelope() else {
        if !is_selected {
            let problem = "no new key; use --new-key FILE, --passphrase or --recovery-key FILE";
            return Err(Failure::usage(&input.name, problem));
        }
        *methods = std::mem::take(methods).without_needless_envelope();
        return Ok((methods.read(None, pool)?, false));
    };
    if is_selected {
        return Ok((methods.read(None, pool)?, false));
    }
    let slots = envelope.slots().map(|slots| slots.list()).unwrap_or_default();
    let had_passphrase =
        slots.iter().any(|slot| matches!(slot.kind, SlotKind::Passphrase(_) | SlotKind::TooCostly));
    if had_passphrase || unlocked.recovery_key.is_none() {
        methods.add_prompted_passphrase();
    }
    let recovery_key = unlocked.recovery_key.as_ref();
    Ok((methods.read(recovery_key, pool)?, recovery_key.is_some()))
}

/// Reminds the user that the old container still exists, and that its keys are not revoked.
fn print_old_container(
    unlocked: &UnlockedContainer,
    methods: &AccessMethods,
    keeps_key: bool,
    path: &Path,
    name: &str,
) {
    if let Some(envelope) = unlocked.envelope() {
        let old = envelope.slots().map_or(0, |slots| slots.list().len());
        let new = methods.key_files().len()
            + usize::from(methods.has_passphrase())
            + usize::from(keeps_key);
        if new < old {
            let count = slots::count(new);
            say(&format!(
                "The new container has {count}, but the old one has {old}. To add more: bulla key \
                 add"
            ));
        }
    }
    say(&format!(
        "{name} is unchanged, and its keys still unlock it. Delete it and its copies once the new \
         container is in place: rm {}",
        shell_word(path)
    ));
}

struct Rotation<'r> {
    preamble: &'r Preamble,
    input: &'r Input,
    unlocked: &'r UnlockedContainer,
    keys: &'r ContainerKeys<'r>,
    args: &'r KeyRotateArgs,
}

impl Rotation<'_> {
    /// Re-encrypts the plaintext unchanged.
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
        let sealed_len = bulla::sealed_len(reader.len(), &self.keys.with_envelope(&options))?;
        let (quiet, sync) = (self.args.quiet.quiet, !self.args.write.no_sync);
        progress::with_bytes(Some(reader.len()), quiet, |progress| -> bulla::Result<()> {
            output.fill(Some(sealed_len), sync, |file| {
                let draft = self.keys.draft(&options.progress(progress))?;
                match output.is_staged() {
                    true => draft.seal_plan(&CopiedPlaintext(&reader), file).map(drop),
                    false => draft.seal_plan_to(&CopiedPlaintext(&reader), file).map(drop),
                }
            })
        })?;
        Ok((reader.opened(), None))
    }

    /// Writes the archive again, because its record markers depend on the container's key.
    fn archive(
        &self,
        output: &Output,
        options: &Options<'_>,
    ) -> Result<(Opened, Option<u64>), Error> {
        let serial = Options::new().workers(Workers::Serial);
        let key = self.unlocked.key();
        let reader =
            ArchiveReader::with_preamble(self.preamble.clone(), key, &self.input.file, &serial)?;
        let read_error = Mutex::new(None);
        let mut writer = ArchiveBuilder::new();
        writer.pad(self.args.pad.pad);
        for entry in reader.entries() {
            let entry = entry?;
            let file = if entry.kind() == Kind::File { Some(entry.clone()) } else { None };
            let source = CopiedEntry { reader: &reader, file, read_error: &read_error };
            writer.copy_entry(&entry, source)?;
        }
        for note in reader.notes()?.iter().filter(|note| note.state.has(State::SKIPPED)) {
            writer.skip(&note.path);
        }
        let (len, planned) = (writer.planned_len(), writer.len());
        let options = options.content_type(ContentType::ARCHIVE);
        let sealed_len = bulla::sealed_len(len, &self.keys.with_envelope(&options))?;
        let (quiet, sync) = (self.args.quiet.quiet, !self.args.write.no_sync);
        let entries = writer.progress();
        progress::with_entries(len, planned, &entries, quiet, |progress| {
            output.fill(Some(sealed_len), sync, |file| -> Result<(), Error> {
                let draft = self.keys.draft(&options.progress(progress))?;
                match output.is_staged() {
                    true => writer.seal_draft(draft, file).map(drop)?,
                    false => writer.seal_draft_to(draft, file).map(drop)?,
                }
                // The writer notes an unreadable entry and continues. Here, an unreadable entry
                // means that the old archive is damaged.
                match read_error.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    Some(error) => Err(bulla::Error::from(error).into()),
                    None => Ok(()),
                }
            })
        })?;
        Ok((reader.opened(), Some(reader.len())))
    }
}

/// The plaintext of a container, copied unchanged.
struct CopiedPlaintext<'r, 'a, S: ReadAt>(&'r RangeReader<'a, S>);

impl<S: ReadAt> Plan for CopiedPlaintext<'_, '_, S> {
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

/// An entry that is copied from one archive to another.
struct CopiedEntry<'r, 'a, S: ReadAt> {
    reader: &'r ArchiveReader<'a, S>,
    /// `None` if the entry has no content.
    file: Option<Entry>,
    /// The first error while reading an entry.
    read_error: &'r Mutex<Option<io::Error>>,
}

impl<'r, 'a, S: ReadAt + Send> Source for CopiedEntry<'r, 'a, S> {
    type Content = CopiedContent<'r, 'a, S>;

    fn open(&self, _path: &[u8]) -> io::Result<Self::Content> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::InvalidInput)?;
        let content = self.reader.content(file).map_err(|e| io::Error::other(e.to_string()))?;
        Ok(CopiedContent { content, read_error: self.read_error })
    }
}

struct CopiedContent<'r, 'a, S: ReadAt> {
    content: EntryContent<'r, 'a, S>,
    read_error: &'r Mutex<Option<io::Error>>,
}

impl<S: ReadAt> ReadAt for CopiedContent<'_, '_, S> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.content.read_at(buf, offset).map_err(|e| {
            let kind = io::Error::from(e.kind());
            if e.kind() != io::ErrorKind::Interrupted {
                self.read_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
            }
            kind
        })
    }

    fn size(&self) -> io::Result<u64> {
        self.content.size()
    }
}

impl<S: ReadAt> ContentSource for CopiedContent<'_, '_, S> {}

/// Content of an unknown type may depend on the container's key, so it cannot be copied.
fn reject_other_content(content: ContentType, input: &Input) -> Result<(), Failure> {
    match content {
        ContentType::BYTES | ContentType::ARCHIVE => Ok(()),
        ContentType(number) => {
            let problem = format!(
                "content of type {number} is not supported, because it may depend on the key; \
                 use the application that created it"
            );
            Err(Failure::new(Exit::Unsupported, &input.name, problem))
        }
    }
}
