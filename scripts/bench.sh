#!/bin/sh
# Run every benchmark of tests/bench in turn, or those named, and hold their figures against those of the last run.
# Usage: sh scripts/bench.sh BUILD [NAME...]      sh scripts/bench.sh build anon startup
# Options are environment variables: see tests/bench/figures.py. What must be installed: setup.sh bench test.
set -eu
cd "$(dirname "$0")/.."
build=$(realpath "$1")
shift
export DPIPE_BUILD="$build" PYTHONPATH=tests/bench BENCH_JSON="${BENCH_JSON:-$build/bench.jsonl}"

[ ! -e "$BENCH_JSON" ] || mv "$BENCH_JSON" "$BENCH_JSON.last"
echo "$(lscpu | sed -n 's/^Model name: *//p'), $(nproc) cores, Linux $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
if [ $# -eq 0 ]; then
    python3 tests/bench/walk_cost.py "$build"
    for script in tests/bench/*_bench.py; do
        name=${script##*/}
        set -- "$@" "${name%_bench.py}"
    done
fi
for name in "$@"; do
    /usr/bin/python3 -B "tests/bench/${name}_bench.py"
done
if [ -e "$BENCH_JSON.last" ]; then
    echo
    echo "beside the last run:"
    scripts/bench-compare "$BENCH_JSON.last" "$BENCH_JSON" || echo "some figures got worse"
fi
