#!/usr/bin/env bash
# A crate outside of this repository, built from the packages as they would be published: it runs all oracles, and a bench.
#
#   tests/scripts/depender.sh [--bench]
#
# With --bench the bench is measured, else it is run once. It builds in target/depender.
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=${1:---test}
packages=(bulla bulla-archive bulla-key bulla-vault bulla-testkit)
cargo package --locked --no-verify --allow-dirty "${packages[@]/#/-p}"
version=$(cargo pkgid -p bulla | sed 's/.*[#@]//')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r tests/depender "$work/depender"
# The same versions of everything else as here, so that what was tested is what was built.
cp Cargo.lock "$work/depender"
printf '\n# In place of the registry: the packages.\n[patch.crates-io]\n' >> "$work/depender/Cargo.toml"
for package in "${packages[@]}"; do
    tar xzf "target/package/$package-$version.crate" -C "$work"
    printf '%s = { path = "../%s-%s" }\n' "$package" "$package" "$version" >> "$work/depender/Cargo.toml"
done

target=$PWD/target/depender
cd "$work/depender"
export CARGO_TARGET_DIR=$target
cargo test --tests -- --nocapture
if [ "$mode" = --bench ]; then cargo bench; else cargo test --benches; fi
echo "depender: built from $(cd "$work" && echo bulla*-"$version" | xargs), all oracles hold"
