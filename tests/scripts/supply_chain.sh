#!/usr/bin/env bash
# Checks the licences and sources of all dependencies, builds with the minimum supported versions of the compiler and of the
# dependencies, and compares the public API with the last tag.
#
# usage: tests/scripts/supply_chain.sh
#
# Does not check advisories, because they require a database. To check them, run `cargo deny check advisories`.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=(-p bulla -p bulla-archive -p bulla-key -p bulla-vault -p bulla-cli)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Work in a separate clone, where Cargo.lock may be changed.
git clone -q --local . "$work/bulla"
export CARGO_TARGET_DIR=$PWD/target/supply CARGO_INCREMENTAL=0

echo "=== licences, bans, sources"
cargo deny --version > /dev/null 2>&1 || cargo install --locked cargo-deny
cargo deny check bans licenses sources

cd "$work/bulla"
oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
echo "=== Rust $oldest"
rustup toolchain list | grep -q "^$oldest" || rustup toolchain install "$oldest" --profile minimal
cargo "+$oldest" check --locked "${packages[@]}"

# Leave out the benchmarks and black-box tests, which are not published.
echo "=== minimum versions of dependencies"
sed -i 's|^members = .*|members = ["crates/*"]|' Cargo.toml
rm Cargo.lock
cargo +nightly update -q -Z direct-minimal-versions
cargo check --workspace --all-targets
cargo test -q -p bulla --lib
git checkout -q .

tag=$(git describe --tags --abbrev=0 2> /dev/null || true)
echo "=== public API against ${tag:-the last tag: none yet}"
if [ -n "$tag" ]; then
    cargo semver-checks --version > /dev/null 2>&1 || cargo install --locked cargo-semver-checks
    cargo semver-checks --baseline-rev "$tag" -p bulla -p bulla-archive -p bulla-key -p bulla-vault
fi
