//! `bulla backup`

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use bulla::{ContentType, Options};
use bulla_archive::{ArchiveBuilder, Error, Note, SealReport, State};

use super::shared::create::{
    KEY_UNDER_ITSELF, create_output, print_recovery_hint, reject_key_file_output,
};
use super::shared::warnings::describe_state;
use crate::args::archives::BackupArgs;
use crate::backup::filter::Filter;
use crate::backup::source::{FileSource, Root};
use crate::backup::walk::{Excluded, MAX_REASONS, Tree, walk};
use crate::error::{Exit, Failure};
use crate::io::input::Identity;
use crate::io::output::{Output, Target};
use crate::keys::access_methods::{AccessMethods, ContainerKeys};
use crate::process::workers::WorkerPool;
use crate::terminal::display::{bytes, entries, shell_word, shown, shown_entry};
use crate::terminal::message::{note, say};
use crate::terminal::progress;

pub(super) fn run(args: &BackupArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(args.threads.threads)?;
    let filter = Filter::new(&args.exclude, &args.include)?;
    // If the user forgot the archive, the first path is taken for it.
    let target =
        Target::resolve(&args.output, args.write.force).map_err(|failure| match failure.exit {
            Exit::Usage => failure.with_remedy("name the archive first, then the paths"),
            _ => failure.and("the archive is the first argument"),
        })?;
    let roots = roots(args)?;
    let methods = AccessMethods::for_sealing(&args.keys)?;
    reject_key_file_output(&methods, &target)?;
    reject_roots(&roots, &target, &methods)?;

    let output = create_output(&target)?;
    let mut keys = methods.read(None, &pool)?;

    let quiet = args.quiet.quiet;
    let replaced = target.path().and_then(Identity::of);
    let new_key = methods.new_key.as_deref().filter(|_| keys.has_new_key());
    let excluded = Excluded {
        output: output.identity().into_iter().chain(replaced).collect(),
        keys: methods.identities().into_iter().chain(new_key.and_then(Identity::of)).collect(),
    };
    let tree = progress::with_count(quiet, |found| walk(&roots, &filter, &excluded, found));
    let mut tree = tree.map_err(|e| Failure::archive(&e, &target.name(), &target.name()))?;
    tree.writer.pad(args.pad.pad);

    let writer = std::mem::take(&mut tree.writer);
    let options = Options::new().workers(pool.workers());
    let sync = !args.write.no_sync;
    let report = seal(writer, &keys, &output, &options, sync, quiet)
        .map_err(|e| sealing_failure(&e, &target))?;
    output.commit_with(&target.name(), sync, |cleanup| keys.keep_new_key(cleanup))?;

    let exit = warn(&tree, &report.notes);
    if !quiet {
        print_links(&roots);
        print_excluded_keys(&tree);
        print_summary(&target, &methods, &tree, &report);
    }
    Ok(exit)
}

fn seal(
    writer: ArchiveBuilder<FileSource>,
    keys: &ContainerKeys<'_>,
    output: &Output,
    options: &Options<'_>,
    sync: bool,
    quiet: bool,
) -> Result<SealReport, Error> {
    let (len, planned) = (writer.planned_len(), writer.len());
    let options = options.content_type(ContentType::ARCHIVE);
    if output.is_staged() {
        let entries = writer.progress();
        return progress::with_entries(len, planned, &entries, quiet, |progress| {
            let sealed_len =
                bulla::sealed_len(len, &keys.with_envelope(&options)).map_err(Error::Container)?;
            output.fill(Some(sealed_len), sync, |file| {
                writer.seal_draft(keys.draft(&options.progress(progress))?, file)
            })
        });
    }
    progress::with_bytes(Some(len), quiet, |progress| {
        Ok(writer.seal_draft_to(keys.draft(&options.progress(progress))?, output.file()?)?.1)
    })
}

