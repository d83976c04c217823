//! `bulla backup`

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use bulla::{Key, Options};
use bulla_archive::{ArchiveWriter, Error, Note, Report, State};

use super::seal::same_place;
use crate::args::Backup;
use crate::failure::{Exit, Failure};
use crate::filter::Filter;
use crate::input::Identity;
use crate::key_source::KeySource;
use crate::names::{bytes, entries, shown, shown_name, word};
use crate::new_key::{self, NewKey};
use crate::output::{Output, Target};
use crate::progress::{watch, watch_count, watch_entries};
use crate::root::{InRoot, Root};
use crate::staging::Access;
use crate::streams::{note, say};
use crate::team::Team;
use crate::tree::{self, KEPT_REASONS, Spared, Tree};

pub(super) fn run(args: &Backup) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let filter = Filter::new(&args.exclude, &args.include)?;
    // Who forgets the archive names the first of the files in its place.
    let target = Target::resolve(&args.output, args.writing.force)
        .map_err(|failure| failure.and("the archive to make stands first, then what to back up"))?;
    let roots = roots(args)?;
    let source = key_source(args, &target)?;
    refuse_as_root(&roots, &target, &source)?;

    let output = target.create(Access::Umask)?;
    if output.is_terminal() {
        let text = "an archive is nothing to read on a terminal; name a file, or use a pipe";
        return Err(Failure::usage(target.name(), text));
    }
    let (key, mut new_key) = match &args.new_key {
        Some(path) => NewKey::create(path).map(|(new_key, key)| (key, Some(new_key)))?,
        None => (source.read_for_sealing()?, None),
    };

    let quiet = args.working.quiet;
    let replaced = target.path().and_then(Identity::of);
    let spared =
        Spared { output: output.identity().into_iter().chain(replaced).collect(), key: source.identity() };
    let tree = watch_count(quiet, |found| tree::walk(&roots, &filter, &spared, found));
    let mut tree = tree.map_err(|e| Failure::of_archive(&e, &target.name(), &target.name()))?;
    tree.writer.pad(args.pad);

    let writer = std::mem::take(&mut tree.writer);
    let options = Options::new().workers(team.workers());
    let sync = !args.writing.no_sync;
    let report =
        seal(writer, &key, &output, &options, sync, quiet).map_err(|e| failure_of_sealing(&e, &target))?;
    output.commit(&target.name(), new_key.as_mut(), sync)?;

    let whole = warn(&tree, &report.notes);
    if !quiet {
        tell_of_links(&roots);
        tell_of_keys(&tree);
        tell(args, &target, &source, &tree, &report);
    }
    Ok(if whole { Exit::Done } else { Exit::Warnings })
}

fn seal(
    writer: ArchiveWriter<InRoot>,
    key: &Key,
    output: &Output,
    options: &Options<'_>,
    sync: bool,
    quiet: bool,
) -> Result<Report, Error> {
    let (len, planned) = (writer.planned_len(), writer.len());
    if output.is_staged() {
        return watch_entries(len, planned, quiet, |progress, done| {
            let room = bulla::sealed_len(len, options).map_err(Error::Container)?;
            output.fill(Some(room), sync, |file| {
                writer.seal_counting(key, file, &options.progress(progress), done)
            })
        });
    }
    watch(Some(len), quiet, |progress| {
        Ok(writer.seal_to(key, output.file()?, &options.progress(progress))?.1)
    })
}

/// What is named on the command line. All of it is there, and no two have one name in the archive.
fn roots(args: &Backup) -> Result<Vec<Arc<Root>>, Failure> {
    let roots: Vec<Arc<Root>> =
        args.paths.iter().map(|path| Root::new(path).map(Arc::new)).collect::<Result<_, _>>()?;
    let mut names = HashMap::new();
    for root in roots.iter().filter(|root| !root.name.is_empty()) {
        if let Some(other) = names.insert(&root.name[..], root) {
            let text = format!(
                "it would be called {} in the archive, and so would {}; rename one, or name a folder that both lie in",
                shown_name(&root.name),
                shown(&other.path)
            );
            return Err(Failure::usage(shown(&root.path), text));
        }
    }
    Ok(roots)
}

