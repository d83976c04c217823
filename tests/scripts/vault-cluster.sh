#!/bin/bash
# Tests the vault across several data centres: five etcd members, three servers, and evaluators with their keys in SoftHSM2.
#
# usage: tests/scripts/vault-cluster.sh [--load | TEST...]
#
# With --load, runs the load test instead. TEST filters the tests by name, as in `cargo test`. Requires etcd (Debian: etcd-server)
# and SoftHSM2 (Debian: softhsm2), and fails if either is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "vault-cluster: $*" >&2; exit 1; }

BULLA_ETCD=${BULLA_ETCD:-$(command -v etcd)} || fail "etcd not found; install it with apt-get install etcd-server"
command -v softhsm2-util > /dev/null || fail "SoftHSM2 not found; install it with apt-get install softhsm2"
BULLA_PKCS11_MODULE=${BULLA_PKCS11_MODULE:-$(dpkg -L libsofthsm2 | grep -m1 '/libsofthsm2\.so$')} || fail "libsofthsm2.so not found; set BULLA_PKCS11_MODULE to its path"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$work/tokens" > "$work/softhsm2.conf"
(umask 077; echo 123456 > "$work/pin")
export BULLA_ETCD BULLA_PKCS11_MODULE SOFTHSM2_CONF="$work/softhsm2.conf" BULLA_PKCS11_PIN_FILE="$work/pin"
export BULLA_PKCS11_TOKEN=vault BULLA_PKCS11_FRESH_TOKEN=fresh BULLA_PKCS11_IMPORT_TOKEN=import
for token in "$BULLA_PKCS11_TOKEN" "$BULLA_PKCS11_FRESH_TOKEN" "$BULLA_PKCS11_IMPORT_TOKEN"; do
    softhsm2-util --init-token --free --label "$token" --so-pin 12345678 --pin 123456 > /dev/null
done

# Select tests from the whole workspace, to reuse the build of `cargo test --workspace`, which includes the server.
directory=debug tests=(test --locked --workspace --test keys --test cluster)
# Run the tests one at a time, because each test starts a cluster.
arguments=(--ignored --nocapture --test-threads 1 "$@")
if [ "${1:-}" = --load ]; then
    directory=release tests=(test --release --locked -p bulla-vaultd --test load)
    arguments=(--ignored --nocapture several_data_centres)
fi
cargo "${tests[@]}" --no-run
"${CARGO_TARGET_DIR:-target}/$directory/bulla-vaultd" init --hsm "pkcs11:$BULLA_PKCS11_MODULE?token=$BULLA_PKCS11_TOKEN" --pin-file "$work/pin"
cargo "${tests[@]}" -- "${arguments[@]}"
