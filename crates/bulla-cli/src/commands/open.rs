//! `bulla open`

use std::fs::File;
use std::path::{Path, PathBuf};

use bulla::{ContentType, Key, Opened, Options, Preamble};

use super::{SEAL_ANEW, first_of, opener, plaintext_len, read_preamble, warn_of_copies};
use crate::args::Open;
use crate::error::{Exit, Failure};
use crate::io::input::{Identity, Input};
use crate::io::output::Target;
use crate::io::staged::Access;
use crate::keys::source::KeySource;
use crate::keys::unlock::unlock;
use crate::process::workers::Team;
use crate::terminal::display::{DASH, bytes};
use crate::terminal::progress::watch;
use crate::terminal::streams::say;

pub(super) fn run(args: &Open) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let mut input = Input::open(args.input.as_deref())?;
    let target = Target::resolve(&output_path(args, &input)?, args.writing.force)?;
    let source = KeySource::of_opening(&args.key)?;
    if target.is(input.identity().as_ref()) {
        return Err(Failure::usage(
            target.name(),
            "the output is the input; name another file with -o",
        ));
    }
    if target.is(source.identity().as_ref()) {
        return Err(Failure::usage(
            target.name(),
            "the output is the key file; name another file with -o",
        ));
    }
    if target.is(args.key.envelope.as_deref().and_then(Identity::of).as_ref()) {
        return Err(Failure::usage(
            target.name(),
            "the output is the envelope; name another file with -o",
        ));
    }

    // Before the key is asked for: what is no container needs none.
    let preamble =
        read_preamble(&mut input).map_err(|e| Failure::of_work(&e, &input.name, &target.name()))?;
    refuse_unknown(preamble.header().content_type(), &input)?;
    let unlocked = unlock(&preamble, &input.name, &source, &args.key)?;
    let output = target.create(Access::Owner)?;

    let options = Options::new().workers(team.workers());
    let len = plaintext_len(&preamble, &input);
    let opened = watch(len, args.working.quiet, |progress| {
        output.fill(len, !args.writing.no_sync, |file| {
            let positional = preamble.header_state().is_some() && !output.is_redirected();
            open(&preamble, unlocked.key(), &input, file, &options.progress(progress), positional)
        })
    });
    let opened = opened.map_err(|e| {
        let failure = Failure::of_work(&e, &input.name, &target.name());
        match failure.exit {
            Exit::Damaged if output.is_staged() || output.is_redirected() => {
                failure.and("nothing was written")
            }
            Exit::Damaged => {
                failure.and("what was written up to there is verified, but it is not all")
            }
            _ => failure,
        }
    })?;
    output.commit(&target.name(), None, !args.writing.no_sync)?;

    if !args.working.quiet {
        say(&format!(
            "{}: opened {} of {}",
            target.name(),
            bytes(opened.plaintext_len),
            input.name
        ));
    }
    Ok(first_of([
        warn_of_copies(&input.name, opened.header_state, SEAL_ANEW),
        unlocked.warn(&input.name),
    ]))
}

/// The output's name if none is given; none if the container's name does not end in `.bulla`.
pub(super) fn default_output(container: &Path) -> Option<PathBuf> {
    container
        .extension()
        .is_some_and(|ending| ending == "bulla")
        .then(|| container.with_extension(""))
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

fn output_path(args: &Open, input: &Input) -> Result<PathBuf, Failure> {
    match (&args.output, &input.path) {
        (Some(output), _) => Ok(output.clone()),
        (None, Some(path)) => default_output(path).ok_or_else(|| {
            let text = "its name does not end in .bulla, so it does not tell the output's; name that with -o";
            Failure::usage(&input.name, text)
        }),
        (None, None) => Ok(DASH.into()),
    }
}

/// Whoever uses the plaintext rejects what it does not know (F-3.9).
fn refuse_unknown(content: ContentType, input: &Input) -> Result<(), Failure> {
    let text = match content {
        ContentType::BYTES => return Ok(()),
        ContentType::ARCHIVE => {
            "it holds an archive; `bulla list` shows what is in it, `bulla restore` restores it"
                .to_owned()
        }
        ContentType(number) => format!(
            "it holds content of kind {number}, which this command does not know; \
             open it with the application that made it"
        ),
    };
    Err(Failure::new(Exit::Unsupported, &input.name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_outputs() {
        for (container, output) in [
            ("photo.jpg.bulla", Some("photo.jpg")),
            ("directory.bulla/x.bulla", Some("directory.bulla/x")),
            ("photo.jpg", None),
            (".bulla", None),
            ("x.bulla.bak", None),
        ] {
            assert_eq!(
                default_output(Path::new(container)),
                output.map(PathBuf::from),
                "{container}"
            );
        }
    }
}
