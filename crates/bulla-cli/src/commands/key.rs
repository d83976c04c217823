//! `bulla key list`, `add` and `remove`

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use bulla::Preamble;
use bulla_key::{Error, SlotId, Slots};

use crate::args::{Key, KeyAdd, KeyList, KeyRemove, KeySave};
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::io::output::Target;
use crate::io::staged::Access;
use crate::keys::access_methods::WaysIn;
use crate::keys::new_key::NewKey;
use crate::keys::slots;
use crate::keys::source::KeySource;
use crate::keys::unlock::{Unlocked, envelope_of, of_envelope, unlock, warn_of_envelope};
use crate::process::cleanup::leftovers;
use crate::process::workers::compute;
use crate::terminal::display::{shown, word};
use crate::terminal::streams::{print, say};

pub(super) fn list(args: &KeyList) -> Result<Exit, Failure> {
    let input = Input::open(Some(&args.container))?;
    let preamble = read_preamble(&input.file, &input.name)?;
    let (text, exit) = match envelope_of(&preamble, args.envelope.as_deref())? {
        Ok((envelope, copies)) => {
            let mut lines = slots::lines(&envelope);
            lines.insert(
                0,
                format!("{}: {}; each of them opens it", input.name, slots::count(lines.len())),
            );
            (lines.join("\n"), warn_of_envelope(&input.name, copies))
        }
        Err(Error::NoEnvelope) => {
            let text = "no slots; it opens with the key itself that it was sealed with";
            (format!("{}: {text}", input.name), Exit::Done)
        }
        Err(e) => return Err(of_envelope(&e, &input.name)),
    };
    print(&text).map_err(|e| Failure::io("standard output", &e))?;
    Ok(exit)
}

pub(super) fn add(args: &KeyAdd) -> Result<Exit, Failure> {
    let ways = WaysIn::of_slots(&args.added, &args.key.vault)?;
    let container = Container::open(&args.container, &args.key)?;
    let mut slots = container.slots()?;
    let before = slots.list().len();
    let new_key = ways.add_to(&mut slots)?;
    container.write(&slots, new_key)?;
    if !args.quiet {
        for slot in &slots.list()[before..] {
            say(&format!(
                "{}: slot {}, a {}, opens it now",
                container.name,
                slot.id,
                slots::kind(&slot.kind)
            ));
        }
        if let Some(path) = &ways.new_key {
            say(&format!(
                "{}: a new key; keep a copy of it, on paper say, apart from the container",
                shown(path)
            ));
        }
    }
    Ok(Exit::Done)
}

pub(super) fn remove(args: &KeyRemove) -> Result<Exit, Failure> {
    let container = Container::open(&args.container, &args.key)?;
    let mut slots = container.slots()?;
    let id = SlotId(args.slot);
    let removed = slots.list().into_iter().find(|slot| slot.id == id);
    slots.remove(id).map_err(|e| {
        of_envelope(&e, &container.name).and("`bulla key list` shows which there are")
    })?;
    container.write(&slots, None)?;
    if !args.quiet {
        let kind = removed.map_or("slot", |slot| slots::kind(&slot.kind));
        let (name, path) = (&container.name, word(&args.container));
        say(&format!("{name}: slot {id} is removed; its {kind} no longer opens this file"));
        say(&format!(
            "It is not revoked: whoever has a copy of this file or of its envelope from before can still open that \
             with it, and with the key from there this file too. To shut them out: bulla key rotate {path} -o NEW"
        ));
    }
    Ok(Exit::Done)
}

pub(super) fn save(args: &KeySave) -> Result<Exit, Failure> {
    let input = Input::open(Some(&args.container))?;
    let target = Target::resolve(&args.output, args.writing.force)?;
    if target.is(input.identity().as_ref()) {
        return Err(Failure::usage(
            target.name(),
            "the output is the container; name another file with -o",
        ));
    }
    let preamble = read_preamble(&input.file, &input.name)?;
    let (envelope, copies) =
        envelope_of(&preamble, None)?.map_err(|e| of_envelope(&e, &input.name))?;
    write(&target, envelope.bytes(), None, !args.writing.no_sync)?;
    say(&format!(
        "{}: the slots of {} as they are now, for the day when its own are damaged: --envelope FILE",
        target.name(),
        input.name
    ));
    Ok(warn_of_envelope(&input.name, copies))
}

