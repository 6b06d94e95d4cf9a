#!/usr/bin/env python3
"""What the walk of the element index costs: instructions an element (callgrind), guarded by a stored figure; and
the CPU time of opening and walking files beside dcmdump and pydicom doing as much, in the same run.

Usage: walk_cost.py BUILD_DIR [--store]      exit 1 where the walk costs more than the stored figure allows
"""

import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FIGURE = HERE / "walk_cost.json"
PYTHON = "/usr/bin/python3"  # Debian's: pydicom belongs to it
PYDICOM = "import sys, pydicom\nfor name in sys.argv[1:]:\n    sum(1 for _ in pydicom.dcmread(name, force=True).iterall())"


def studies(build, folder, scale):
    subprocess.run([build / "tests" / "make-studies", folder, "--seed", "1", "--scale", scale], check=True,
                   stdout=subprocess.DEVNULL)
    return sorted(folder.rglob("*.dcm"))


def instructions(build, files, rounds):
    """Instructions of the whole program, and the elements of one round."""
    with tempfile.NamedTemporaryFile() as out:
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", build / "tests" / "walk-files",
             str(rounds), *files], capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1)), int(run.stdout)


def cpu_seconds(argv, rounds=3):
    """The least user and system time of a few runs."""
    least = float("inf")
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        least = min(least, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return least


def guard(build, files, store):
    """One round less than five, so that what a process costs once is not counted."""
    short, elements = instructions(build, files, 1)
    long, _ = instructions(build, files, 5)
    cost = (long - short) / 4 / elements
    stored = json.loads(FIGURE.read_text())
    if store:
        FIGURE.write_text(json.dumps({**stored, "instructions_an_element": round(cost, 1)}, indent=2) + "\n")
        return True
    limit = stored["instructions_an_element"] * (1 + stored["tolerance"])
    print(f"walk: {cost:.1f} instructions an element over {elements} elements of {len(files)} files"
          f" (stored {stored['instructions_an_element']}, at most {limit:.1f})")
    if cost < stored["instructions_an_element"] * (1 - stored["tolerance"]):
        print("walk: cheaper than stored: `walk_cost.py BUILD_DIR --store` keeps the gain")
    return cost <= limit


def compare(build, files):
    ours = cpu_seconds([build / "tests" / "walk-files", "1", *files])
    print(f"walk: {len(files)} files in {ours:.3f} s of CPU time")
    peers = {"dcmdump": ["dcmdump", "-q", *files], "pydicom": [PYTHON, "-c", PYDICOM, *files]}
    for name, argv in peers.items():
        if shutil.which(argv[0]):
            theirs = cpu_seconds(argv)
            print(f"walk: {name} {theirs:.3f} s, {theirs / ours:.1f} times as much")
        else:
            print(f"walk: SKIPPED {name}: not installed")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        held = guard(build, studies(build, scratch / "small", "small"), "--store" in sys.argv)
        slices = [path for path in studies(build, scratch / "demo", "demo") if path.parent.name in ("ct", "mr")]
        compare(build, slices)  # the odd ones not every reader takes
    if not held:
        print("walk: error: it costs more than it did", file=sys.stderr)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
