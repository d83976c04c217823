//! `bulla key list`, `add`, `remove` and `save`

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use bulla::Preamble;
use bulla_key::{Error, SlotId, Slots};

use crate::args::keys::{KeyAddArgs, KeyListArgs, KeyRemoveArgs, KeySaveArgs};
use crate::args::options::KeyArgs;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::io::output::Target;
use crate::io::staged::Access;
use crate::keys::access_methods::AccessMethods;
use crate::keys::new_key::NewKeyFile;
use crate::keys::slots;
use crate::keys::source::KeySource;
use crate::keys::unlock::{
    UnlockedContainer, envelope_failure, read_envelope, unlock, warn_of_copies,
};
use crate::process::cleanup::Cleanup;
use crate::process::workers::WorkerPool;
use crate::terminal::display::{shell_word, shown};
use crate::terminal::message::{print, say};

pub(crate) fn list(args: &KeyListArgs) -> Result<Exit, Failure> {
    let input = Input::open(Some(&args.container))?;
    let preamble = read_preamble(&input.file, &input.name)?;
    let (text, exit) = match read_envelope(&preamble, args.envelope.file.as_deref())? {
        Ok((envelope, copies)) => {
            let lines = slots::lines(&envelope);
            let count = slots::count(lines.len());
            let text = format!(
                "{}: {count}, each of which unlocks the container\n{}",
                input.name,
                lines.join("\n")
            );
            (text, warn_of_copies(&input.name, copies))
        }
        Err(Error::NoEnvelope) => {
            (format!("{}: no slots; sealed directly with a key", input.name), Exit::Success)
        }
        Err(e) => return Err(envelope_failure(&e, &input.name)),
    };
    print(&text).map_err(|e| Failure::io("standard output", &e))?;
    Ok(exit)
}

pub(crate) fn add(args: &KeyAddArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(None)?;
    let methods = AccessMethods::for_slots(&args.added, &args.key.vault)?;
    let container = SlotEditor::open(&args.container, &args.key, &pool)?;
    let mut slots = container.slots()?;
    let before = slots.list().len();
    let new_key = methods.add_to(&mut slots, &pool)?;
    container.write(&slots, new_key)?;
    if !args.quiet.quiet {
        for slot in &slots.list()[before..] {
            let (name, kind) = (&container.name, slots::kind(&slot.kind));
            say(&format!("{name}: added slot {}, {kind}", slot.id));
        }
        if let Some(path) = &methods.new_key {
            say(&format!("{}: new key; keep a copy elsewhere, such as on paper", shown(path)));
        }
    }
    Ok(Exit::Success)
}

pub(crate) fn remove(args: &KeyRemoveArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(None)?;
    let container = SlotEditor::open(&args.container, &args.key, &pool)?;
    let mut slots = container.slots()?;
    let id = SlotId(args.slot);
    let removed = slots.list().into_iter().find(|slot| slot.id == id);
    slots.remove(id).map_err(|e| match e {
        Error::UnknownSlot { id } => Failure::usage(
            &container.name,
            format!("no slot {id}; use `bulla key list` to see the slots"),
        ),
        e => envelope_failure(&e, &container.name),
    })?;
    container.write(&slots, None)?;
    if !args.quiet.quiet {
        let kind = removed.map_or("slot", |slot| slots::kind(&slot.kind));
        let (name, path) = (&container.name, shell_word(&args.container));
        say(&format!("{name}: removed slot {id}; its {kind} no longer unlocks this file"));
        say(&format!(
            "The {kind} is not revoked: it still unlocks older copies of this file or its \
             envelope. To re-encrypt the file: bulla key rotate {path} -o NEW"
        ));
    }
    Ok(Exit::Success)
}

pub(crate) fn save(args: &KeySaveArgs) -> Result<Exit, Failure> {
    let input = Input::open(Some(&args.container))?;
    let target = Target::resolve(&args.output, args.write.force)?;
    if target.is(input.identity().as_ref()) {
        let problem = "the output is the container; choose another output with -o";
        return Err(Failure::usage(target.name(), problem));
    }
    let preamble = read_preamble(&input.file, &input.name)?;
    let (envelope, copies) = read_envelope(&preamble, None)?.map_err(|e| match e {
        Error::NoEnvelope => {
            let problem = "no envelope to save, because it was sealed directly with a key";
            Failure::usage(&input.name, problem)
        }
        Error::Damaged => envelope_failure(&e, &input.name)
            .with_remedy("save the envelope of another copy of the container"),
        e => envelope_failure(&e, &input.name),
    })?;
    write_envelope(&target, envelope.bytes(), None, !args.write.no_sync)?;
    say(&format!(
        "{}: saved the envelope of {}; if the container's own envelope is damaged, use this one \
         with --envelope",
        target.name(),
        input.name
    ));
    Ok(warn_of_copies(&input.name, copies))
}

