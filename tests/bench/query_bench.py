"""dpipe-query beside what people use, in turn and in one run, from an archive that we did not write (dcmqrscp).

    make bench-query                     1,000 instances by C-GET and C-MOVE; 50 series as PACSIFIER does it
    make bench-query BENCH_SCALE=0.1

- getscu, movescu: one study of 1,000 MR slices of 33 kB; ours asks what there is first, and puts each instance safely
  on the disk before it says Success, which they do not. The peers run with TCP_NODELAY=1 in their environment, and so
  does the archive: without it Nagle's algorithm costs them 90 ms an instance (BENCH_NAGLE=1 shows it).
- PACSIFIER's loop, without its Python: for each of 50 rows an echoscu, a findscu, and a movescu for what it found. Ours
  is one command for the 50 rows, by C-MOVE as well.

Figures are medians of BENCH_RUNS (9; a third of it for the loop), ratios are to the peer. BENCH_DIR (default /dev/shm)
is where it happens.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import dpipe  # noqa: E402
import tiny  # noqa: E402
from peers import Dcmqrscp, free_port  # noqa: E402

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
RUNS = int(os.environ.get("BENCH_RUNS", "9"))


def fill(folder, patients, instances):
    """Patients with one series each of slices as large as an EPI's."""
    for patient in range(patients):
        for number in range(instances):
            tiny.write(folder / f"{patient}-{number}", "MR", PatientID=f"B{patient}", PatientName=f"Bench^{patient}",
                       StudyInstanceUID=tiny.uid("bench", folder.name, patient), SeriesNumber=1,
                       InstanceNumber=number + 1, Rows=128, Columns=128, PixelData=os.urandom(128 * 128 * 2))


if os.environ.get("BENCH_NAGLE") != "1":
    os.environ["TCP_NODELAY"] = "1"


def timed(work, out):
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    start = time.monotonic()
    work(out)
    took = time.monotonic() - start
    return took, sum(1 for p in out.rglob("*") if p.is_file() and not p.name.startswith(".") and p.suffix != ".csv")


def run(*words):
    done = subprocess.run([str(w) for w in words], capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{words[0]}: {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode() + done.stderr.decode()


class Bench:
    def __init__(self, folder, patients, instances):
        self.folder, self.patients, self.instances = folder, patients, instances
        self.move_port = free_port()
        fill(folder / "source", patients, instances)
        self.archive = Dcmqrscp(folder / "qr", move_port=self.move_port)
        self.archive.store(folder / "source")
        self.cohort = folder / "cohort.csv"
        self.cohort.write_text("PatientID,Modality\n" + "".join(f"B{p},MR\n" for p in range(patients)))
        self.peer = ["-aet", "ME", "-aec", "QRSCP", "127.0.0.1", str(self.archive.port)]

    def ours(self, *words):
        return lambda out: run(
            dpipe.BIN / "dpipe-query", "-q", "--node", f"QRSCP@127.0.0.1:{self.archive.port}", "--aet", "ME", "--save",
            "-o", out, *words, self.cohort)

    def by_move(self, *words):
        return self.ours("--move-port", self.move_port, "--bind", "127.0.0.1", *words)

    def getscu(self, out):
        for patient in range(self.patients):
            run("getscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k",
                f"StudyInstanceUID={tiny.uid('bench', 'source', patient)}", "-od", out, *self.peer)

    def movescu(self, out):
        for patient in range(self.patients):
            run("movescu", "-S", "-aem", "ME", "+P", self.move_port, "-k", "QueryRetrieveLevel=STUDY", "-k",
                f"StudyInstanceUID={tiny.uid('bench', 'source', patient)}", "-od", out, *self.peer)

    def pacsifier(self, out):
        for patient in range(self.patients):
            run("echoscu", "-to", "10", *self.peer)
            found = run("findscu", "-v", "-S", "-k", "QueryRetrieveLevel=SERIES", "-k", f"PatientID=B{patient}", "-k",
                        "Modality=MR", "-k", f"StudyInstanceUID={tiny.uid('bench', 'source', patient)}", "-k",
                        "SeriesInstanceUID", *self.peer)
            series = {line.split("[")[1].split("]")[0].strip("\0 ") for line in found.splitlines()
                      if "(0020,000e)" in line and "[" in line}
            for uid in series:
                run("movescu", "--patient", "-aem", "ME", "+P", self.move_port, "-k", "QueryRetrieveLevel=PATIENT",
                    "-k", f"PatientID=B{patient}", "-k",
                    f"StudyInstanceUID={tiny.uid('bench', 'source', patient)}", "-k", f"SeriesInstanceUID={uid}", "-od",
                    out, *self.peer)

    def compare(self, what, runs=RUNS):
        """{name: median seconds}, in turn; each must bring everything."""
        took = {name: [] for name in what}
        for _ in range(runs):
            for name, work in what.items():
                seconds, files = timed(work, self.folder / "out")
                if files != self.patients * self.instances:
                    raise SystemExit(f"{name}: {files} of {self.patients * self.instances} instances")
                took[name].append(seconds)
        return {name: statistics.median(seconds) for name, seconds in took.items()}

    def close(self):
        self.archive.stop()


def tell(title, seconds, peer):
    print(title, flush=True)
    for name, one in seconds.items():
        print(f"  {name:28} {one:7.2f} s   {one / seconds[peer]:5.2f} x {peer}", flush=True)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dpipe-bench-", dir=os.environ.get("BENCH_DIR", "/dev/shm")))
    try:
        count = max(int(1000 * SCALE), 10)
        (folder / "one").mkdir()
        bench = Bench(folder / "one", 1, count)
        tell(f"{count} instances of one series", bench.compare({
            "getscu": bench.getscu, "by C-GET": bench.ours(),
            "by C-GET, not durable": bench.ours("--durability", "none")}), "getscu")
        tell("", bench.compare({
            "movescu": bench.movescu, "by C-MOVE": bench.by_move(),
            "by C-MOVE, not durable": bench.by_move("--durability", "none")}), "movescu")
        bench.close()
        patients = max(int(50 * SCALE), 5)
        (folder / "many").mkdir()
        bench = Bench(folder / "many", patients, 4)
        tell(f"{patients} rows, a series of 4 instances each", bench.compare({
            "PACSIFIER's loop": bench.pacsifier, "by C-MOVE": bench.by_move(), "by C-GET": bench.ours(),
            "by C-GET, 4 at once": bench.ours("--parallel", "4")}, max(RUNS // 3, 1)), "PACSIFIER's loop")
        bench.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
