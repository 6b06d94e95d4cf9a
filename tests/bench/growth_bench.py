"""What ten times the instances of one study cost: small files, 1,000 and 10,000 of them, with PEERS=1 also 100,000; processor time
and peak memory of one run each. Ten times as many may take at most 10.5 times as long; a name in a list is all that
each may leave in memory.
See figures.py for the options.
"""

import pathlib
import shutil
import subprocess

from figures import BIN, PEERS, SCALE, corpus, record, remove, scratch, timed, verdict

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


COMMANDS = {"anon": anon, "zip": zipped, "dicomdir": dicomdir, "filter": filtered}


def main():
    runs = {name: [] for name in COMMANDS}
    for count in COUNTS:
        with scratch() as name:
            folder = pathlib.Path(name)
            tree, out = corpus("study", folder / "tree", count), folder / "out"
            for who, words in COMMANDS.items():
                runs[who].append(timed(words(folder, tree, out)))
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
