#!/usr/bin/env bash
# Builds a crate outside the workspace against the packages as they would be published, and runs all oracles and a benchmark.
#
# usage: tests/scripts/downstream.sh [--bench]
#
# Without --bench, the benchmark runs only once, without measuring. Builds in target/downstream.
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=${1:---test}
packages=(bulla bulla-archive bulla-key bulla-vault bulla-testkit)
cargo package --locked --no-verify --allow-dirty "${packages[@]/#/-p}"
version=$(cargo pkgid -p bulla | sed 's/.*[#@]//')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r tests/downstream "$work/downstream"
# Use the same versions of all other dependencies as the workspace.
cp Cargo.lock "$work/downstream"
printf '\n# Uses the local packages instead of the registry.\n[patch.crates-io]\n' >> "$work/downstream/Cargo.toml"
for package in "${packages[@]}"; do
    tar xzf "target/package/$package-$version.crate" -C "$work"
    printf '%s = { path = "../%s-%s" }\n' "$package" "$package" "$version" >> "$work/downstream/Cargo.toml"
done

target=$PWD/target/downstream
cd "$work/downstream"
export CARGO_TARGET_DIR=$target
cargo test --tests -- --nocapture
if [ "$mode" = --bench ]; then cargo bench; else cargo test --benches; fi
echo "downstream: built from $(cd "$work" && echo bulla*-"$version" | xargs), all oracles passed"
