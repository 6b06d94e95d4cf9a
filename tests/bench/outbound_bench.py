"""What leaves: dpipe-dicomdir beside dcmmkdir (4,000 small instances), dpipe-zip beside zip (500 CT slices), dpipe-upload
beside curl (a ZIP of 400 MB, at memory's speed and at 200 MB/s); BENCH_SCALE=5 for the sizes that the targets are told for.

dcmmkdir reads media that is copied already and is spared `+I`, with which its time grows with the square;
dpipe-dicomdir copies as well. dpipe-zip reads what it wrote once more, dpipe-upload checks every CRC and computes a
SHA-256 while it sends; zip and curl do not. See figures.py for the options; BENCH_KINDS chooses among dicomdir, zip, upload.
"""

import os
import pathlib
import random
import subprocess
import sys
import zipfile

import pydicom

from figures import BIN, HERE, SCALE, Contender, compare, corpus, scratch


def dicomdir(folder):
    count = round(4000 * SCALE)
    tree, media, theirs, out = corpus("small", folder / "tree", count), folder / "media", folder / "THEIRS", folder / "out"
    subprocess.run([BIN / "dpipe-dicomdir", "-q", "-o", media, tree], check=True, stdout=subprocess.DEVNULL)
    ours = [BIN / "dpipe-dicomdir", "-q", "-o", out]
    folders = sorted(path.name for path in media.iterdir() if path.is_dir())
    compare("dicomdir", f"DICOMDIR of {count} instances", [
        Contender("dcmmkdir", ["dcmmkdir", "-q", "-nb", "-Pgp", "+D", theirs, "+id", media, "+r", *folders], theirs,
                  needs="dcmmkdir"),
        Contender("cp -r", ["cp", "-r", tree, out], out),
        Contender("dpipe-dicomdir", [*ours, tree], out, target=1 / 3),
        Contender("dpipe-dicomdir -j 1", [*ours, "-j", "1", tree], out)], "dcmmkdir")


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
    zips = [BIN / "dpipe-zip", "-q", "-o", out]
    for name, level, words, target in (("stored", "-0", [], 1.2), ("deflated", "-6", ["--compress"], 1 / 1.8)):
        compare(f"zip/{name}", f"ZIP of {study.name}, {name}", [
            Contender(f"zip {level}", ["sh", "-c", f"mkdir '{out}' && zip -q -r {level} '{out}/a.zip' '{study}'"], out,
                      needs="zip"),
            Contender("dpipe-zip -j 2", [*zips, "-j", "2", *words, study], out, target=target),
            Contender("dpipe-zip -j 1", [*zips, "-j", "1", *words, study], out)], f"zip {level}")


def upload(folder):
    big = folder / "big.zip"
    noise = random.Random(1).randbytes(1 << 20)
    with zipfile.ZipFile(big, "w") as archive:
        for i in range(16):
            with archive.open(f"study/{i}.dcm", "w", force_zip64=True) as entry:
                for _ in range(round(25 * SCALE)):
                    entry.write(noise)
    sink = subprocess.Popen([sys.executable, "-B", HERE / "form_sink.py", folder], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{sink.stdout.readline().strip()}"
        (folder / "token").write_text("token\n")
        (folder / "token").chmod(0o600)
        words = [BIN / "dpipe-upload", "-q", "--url", url, "--token-file", folder / "token", big]
        form = ["-s", "-F", f"file=@{big}", f"{url}/data/upload/"]
        title = f"{big.stat().st_size / 1e6:.0f} MB to a server on this machine that writes it to a file"
        # A server as fast as memory, and one behind a line of 1.7 Gbit/s, which leaves time for what else is done.
        for bench, limit, curl_limit, ours_limit in (
                ("upload", "", [], []), ("upload/200M", ", 200 MB/s", ["--limit-rate", "200M"], ["--bandwidth", "200M"])):
            compare(bench, title + limit, [
                Contender("curl -F", ["curl", *curl_limit, *form], needs="curl"),
                Contender("dpipe-upload", [*words, *ours_limit], pathlib.Path(f"{big}.receipt.json"), target=1 / 0.9)],
                    "curl -F")
    finally:
        sink.kill()
        sink.wait()


def main():
    kinds = {"dicomdir": dicomdir, "zip": zipped, "upload": upload}
    for kind in os.environ.get("BENCH_KINDS", " ".join(kinds)).split():
        if kind in kinds:
            with scratch() as name:
                kinds[kind](pathlib.Path(name))


if __name__ == "__main__":
    main()
