#!/bin/sh
# Renders recovery sheets to images, scans their QR codes, and opens containers with the scanned keys.
#
# usage: tests/scripts/sheet.sh path/to/bulla
#
# Requires rsvg-convert (Debian: librsvg2-bin) and zbarimg (Debian: zbar-tools). Fails if either is missing, because a skipped
# check must not count as passed.
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
            # Test the resolutions of a fax and of an office printer.
            for dpi in 100 300; do
                rsvg-convert -d $dpi -p $dpi $sheet.svg -o $sheet.png
                zbarimg -q --raw --nodbus $sheet.png >scanned || fail "no QR code found in $sheet.svg at $dpi dpi"
                # The scanned text is a valid key file.
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

echo "sheet: passed"
