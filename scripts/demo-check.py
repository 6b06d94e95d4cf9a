#!/usr/bin/python3
"""Check what the demo claims, with programs and libraries that are not ours, and print its table.

Usage: scripts/demo-check.py FOLDER   (the folder that scripts/demo.sh worked in)
"""

import json
import pathlib
import re
import subprocess
import sys
import warnings
import zipfile

import pydicom

warnings.simplefilter("ignore")

#: Attributes of the real series whose values identify somebody or something of theirs.
TELLING = (
    "PatientName PatientID PatientBirthDate OtherPatientIDs AccessionNumber StudyID InstitutionName StationName "
    "InstitutionAddress ReferringPhysicianName PerformingPhysicianName OperatorsName DeviceSerialNumber StudyDate "
    "SeriesDate AcquisitionDate ContentDate StudyInstanceUID SeriesInstanceUID SOPInstanceUID FrameOfReferenceUID"
).split()

#: The plastic head of the series philips_ct_head is called by what it shows, as (0018,0015) is.
EVERYDAY = {b"HEAD"}


def fail(message):
    sys.exit(f"demo-check: error: {message}")


def instances(folder):
    """Files below a folder, without markers and state, whose names begin with a dot."""
    files = (p for p in pathlib.Path(folder).rglob("*") if p.is_file())
    return sorted(p for p in files if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def header(path):
    return pydicom.dcmread(path, stop_before_pixels=True)


def identities(work):
    """Byte strings that must not be found: of the made-up people, and of the real series."""
    found = set()
    for entry in json.loads((work / "input" / "identities.json").read_text())["strings"]:
        found.update({entry["utf8"].encode(), bytes.fromhex(entry["hex"])})
    for path in (work / "sent.list").read_text().splitlines():
        if path.startswith("input/study-"):
            continue
        ds = header(work / path)
        for keyword in TELLING:
            for value in ds[keyword] if keyword in ds and ds[keyword].VM > 1 else [ds.get(keyword) or ""]:
                found.add(str(value).encode())
    return {f for f in found - EVERYDAY if len(f) >= 4 and not (f.isdigit() and len(f) < 7)}


def stands_alone(data, start, end):
    """A number inside a longer number is chance."""
    return not data[max(start - 1, 0):start].isdigit() and not data[end:end + 1].isdigit()


def search(work, zips):
    """GNU grep looks for all strings in all bytes; the numbers among the hits are looked at again."""
    patterns = work / "patterns"
    patterns.write_bytes(b"\n".join(sorted(identities(work))) + b"\n")
    for path in zips:
        hits = subprocess.run(
            ["grep", "-aobF", "-f", patterns, path], env={"LC_ALL": "C"}, capture_output=True, check=False).stdout
        data = path.read_bytes() if hits else b""
        for line in hits.splitlines():
            offset, word = line.split(b":", 1)
            start = int(offset)
            if not word.isdigit() or stands_alone(data, start, start + len(word)):
                yield path.name, word


def references(folder):
    """How many references a tree has, and how many of them point at instances, series or studies of it."""
    known, asked = set(), []
    for path in instances(folder):
        ds = header(path)
        known.update({ds.SOPInstanceUID, ds.get("SeriesInstanceUID"), ds.get("StudyInstanceUID")})
        for element in ds.iterall():
            if element.keyword == "ReferencedSOPInstanceUID":
                asked.append(element.value)
    return len(asked), sum(uid in known for uid in asked)


def data_set(path):
    """The bytes behind the file meta information."""
    data = path.read_bytes()
    if data[128:132] != b"DICM":
        return data
    length = int.from_bytes(data[140:144], "little")
    return data[144 + length:]


def dumps(paths):
    """What dcmdump prints of each data set."""
    text = subprocess.run(
        ["dcmdump", "-q", *map(str, paths)], capture_output=True, check=False).stdout.decode("latin-1")
    return [part.split("# Dicom-Data-Set", 1)[-1] for part in re.split(r"^# dcmdump \(\d+/\d+\).*$", text, flags=re.M)[1:]]


def restored_equals_received(work):
    """Every restored data set is the one that was received, by its bytes and in the eyes of dcmdump."""
    received = {header(p).SOPInstanceUID: p for p in instances(work / "incoming")}
    pairs = [(received[header(p).SOPInstanceUID], p) for p in instances(work / "restored")]
    for original, restored in pairs:
        if data_set(original) != data_set(restored):
            fail(f"{restored} is not what was received")
    for start in range(0, len(pairs), 200):
        some = pairs[start:start + 200]
        for (original, restored), a, b in zip(some, dumps([p[0] for p in some]), dumps([p[1] for p in some])):
            if a != b or not a.strip():
                fail(f"dcmdump sees {original} and {restored} differ")
    return len(pairs)


def pulled_exactly(work):
    """What was pulled is the one series that was asked for, whole and equal; the DICOMDIR lists it. How many."""
    pulled = {header(p).SOPInstanceUID: p for p in instances(work / "pulled")}
    archived = {}
    for line in (work / "archived.list").read_text().splitlines():
        ds = header(work / line)
        archived.setdefault(ds.SeriesInstanceUID, {})[ds.SOPInstanceUID] = work / line
    series = header(next(iter(pulled.values()))).SeriesInstanceUID
    if len(archived) < 2 or pulled.keys() != archived[series].keys():
        fail(f"{len(pulled)} instances were pulled, not the series that was asked for")
    if not all(pydicom.dcmread(p) == pydicom.dcmread(archived[series][uid]) for uid, p in pulled.items()):
        fail("a pulled data set is not the one that was archived")
    dump = subprocess.run(
        ["dcmdump", "+P", "0004,1511", work / "media" / "DICOMDIR"], capture_output=True, check=False).stdout.decode()
    if sorted(re.findall(r"\[([0-9.]+)\]", dump)) != sorted(pulled):
        fail("the DICOMDIR does not list what was pulled")
    return len(pulled), len(archived)


def megabytes(paths):
    return sum(p.stat().st_size for p in paths) / 1e6


def main(work):
    sent = (work / "sent.list").read_text().splitlines()
    incoming, anon, restored = (instances(work / name) for name in ("incoming", "anon", "restored"))
    zips = instances(work / "zips")
    archives = [z for z in zips if z.suffix == ".zip"]
    uploads = [u for u in instances(work / "api") if zipfile.is_zipfile(u)]

    if len(incoming) != len(sent) or len((work / "received.list").read_text().splitlines()) != len(sent):
        fail(f"{len(sent)} instances were sent, {len(incoming)} are there")
    kept_back = json.loads((work / "report.json").read_text())["instances"]
    unfit = [p for p in incoming if "EncapsulatedDocument" in header(p) or header(p).get("BurnedInAnnotation") == "YES"]
    if kept_back["quarantined"] != len(unfit) or kept_back["failed"] or len(anon) != len(sent) - len(unfit):
        fail(f"{len(unfit)} documents and burned-in images should be kept back and nothing else: {kept_back}")
    for archive in archives:
        if zipfile.ZipFile(archive).testzip() is not None:
            fail(f"{archive} is damaged")
    if sorted(map(pathlib.Path.read_bytes, archives)) != sorted(map(pathlib.Path.read_bytes, uploads)):
        fail("what was uploaded is not what was packed")

    leaks = sorted({f"{name}: {word!r}" for name, word in search(work, archives)})
    if leaks:
        fail("identity in the archives:\n  " + "\n  ".join(leaks[:20]))
    asked_before, resolved_before = references(work / "incoming")
    asked, resolved = references(work / "anon")
    if asked - resolved > asked_before - resolved_before or resolved == 0:
        fail(f"{asked - resolved} references lead nowhere; before it were {asked_before - resolved_before}")
    equal = restored_equals_received(work)
    if equal != len(anon):
        fail(f"{equal} of {len(anon)} instances were restored")

    pulled, of_series = pulled_exactly(work)
    seconds = dict(line.split() for line in (work / "seconds").read_text().splitlines())
    studies = len((work / "complete.list").read_text().splitlines())
    rows = [
        ("receive", studies, incoming), ("watch", studies, incoming), ("anon", studies, anon),
        ("zip", len(archives), anon), ("upload", len(uploads), anon), ("restore", studies, restored),
        ("query", 1, instances(work / "pulled")), ("dicomdir", 1, instances(work / "media"))]
    print(f"\n{'stage':10}{'studies':>9}{'instances':>11}{'MB':>9}{'seconds':>10}")
    for name, count, files in rows:
        print(f"{name:10}{count:9}{len(files):11}{megabytes(files):9.1f}{int(seconds[name]) / 1000:10.2f}")
    print(f"\n{len(identities(work))} identifying strings searched for in {megabytes(archives):.1f} MB of archives: none found")
    print(f"{resolved} of {asked} references resolve ({resolved_before} of {asked_before} before)")
    print(f"{equal} data sets restored, each equal to the one received; {len(unfit)} kept back")
    print(f"1 of {of_series} series pulled from the archive by CSV: {pulled} data sets, all equal; its DICOMDIR lists them")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
