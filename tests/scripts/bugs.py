#!/usr/bin/env python3
"""Plants bugs, and checks that at least two independent test suites detect each bug.

usage: tests/scripts/bugs.py [BUG...]

Works on a copy of the last commit and builds in target/bugs. Each suite first has to pass without any bugs. Requires strace.
Takes ten minutes on an idle machine with 2 cores.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cargo_test(*arguments):
    return ["cargo", "test", "--locked", "-q", *arguments]


UNITS = ("core unit tests", cargo_test("-p", "bulla", "--lib"))
EXHAUSTIVE = ("bit flips, truncations and splices", cargo_test("-p", "bulla-tests", "--test", "exhaustive"))
VECTORS = ("vectors", cargo_test("-p", "bulla-tests", "--test", "vectors"))
DIFFERENTIAL = ("differential", cargo_test("-p", "bulla-tests", "--test", "differential"))
FUZZED = ("oracles on fuzz inputs", cargo_test("-p", "bulla-tests", "--test", "fuzz_inputs"))
COMMAND = "target/bugs/release/bulla"
BUILD = ["cargo", "build", "--locked", "-q", "--release", "-p", "bulla-cli"]
FAULTS = ("kills, I/O faults, and the order of sync and rename", ["tests/scripts/faults.py", COMMAND, "seal"])
POWER = ("power loss", ["tests/scripts/power_loss.py", COMMAND, "seal"])

# Each entry has a name, a file, the original text, the text with the bug, and the suites that are expected to detect the bug. If
# the original text is not found, the script fails and the entry has to be updated.
BUGS = [
    (
        "the tag of the last chunk is not checked",
        "crates/bulla/src/format/run.rs",
        "&mut ciphertext[plain_len..], read - plain_len).is_err() {",
        "&mut ciphertext[plain_len..], read - plain_len).is_err() && end == read + chunk.sealed() {",
        [UNITS, EXHAUSTIVE, VECTORS, DIFFERENTIAL, FUZZED],
    ),
    (
        "a stream may end without its last chunk",
        "crates/bulla/src/opening/opener.rs",
        "(Some(end), None) if end.missing => Some(",
        "(Some(end), None) if end.missing && end.footer_matches => Some(",
        [UNITS, EXHAUSTIVE, VECTORS, DIFFERENTIAL, FUZZED],
    ),
    (
        "the header is not bound to the keys",
        "crates/bulla/src/format/schedule.rs",
        "        let context = context.unwrap_or_default();\n",
        "        let (bound, context) = ([0; 56], context.unwrap_or_default());\n",
        [UNITS, EXHAUSTIVE, VECTORS, DIFFERENTIAL, FUZZED],
    ),
    (
        "a range ends one byte early",
        "crates/bulla/src/opening/range.rs",
        "self.open_chunks(first..(range.end.saturating_sub(1) >> log2) + 1, scratch)?",
        "self.open_chunks(first..(range.end.saturating_sub(2) >> log2) + 1, scratch)?",
        [UNITS, EXHAUSTIVE, VECTORS, DIFFERENTIAL, FUZZED],
    ),
    (
        "a file gets its name before it is synced",
        "crates/bulla-cli/src/io/output.rs",
        """        if sync {
            match self.file()?.sync_all() {
                Err(e) if !self.is_staged() && cannot_sync(&e) => {}
                synced => synced?,
            }
        }
        let mut cleanup = Cleanup::lock();
        match self {
            // A file created since then is not replaced even with --force, which cannot have meant
            // it.
            Output::Staged(staged, replace) => staged.publish(&mut cleanup, *replace)?,
""",
        """        let mut cleanup = Cleanup::lock();
        match self {
            // A file created since then is not replaced even with --force, which cannot have meant
            // it.
            Output::Staged(staged, replace) => {
                let file = staged.file()?.try_clone()?;
                staged.publish(&mut cleanup, *replace)?;
                if sync {
                    file.sync_all()?;
                }
            }
""",
        [FAULTS, POWER],
    ),
]


def passes(suite, copy):
    _, command = suite
    if command[0].startswith("tests/"):
        subprocess.run(BUILD, cwd=copy, env=environment(), check=True)
    done = subprocess.run(command, cwd=copy, env=environment(), capture_output=True)
    if done.returncode != 0 and b"could not compile" in done.stderr:
        sys.exit(f"bugs: compilation failed:\n{done.stderr.decode()}")
    return done.returncode == 0


def environment():
    # A bug may cause warnings, such as unused imports.
    return {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target" / "bugs"), "RUSTFLAGS": "-A warnings"}


def main():
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "bulla"
        subprocess.run(["git", "clone", "-q", "--local", str(ROOT), str(copy)], check=True)
        (copy / "target").mkdir()
        (copy / "target" / "bugs").symlink_to(ROOT / "target" / "bugs")
        chosen = [bug for bug in BUGS if not sys.argv[1:] or bug[0] in sys.argv[1:]]
        all_suites = {suite[0]: suite for *_, suites in chosen for suite in suites}
        for suite in all_suites.values():
            if not passes(suite, copy):
                sys.exit(f"bugs: {suite[0]}: fails even without a bug")
        for bug, file, right, wrong, suites in chosen:
            path = copy / file
            text = path.read_text()
            if text.count(right) != 1:
                sys.exit(f"bugs: {file}: text not found; update the bug {bug!r}")
            path.write_text(text.replace(right, wrong))
            caught = [suite[0] for suite in suites if not passes(suite, copy)]
            path.write_text(text)
            print(f"{bug}: detected by {len(caught)} of {len(suites)}: {', '.join(caught)}", flush=True)
            if len(caught) < 2:
                sys.exit("bugs: detected by fewer than two test suites")


if __name__ == "__main__":
    main()
