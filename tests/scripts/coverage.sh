#!/usr/bin/env bash
# Measures line coverage for each crate. Fails if the coverage of the core or the archives is below 95%.
#
# usage: tests/scripts/coverage.sh [--lines]
#
# With --lines, also lists the lines that no test covers. Builds in target/llvm-cov-target.
set -euo pipefail
cd "$(dirname "$0")/../.."

rustup component list --installed | grep -q '^llvm-tools' || rustup component add llvm-tools
cargo llvm-cov --version > /dev/null 2>&1 || cargo install --locked cargo-llvm-cov
export CARGO_INCREMENTAL=0

report=$(mktemp)
trap 'rm -f "$report"' EXIT
# Some tests kill the command, which leaves incomplete profiles behind.
cargo llvm-cov --locked --workspace --exclude bulla-benches --failure-mode all --json --output-path "$report" > /dev/null

python3 - "$report" "${1:-}" << 'PYTHON'
import json, re, sys

totals, untested = {}, []
for file in json.load(open(sys.argv[1]))["data"][0]["files"]:
    crate = re.search(r"crates/([\w-]+)/src/(.*)", file["filename"])
    if crate is None or file["filename"].endswith("/tests.rs"):
        continue
    lines = file["summary"]["lines"]
    count, covered = totals.get(crate[1], (0, 0))
    totals[crate[1]] = count + lines["count"], covered + lines["covered"]
    missed = sorted({segment[0] for segment in file["segments"] if segment[3] and segment[4] and segment[2] == 0})
    if missed:
        untested.append(f"{crate[1]}/{crate[2]}: {' '.join(map(str, missed))}")
if sys.argv[2] == "--lines":
    print("\n".join(untested))
failed = False
for crate, (count, covered) in sorted(totals.items()):
    share = 100 * covered / count
    low = crate in ("bulla", "bulla-archive") and share < 95
    failed |= low
    print(f"{crate:14} {share:5.1f}% of {count} lines{'  FAILED: below 95%' if low else ''}")
sys.exit(failed)
PYTHON