/// A container whose envelope is to be changed.
struct Container {
    file: File,
    name: String,
    unlocked: Unlocked,
    /// The envelope that is changed, if it is not the container's own.
    beside: Option<Target>,
}

impl Container {
    fn open(path: &Path, key: &Key) -> Result<Container, Failure> {
        let name = shown(path);
        let writes = key.envelope.is_none();
        let file = OpenOptions::new().read(true).write(writes).open(path);
        let file = file.map_err(|e| Failure::io(&name, &e))?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(Failure::usage(
                name,
                "an envelope is changed in place, so this has to be a file",
            ));
        }
        lock(&file, &name)?;
        let beside = key.envelope.as_deref().map(|path| Target::resolve(path, true)).transpose()?;
        let preamble = read_preamble(&file, &name)?;
        let unlocked = unlock(&preamble, &name, &KeySource::of_opening(key)?, key)?;
        Ok(Container { file, name, unlocked, beside })
    }

    fn envelope(&self) -> Result<&bulla_key::Unlocked, Failure> {
        self.unlocked.envelope().ok_or_else(|| {
            let text = match self.unlocked.has_envelope() {
                true => "this is the container's own key; to change its slots, give what opens one of them",
                false => {
                    "it was sealed with this key itself, so there are no slots to change; `bulla key rotate` makes a \
                     container that has some"
                }
            };
            Failure::usage(&self.name, text)
        })
    }

    fn slots(&self) -> Result<Slots, Failure> {
        self.envelope()?.slots().map_err(|e| {
            of_envelope(&e, &self.name)
                .and("`bulla key rotate` makes a container with a fresh envelope")
        })
    }

    /// Puts the slots into the container, or into the file beside it. A new key file is kept from
    /// then on.
    fn write(&self, slots: &Slots, mut new_key: Option<NewKey>) -> Result<(), Failure> {
        let envelope = self.envelope()?;
        match &self.beside {
            Some(target) => {
                let bytes = compute(|| envelope.seal(slots)).map_err(|e| self.failure(&e))?;
                write(target, &bytes, new_key.as_mut(), true)
            }
            None => {
                if let Some(new_key) = &mut new_key {
                    // Before the first write: a slot without its key is worse than a key without
                    // its slot.
                    new_key.keep(&mut leftovers());
                }
                compute(|| envelope.rewrap(&self.file, slots)).map_err(|e| self.failure(&e))
            }
        }
    }

    fn failure(&self, error: &Error) -> Failure {
        match error {
            Error::NoSlots => {
                let text = "this is the last slot that opens it; add another one first, with `bulla key add`";
                Failure::usage(&self.name, text)
            }
            Error::Outdated { .. } => {
                Failure::new(Exit::Environment, &self.name, error.to_string())
            }
            error => of_envelope(error, &self.name),
        }
    }
}

/// Writes an envelope to a file of its own.
fn write(
    target: &Target,
    envelope: &[u8],
    new_key: Option<&mut NewKey>,
    sync: bool,
) -> Result<(), Failure> {
    let output = target.create(Access::Umask)?;
    let written = output.file().and_then(|mut file| file.write_all(envelope));
    written.map_err(|e| Failure::io(target.name(), &e))?;
    output.commit(&target.name(), new_key, sync)
}

fn read_preamble(file: &File, name: &str) -> Result<Preamble, Failure> {
    Preamble::read_at(file).map_err(|e| Failure::of_work(&e, name, name))
}

/// Two at once would overwrite one another's slots.
fn lock(file: &File, name: &str) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, flock};
        use rustix::io::{Errno, retry_on_intr};
        // Not every file system can.
        let locked = retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockExclusive));
        if let Err(Errno::WOULDBLOCK) = locked {
            let text = "another command is changing its slots; try again when that is done";
            return Err(Failure::new(Exit::Environment, name, text));
        }
    }
    #[cfg(not(unix))]
    let _ = (file, name);
    Ok(())
}
