#!/usr/bin/env bash
# Exchanges containers between the command and the independent implementation: each opens what the other sealed.
# usage: exchange.sh BULLA PYTHON
set -euo pipefail
bulla=$(realpath "$1")
# Not resolved further: a virtual environment is known by the name that its interpreter is called by.
python=$(realpath -s "$2")
other="$python $(realpath "$(dirname "$0")/../independent/bulla.py")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$bulla" keygen -o key 2> /dev/null

exchanged=0
for size in 0 1 4095 4096 4097 65535 65536 65537 1048576 3000001; do
    head -c "$size" /dev/urandom > plain
    for chunk in 4K 64K 1M; do
        "$bulla" seal -q -k key --chunk-size "$chunk" plain -o ours --force
        $other open key < ours | cmp - plain
        "$bulla" seal -q -k key --chunk-size "$chunk" < plain | $other open key | cmp - plain
        exchanged=$((exchanged + 2))
    done
    for log2 in 12 16 20; do
        $other seal key --chunk-log2 "$log2" < plain > theirs
        "$bulla" open -q -k key theirs -o opened --force
        cmp opened plain
        "$bulla" open -q -k key < theirs | cmp - plain
        "$bulla" verify -q -k key theirs
        exchanged=$((exchanged + 2))
    done
    $other seal key --envelope 0123456789abcdef < plain | "$bulla" open -q -k key | cmp - plain
    exchanged=$((exchanged + 1))
done
echo "$exchanged containers exchanged"
