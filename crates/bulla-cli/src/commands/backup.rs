//! `bulla backup`

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use bulla::{ContentType, Options};
use bulla_archive::{ArchiveWriter, Error, Note, Report, State};

use super::seal::{same_place, tell_of_loss};
use crate::args::Backup;
use crate::backup::filter::Filter;
use crate::backup::source::{InRoot, Root};
use crate::backup::walk::{self, KEPT_REASONS, Spared, Tree};
use crate::error::{Exit, Failure};
use crate::io::input::Identity;
use crate::io::output::{Output, Target};
use crate::io::staged::Access;
use crate::keys::access_methods::{Keys, WaysIn};
use crate::process::workers::Team;
use crate::terminal::display::{bytes, entries, shown, shown_name, word};
use crate::terminal::progress::{watch, watch_count, watch_entries};
use crate::terminal::streams::{note, say};

pub(super) fn run(args: &Backup) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let filter = Filter::new(&args.exclude, &args.include)?;
    // Who forgets the archive names the first of the files in its place.
    let target = Target::resolve(&args.output, args.writing.force)
        .map_err(|failure| failure.and("the archive to make stands first, then what to back up"))?;
    let roots = roots(args)?;
    let ways = WaysIn::of_sealing(&args.keys)?;
    refuse_same(&ways, &target)?;
    refuse_as_root(&roots, &target, &ways)?;

    let output = target.create(Access::Umask)?;
    if output.is_terminal() {
        let text = "an archive is nothing to read on a terminal; name a file, or use a pipe";
        return Err(Failure::usage(target.name(), text));
    }
    let mut keys = ways.read(None)?;

    let quiet = args.working.quiet;
    let replaced = target.path().and_then(Identity::of);
    let of_new_key = keys.new_key.as_ref().and(ways.new_key.as_deref()).and_then(Identity::of);
    let spared = Spared {
        output: output.identity().into_iter().chain(replaced).collect(),
        keys: ways.identities().into_iter().chain(of_new_key).collect(),
    };
    let tree = watch_count(quiet, |found| walk::walk(&roots, &filter, &spared, found));
    let mut tree = tree.map_err(|e| Failure::of_archive(&e, &target.name(), &target.name()))?;
    tree.writer.pad(args.pad);

    let writer = std::mem::take(&mut tree.writer);
    let options = Options::new().workers(team.workers());
    let sync = !args.writing.no_sync;
    let report = seal(writer, &keys, &output, &options, sync, quiet)
        .map_err(|e| failure_of_sealing(&e, &target))?;
    output.commit(&target.name(), keys.new_key.as_mut(), sync)?;

    let whole = warn(&tree, &report.notes);
    if !quiet {
        tell_of_links(&roots);
        tell_of_keys(&tree);
        tell(&target, &ways, &tree, &report);
    }
    Ok(if whole { Exit::Done } else { Exit::Warnings })
}

fn seal(
    writer: ArchiveWriter<InRoot>,
    keys: &Keys,
    output: &Output,
    options: &Options<'_>,
    sync: bool,
    quiet: bool,
) -> Result<Report, Error> {
    let (len, planned) = (writer.planned_len(), writer.len());
    let options = options.content_type(ContentType::ARCHIVE);
    if output.is_staged() {
        return watch_entries(len, planned, quiet, |progress, done| {
            let room =
                bulla::sealed_len(len, &keys.with_envelope(&options)).map_err(Error::Container)?;
            output.fill(Some(room), sync, |file| {
                writer.seal_draft(keys.draft(&options.progress(progress))?, file, done)
            })
        });
    }
    watch(Some(len), quiet, |progress| {
        Ok(writer.seal_draft_to(keys.draft(&options.progress(progress))?, output.file()?)?.1)
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
                "it would be called {} in the archive, and so would {}; rename one, or name a directory that both lie in",
                shown_name(&root.name),
                shown(&other.path)
            );
            return Err(Failure::usage(shown(&root.path), text));
        }
    }
    Ok(roots)
}

/// The keys do not lie where the archive goes.
fn refuse_same(ways: &WaysIn, target: &Target) -> Result<(), Failure> {
    if ways.identities().iter().any(|file| target.is(Some(file))) {
        return Err(Failure::usage(target.name(), "the output is the key file; name another file"));
    }
    match (&ways.new_key, target) {
        (Some(new_key), Target::New(output)) if same_place(output, new_key) => {
            let text = "the output and the new key file are the same; name another file";
            Err(Failure::usage(target.name(), text))
        }
        _ => Ok(()),
    }
}

/// Both are left out where they are found in a directory. Who names one means something else.
fn refuse_as_root(roots: &[Arc<Root>], target: &Target, ways: &WaysIn) -> Result<(), Failure> {
    let keys = ways.identities();
    for root in roots {
        let identity = Identity::new(&root.metadata, Some(&root.path));
        if target.is(identity.as_ref()) {
            let text = "the output is what is to be backed up; the archive to make stands first";
            return Err(Failure::usage(target.name(), text));
        }
        if identity.is_some_and(|identity| keys.contains(&identity)) {
            let text = "this is the key file itself; a key that is sealed under itself is lost";
            return Err(Failure::usage(shown(&root.path), text));
        }
    }
    Ok(())
}

fn failure_of_sealing(error: &Error, target: &Target) -> Failure {
    match error {
        Error::Duplicate { path } | Error::ParentNotDirectory { path } => {
            let text = "two of the paths hold an entry of this name; make an archive of each";
            Failure::usage(shown_name(path), text)
        }
        error => Failure::of_archive(error, &target.name(), &target.name()),
    }
}

/// Warns of what is not in the archive, or not as it was. Whether all is.
fn warn(tree: &Tree, notes: &[Note]) -> bool {
    let of_entries = || notes.iter().filter(|note| !note.state.has(State::SKIPPED));
    let left_out = tree.left_out.iter().map(|(name, why)| (name, format!("left out: {why}")));
    let changed = of_entries().map(|note| (&note.path, note.state.describe().to_owned()));
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
            Ok(metadata) if metadata.is_dir() => {
                format!("; to back that up, name {}/", word(&root.path))
            }
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

fn tell(target: &Target, ways: &WaysIn, tree: &Tree, report: &Report) {
    let size = bytes(tree.content_len);
    say(&format!(
        "{}: backed up {} with {size} of content",
        target.name(),
        entries(report.entries)
    ));
    let key = ways.opening_options();
    let archive = target.path().map_or("ARCHIVE".to_owned(), word);
    say(&format!("To list it: bulla list{key} {archive}"));
    say(&format!("To restore it: bulla restore{key} {archive} -C restored"));
    tell_of_loss(ways, false, "archive");
}
