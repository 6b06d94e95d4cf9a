#!/bin/sh
# Run the fuzz harnesses of tests/fuzz, one after the other, from their seeds and what was found before.
# Usage: sh scripts/fuzz.sh BUILD_DIR [SECONDS [HARNESS...]]
# The corpus grows in BUILD_DIR/corpus. A finding ends its harness; its input lies in BUILD_DIR/findings, and goes
# into tests/fuzz/found/HARNESS and a unit test once it is understood. Exit 1 where there was one.
set -eu
cd "$(dirname "$0")/.."
build=$1
seconds=${2:-60}
shift
[ $# = 0 ] || shift

seeds=$(mktemp -d "${TMPDIR:-/tmp}/dpipe-seeds.XXXXXX")
trap 'rm -rf "$seeds"' EXIT
python3 tests/fuzz/seeds.py "$build/tests/make-studies" "$seeds"
[ $# -gt 0 ] || { cd "$seeds" && set -- * && cd "$OLDPWD"; }
mkdir -p "$build/findings"
bad=

# DCMTK loses memory over broken association requests, which is why each has a process of its own.
ASAN_OPTIONS="detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export ASAN_OPTIONS

# The timeout is by the wall clock: a niced run on a busy machine stands still for seconds now and then.
for harness in "$@"; do
    mkdir -p "$build/corpus/$harness" "tests/fuzz/found/$harness"
    echo "fuzz: $harness for $seconds s"
    "$build/tests/fuzz/fuzz-$harness" -max_total_time="$seconds" -max_len=16384 -timeout=60 -rss_limit_mb=1024 \
        -print_final_stats=1 -verbosity=0 -artifact_prefix="$build/findings/$harness-" \
        "$build/corpus/$harness" "$seeds/$harness" "tests/fuzz/found/$harness" || bad="$bad $harness"
    rmdir --ignore-fail-on-non-empty "tests/fuzz/found/$harness"
done
rmdir --ignore-fail-on-non-empty tests/fuzz/found
[ -z "$bad" ] || { echo "fuzz: error: findings of$bad in $build/findings" >&2 && exit 1; }
