#!/usr/bin/env bash
# What comes from elsewhere, and what goes out: licences and sources of every crate, the oldest compiler and the oldest versions of
# dependencies that are promised, and the public API against the last tag.
#
#   tests/scripts/supply_chain.sh
#
# cargo-deny's advisories are not checked: they need its database, `cargo deny check advisories`.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=(-p bulla -p bulla-archive -p bulla-key -p bulla-vault -p bulla-cli)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# In a directory of its own, where Cargo.lock may be changed.
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

# Without the benches and the tests that are no package: they are published for nobody.
echo "=== the oldest versions of dependencies"
sed -i 's|^members = .*|members = ["crates/*"]|' Cargo.toml
rm Cargo.lock
cargo +nightly update -q -Z direct-minimal-versions
cargo check --workspace --all-targets
cargo test -q -p bulla --lib
git checkout -q .

tag=$(git describe --tags --abbrev=0 2> /dev/null || true)
echo "=== public API against ${tag:-a tag: there is none yet}"
if [ -n "$tag" ]; then
    cargo semver-checks --version > /dev/null 2>&1 || cargo install --locked cargo-semver-checks
    cargo semver-checks --baseline-rev "$tag" -p bulla -p bulla-archive -p bulla-key -p bulla-vault
fi
