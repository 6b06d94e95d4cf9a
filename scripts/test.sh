#!/bin/sh
# Set up what is missing, build, and run all tests.
# Usage: sh scripts/test.sh
set -eu
cd "$(dirname "$0")/.."

sh scripts/setup.sh build demo test
make build
ctest --test-dir build --output-on-failure -j2
