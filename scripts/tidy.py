#!/usr/bin/env python3
"""Run clang-tidy on every source of the library and the commands; print what it finds and exit 1 if anything.

A file that passed is remembered by what the compiler sees of it (all headers included), so a second run looks
only at what changed.
Usage: python3 scripts/tidy.py [BUILD_DIR]
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def compiled(build):
    """Each source once, with the command that compiles it."""
    entries = json.loads((build / "compile_commands.json").read_text())
    ours = {e["file"]: e for e in entries if e["file"].startswith((f"{ROOT}/libdcmpipe/", f"{ROOT}/apps/"))}
    return sorted(ours.values(), key=lambda entry: entry["file"])


def what_is_compiled(entry):
    """A digest of the file after its preprocessor, and of the rules it is held to."""
    words = shlex.split(entry["command"])
    words = words[words[0].endswith("ccache"):]
    del words[words.index("-o"):words.index("-o") + 2]
    text = subprocess.run([*words, "-E", "-P"], cwd=entry["directory"], capture_output=True, check=True).stdout
    return hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + entry["file"].encode() + text).hexdigest()


def tidy(entry, build, passed):
    stamp = passed / what_is_compiled(entry)
    if stamp.exists():
        return ""
    run = subprocess.run(["clang-tidy", "-p", build, "--quiet", entry["file"]], capture_output=True, text=True)
    if run.returncode == 0 and not run.stdout:
        stamp.touch()
        return ""
    return run.stdout or run.stderr


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
    passed = build / "tidy"
    passed.mkdir(exist_ok=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda entry: tidy(entry, build, passed), compiled(build)):
            bad += bool(found)
            sys.stdout.write(found)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
