#!/bin/sh
# Put the options that each command prints into its page. tests/cli/docs_test.py fails where one drifts.
# Usage: sh scripts/update-pages.sh [BUILD_DIR]
set -eu
cd "$(dirname "$0")/.."
bin=${1:-build}/bin

for page in docs/commands/dpipe-*.md; do
    command=$(basename "$page" .md)
    "$bin/$command" --options-block >"$page.options"
    awk -v options="$page.options" '
        /^```text$/ { print; while ((getline line < options) > 0) print line; inside = 1; next }
        /^```$/     { inside = 0 }
        !inside     { print }
    ' "$page" >"$page.new"
    rm "$page.options"
    mv "$page.new" "$page"
done
