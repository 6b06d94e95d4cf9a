#!/usr/bin/python3
"""dcmpipe-deid-bench: inject invented identities, run de-identifiers, score what they leave and what they lose.

    make bench-deid                                    # every tool that is installed
    python3 tests/deid/benchmark/bench.py --help       # PYTHONPATH=tests/support

Results stand below --work; nothing outside is touched. See docs/benchmark-deid.md.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

import answer_key
import dpipe
import tools
from inject import Injector
from score import Scorer


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seed", default="development", help="another word, other people and other files")
    words.add_argument("--people", type=int, default=20, help="how many patients")
    words.add_argument("--real", type=int, default=80, help="how many real files, where the machine has them")
    words.add_argument("--tools", default="", help="names, separated by commas; default: all that are installed")
    words.add_argument("--work", type=pathlib.Path, help="a folder for everything; default: one that is removed")
    options = words.parse_args()
    work = options.work or pathlib.Path(tempfile.mkdtemp(prefix="deid-bench-"))
    try:
        return bench(options, work)
    finally:
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)


def bench(options, work):
    source = work / "injected"
    source.mkdir(parents=True)
    key = Injector(source, options.seed, options.people, dpipe.REAL_DATA, options.real).run()
    key.save(work / "answers.db")
    loaded = answer_key.load(work / "answers.db")
    files = sorted(str(p.relative_to(source)) for p in source.rglob("*") if p.is_file())
    print(f"seed {options.seed}: {options.people} patients, {len(files)} files, "
          f"{sum(len(a) for _, _, a in loaded[0])} MIDI-B checks and {len(loaded[1])} more")
    chosen = [t for t in tools.ALL if not options.tools or t.name in options.tools.split(",")]
    good = True
    for make in chosen:
        if not make.available():
            print(f"\n{make.name}: not installed, left out")
            continue
        good = score(make(), work, source, files, loaded) and good
    return 0 if good else 1


def score(tool, work, source, files, loaded):
    out = work / tool.name.strip("()")
    start = time.monotonic()
    outputs = tool.run(source, files, out)
    seconds = time.monotonic() - start
    again = tool.again(source, files, out) if hasattr(tool, "again") else None
    restored = tool.restored(outputs, out) if hasattr(tool, "restored") else None
    tally = Scorer(loaded, source, outputs, tool.names_files).run(again, restored)
    (work / f"failures-{tool.name.strip('()')}.tsv").write_text("\n".join(tally.failures) + "\n")
    report(tool, tally, sum(1 for p in outputs.values() if p), len(files), seconds)
    leaked, _ = tally.rate({answer_key.LEAK})
    return not isinstance(tool, tools.Dpipe) or leaked == 0


def report(tool, tally, delivered, given, seconds):
    print(f"\n{tool.name}: {delivered} of {given} files delivered in {seconds:.1f} s")
    for action in answer_key.KIND:
        good, bad, blank = (part.get(action, 0) for part in (tally.good, tally.bad, tally.blank))
        if good + bad + blank:
            print(f"  {action:20} {answer_key.KIND[action]:10} {good:10.1f} right {bad:9.1f} wrong {blank:4} blank")
    midi = set(answer_key.CATEGORY)
    right = sum(n for a, n in tally.good.items() if a in midi)
    total = right + sum(n for part in (tally.bad, tally.blank) for a, n in part.items() if a in midi)
    print(f"  MIDI-B score  {percent(right, total)}   (its actions alone, as one number)")
    for title, kinds in (("leak rate", {answer_key.LEAK}), ("over-scrub", {answer_key.SCRUB}),
                         ("broken", {answer_key.BROKEN}), ("all checks wrong", set(answer_key.KIND.values()))):
        bad, total = tally.rate(kinds)
        print(f"  {title:17} {percent(bad, total)}   ({bad:.1f} of {total:.0f})")


def percent(part, whole):
    return f"{100 * part / whole:8.4f} %" if whole else "       -"


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
