"""dpipe-receive beside storescp, and with PEERS=1 the other receivers that are installed, over the same made-up
instances: 300 CT of 0.5 MB, 1,500 of 16 kB, at 1, 4 and 16 associations; BENCH_SCALE=3 is about what the targets are
told for.

See figures.py for the options; BENCH_DIR is where a receiver stores that promises nothing, BENCH_DISK where one does
that flushes (/var/tmp, a real disk), BENCH_KINDS chooses among ct and small, BENCH_ASSOCIATIONS among the counts.

The sender is tests/bench/pour, which costs next to nothing, then DCMTK's storescu as it comes. Ratios are of objects a
second, medians, to `storescp +B -pdu 131072 --fork` in the same place; CPU is what the receiver's processes took.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from figures import BUILD, PEERS, RUNS, SCALE, corpus, record, scratch
from peers import ORTHANC, free_port, wait_for_port

ASSOCIATIONS = [int(n) for n in os.environ.get("BENCH_ASSOCIATIONS", "1 4 16").split()]
COUNTS = {"ct": 300, "small": 1500}
BASE = "storescp +B --fork"
#: Objects a second beside BASE, at least: by kind, place and associations.
TARGETS = {("ct", "memory"): {1: 1.0, 4: 1.0, 16: 1.0}, ("small", "memory"): {1: 1.0, 4: 1.5, 16: 1.5},
           ("ct", "disk"): {1: 0.5, 4: 0.6, 16: 0.7}}
OURS = {"memory": "dpipe-receive none", "disk": "dpipe-receive full"}


def dpipe(durability):
    def words(folder, port):
        return [BUILD / "bin" / "dpipe-receive", "-q", "--bind", "127.0.0.1", "--port", port, "-o", folder / "in",
                "--durability", durability, "--min-free", "0"]
    return words


def storescp(folder, port):
    (folder / "in").mkdir()
    return ["storescp", "+B", "-pdu", "131072", "--fork", "-uf", "-od", folder / "in", port]


def orthanc(folder, port):
    (folder / "orthanc.json").write_text(json.dumps({
        "DicomPort": port, "HttpServerEnabled": False, "DicomAet": "PEER", "Plugins": [], "DicomCheckCalledAet": False,
        "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"), "DicomAlwaysAllowStore": True}))
    return [ORTHANC, folder / "orthanc.json"]


def dcmqrscp(folder, port):
    (folder / "db").mkdir()
    (folder / "cfg").write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 131072\nMaxAssociations = 64\nHostTable BEGIN\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nPEER {folder / 'db'} RW (1000, 100000mb) ANY\nAETable END\n")
    return ["dcmqrscp", "+B", "-c", folder / "cfg"]


#: (name, command, place)
RECEIVERS = [
    (BASE, storescp, "memory"), ("dpipe-receive none", dpipe("none"), "memory"),
    ("Orthanc", orthanc, "memory"), ("dcmqrscp +B", dcmqrscp, "memory"),
    (BASE, storescp, "disk"), ("dpipe-receive full", dpipe("full"), "disk"), ("dpipe-receive ext4", dpipe("ext4"), "disk"),
    ("Orthanc", orthanc, "disk"),
]


def processor_seconds(pid):
    """Of a process, its children, and those that it has waited for."""
    def own(number):
        try:
            fields = pathlib.Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return 0
        return sum(int(field) for field in fields[11:15])
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (own(pid) + sum(own(int(child)) for child in children)) / os.sysconf("SC_CLK_TCK")


def serve(words, place, send):
    """Starts a receiver in a fresh folder: (seconds, failed, its CPU seconds, files it made)."""
    with tempfile.TemporaryDirectory(prefix="dpipe-bench-", dir=place) as name:
        folder = pathlib.Path(name)
        port = free_port()
        process = subprocess.Popen(
            [str(word) for word in words(folder, port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        try:
            wait_for_port(port, process)
            time.sleep(0.3)
            before = processor_seconds(process.pid)
            seconds, failed = send(port)
            used = processor_seconds(process.pid) - before
        finally:
            process.terminate()
            process.wait(30)
    os.sync()  # what it left to be written is not the next one's to wait for
    return seconds, failed, used


def pour(files, associations):
    def send(port):
        done = subprocess.run([BUILD / "tests" / "pour", str(port), "PEER", str(associations), *map(str, files)],
                              capture_output=True, text=True, check=False)
        seconds, failed = done.stdout.split()
        return float(seconds), int(failed)
    return send


def flush_each(place, files, associations):
    """What the disk allows at most: each file written, flushed, named, and its folder flushed; nothing else."""
    def write(share, folder):
        (folder / "study").mkdir(parents=True)
        for number, data in enumerate(share):
            fd = os.open(folder / "part", os.O_CREAT | os.O_WRONLY)
            os.write(fd, data)
            os.fdatasync(fd)
            os.close(fd)
            os.rename(folder / "part", folder / "study" / str(number))
            named = os.open(folder / "study", os.O_RDONLY)
            os.fsync(named)
            os.close(named)

    data = [path.read_bytes() for path in files]
    with tempfile.TemporaryDirectory(prefix="dpipe-bench-", dir=place) as name:
        threads = [threading.Thread(target=write, args=(data[n::associations], pathlib.Path(name) / str(n)))
                   for n in range(associations)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - start
    os.sync()
    return seconds, 0, 0


def storescu(files):
    def send(port):
        start = time.perf_counter()
        done = subprocess.run(["storescu", "-aec", "PEER", "127.0.0.1", str(port), *map(str, files)],
                              capture_output=True, check=False)
        return time.perf_counter() - start, 0 if done.returncode == 0 else len(files)
    return send


def compare(bench, title, count, receivers, places, sender, targets=None, floor=None):
    rows = {}
    for _ in range(RUNS):
        for name, words, place in receivers:
            rows.setdefault((name, place), []).append(serve(words, places[place], sender))
        if floor:
            rows.setdefault(("nothing but two flushes", "disk"), []).append(floor())
    print(f"\n{title}: {RUNS} runs in turn, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':28} {'a second':>9} {'x storescp':>10} {'CPU ms each':>11} {'failed':>7}")
    for (name, place), runs in rows.items():
        base = statistics.median(run[0] for run in rows[BASE, place])
        seconds = statistics.median(run[0] for run in runs)
        cpu = statistics.median(run[2] for run in runs) / count * 1000
        failed = sum(run[1] for run in runs)
        target = (targets or {}).get(place) if name == OURS[place] else None
        said = "" if target is None else f"   {'met' if base / seconds >= target else 'MISSED'}: at least {target:g}"
        print(f"{name + ', ' + place:28} {count / seconds:9.0f} {base / seconds:10.2f} {cpu:11.2f} {failed:7}{said}",
              flush=True)
        record(bench, f"{name}, {place}", beside=BASE, ratio=base / seconds, more_is_better=True,
               a_second=count / seconds, cpu_ms=cpu, failed=failed, target=target)


def main():
    there = [entry for entry in RECEIVERS if entry[0] == BASE or "dpipe" in entry[0] or
             PEERS and (ORTHANC if entry[0] == "Orthanc" else shutil.which("dcmqrscp"))]
    with scratch() as name:
        places = {"memory": pathlib.Path(name).parent, "disk": os.environ.get("BENCH_DISK", "/var/tmp")}
        for kind in os.environ.get("BENCH_KINDS", "ct small").split():
            if kind not in COUNTS:
                continue  # another benchmark's
            count = max(16, round(COUNTS[kind] * SCALE))
            tree = corpus(kind, pathlib.Path(name) / kind, count)
            files = sorted(tree.rglob("*.dcm"))
            for associations in ASSOCIATIONS:
                targets = {place: of.get(associations) for (what, place), of in TARGETS.items() if what == kind}
                compare(f"receive/{kind}/{associations}", f"{kind}, {associations} associations", count, there, places,
                        pour(files, associations), targets, lambda n=associations: flush_each(places["disk"], files, n))
            if kind == "small":
                few = [entry for entry in there if entry[0] == BASE or "dpipe" in entry[0]]
                compare("receive/small/storescu", "small, stock storescu", 100, few, places, storescu(files[:100]),
                        {"memory": 10})
            shutil.rmtree(tree)


if __name__ == "__main__":
    main()
