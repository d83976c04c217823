#!/bin/sh
# Runs `bulla` on a full disk. It has to fail with an error message and leave no files behind.
#
# usage: tests/scripts/enospc.sh path/to/bulla
#
# Mounts a 64 KiB file system, which requires root. Fails if it cannot be mounted, because a skipped check must not count as
# passed.
set -eu

bulla=$(realpath "${1:?usage: enospc.sh path/to/bulla}")
work=$(mktemp -d)
small=$work/small
mkdir "$small"
trap 'umount "$small" 2>/dev/null || true; rm -rf "$work"' EXIT

fail() {
    echo "enospc: $*" >&2
    exit 1
}

mount -t tmpfs -o size=64k,nr_inodes=16 tmpfs "$small" || fail "cannot mount a tmpfs; run this as root"
cd "$work"

# Checks that the command reports a lack of space and leaves the small disk unchanged.
fails() {
    before=$(ls -A "$small")
    code=0
    "$bulla" "$@" 2>message >/dev/null || code=$?
    [ "$code" = 1 ] || fail "exit $code instead of 1: bulla $*: $(cat message)"
    grep -q 'no space left on device' message || fail "unexpected message: $(cat message)"
    [ "$(ls -A "$small")" = "$before" ] || fail "left behind by bulla $*: $(ls -A "$small")"
    echo "ok: bulla $*"
}

head -c 1000000 /dev/urandom >plain
"$bulla" keygen -q -o key
"$bulla" seal -q -k key plain

fails seal -k key plain -o small/c
fails seal --threads 1 -k key plain -o small/c
fails seal --no-sync -k key plain -o small/c
fails seal --new-key new plain -o small/c
[ ! -e new ] || fail "the new key file was not removed"
cat plain | fails seal -k key - -o small/c
fails open -k key plain.bulla -o small/plain
fails open --threads 1 -k key plain.bulla -o small/plain
fails open -k key - -o small/plain <plain.bulla

# A file that the command failed to replace is intact.
head -c 1000 plain >small/there
fails seal -k key plain -o small/there --force
fails open -k key plain.bulla -o small/there --force
head -c 1000 plain | cmp - small/there || fail "the old file was changed"

# If the shell redirects output to a file, the command restores the file's old content.
code=0
"$bulla" open -k key plain.bulla -o - 2>message >>small/there || code=$?
[ "$code" = 1 ] || fail "exit $code instead of 1 for a redirection"
head -c 1000 plain | cmp - small/there || fail "the redirected file was changed"
echo "ok: redirection"

# There is no space at all, not even for a key.
head -c 65536 /dev/zero >small/filler 2>/dev/null || true
fails keygen -o small/key
fails seal --new-key small/key plain -o c
[ ! -e c ] || fail "a container without its key was left behind"
fails sheet -k key -o small/sheet
fails keygen -o new --sheet small/sheet
[ ! -e new ] || fail "a key without its sheet was left behind"

echo "enospc: passed"
