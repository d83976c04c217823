#!/usr/bin/env bash
# Changes what everything rests on, one operator or one returned value at a time, and sees that a test notices each change.
#
#   tests/scripts/mutants.sh [core|archive|key]...
#
# It works on copies, JOBS of them at once (as many as there are cores). What was missed is in target/mutants/*/mutants.out/missed.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo mutants --version > /dev/null 2>&1 || cargo install --locked cargo-mutants
# What is built 600 times and run for seconds is not worth optimizing.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=0

# mutants NAME PACKAGE FILES -- TESTS: first with the package's own tests, which are built fast; what those miss, with the black-box tests.
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
archive() { mutants archive bulla-archive block trailer way_in entry entries record -- --test archive_vectors --test archive_differential; }
key() { mutants key bulla-key envelope slot slots -- --test vectors; }

[ $# -gt 0 ] || set -- core archive key
for part in "$@"; do "$part"; done
