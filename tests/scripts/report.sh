#!/usr/bin/env bash
# A report works, with whatever it can compare. It measures nothing here.
#
#   tests/scripts/report.sh path/to/report
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" --quick --out "$work/out" --directory "$work"
[ -s "$work/out/report.md" ] && [ -s "$work/out/comparison.csv" ]
