#!/usr/bin/env bash
# Runs the pipeline tests under ThreadSanitizer: sealing, opening, streams, ranges, cancellation, and reporting the first error.
#
# usage: tests/scripts/tsan.sh
#
# The standard library is instrumented too, because otherwise its locks would be reported as races.
set -euo pipefail
cd "$(dirname "$0")/../.."

toolchain=${TOOLCHAIN:-nightly}
rustup component list --toolchain "$toolchain" --installed | grep -q '^rust-src' ||
    rustup component add --toolchain "$toolchain" rust-src
host=$(rustc "+$toolchain" -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=$PWD/target/tsan
export RUSTFLAGS=-Zsanitizer=thread TSAN_OPTIONS=halt_on_error=1

cargo "+$toolchain" test --locked -Zbuild-std --target "$host" -p bulla --lib
cargo "+$toolchain" test --locked -Zbuild-std --target "$host" -p bulla-tests --test streams --test files --test faulty_io
