"""What ten times the instances of one study cost: small files, 1,000 and 10,000 of them, with PEERS=1 also 100,000; processor time
and peak memory of one run each. Ten times as many may take at most 10.5 times as long; a name in a list is all that
each may leave in memory.
dpipe-receive takes them from a sender that costs next to nothing, at four associations; dpipe-query retrieves them, in
ten series, from a scripted archive that is slow and not counted: its journal is what could grow. See figures.py for
the options.
"""

import pathlib
import shutil
import subprocess
import sys

from figures import BIN, HERE, PEERS, SCALE, corpus, record, remove, scratch, timed, verdict
from receive_bench import dpipe, pour, serve

sys.path.insert(0, str(HERE.parent / "support"))
from fake_pacs import FakePacs
from querying import series

COUNTS = [round(count * SCALE) for count in (1000, 10000, *((100000,) if PEERS else ()))]
MOST_TIME = 10.5
MOST_MEMORY = 1024  # bytes an instance


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


def received(tree):
    """Processor time of the receiver and its children."""
    files = sorted(tree.rglob("*.dcm"))

    def send(port):
        """As many at once as a command line holds."""
        parts = [pour(files[start:start + 10000], 4)(port) for start in range(0, len(files), 10000)]
        return sum(seconds for seconds, _ in parts), sum(failed for _, failed in parts)
    _, failed, used = serve(dpipe("none"), tree.parent, send)
    if failed:
        raise SystemExit(f"growth: {failed} of {len(files)} were not received")
    return {"cpu": used, "rss_mb": 0.0}


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
    runs = {name: [] for name in (*COMMANDS, "receive", "query")}
    for count in COUNTS:
        with scratch() as name:
            folder = pathlib.Path(name)
            tree, out = corpus("study", folder / "tree", count), folder / "out"
            for who, words in COMMANDS.items():
                runs[who].append(timed(words(folder, tree, out)))
                remove(out)
            runs["receive"].append(received(tree))
            runs["query"].append(queried(folder, count))
    print("\ngrowth: " + ", ".join(f"{count:,}" for count in COUNTS) + " small files")
    for who, of_command in runs.items():
        for fewer, more, count in zip(of_command, of_command[1:], COUNTS[1:]):
            time = more["cpu"] / max(fewer["cpu"], 0.01)  # a tick of the clock
            memory = (more["rss_mb"] - fewer["rss_mb"]) * 2**20 / (count * 0.9)
            peak = f" {more['rss_mb']:6.1f} MB, {memory:6.0f} bytes an instance{verdict(memory, MOST_MEMORY)}"
            print(f"{who:12} {count:7,}: {more['cpu']:7.2f} s, {time:5.2f} x a tenth{verdict(time, MOST_TIME)}"
                  f"{';' + peak if more['rss_mb'] else ''}")
            record(f"growth/{count}", who, **more, cpu_ratio=time, bytes_an_instance=memory, target=MOST_TIME)


if __name__ == "__main__":
    main()
