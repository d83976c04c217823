#!/usr/bin/env bash
# Checks that the comparison with other libraries and commands works, without measuring. Builds 140 additional crates.
#
# usage: tests/scripts/peers.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo clippy --locked -p bulla-benches --all-targets --features libraries -- -D warnings
cargo build --locked -p bulla-cli
cargo build --locked -p bulla-benches --features libraries --bin report
tests/scripts/report.sh "${CARGO_TARGET_DIR:-target}/debug/report"
