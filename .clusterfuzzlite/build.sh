#!/bin/bash -eu
# Builds every fuzz target with its seed corpus, dictionary and limits, for OSS-Fuzz and
# ClusterFuzzLite.
cd "$SRC/bulla"
cargo fuzz build -O --debug-assertions

for source in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    cp "fuzz/target/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    zip -jq "$OUT/${target}_seed_corpus.zip" "fuzz/seeds/$target/"* "fuzz/regressions/$target/"*
    cp fuzz/bulla.dict "$OUT/$target.dict"
    # These are the same limits as in fuzz/run.
    printf '[libfuzzer]\nmalloc_limit_mb = 64\nrss_limit_mb = 2048\ntimeout = 10\n' > "$OUT/$target.options"
done