/// Where the key comes from, once it is clear that it is not where the archive goes.
fn key_source(args: &Backup, target: &Target) -> Result<KeySource, Failure> {
    let Some(new_key) = &args.new_key else {
        let source = KeySource::new(args.key.file.as_deref())?;
        if target.is(source.identity().as_ref()) {
            return Err(Failure::usage(target.name(), "the output is the key file; name another file"));
        }
        return Ok(source);
    };
    new_key::refuse_existing(new_key)?;
    if matches!(target, Target::New(output) if same_place(output, new_key)) {
        let text = "the output and the new key file are the same; name another file";
        return Err(Failure::usage(target.name(), text));
    }
    Ok(KeySource::File(new_key.clone()))
}

/// Both are left out where they are found in a folder. Who names one means something else.
fn refuse_as_root(roots: &[Arc<Root>], target: &Target, source: &KeySource) -> Result<(), Failure> {
    let key = source.identity();
    for root in roots {
        let identity = Identity::new(&root.metadata, Some(&root.path));
        if target.is(identity.as_ref()) {
            let text = "the output is what is to be backed up; the archive to make stands first";
            return Err(Failure::usage(target.name(), text));
        }
        if identity.is_some() && identity == key {
            let text = "this is the key file itself; a key that is sealed under itself is lost";
            return Err(Failure::usage(shown(&root.path), text));
        }
    }
    Ok(())
}

fn failure_of_sealing(error: &Error, target: &Target) -> Failure {
    match error {
        Error::Duplicate { name } | Error::ParentIsNoFolder { name } => {
            let text = "two of the paths hold an entry of this name; make an archive of each";
            Failure::usage(shown_name(name), text)
        }
        error => Failure::of_archive(error, &target.name(), &target.name()),
    }
}

/// Warns of what is not in the archive, or not as it was. Whether all is.
fn warn(tree: &Tree, notes: &[Note]) -> bool {
    let of_entries = || notes.iter().filter(|note| !note.state.has(State::LEFT_OUT));
    let left_out = tree.left_out.iter().map(|(name, why)| (name, format!("left out: {why}")));
    let changed = of_entries().map(|note| (&note.name, note.state.describe().to_owned()));
    for (name, what) in left_out.chain(changed).take(KEPT_REASONS) {
        note(&format!("{}: warning: {what}", shown_name(name)));
    }
    let count = tree.left_out_count + of_entries().count() as u64;
    if let Some(more @ 1..) = count.checked_sub(KEPT_REASONS as u64) {
        note(&format!("warning: and {more} more; `bulla list --long` shows all of them"));
    }
    count == 0
}

/// A link that is named is backed up as a link, as tar does it. Not everybody knows that it is one.
fn tell_of_links(roots: &[Arc<Root>]) {
    for root in roots.iter().filter(|root| root.metadata.is_symlink()) {
        let other = match fs::metadata(&root.path) {
            Ok(metadata) if metadata.is_dir() => format!("; to back that up, name {}/", word(&root.path)),
            _ => String::new(),
        };
        note(&format!(
            "{}: backed up as the symbolic link that it is, without what it points to{other}",
            shown(&root.path)
        ));
    }
}

fn tell_of_keys(tree: &Tree) {
    for name in &tree.keys {
        note(&format!(
            "{}: left out: this is the key file; keep a copy of it apart from the archive",
            shown_name(name)
        ));
    }
}

fn tell(args: &Backup, target: &Target, source: &KeySource, tree: &Tree, report: &Report) {
    let size = bytes(tree.content_len);
    say(&format!("{}: backed up {} with {size} of content", target.name(), entries(report.entries)));
    let key = source.path().map(|path| format!(" -k {}", word(path))).unwrap_or_default();
    let archive = target.path().map_or("ARCHIVE".to_owned(), word);
    say(&format!("To list it: bulla list{key} {archive}"));
    say(&format!("To restore it: bulla restore{key} {archive} -C restored"));
    if let Some(path) = &args.new_key {
        let name = shown(path);
        say(&format!("Whoever loses {name} loses the data: keep a copy of it apart from the archive."));
    }
}
