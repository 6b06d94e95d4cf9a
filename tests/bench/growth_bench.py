"""What ten times the instances of one study cost: small files, 1,000 and 10,000 of them, with PEERS=1 also 100,000;
medians of processor time and peak memory, of 100,000 those of one run. Ten times as many may take at most 10.5 times as
long; a name in a list is all that each may leave in memory.

dpipe-receive takes them from a sender that costs next to nothing, at four associations; its memory is the private
memory of all its processes together, looked at 20 times a second. dpipe-query retrieves them, in ten series, from a
scripted archive that is slow and not counted: its journal is what could grow. See figures.py for the options; BENCH_KINDS chooses among anon, zip, dicomdir, filter, receive, query.
"""

import functools
import os
import pathlib
import shutil
import subprocess
import sys
import threading

from figures import BIN, HERE, PEERS, RUNS, SCALE, corpus, middle, record, remove, scratch, timed, verdict
from receive_bench import dpipe, pour

sys.path.insert(0, str(HERE.parent / "support"))
from fake_pacs import FakePacs
from peers import free_port, wait_for_port
from querying import series

COUNTS = [round(count * SCALE) for count in (1000, 10000, *((100000,) if PEERS else ()))]
MOST_TIME = 10.5
MOST_MEMORY = 1024  # bytes an instance
LONG = 50000  # so many are run once


def anon(folder, tree, out):
    shutil.rmtree(folder / "map", ignore_errors=True)
    (folder / "map").mkdir()
    subprocess.run([BIN / "dpipe-map", "init", "-m", folder / "map" / "link.db"], check=True, capture_output=True)
    return [BIN / "dpipe-anon", "-q", "-j1", "-m", folder / "map" / "link.db", "-o", out, tree]


def zipped(_folder, tree, out):
    return [BIN / "dpipe-zip", "-q", "-o", out, tree]


def dicomdir(_folder, tree, out):
    return [BIN / "dpipe-dicomdir", "-q", "-j1", "-o", out, tree]


def filtered(_folder, tree, out):
    return [BIN / "dpipe-filter", "-q", "--modality", "CT", "-o", out, tree]


def private_kb(pid):
    """Of a process and its children: what would be free again without them."""
    def own(number):
        try:
            lines = pathlib.Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            return 0
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own(pid) + sum(own(child) for child in children)


def received(folder, tree):
    """From the receiver's first instant to its end, with its children's."""
    files = sorted(tree.rglob("*.dcm"))
    port = free_port()
    process = subprocess.Popen([str(word) for word in dpipe("none")(folder / "received", port)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak, over = [0], threading.Event()

    def look():
        while not over.wait(0.05):
            peak[0] = max(peak[0], private_kb(process.pid))
    looking = threading.Thread(target=look)
    looking.start()
    try:
        wait_for_port(port, process)
        failed = sum(pour(files[start:start + 10000], 4)(port)[1]  # as many as a command line holds
                     for start in range(0, len(files), 10000))
    finally:
        over.set()
        looking.join()
        process.terminate()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        remove(folder / "received")
    if failed:
        raise SystemExit(f"growth: {failed} of {len(files)} were not received")
    return {"cpu": used.ru_utime + used.ru_stime, "rss_mb": peak[0] / 1024}


def queried(folder, count):
    of_series = [instance for number in range(1, 11) for instance in series(count // 10, number=number)]
    pacs = FakePacs(of_series)
    try:
        (folder / "cohort.csv").write_text("PatientID\nP1\n")
        return timed([BIN / "dpipe-query", "-q", "--node", f"FAKE@127.0.0.1:{pacs.port}", "--aet", "ME", "--save",
                      "--durability", "none", "-o", folder / "queried", folder / "cohort.csv"])
    finally:
        pacs.acceptor.close()
        remove(folder / "queried")


COMMANDS = {"anon": anon, "zip": zipped, "dicomdir": dicomdir, "filter": filtered}


def main():
    known = (*COMMANDS, "receive", "query")
    runs = {name: [] for name in os.environ.get("BENCH_KINDS", " ".join(known)).split() if name in known}
    for count in COUNTS:
        with scratch() as name:
            folder = pathlib.Path(name)
            tree, out = corpus("study", folder / "tree", count), folder / "out"

            def run(words):
                remove(out)
                return timed(words(folder, tree, out))
            contenders = {who: functools.partial(run, words) for who, words in COMMANDS.items()}
            contenders["receive"] = functools.partial(received, folder, tree)
            contenders["query"] = functools.partial(queried, folder, count)
            for who in runs:
                once = contenders[who]
                runs[who].append(middle([once() for _ in range(RUNS if count < LONG else 1)]))
            remove(out)
    print("\ngrowth: " + ", ".join(f"{count:,}" for count in COUNTS) + " small files")
    for who, of_command in runs.items():
        for fewer, more, count in zip(of_command, of_command[1:], COUNTS[1:]):
            time = more["cpu"] / fewer["cpu"]
            memory = (more["rss_mb"] - fewer["rss_mb"]) * 2**20 / (count * 0.9)
            print(f"{who:12} {count:7,}: {more['cpu']:7.2f} s, {time:5.2f} x a tenth{verdict(time, MOST_TIME)};"
                  f" {more['rss_mb']:6.1f} MB, {memory:6.0f} bytes an instance{verdict(memory, MOST_MEMORY)}")
            record(f"growth/{count}", who, **more, cpu_ratio=time, bytes_an_instance=memory, target=MOST_TIME)


if __name__ == "__main__":
    main()
