"""What leaves: dpipe-dicomdir beside dcmmkdir and cp, in turn, over the same made-up trees.

    make bench-out                      4,000 small instances, and a tenth of them to see whether cost is linear
    make bench-out BENCH_SCALE=5        the size that the target is told for: 20,000

BENCH_DIR, BENCH_RUNS and BENCH_JSON are as in anon_bench.py. dcmmkdir reads media that is copied already and is spared
`+I`, with which its time grows with the square; dpipe-dicomdir copies as well.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from anon_bench import BIN, HERE, RUNS, SCALE, timed


def middle(runs):
    return {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "rss_mb")}


def compare(contenders, reference):
    """Runs each in turn, RUNS times; contenders: {name: (words, what stands in the way of the next run)}."""
    results = {name: [] for name in contenders}
    for _ in range(RUNS):
        for name, (words, way) in contenders.items():
            run = timed(words, way)
            if run["code"] != 0:
                sys.exit(f"{name} ended with {run['code']}: {' '.join(map(str, words))}")
            results[name].append(run)
    figures = {name: middle(runs) for name, runs in results.items()}
    print(f"{'':24} {'wall s':>8} {'ratio':>7} {'cpu s':>8} {'ratio':>7} {'RSS MB':>7}   load {os.getloadavg()[0]:.1f}")
    for name, figure in figures.items():
        ratios = {key: figure[key] / figures[reference][key] for key in ("wall", "cpu")}
        print(f"{name:24} {figure['wall']:8.2f} {ratios['wall']:7.2f} {figure['cpu']:8.2f} {ratios['cpu']:7.2f} "
              f"{figure['rss_mb']:7.0f}")
        if "BENCH_JSON" in os.environ:
            with open(os.environ["BENCH_JSON"], "a", encoding="utf-8") as file:
                file.write(json.dumps({"bench": f"out/{name}", "beside": reference,
                                       **{f"{key}_ratio": round(value, 3) for key, value in ratios.items()},
                                       **{key: round(value, 4) for key, value in figure.items()}}) + "\n")
    return figures


def corpus(kind, folder, count):
    subprocess.run([sys.executable, "-B", HERE / "corpus.py", kind, folder, str(count)], check=True)
    return folder


def dicomdir(folder):
    count = round(4000 * SCALE)
    tree, tenth = corpus("small", folder / "tree", count), corpus("small", folder / "tenth", count // 10)
    media, theirs, out = folder / "media", folder / "THEIRS", folder / "out"
    subprocess.run([BIN / "dpipe-dicomdir", "-q", "-o", media, tree], check=True, stdout=subprocess.DEVNULL)
    ours = [BIN / "dpipe-dicomdir", "-q", "-o", out]
    print(f"\nDICOMDIR of {count} instances")
    figures = compare({
        "dcmmkdir": (["dcmmkdir", "-q", "-nb", "-Pgp", "+D", theirs, "+id", media, "+r",
                      *sorted(p.name for p in media.iterdir() if p.is_dir())], out),
        "cp -r": (["cp", "-r", tree, out], out),
        "dpipe-dicomdir": ([*ours, tree], out),
        "dpipe-dicomdir -j 1": ([*ours, "-j", "1", tree], out),
        "a tenth of it": ([*ours, "-j", "1", tenth], out)}, "dcmmkdir")
    print(f"ten times the instances take {figures['dpipe-dicomdir -j 1']['cpu'] / figures['a tenth of it']['cpu']:.1f} "
          "times the processor time")


def main():
    parent = os.environ.get("BENCH_DIR", "/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    for what in (dicomdir,):
        with tempfile.TemporaryDirectory(prefix="dpipe-bench-", dir=parent) as folder:
            what(pathlib.Path(folder))


if __name__ == "__main__":
    main()
