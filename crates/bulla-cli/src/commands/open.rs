//! `bulla open`

use std::fs::File;
use std::path::PathBuf;

use bulla::{ContentType, Key, Opened, Options, Preamble};

use super::shared::container::{default_output, opener, plaintext_len, read_preamble};
use super::shared::warnings::{REENCRYPT, first_of, warn_of_header_state};
use crate::args::containers::OpenArgs;
use crate::error::{Exit, Failure};
use crate::io::input::{Identity, Input};
use crate::io::output::Target;
use crate::io::path::DASH;
use crate::io::staged::Access;
use crate::keys::source::KeySource;
use crate::keys::unlock::unlock;
use crate::process::workers::WorkerPool;
use crate::terminal::display::bytes;
use crate::terminal::message::say;
use crate::terminal::progress;

pub(super) fn run(args: &OpenArgs) -> Result<Exit, Failure> {
    let pool = WorkerPool::new(args.threads.threads)?;
    let mut input = Input::open(args.input.as_deref())?;
    let target = Target::resolve(&output_path(args, &input)?, args.write.force)?;
    let source = KeySource::for_unlocking(&args.key)?;
    let envelope = args.key.envelope.file.as_deref().and_then(Identity::of);
    for (file, what) in
        [(input.identity(), "input"), (source.identity(), "key file"), (envelope, "envelope")]
    {
        if target.is(file.as_ref()) {
            let problem = format!("the output is the {what}; choose another output with -o");
            return Err(Failure::usage(target.name(), problem));
        }
    }

    // Checked before prompting for a key, because rejecting other files does not require one.
    let preamble = read_preamble(&mut input)?;
    reject_other_content(preamble.header().content_type(), &input)?;
    let unlocked = unlock(&preamble, &input.name, &source, &args.key, &pool)?;
    let output = target.create(Access::Owner)?;

    let (quiet, sync) = (args.quiet.quiet, !args.write.no_sync);
    let options = Options::new().workers(pool.workers());
    let len = plaintext_len(&preamble, &input);
    let opened = progress::with_bytes(len, quiet, |progress| {
        output.fill(len, sync, |file| {
            let positional = preamble.header_state().is_some() && !output.is_redirected();
            open(&preamble, unlocked.key(), &input, file, &options.progress(progress), positional)
        })
    });
    let opened = opened.map_err(|e| {
        let failure = Failure::container(&e, &input.name, &target.name());
        match failure.exit {
            Exit::Damaged if output.is_staged() || output.is_redirected() => {
                failure.and("nothing was written")
            }
            Exit::Damaged => failure.and("the output is authentic but incomplete"),
            _ => failure,
        }
    })?;
    output.commit(&target.name(), sync)?;

    if !quiet {
        let size = bytes(opened.plaintext_len);
        say(&format!("{}: opened {size} of {}", target.name(), input.name));
    }
    Ok(first_of([
        warn_of_header_state(&input.name, opened.header_state, REENCRYPT),
        unlocked.warn(&input.name),
    ]))
}

fn open(
    preamble: &Preamble,
    key: &Key,
    input: &Input,
    mut output: &File,
    options: &Options<'_>,
    positional: bool,
) -> bulla::Result<Opened> {
    if positional {
        return bulla::open_file(key, &input.file, output, options);
    }
    opener(preamble.clone(), key, input, options)?.copy_to(&mut output)
}

fn output_path(args: &OpenArgs, input: &Input) -> Result<PathBuf, Failure> {
    match (&args.output, &input.path) {
        (Some(output), _) => Ok(output.clone()),
        (None, Some(path)) => default_output(path).ok_or_else(|| {
            let problem = "cannot derive the output path, because the input path does not end in \
                           .bulla; use -o";
            Failure::usage(&input.name, problem)
        }),
        (None, None) => Ok(DASH.into()),
    }
}

/// A reader rejects content of an unknown type (F-3.9).
fn reject_other_content(content: ContentType, input: &Input) -> Result<(), Failure> {
    let problem = match content {
        ContentType::BYTES => return Ok(()),
        ContentType::ARCHIVE => "is an archive; use `bulla list` and `bulla restore`".to_owned(),
        ContentType(number) => format!(
            "content of type {number} is not supported; \
             open it with the application that created it"
        ),
    };
    Err(Failure::new(Exit::Unsupported, &input.name, problem))
}
