#!/bin/sh
# A recovery sheet, as paper would have it: rendered to a picture, and scanned.
#
#   tests/scripts/sheet.sh path/to/bulla
#
# It needs rsvg-convert (Debian: librsvg2-bin) and zbarimg (zbar-tools). If they are missing, it fails: a check that was skipped
# is no check that passed.
set -eu

bulla=$(realpath "${1:?usage: sheet.sh path/to/bulla}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "sheet: $*" >&2
    exit 1
}

for tool in rsvg-convert zbarimg; do
    command -v "$tool" >/dev/null || fail "$tool is missing"
done

head -c 1000 /dev/urandom >plain
for paper in a4 letter; do
    for number in 1 2 3; do
        "$bulla" keygen -q -o key --sheet new.svg --paper $paper
        "$bulla" seal -q -k key plain -o sealed.bulla
        "$bulla" sheet -q -k key -o sealed.svg --paper $paper --container sealed.bulla
        for sheet in new sealed; do
            # As coarse as a fax, and as fine as an office printer.
            for dpi in 100 300; do
                rsvg-convert -d $dpi -p $dpi $sheet.svg -o $sheet.png
                zbarimg -q --raw --nodbus $sheet.png >scanned || fail "no code is found in $sheet.svg at $dpi dpi"
                # What was scanned is a key file as it is.
                chmod 600 scanned
                "$bulla" open -q -k scanned sealed.bulla -o opened
                cmp plain opened
                rm opened scanned
            done
        done
        rm key new.svg sealed.svg sealed.bulla
    done
    echo "ok: $paper"
done

echo "sheet: all as it should be"
