#!/usr/bin/env python3
"""Plants bugs, and sees that the tests find each of them: at least two nets, each on its own.

    tests/scripts/bugs.py [BUG...]

It works on a copy of what is committed, and builds in target/bugs. Each net has to pass without the bug before it may be said to
have caught it. Needs strace; ten minutes on a quiet machine with 2 cores.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cargo_test(*arguments):
    return ["cargo", "test", "--locked", "-q", *arguments]


UNITS = ("unit tests of the core", cargo_test("-p", "bulla", "--lib"))
EXHAUSTIVE = ("bit flips, cuts and splices", cargo_test("-p", "bulla-tests", "--test", "exhaustive"))
VECTORS = ("vectors", cargo_test("-p", "bulla-tests", "--test", "vectors"))
DIFFERENTIAL = ("differential", cargo_test("-p", "bulla-tests", "--test", "differential"))
FUZZED = ("oracles on fuzz inputs", cargo_test("-p", "bulla-tests", "--test", "fuzz_inputs"))
COMMAND = "target/bugs/release/bulla"
BUILD = ["cargo", "build", "--locked", "-q", "--release", "-p", "bulla-cli"]
FAULTS = ("killed, starved, and the order of sync and rename", ["tests/scripts/faults.py", COMMAND, "seal"])
POWER = ("power cuts", ["tests/scripts/power_loss.py", COMMAND, "seal"])

# Name, file, what stands there, what the bug makes of it, nets. A text that is not found is an error: the bug has to move along.
BUGS = [
    (
        "the tag of the last chunk is not checked",
        "crates/bulla/src/run.rs",
        "&mut ciphertext[plain_len..], read - plain_len).is_err() {",
        "&mut ciphertext[plain_len..], read - plain_len).is_err() && end == read + chunk.sealed() {",
        [UNITS, EXHAUSTIVE, VECTORS, DIFFERENTIAL, FUZZED],
    ),
    (
        "a stream may end without its last chunk",
        "crates/bulla/src/opener.rs",
        "(Some(end), None) if end.missing => Some(",
        "(Some(end), None) if end.missing && end.stands => Some(",
        [UNITS, EXHAUSTIVE, VECTORS, DIFFERENTIAL, FUZZED],
    ),
    (
        "the header is not bound to the keys",
        "crates/bulla/src/schedule.rs",
        "        let context = context.unwrap_or_default();\n",
        """        struct Unbound;
        impl Unbound {
            fn bound(&self) -> &[u8] {
                &[0; 56]
            }
        }
        let (header, context) = (Unbound, context.unwrap_or_default());
""",
        [UNITS, EXHAUSTIVE, VECTORS, DIFFERENTIAL, FUZZED],
    ),
    (
        "a range ends one byte early",
        "crates/bulla/src/range.rs",
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


def passes(net, copy):
    _, command = net
    if command[0].startswith("tests/"):
        subprocess.run(BUILD, cwd=copy, env=environment(), check=True)
    done = subprocess.run(command, cwd=copy, env=environment(), capture_output=True)
    if done.returncode != 0 and b"could not compile" in done.stderr:
        sys.exit(f"bugs: does not compile:\n{done.stderr.decode()}")
    return done.returncode == 0


def environment():
    # A bug may leave an import unused.
    return {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target" / "bugs"), "RUSTFLAGS": "-A warnings"}


def main():
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "bulla"
        subprocess.run(["git", "clone", "-q", "--local", str(ROOT), str(copy)], check=True)
        (copy / "target").mkdir()
        (copy / "target" / "bugs").symlink_to(ROOT / "target" / "bugs")
        chosen = [bug for bug in BUGS if not sys.argv[1:] or bug[0] in sys.argv[1:]]
        nets = {net[0]: net for *_, nets in chosen for net in nets}
        for net in nets.values():
            if not passes(net, copy):
                sys.exit(f"bugs: {net[0]}: fails without any bug")
        for bug, file, right, wrong, nets in chosen:
            path = copy / file
            text = path.read_text()
            if text.count(right) != 1:
                sys.exit(f"bugs: {file} has changed; where would this bug be now: {bug}?")
            path.write_text(text.replace(right, wrong))
            caught = [net[0] for net in nets if not passes(net, copy)]
            path.write_text(text)
            print(f"{bug}: caught by {len(caught)} of {len(nets)}: {', '.join(caught)}", flush=True)
            if len(caught) < 2:
                sys.exit("bugs: fewer than two nets hold")


if __name__ == "__main__":
    main()
