#!/usr/bin/env bash
# Checks that the benchmark report works with the tools that are installed, without measuring.
#
# usage: tests/scripts/report.sh path/to/report
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" --quick --out "$work/out" --directory "$work"
[ -s "$work/out/report.md" ] && [ -s "$work/out/comparison.csv" ]