/// A container whose envelope is being changed.
struct SlotEditor<'p> {
    file: File,
    name: String,
    unlocked: UnlockedContainer,
    /// The saved envelope to change instead of the container's own.
    saved: Option<Target>,
    pool: &'p WorkerPool,
}

impl<'p> SlotEditor<'p> {
    fn open(path: &Path, key: &KeyArgs, pool: &'p WorkerPool) -> Result<SlotEditor<'p>, Failure> {
        let name = shown(path);
        let saved = key.envelope.file.as_deref();
        let file = OpenOptions::new().read(true).write(saved.is_none()).open(path);
        let file = file.map_err(|e| Failure::io(&name, &e))?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            let problem = "not a regular file, so its envelope cannot be changed in place; write \
                           it to a file first";
            return Err(Failure::usage(name, problem));
        }
        lock(&file, &name)?;
        let saved = saved.map(|path| Target::resolve(path, true)).transpose()?;
        let preamble = read_preamble(&file, &name)?;
        let unlocked = unlock(&preamble, &name, &KeySource::for_unlocking(key)?, key, pool)?;
        Ok(SlotEditor { file, name, unlocked, saved, pool })
    }

    fn envelope(&self) -> Result<&bulla_key::Unlocked, Failure> {
        self.unlocked.envelope().ok_or_else(|| {
            let problem = match self.unlocked.has_envelope() {
                true => {
                    "unlocked with the container's own key, which cannot change slots; use the \
                     key or passphrase of one of the slots"
                }
                false => {
                    "no slots to change, because it was sealed directly with a key; \
                     use `bulla key rotate` to create a container with slots"
                }
            };
            Failure::usage(&self.name, problem)
        })
    }

    fn slots(&self) -> Result<Slots, Failure> {
        self.envelope()?.slots().map_err(|e| {
            envelope_failure(&e, &self.name)
                .with_remedy("use `bulla key rotate` to create a new envelope")
        })
    }

    /// Writes the slots to the container or the saved envelope, and keeps the new key file.
    fn write(&self, slots: &Slots, mut new_key: Option<NewKeyFile>) -> Result<(), Failure> {
        let envelope = self.envelope()?;
        match &self.saved {
            Some(target) => {
                let sealed = self.pool.install(|| envelope.seal(slots));
                let bytes = sealed.map_err(|e| self.failure(&e))?;
                write_envelope(target, &bytes, new_key.as_mut(), true)
            }
            None => {
                if let Some(new_key) = &mut new_key {
                    // Before the first write, because a slot without its key is worse than a key
                    // without its slot.
                    new_key.keep(&mut Cleanup::lock());
                }
                let rewrapped = self.pool.install(|| envelope.rewrap(&self.file, slots));
                rewrapped.map_err(|e| self.failure(&e))
            }
        }
    }

    fn failure(&self, error: &Error) -> Failure {
        match error {
            Error::NoSlots => {
                let problem = "cannot remove the last slot; add another one with `bulla key add`";
                Failure::usage(&self.name, problem)
            }
            Error::Outdated { .. } => {
                Failure::new(Exit::Environment, &self.name, error.to_string())
            }
            error => envelope_failure(error, &self.name),
        }
    }
}

/// Writes an envelope to a file.
fn write_envelope(
    target: &Target,
    envelope: &[u8],
    new_key: Option<&mut NewKeyFile>,
    sync: bool,
) -> Result<(), Failure> {
    let output = target.create(Access::Umask)?;
    let written = output.file().and_then(|mut file| file.write_all(envelope));
    written.map_err(|e| Failure::io(target.name(), &e))?;
    output.commit_with(&target.name(), sync, |cleanup| {
        if let Some(new_key) = new_key {
            new_key.keep(cleanup);
        }
    })
}

fn read_preamble(file: &File, name: &str) -> Result<Preamble, Failure> {
    Preamble::read_at(file).map_err(|e| Failure::container(&e, name, name))
}

/// Locks the container, because two concurrent commands would overwrite each other's slots.
fn lock(file: &File, name: &str) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, flock};
        use rustix::io::{Errno, retry_on_intr};
        // Other errors are ignored, because some file systems do not support locks.
        let locked = retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockExclusive));
        if let Err(Errno::WOULDBLOCK) = locked {
            let problem = "another command is changing its slots; try again later";
            return Err(Failure::new(Exit::Environment, name, problem));
        }
    }
    #[cfg(not(unix))]
    let _ = (file, name);
    Ok(())
}
