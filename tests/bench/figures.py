"""What all benchmarks here share: contenders run in turn, medians, ratios to one of them in the same run, and a line of
JSON for each figure.

    BENCH_SCALE   factor of the sizes (1; 5 is about what the targets are told for)
    BENCH_RUNS    how often each contender runs (3); one that takes tens of times as long runs once
    PEERS=1       with the peers that are slow; those that are not installed are left out and named
    BENCH_DIR     where trees and results stand (/dev/shm: memory, so that no disk is measured)
    BENCH_JSON    the file that gets the lines (bench.jsonl in the build folder); scripts/bench-compare reads two
"""

import dataclasses
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("DPIPE_BUILD", HERE.parents[1] / "build")).resolve()
BIN = BUILD / "bin"
SCALE = float(os.environ.get("BENCH_SCALE") or 1)
RUNS = int(os.environ.get("BENCH_RUNS") or 3)
PEERS = os.environ.get("PEERS", "0") not in ("", "0")
JSON = pathlib.Path(os.environ.get("BENCH_JSON") or BUILD / "bench.jsonl")


@dataclasses.dataclass
class Contender:
    name: str
    words: object = None  # the command, or a function that prepares the run and gives it
    out: pathlib.Path = None  # what the run makes: removed before the next
    slow: bool = False  # runs with PEERS=1 only, and once
    needs: str = ""  # a program that must be installed
    target: float = None  # the most wall time beside the reference
    files: int = None  # how many *.dcm it must make
    work: object = None  # instead of a command: a function that runs several
    check: object = None  # a function that says after a run whether all is there


def scratch():
    place = os.environ.get("BENCH_DIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    return tempfile.TemporaryDirectory(prefix="dpipe-bench-", dir=place)


def corpus(kind, folder, count):
    """Made by another process: what this one once needed would count as theirs, whom it starts."""
    subprocess.run([sys.executable, "-B", HERE / "corpus.py", kind, folder, str(count)], check=True)
    return folder


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
    pathlib.Path(path).unlink(missing_ok=True)


def timed(words):
    """Wall time, processor time of the whole tree of processes, the memory of the first (by time(1), a small process:
    a child's peak begins with its parent's). Ends all where the command fails."""
    with tempfile.NamedTemporaryFile("r") as peak:
        start = time.perf_counter()
        process = subprocess.Popen(
            ["time", "-q", "-f", "%M", "-o", peak.name, *map(str, words)], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.stderr.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, words))} ended with {process.returncode}: {said.decode(errors='replace')}")
        return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss_mb": int(peak.read().split()[-1]) / 1024}


def worked(work):
    """As timed(), for what starts its own processes; their memory is not known."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "rss_mb": 0.0}


def run_once(bench, one):
    if one.out is not None:
        remove(one.out)
    if one.work:
        run = worked(one.work)
    else:
        run = timed(one.words() if callable(one.words) else one.words)
    if one.files is not None:
        made = sum(name.endswith(".dcm") for _, _, names in os.walk(one.out) for name in names)
        if made != one.files:
            sys.exit(f"{bench}: {one.name} made {made} of {one.files} files")
    if one.check and not one.check():
        sys.exit(f"{bench}: {one.name} did not bring everything")
    return run


def record(bench, who, **figures):
    """One line: which benchmark, whose figure, and the figures; times in s, sizes in MB, ratios without unit."""
    JSON.parent.mkdir(parents=True, exist_ok=True)
    line = {"bench": bench, "who": who, **figures, "scale": SCALE, "load": round(os.getloadavg()[0], 1)}
    with open(JSON, "a", encoding="utf-8") as file:
        file.write(json.dumps({key: round(value, 4) if isinstance(value, float) else value
                               for key, value in line.items() if value is not None}) + "\n")


def verdict(ratio, target):
    return "" if target is None else f"   {'met' if ratio <= target else 'MISSED'}: at most {target:g}"


def middle(runs):
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def compare(bench, title, contenders, reference):
    """Runs each in turn, RUNS times over; prints and records medians, and their ratios to the reference's."""
    chosen = []
    for one in contenders:
        if one.needs and not shutil.which(one.needs):
            print(f"{bench}: {one.name} is left out: {one.needs} is not installed")
        elif not one.slow or PEERS:
            chosen.append(one)
    if reference not in {one.name for one in chosen}:
        print(f"{bench} is left out: there is nothing to compare with")
        return {}
    results = {one.name: [] for one in chosen}
    for number in range(RUNS):
        for one in chosen:
            if not one.slow or number == 0:
                results[one.name].append(run_once(bench, one))
    for one in chosen:
        if one.out is not None:
            remove(one.out)
    figures = {name: middle(runs) for name, runs in results.items()}
    beside = figures[reference]
    print(f"\n{title}: {RUNS} runs in turn, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':26} {'wall s':>8} {'ratio':>7} {'cpu s':>8} {'ratio':>7} {'RSS MB':>7}")
    for one in chosen:
        figure = figures[one.name]
        wall, cpu = (figure[key] / beside[key] if beside[key] > 0 else float("nan") for key in ("wall", "cpu"))
        print(f"{one.name:26} {figure['wall']:8.3f} {wall:7.2f} {figure['cpu']:8.3f} {cpu:7.2f} {figure['rss_mb']:7.1f}"
              f"{verdict(wall, one.target)}")
        record(bench, one.name, beside=reference, **figure, wall_ratio=wall, cpu_ratio=cpu, target=one.target)
    return figures
