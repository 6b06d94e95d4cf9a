"""dpipe-send beside storescu and dcmsend, in turn, to the same storescp on this machine.

    make bench-send                    1,000 small instances and 200 CT slices; a few minutes
    make bench-send BENCH_RUNS=5

Stock storescu and dcmsend leave Nagle's algorithm on: beside delayed acknowledgements each message costs 40 ms. They
run so once; then, for a fair comparison, with TCP_NODELAY=1 in their environment and storescp's. BENCH_DIR is where
the instances stand (default /dev/shm). Printed are medians of wall time, the processor time of the sender, and the
ratio of wall times to dpipe-send's against the same storescp.
"""

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
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import tiny  # noqa: E402
from peers import Server, free_port  # noqa: E402

BIN = pathlib.Path(os.environ.get("DPIPE_BUILD", HERE.parents[1] / "build")).resolve() / "bin"
RUNS = int(os.environ.get("BENCH_RUNS", "3"))


def small(folder):
    for number in range(1000):
        tiny.write(folder / f"{number // 100}" / f"{number}.dcm", InstanceNumber=number + 1)


def slices(folder):
    for number in range(200):
        tiny.write(folder / f"{number}.dcm", InstanceNumber=number + 1, Rows=512, Columns=512,
                   PixelData=os.urandom(1024) * 512)


def ours(port, tree):
    with tempfile.TemporaryDirectory() as journal:
        yield [BIN / "dpipe-send", "-q", "--journal", pathlib.Path(journal) / "j.db", "--node", f"A@127.0.0.1:{port}",
               tree]


def storescu(port, tree):
    yield ["storescu", "+sd", "+r", "127.0.0.1", str(port), tree]


def dcmsend(port, tree):
    yield ["dcmsend", "+sd", "+r", "127.0.0.1", str(port), tree]


def cost(make, port, tree, env):
    """(wall time, processor time) of one run."""
    for words in make(port, tree):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([str(word) for word in words], check=True, env=env, stdout=subprocess.DEVNULL)
        wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name, tree, scratch, nagle):
    env = {**os.environ, **({} if nagle else {"TCP_NODELAY": "1"})}
    count = sum(1 for path in tree.rglob("*") if path.is_file())
    tools = {"dpipe-send": ours, "storescu": storescu, "dcmsend": dcmsend}
    costs = {tool: [] for tool in tools}
    for run in range(RUNS):
        for tool, make in tools.items():
            if nagle and run > 0 and make is not ours:
                continue  # a minute and a half each
            out = scratch / "out"
            out.mkdir()
            port = free_port()
            with Server(["storescp", "-od", out, port], port, scratch, env=env):
                costs[tool].append(cost(make, port, tree, env))
            arrived = sum(1 for _ in out.iterdir())
            shutil.rmtree(out)
            if arrived != count:
                sys.exit(f"{tool}: {arrived} of {count} arrived")
    medians = {tool: [statistics.median(values) for values in zip(*rows)] for tool, rows in costs.items()}
    print(f"{name}, {'as they come' if nagle else 'TCP_NODELAY=1 for all'}:")
    for tool, (wall, processor) in medians.items():
        print(f"  {tool:12} {wall:7.2f} s  {processor:6.2f} s processor   x {wall / medians['dpipe-send'][0]:.2f}")


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR", "/dev/shm")) as folder:
        scratch = pathlib.Path(folder)
        for name, make in (("1,000 small", small), ("200 CT slices", slices)):
            tree = scratch / "in"
            make(tree)
            for nagle in (True, False):
                compare(name, tree, scratch, nagle)
            shutil.rmtree(tree)


if __name__ == "__main__":
    main()
