"""dpipe-anon beside cp and the peers that are installed, over the same made-up trees: 1,000 CT slices, 4,000 small
files, three multi-frame instances. See figures.py for the options; BENCH_KINDS chooses among ct, small and multiframe.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pydicom

from figures import BIN, SCALE, Contender, compare, corpus, scratch

COUNTS = {"ct": 1000, "small": 4000, "multiframe": 3}
TARGETS = {"ct": 0.6, "small": 1.0, "multiframe": 0.8}  # of -j2, in memory

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


def anon(jobs, tree, out):
    def words():
        linked = out.parent / "map"
        shutil.rmtree(linked, ignore_errors=True)
        linked.mkdir()
        subprocess.run([BIN / "dpipe-map", "init", "-m", linked / "link.db"], check=True, capture_output=True)
        return [BIN / "dpipe-anon", "-q", "-m", linked / "link.db", "-j", str(jobs), "-o", out, tree]
    return words


def two_cps(tree, out, count):
    """What two threads could reach that do nothing but copy."""
    return ["sh", "-c", f"mkdir '{out}' && cd '{tree}' && find . -name '*.dcm' | sort | "
            f"xargs -P 2 -n {(count + 1) // 2} cp --parents -t '{out}'"]


def gdcmanon(tree, out):
    edits = [word for keyword in RECIPE for word in ("--empty", "%x,%x" % tag(keyword))]
    return ["gdcmanon", "--dumb", "-r", "--replace", "10,10=ANON", "--replace", "10,20=SUBJ001", *edits, "-i", tree, "-o", out]


def dcmodify(tree, out):
    edits = " ".join("-ea '(%04x,%04x)'" % tag(keyword) for keyword in RECIPE)
    return ["sh", "-c", f"cp -r '{tree}' '{out}' && find '{out}' -type f -print0 | xargs -0 -n 250 dcmodify -q -nb -imt -ep "
            f"-m '(0010,0010)=ANON' -m '(0010,0020)=SUBJ001' {edits}"]


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


def of_kind(kind, folder):
    count = max(1, round(COUNTS[kind] * SCALE))
    tree, out = corpus(kind, folder / kind, count), folder / "out"
    size = sum(path.stat().st_size for path in tree.rglob("*.dcm"))
    compare(f"anon/{kind}", f"{kind}: {count} files, {size / 1e6:.0f} MB", [
        Contender("cp -r", ["cp", "-r", tree, out], out, files=count),
        Contender("cp, two at once", two_cps(tree, out, count), out, files=count),
        Contender("dpipe-anon -j1", anon(1, tree, out), out, files=count),
        Contender("dpipe-anon -j2", anon(2, tree, out), out, files=count, target=TARGETS[kind]),
        Contender("gdcmanon", gdcmanon(tree, out), out, slow=True, needs="gdcmanon", files=count),
        Contender("dcmodify", dcmodify(tree, out), out, slow=True, needs="dcmodify", files=count),
        Contender("pydicom", [sys.executable, __file__, "--pydicom", tree, out], out, slow=True, files=count)], "cp -r")
    shutil.rmtree(tree)


def main():
    with scratch() as folder:
        for kind in os.environ.get("BENCH_KINDS", "ct small multiframe").split():
            if kind in COUNTS:
                of_kind(kind, pathlib.Path(folder))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--pydicom"]:
        run_pydicom(*sys.argv[2:])
    else:
        main()
