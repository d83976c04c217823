#!/usr/bin/env bash
# Type-checks the core, the archives and the keys for Windows and Android, and the core for wasm32, which has no files. Also runs
# the tests of all three on 64-bit Arm under emulation.
#
# usage: tests/scripts/platforms.sh
#
# Requires the Debian packages clang, gcc-aarch64-linux-gnu, gcc-mingw-w64-x86-64 and qemu-user, and fails if one of them is
# missing. Installs the targets with rustup.
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in clang aarch64-linux-gnu-gcc x86_64-w64-mingw32-gcc qemu-aarch64; do
    command -v "$tool" > /dev/null || { echo "platforms: $tool is missing" >&2; exit 1; }
done
rustup --quiet target add x86_64-pc-windows-gnu aarch64-linux-android wasm32-unknown-unknown aarch64-unknown-linux-gnu
export CARGO_TARGET_DIR=$PWD/target/platforms CARGO_INCREMENTAL=0
packages=(-p bulla -p bulla-archive -p bulla-key)

check() {
    echo "=== cargo check $*"
    RUSTFLAGS='-D warnings' cargo check --locked "$@"
}

check "${packages[@]}" --target x86_64-pc-windows-gnu
# ring's C code includes libc headers. Any libc for 64-bit Arm will do, because nothing is linked.
CC_aarch64_linux_android=clang AR_aarch64_linux_android=ar CFLAGS_aarch64_linux_android='-isystem /usr/aarch64-linux-gnu/include' \
    check "${packages[@]}" --target aarch64-linux-android
# A browser build has to select a source of random numbers for ring.
CC_wasm32_unknown_unknown=clang check -p bulla --target wasm32-unknown-unknown --features ring/wasm32_unknown_unknown_js

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu'
# Leave out the exhaustive tests, which would take hours, and tests that inspect the memory of the process or count its calls.
echo "=== cargo test --target aarch64-unknown-linux-gnu"
cargo test --locked --target aarch64-unknown-linux-gnu "${packages[@]}" --lib --tests
cargo test --locked --target aarch64-unknown-linux-gnu -p bulla-tests --test vectors --test archive_vectors --test differential \
    --test archive_differential --test streams --test files --test headers --test faulty_io
