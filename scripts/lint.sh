#!/bin/sh
# Everything that reads the sources without running them: format, layers, scripts, clang-tidy.
# Usage: sh scripts/lint.sh [BUILD_DIR]
# It needs the headers that a build makes: `make lint` sees to them.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}

failed=
check() {
    name=$1
    shift
    if "$@"; then
        echo "lint: $name: ok"
    else
        echo "lint: $name: FAILED"
        failed="$failed $name"
    fi
}

# What is there to be committed, too: a new file is looked at before git knows it.
files() { git ls-files --cached --others --exclude-standard -- "$@"; }

format() { files '*.cpp' '*.hpp' | xargs clang-format --dry-run --Werror; }
scripts() { { files '*.sh' && echo .ci/run; } | xargs shellcheck; }
python() {
    # Compiled in memory: no cache is left beside the sources.
    files '*.py' | xargs python3 -c 'import sys
for name in sys.argv[1:]:
    compile(open(name, encoding="utf-8").read(), name, "exec")'
}

check format format
check layers sh scripts/check-layers.sh
check shellcheck scripts
check python python
check clang-tidy python3 scripts/tidy.py "$build"
[ -z "$failed" ] || { echo "lint: error: failed:$failed" >&2 && exit 1; }
