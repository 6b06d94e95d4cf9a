"""dpipe-anon beside cp and the peers that are installed, in turn, over the same made-up trees.

    make bench                      1,000 CT slices, 4,000 small files, one multi-frame instance
    make bench BENCH_SCALE=5        the sizes that the targets are told for: 5,000 and 20,000
    make bench BENCH_PEERS=0        without the slow ones

BENCH_DIR is where trees and results stand (default /dev/shm: memory, so that the disk is not what is measured);
BENCH_RUNS how often each runs (3); BENCH_JSON a file that gets a line of JSON for each figure.

Two ratios to `cp -r` are printed, of medians: wall time, and processor time. On a machine that others use as well, only
the second tells anything.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import pydicom

HERE = pathlib.Path(__file__).resolve().parent

BIN = pathlib.Path(os.environ.get("DPIPE_BUILD", HERE.parents[1] / "build")).resolve() / "bin"
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
RUNS = int(os.environ.get("BENCH_RUNS", "3"))
PEERS = os.environ.get("BENCH_PEERS", "1") != "0"
COUNTS = {"ct": 1000, "small": 4000, "multiframe": 1}

#: What a recipe for a general tool empties, by keyword: most of what identifies at top level.
RECIPE = [
    "AccessionNumber", "InstitutionName", "InstitutionAddress", "ReferringPhysicianName", "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy", "OperatorsName", "StationName", "PatientAddress", "PatientTelephoneNumbers",
    "PatientComments", "MedicalRecordLocator", "StudyID", "DeviceSerialNumber", "StudyDescription", "SeriesDescription",
    "ProtocolName", "PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate",
]


def tag(keyword):
    number = pydicom.datadict.tag_for_keyword(keyword)
    return number >> 16, number & 0xffff


def anon(jobs):
    def words(tree, out):
        linked = out.parent / "map"
        shutil.rmtree(linked, ignore_errors=True)
        linked.mkdir()
        subprocess.run([BIN / "dpipe-map", "init", "-m", linked / "link.db"], check=True, capture_output=True)
        return [BIN / "dpipe-anon", "-q", "-m", linked / "link.db", "-j", str(jobs), "-o", out, tree]
    return words


def copied(tree, out):
    return ["cp", "-r", tree, out]


def gdcmanon(tree, out):
    edits = [word for keyword in RECIPE for word in ("--empty", "%x,%x" % tag(keyword))]
    return ["gdcmanon", "--dumb", "-r", "--replace", "10,10=ANON", "--replace", "10,20=SUBJ001", *edits, "-i", tree, "-o", out]


def dcmodify(tree, out):
    edits = " ".join("-ea '(%04x,%04x)'" % tag(keyword) for keyword in RECIPE)
    return ["sh", "-c", f"cp -r '{tree}' '{out}' && find '{out}' -type f -print0 | xargs -0 -n 250 dcmodify -q -nb -imt -ep "
            f"-m '(0010,0010)=ANON' -m '(0010,0020)=SUBJ001' {edits}"]


def pydicom_script(tree, out):
    return [sys.executable, __file__, "--pydicom", tree, out]


def run_pydicom(tree, out):
    """What most people write: private elements away, names and dates blanked, at every depth."""
    for path in pathlib.Path(tree).rglob("*.dcm"):
        ds = pydicom.dcmread(path)
        ds.remove_private_tags()
        for element in ds.iterall():
            if element.keyword in RECIPE or element.VR in ("PN", "DA"):
                element.value = ""
        ds.PatientID = "SUBJ001"
        to = pathlib.Path(out) / path.relative_to(tree)
        to.parent.mkdir(parents=True, exist_ok=True)
        ds.save_as(to)


CONTENDERS = [("cp -r", copied, True), ("dpipe-anon -j1", anon(1), True), ("dpipe-anon -j2", anon(2), True),
              ("gdcmanon", gdcmanon, shutil.which("gdcmanon")), ("dcmodify", dcmodify, shutil.which("dcmodify")),
              ("pydicom", pydicom_script, True)]


def timed(words, out):
    """Wall time, processor time of the whole tree of processes, the largest one's memory (this one's, about 30 MB,
    is the least that it can tell), files made."""
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    files = sum(name.endswith(".dcm") for _, _, names in os.walk(out) for name in names)
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss / 1024, "files": files,
            "code": process.returncode}


def compare(kind, folder):
    count = max(1, round(COUNTS[kind] * SCALE))
    tree = folder / kind
    # Another process: what this one once needed would count as theirs, whom it starts.
    subprocess.run([sys.executable, "-B", HERE / "corpus.py", kind, tree, str(count)], check=True)
    size = sum(path.stat().st_size for path in tree.rglob("*.dcm"))
    print(f"\n{kind}: {count} files, {size / 1e6:.0f} MB, {RUNS} runs in turn, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")
    print(f"{'':16} {'wall s':>8} {'x cp':>7} {'cpu s':>8} {'x cp':>7} {'RSS MB':>7}")
    slow = {"dcmodify", "pydicom"}
    chosen = [(name, words) for name, words, there in CONTENDERS if there and (PEERS or name not in slow | {"gdcmanon"})]
    results = {name: [] for name, _ in chosen}
    out = folder / "out"
    for run in range(RUNS):
        for name, words in chosen:
            if name not in slow or run == 0:  # once is enough to see tens of times
                results[name].append(timed(words(tree, out), out))
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(tree)
    report(kind, count, results)


def report(kind, count, results):
    middle = {name: {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "rss_mb")}
              for name, runs in results.items()}
    first = middle["cp -r"]
    for name, figures in middle.items():
        ratios = {key: figures[key] / first[key] if first[key] > 0 else float("nan") for key in ("wall", "cpu")}
        wrong = [run for run in results[name] if run["code"] != 0 or run["files"] != count]
        note = f"  code {wrong[0]['code']}, {wrong[0]['files']} files" if wrong else ""
        print(f"{name:16} {figures['wall']:8.2f} {ratios['wall']:7.2f} {figures['cpu']:8.2f} {ratios['cpu']:7.2f} "
              f"{figures['rss_mb']:7.0f}{note}")
        if "BENCH_JSON" in os.environ:
            with open(os.environ["BENCH_JSON"], "a", encoding="utf-8") as file:
                file.write(json.dumps({
                    "bench": f"anon/{kind}/{name}", "files": count, "wall_x_cp": round(ratios["wall"], 3),
                    "cpu_x_cp": round(ratios["cpu"], 3), **{key: round(value, 4) for key, value in figures.items()},
                    "load": round(os.getloadavg()[0], 1)}) + "\n")


def main():
    parent = os.environ.get("BENCH_DIR", "/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    with tempfile.TemporaryDirectory(prefix="dpipe-bench-", dir=parent) as folder:
        for kind in os.environ.get("BENCH_KINDS", "ct small multiframe").split():
            compare(kind, pathlib.Path(folder))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--pydicom"]:
        run_pydicom(*sys.argv[2:])
    else:
        main()
