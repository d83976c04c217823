#!/usr/bin/env bash
# Runs the tests without cryptography under Miri: arithmetic, parsing, and communication between threads under several schedules.
#
# usage: tests/scripts/miri.sh
#
# ring and AWS-LC are written in C and assembly, which Miri cannot run. Code that calls them is fuzzed with AddressSanitizer
# instead. rayon requires tree borrows. Leaks are ignored, because rayon's threads outlive the tests.
set -euo pipefail
cd "$(dirname "$0")/../.."

toolchain=${TOOLCHAIN:-nightly}
rustup component list --toolchain "$toolchain" --installed | grep -q '^miri' ||
    rustup component add --toolchain "$toolchain" miri rust-src
export CARGO_TARGET_DIR=$PWD/target/miri
flags='-Zmiri-tree-borrows -Zmiri-ignore-leaks'

miri() {
    echo "=== cargo miri test $*"
    MIRIFLAGS=$flags cargo "+$toolchain" miri test --locked "$@"
}

miri -p bulla --lib -- format::geometry:: error::
miri -p bulla-archive --lib
miri -p bulla-key --lib -- locator:: key_text:: --skip any_
# Look for data races and lost wake-ups. Each seed gives a different schedule.
flags+=" -Zmiri-many-seeds=0..${SEEDS:-4}"
miri -p bulla --lib -- parallel::
