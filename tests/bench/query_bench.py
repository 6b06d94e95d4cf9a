"""dpipe-query beside what people use, from an archive that we did not write (dcmqrscp).

- getscu, movescu: one study of 1,000 MR slices of 33 kB; ours asks what there is first, and puts each instance safely
  on the disk before it says Success, which they do not. The peers run with TCP_NODELAY=1 in their environment, and so
  does the archive: without it Nagle's algorithm costs them 90 ms an instance.
- PACSIFIER's loop, without its Python: for each of 50 rows an echoscu, a findscu, and a movescu for what it found. Ours
  is one command for the 50 rows, by C-MOVE as well.

See figures.py for the options.
"""

import os
import pathlib
import subprocess
import sys

from figures import BIN, HERE, SCALE, Contender, compare, scratch

sys.path.insert(0, str(HERE.parent / "support"))
import tiny
from peers import Dcmqrscp, free_port


def fill(folder, patients, instances):
    """Patients with one series each of slices as large as an EPI's."""
    for patient in range(patients):
        for number in range(instances):
            tiny.write(folder / f"{patient}-{number}", "MR", PatientID=f"B{patient}", PatientName=f"Bench^{patient}",
                       StudyInstanceUID=tiny.uid("bench", folder.name, patient), SeriesNumber=1,
                       InstanceNumber=number + 1, Rows=128, Columns=128, PixelData=os.urandom(128 * 128 * 2))


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
        self.out = folder / "out"
        self.peer = ["-aet", "ME", "-aec", "QRSCP", "127.0.0.1", str(self.archive.port)]

    def ours(self, *words):
        return self.fresh(
            BIN / "dpipe-query", "-q", "--node", f"QRSCP@127.0.0.1:{self.archive.port}", "--aet", "ME", "--save",
            "-o", self.out, *words, self.cohort)

    def by_move(self, *words):
        return self.ours("--move-port", self.move_port, "--bind", "127.0.0.1", *words)

    def fresh(self, *words):
        def prepare():
            self.out.mkdir()
            return words
        return prepare

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

    def all_there(self):
        found = sum(path.is_file() and not path.name.startswith(".") and path.suffix != ".csv" for path in self.out.rglob("*"))
        return found == self.patients * self.instances

    def peer_does(self, name, work, **more):
        def within():
            self.out.mkdir()
            work(self.out)
        return Contender(name, work=within, out=self.out, check=self.all_there, **more)

    def we_do(self, name, words, **more):
        return Contender(name, words, out=self.out, check=self.all_there, **more)

    def close(self):
        self.archive.stop()


def one_series(folder):
    count = max(round(1000 * SCALE), 10)
    bench = Bench(folder, 1, count)
    compare("query/get", f"{count} instances of one series by C-GET", [
        bench.peer_does("getscu", bench.getscu),
        bench.we_do("dpipe-query", bench.ours()),
        bench.we_do("dpipe-query, not durable", bench.ours("--durability", "none"), target=1.1)], "getscu")
    compare("query/move", f"{count} instances of one series by C-MOVE", [
        bench.peer_does("movescu", bench.movescu),
        bench.we_do("dpipe-query", bench.by_move()),
        bench.we_do("dpipe-query, not durable", bench.by_move("--durability", "none"), target=1.1)], "movescu")
    bench.close()


def many_rows(folder):
    rows = max(round(50 * SCALE), 5)
    bench = Bench(folder, rows, 4)
    compare("query/rows", f"{rows} rows, a series of 4 instances each", [
        bench.peer_does("PACSIFIER's loop", bench.pacsifier),
        bench.we_do("dpipe-query by C-MOVE", bench.by_move(), target=0.2),
        bench.we_do("dpipe-query by C-GET", bench.ours(), target=0.2),
        bench.we_do("dpipe-query, 4 at once", bench.ours("--parallel", "4"), target=0.2)], "PACSIFIER's loop")
    bench.close()


def main():
    os.environ["TCP_NODELAY"] = "1"
    for what in (one_series, many_rows):
        with scratch() as name:
            what(pathlib.Path(name))


if __name__ == "__main__":
    main()
