//! `bulla seal`

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bulla::{Options, Sealed};

use super::open::default_output;
use crate::args::Seal;
use crate::error::{Exit, Failure};
use crate::io::input::Input;
use crate::io::output::{Output, Target};
use crate::io::staged::Access;
use crate::keys::access_methods::{Keys, WaysIn};
use crate::process::workers::Team;
use crate::terminal::display::{DASH, bytes, shown, word};
use crate::terminal::progress::watch;
use crate::terminal::streams::{note, say};

pub(super) fn run(args: &Seal) -> Result<Exit, Failure> {
    let team = Team::new(args.working.threads)?;
    let mut input = Input::open(args.input.as_deref())?;
    let target = Target::resolve(&output_path(args, &input), args.writing.force)?;
    let ways = WaysIn::of_sealing(&args.keys)?;
    refuse_same(&ways, &input, &target)?;

    let output = target.create(Access::Umask)?;
    if output.is_terminal() {
        let text =
            "a container is nothing to read on a terminal; name a file with -o FILE, or use a pipe";
        return Err(Failure::usage(target.name(), text));
    }
    let mut keys = ways.read(None)?;

    let options = Options::new().chunk_size(args.chunk_size).workers(team.workers());
    let sealed = watch(input.len(), args.working.quiet, |progress| {
        seal(&keys, &mut input, &output, &options.progress(progress), !args.writing.no_sync)
    });
    let sealed = sealed.map_err(|e| Failure::of_work(&e, &input.name, &target.name()))?;
    output.commit(&target.name(), keys.new_key.as_mut(), !args.writing.no_sync)?;

    if !args.working.quiet {
        report(&input, &target, &ways, &sealed);
    }
    if sealed.source_grew {
        let text = "it grew while it was sealed; what came after its first length is left out";
        note(&format!("{}: warning: {text}", input.name));
        return Ok(Exit::Warnings);
    }
    Ok(Exit::Done)
}

fn seal(
    keys: &Keys,
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
    keys: &Keys,
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

fn output_path(args: &Seal, input: &Input) -> PathBuf {
    match (&args.output, &input.path) {
        (Some(output), _) => output.clone(),
        (None, Some(input)) => {
            let mut name = input.clone().into_os_string();
            name.push(".bulla");
            name.into()
        }
        (None, None) => DASH.into(),
    }
}

/// No two of the files are one.
pub(super) fn refuse_same(ways: &WaysIn, input: &Input, target: &Target) -> Result<(), Failure> {
    let same = |text| Err(Failure::usage(target.name(), text));
    if target.is(input.identity().as_ref()) {
        return same("the output is the input; name another file with -o");
    }
    for key_file in ways.identities() {
        if target.is(Some(&key_file)) {
            return same("the output is the key file; name another file with -o");
        }
        if Some(key_file) == input.identity() {
            let text =
                "the input is the key file itself; a key that is sealed under itself is lost";
            return Err(Failure::usage(&input.name, text));
        }
    }
    match (&ways.new_key, target) {
        (Some(new_key), Target::New(output)) if same_place(output, new_key) => {
            same("the output and the new key file are the same; name another file")
        }
        _ => Ok(()),
    }
}

/// Whether two files that do not exist yet would be one.
pub(super) fn same_place(a: &Path, b: &Path) -> bool {
    let directory = |path: &Path| fs::canonicalize(Path::new(".").join(path.parent()?)).ok();
    a.file_name() == b.file_name() && directory(a) == directory(b)
}

fn report(input: &Input, target: &Target, ways: &WaysIn, sealed: &Sealed) {
    say(&format!("{}: sealed {} of {}", target.name(), bytes(sealed.plaintext_len), input.name));
    say(&format!(
        "To open it again: bulla open{} {}",
        ways.opening_options(),
        operands(input, target)
    ));
    tell_of_loss(ways, false, "container");
}

/// What must not be lost. `keeps_key`: a recovery key from before opens it too. `kind` is what was
/// made.
pub(super) fn tell_of_loss(ways: &WaysIn, keeps_key: bool, kind: &str) {
    if ways.takes_vault() {
        say(
            "Whoever forgets the password of the vault loses the data, unless another key opens it.",
        );
        return;
    }
    match (ways.takes_passphrase(), &ways.key_files()[..]) {
        (true, []) if !keeps_key => {
            say("Whoever forgets the passphrase loses the data: there is no other way in.")
        }
        (true, _) => {
            say("Whoever forgets the passphrase needs a key file; without either the data is lost.")
        }
        (false, _) => {
            if let Some(path) = &ways.new_key {
                let name = shown(path);
                say(&format!(
                    "Whoever loses {name} loses the data: keep a copy of it apart from the {kind}."
                ));
            }
        }
    }
}

/// What has to stand behind `bulla open -k KEYFILE` to get the input back.
fn operands(input: &Input, target: &Target) -> String {
    let Some(path) = target.path() else {
        return "CONTAINER -o FILE".to_owned();
    };
    if default_output(path).is_some() {
        return word(path);
    }
    let name = input.path.as_deref().and_then(Path::file_name).map_or(Path::new("FILE"), Path::new);
    format!("{} -o {}", word(path), word(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_to_one_place() {
        assert!(same_place(Path::new("x"), Path::new("./x")));
        assert!(same_place(Path::new("src/../x"), Path::new("x")));
        assert!(!same_place(Path::new("x"), Path::new("y")));
        assert!(!same_place(Path::new("src/x"), Path::new("x")));
    }
}