/// Returns the paths to back up. All of them must exist, and their entry paths must differ.
fn roots(args: &BackupArgs) -> Result<Vec<Arc<Root>>, Failure> {
    let roots: Vec<Arc<Root>> =
        args.paths.iter().map(|path| Root::new(path).map(Arc::new)).collect::<Result<_, _>>()?;
    let mut entries = HashMap::new();
    for root in roots.iter().filter(|root| !root.entry.is_empty()) {
        if let Some(other) = entries.insert(&root.entry[..], root) {
            let problem = format!(
                "would be stored as {}, and so would {}; rename one, or back up their common \
                 parent directory",
                shown_entry(&root.entry),
                shown(&other.path)
            );
            return Err(Failure::usage(shown(&root.path), problem));
        }
    }
    Ok(roots)
}

/// Rejects the output and the key files as roots. Below a root they are excluded, but naming one
/// explicitly is a mistake.
fn reject_roots(
    roots: &[Arc<Root>],
    target: &Target,
    methods: &AccessMethods,
) -> Result<(), Failure> {
    let keys = methods.identities();
    for root in roots {
        let identity = Identity::new(&root.metadata, Some(&root.path));
        if target.is(identity.as_ref()) {
            let problem = "the archive is also one of the paths to back up; name the archive \
                           first, then the paths";
            return Err(Failure::usage(target.name(), problem));
        }
        if identity.is_some_and(|identity| keys.contains(&identity)) {
            return Err(Failure::usage(shown(&root.path), KEY_UNDER_ITSELF));
        }
    }
    Ok(())
}

fn sealing_failure(error: &Error, target: &Target) -> Failure {
    match error {
        Error::Duplicate { path } | Error::ParentNotDirectory { path } => {
            let problem = "two of the given paths contain this entry; back them up separately";
            Failure::usage(shown_entry(path), problem)
        }
        error => Failure::archive(error, &target.name(), &target.name()),
    }
}

/// Warns about skipped files, and files that changed while they were read.
fn warn(tree: &Tree, notes: &[Note]) -> Exit {
    let incomplete = || notes.iter().filter(|note| !note.state.has(State::SKIPPED));
    let skipped = tree.skipped.iter().map(|(path, reason)| (path, format!("skipped: {reason}")));
    let changed = incomplete().map(|note| (&note.path, describe_state(note.state).to_owned()));
    for (path, problem) in skipped.chain(changed).take(MAX_REASONS) {
        note(&format!("{}: warning: {problem}", shown_entry(path)));
    }
    let count = tree.skipped_count + incomplete().count() as u64;
    if let Some(more @ 1..) = count.checked_sub(MAX_REASONS as u64) {
        note(&format!("warning: {more} more; use `bulla list --long` to see all of them"));
    }
    if count == 0 { Exit::Success } else { Exit::Warnings }
}

/// Reports roots that are links. Like tar, the command stores the link itself, which may not be
/// what the user expects.
fn print_links(roots: &[Arc<Root>]) {
    for root in roots.iter().filter(|root| root.metadata.is_symlink()) {
        let remedy = match fs::metadata(&root.path) {
            Ok(metadata) if metadata.is_dir() => {
                format!("; to back up the directory, use {}/", shell_word(&root.path))
            }
            _ => String::new(),
        };
        note(&format!("{}: stored as a symbolic link{remedy}", shown(&root.path)));
    }
}

fn print_excluded_keys(tree: &Tree) {
    for path in &tree.keys {
        note(&format!(
            "{}: excluded: this is the key file; keep a copy of it elsewhere",
            shown_entry(path)
        ));
    }
}

fn print_summary(target: &Target, methods: &AccessMethods, tree: &Tree, report: &SealReport) {
    let size = bytes(tree.content_len);
    say(&format!("{}: backed up {}, {size}", target.name(), entries(report.entries)));
    let key = methods.unlock_options();
    let archive = target.path().map_or("ARCHIVE".to_owned(), shell_word);
    say(&format!("To list it: bulla list{key} {archive}"));
    say(&format!("To restore it: bulla restore{key} {archive} -C restored"));
    print_recovery_hint(methods, false);
}
