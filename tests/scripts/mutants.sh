#!/usr/bin/env bash
# Runs mutation tests on the central modules. Each mutation of an operator or a return value has to make a test fail.
#
# usage: tests/scripts/mutants.sh [core|archive|key]...
#
# Works on JOBS copies in parallel (default: the number of cores). Undetected mutants are listed in
# target/mutants/*/mutants.out/missed.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo mutants --version > /dev/null 2>&1 || cargo install --locked cargo-mutants
# There are many builds but only short runs, so optimization does not pay off.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=0

# mutants NAME PACKAGE FILES -- TESTS: runs the package's own tests on each mutant, because they build quickly. The black-box tests
# run only on the mutants that remain undetected.
mutants() {
    local name=$1 package=$2 files=()
    shift 2
    while [ "$1" != -- ]; do files+=(--file "crates/$package/src/$1.rs"); shift; done
    shift
    local arguments=(--no-shuffle --timeout 120 --jobs "${JOBS:-$(nproc)}" --output "target/mutants/$name" "${files[@]}")
    mkdir -p "target/mutants/$name"
    echo "=== $name"
    cargo mutants "${arguments[@]}" -- --locked || [ $? = 2 ]
    cargo test --locked -q -p "$package" -p bulla-tests "$@"
    cargo mutants "${arguments[@]}" --iterate --baseline skip --test-package "$package,bulla-tests" -- --locked "$@"
}

core() { mutants core bulla format/geometry format/header format/schedule format/chunk -- --test vectors --test headers --test streams; }
archive() { mutants archive bulla-archive format/block format/trailer index_reader format/entry reader/entries format/record -- --test archive_vectors --test archive_differential; }
key() { mutants key bulla-key envelope/parse envelope/slot envelope/slots -- --test vectors; }

[ $# -gt 0 ] || set -- core archive key
for part in "$@"; do "$part"; done
