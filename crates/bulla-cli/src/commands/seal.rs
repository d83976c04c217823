//! `bulla seal`

use std::fs::File;
use std::path::{Path, PathBuf};

use bulla::{Options, Sealed};

use super::shared::container::default_output;
use super::shared::create::{
    create_output, print_recovery_hint, reject_input_output, reject_key_file_output,
};
use crate::args::containers::SealArgs;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::io::output::{Output, Target};
use crate::io::path::DASH;
use crate::keys::access_methods::{AccessMethods, ContainerKeys};
use crate::process::workers::WorkerPool;
use crate::terminal::display::{bytes, shell_word};
use crate::terminal::message::{note, say};
use crate::terminal::progress;

pub(super) fn run(args: &SealArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(args.threads.threads)?;
    let mut input = Input::open(args.input.as_deref())?;
    let target = Target::resolve(&output_path(args, &input), args.write.force)?;
    let methods = AccessMethods::for_sealing(&args.keys)?;
    reject_input_output(&methods, &input, &target)?;
    reject_key_file_output(&methods, &target)?;

    let output = create_output(&target)?;
    let mut keys = methods.read(None, &pool)?;

    let (quiet, sync) = (args.quiet.quiet, !args.write.no_sync);
    let options = Options::new().chunk_size(args.chunk_size).workers(pool.workers());
    let sealed = progress::with_bytes(input.len(), quiet, |progress| {
        seal(&keys, &mut input, &output, &options.progress(progress), sync)
    });
    let sealed = sealed.map_err(|e| Failure::container(&e, &input.name, &target.name()))?;
    output.commit_with(&target.name(), sync, |cleanup| keys.keep_new_key(cleanup))?;

    if !quiet {
        print_summary(&input, &target, &methods, &sealed);
    }
    if sealed.source_grew {
        let problem = "grew while it was being sealed; only its original length was sealed";
        note(&format!("{}: warning: {problem}", input.name));
        return Ok(Exit::Warnings);
    }
    Ok(Exit::Success)
}

fn seal(
    keys: &ContainerKeys<'_>,
    input: &mut Input,
    output: &Output,
    options: &Options<'_>,
    sync: bool,
) -> bulla::Result<Sealed> {
    let len = input
        .positional_len()
        .map(|len| bulla::sealed_len(len, &keys.with_envelope(options)))
        .transpose()?;
    output.fill(len, sync, |file| {
        write(keys, input, file, options, len.is_some() && !output.is_redirected())
    })
}

fn write(
    keys: &ContainerKeys<'_>,
    input: &mut Input,
    output: &File,
    options: &Options<'_>,
    positional: bool,
) -> bulla::Result<Sealed> {
    let draft = keys.draft(options)?;
    if positional {
        return draft.seal_file(&input.file, output);
    }
    let mut sealer = draft.sealer(output)?;
    sealer.copy_from(&mut input.file)?;
    Ok(sealer.finish()?.1)
}

fn output_path(args: &SealArgs, input: &Input) -> PathBuf {
    match (&args.output, &input.path) {
        (Some(output), _) => output.clone(),
        (None, Some(input)) => {
            let mut path = input.clone().into_os_string();
            path.push(".bulla");
            path.into()
        }
        (None, None) => DASH.into(),
    }
}

fn print_summary(input: &Input, target: &Target, methods: &AccessMethods, sealed: &Sealed) {
    say(&format!("{}: sealed {} of {}", target.name(), bytes(sealed.plaintext_len), input.name));
    say(&format!(
        "To open it: bulla open{} {}",
        methods.unlock_options(),
        open_arguments(input, target)
    ));
    print_recovery_hint(methods, false);
}

/// Returns the arguments with which `bulla open` recreates the input.
fn open_arguments(input: &Input, target: &Target) -> String {
    let Some(path) = target.path() else {
        return "CONTAINER -o FILE".to_owned();
    };
    if default_output(path).is_some() {
        return shell_word(path);
    }
    let name = input.path.as_deref().and_then(Path::file_name).map_or(Path::new("FILE"), Path::new);
    format!("{} -o {}", shell_word(path), shell_word(name))
}
