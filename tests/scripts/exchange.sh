#!/usr/bin/env bash
# Exchanges containers and archives between the command and the independent implementation. Each opens what the other has sealed.
#
# usage: tests/scripts/exchange.sh path/to/bulla path/to/python
set -euo pipefail
bulla=$(realpath "$1")
# Do not resolve symbolic links, because an interpreter finds its virtual environment by the path that it is called with.
python=$(realpath -s "$2")
independent=$(realpath "$(dirname "$0")/../independent")
other="$python $independent/bulla.py"
archives="$python $independent/archive.py"
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
    # This envelope is not a key envelope. The container opens with a warning and exit code 6.
    $other seal key --envelope 0123456789abcdef < plain > theirs
    status=0
    "$bulla" open -q -k key < theirs > opened 2> warned || status=$?
    [ "$status" = 6 ]
    grep -q 'warning: not a key envelope' warned
    cmp opened plain
    exchanged=$((exchanged + 1))
done
echo "$exchanged containers exchanged"

# A tree that contains everything an archive can store.
mkdir -p tree/empty tree/deep/er/still 'tree/na me'
printf 'x' > "tree/na me/$(printf 'new\nline')"
printf 'y' > "tree/na me/$(printf 'no utf-8: \377')"
printf 'z' > 'tree/na me/../-rf'
for size in 0 1 65535 65536 1000003; do head -c "$size" /dev/urandom > "tree/deep/$size"; done
ln -s ../deep/1 tree/empty-not
ln -s /nowhere/at/all tree/deep/dangling
chmod 600 tree/deep/1
chmod 750 tree/deep/er
touch -d '1969-12-31 23:59:58.123456789 UTC' tree/deep/0
touch -d '2001-02-03 04:05:06.000000001 UTC' tree/deep tree/empty

# Prints the type, mode, mtime and target of everything in a directory. Symbolic links have no mode.
facts() { (cd "$1" && find . \( -type l -printf '%P %y %T@ %l\n' -o -printf '%P %y %m %T@\n' \) | sort); }
same() {
    diff -r --no-dereference tree "$1"
    cmp <(facts tree) <(facts "$1")
}
# Lists an archive with the command, in the format of the independent implementation.
listed() {
    "$bulla" list --json -k key "$1" | $python -c '
import json, sys
for entry in map(json.loads, sys.stdin):
    name = bytes.fromhex(entry.get("name_hex", "")) or entry["name"].encode()
    kind = entry["kind"].replace("symlink", "link")
    sys.stdout.buffer.write(b"%s 0 %d %s\n" % (kind.encode(), entry["len"], name))'
}
# Checks that both implementations read every file correctly.
contents() {
    find tree -type f -print0 | while IFS= read -r -d '' name; do
        "$bulla" cat -k key "$1" "$name" | cmp - "$name"
        $archives cat key "$name" < "$1" | cmp - "$name"
    done
}
both_read() {
    "$bulla" verify -q -k key "$1"
    [ "$($archives verify key < "$1")" = "$(find tree -printf . | wc -c) entries" ]
    cmp <(listed "$1") <($archives list key < "$1")
    contents "$1"
    rm -rf restored extracted
    "$bulla" restore -q -k key -C restored "$1"
    same restored/tree
    $archives extract key extracted < "$1"
    same extracted/tree
    exchanged=$((exchanged + 1))
}

exchanged=0
"$bulla" backup -q -k key ours.bulla tree
both_read ours.bulla
"$bulla" backup -q -k key --pad padded.bulla tree
both_read padded.bulla
"$bulla" backup -q -k key - tree > piped.bulla
both_read piped.bulla
for log2 in 12 16 20; do
    $archives create key --chunk-log2 "$log2" tree > theirs.bulla
    both_read theirs.bulla
done
echo "$exchanged archives exchanged"
