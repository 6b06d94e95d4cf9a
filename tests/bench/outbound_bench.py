"""What leaves: dpipe-dicomdir beside dcmmkdir, dpipe-zip beside zip, dpipe-upload beside curl, in turn, over the same
made-up data.

    make bench-out                                  4,000 small instances, 500 CT slices, a ZIP of 400 MB
    make bench-out BENCH_SCALE=5 BENCH_KINDS=dicomdir  the size that the target is told for: 20,000

BENCH_DIR, BENCH_RUNS and BENCH_JSON are as in anon_bench.py. dcmmkdir reads media that is copied already and is spared
`+I`, with which its time grows with the square; dpipe-dicomdir copies as well. dpipe-zip reads what it wrote once more,
dpipe-upload reads every CRC before it sends and computes a SHA-256; zip and curl do not.
"""

import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import zipfile

import pydicom

from anon_bench import BIN, HERE, RUNS, SCALE, timed


def middle(runs):
    return {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "rss_mb")}


def compare(contenders, reference):
    """Runs each in turn, RUNS times; contenders: {name: (words, what stands in the way of the next run)}."""
    results = {name: [] for name in contenders}
    for _ in range(RUNS):
        for name, (words, way) in contenders.items():
            if way.is_file():
                way.unlink()
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


def zipped(folder):
    tree = corpus("ct", folder / "tree", round(500 * SCALE))
    study = folder / "study"  # of all, so that it is one ZIP
    study.mkdir()
    for i, source in enumerate(sorted(tree.rglob("*.dcm"))):
        if i % 2:  # noise packs too easily: half of it is made as smooth as images are
            data = bytearray(source.read_bytes())
            data[-400_000::2] = bytes(len(data[-400_000::2]))
            source.write_bytes(data)
        source.rename(study / f"{i}.dcm")
    uids = {pydicom.dcmread(p, specific_tags=["StudyInstanceUID"]).StudyInstanceUID for p in study.iterdir()}
    for path in study.iterdir():  # one study of all, or dpipe-zip refuses
        path.write_bytes(path.read_bytes().replace(max(uids).encode(), min(uids).encode()))
    out = folder / "out"
    for name, level, words in (("stored", "-0", []), ("deflated", "-6", ["--compress"])):
        print(f"\nZIP, {name}")
        compare({
            f"zip {level}": (["sh", "-c", f"mkdir '{out}' && zip -q -r {level} '{out}/a.zip' '{study}'"], out),
            f"dpipe-zip {name} -j 2": ([BIN / "dpipe-zip", "-q", "-j", "2", *words, "-o", out, study], out),
            f"dpipe-zip {name} -j 1": ([BIN / "dpipe-zip", "-q", "-j", "1", *words, "-o", out, study], out)},
            f"zip {level}")


def upload(folder):
    big = folder / "big.zip"
    noise = random.Random(1).randbytes(1 << 20)
    with zipfile.ZipFile(big, "w") as archive:
        for i in range(16):
            with archive.open(f"study/{i}.dcm", "w", force_zip64=True) as entry:
                for _ in range(round(25 * SCALE)):
                    entry.write(noise)
    print(f"\nUpload of {big.stat().st_size / 1e6:.0f} MB to a server on this machine that writes it to a file")
    sink = subprocess.Popen([sys.executable, "-B", HERE / "form_sink.py", folder], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{sink.stdout.readline().strip()}"
        (folder / "token").write_text("token\n")
        (folder / "token").chmod(0o600)
        compare({
            "curl -F": (["curl", "-s", "-F", f"file=@{big}", f"{url}/data/upload/"], folder / "none"),
            "dpipe-upload": ([BIN / "dpipe-upload", "-q", "--url", url, "--token-file", folder / "token", big],
                             pathlib.Path(f"{big}.receipt.json"))}, "curl -F")
    finally:
        sink.kill()
        sink.wait()


def main():
    kinds = {"dicomdir": dicomdir, "zip": zipped, "upload": upload}
    parent = os.environ.get("BENCH_DIR", "/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    for kind in os.environ.get("BENCH_KINDS", " ".join(kinds)).split():
        with tempfile.TemporaryDirectory(prefix="dpipe-bench-", dir=parent) as folder:
            kinds[kind](pathlib.Path(folder))


if __name__ == "__main__":
    main()
