"""A cohort of 50 rows over real data, from two archives that we did not write, in one run: exactly what was asked,
byte for byte, and a second time nothing."""

import csv
import fnmatch
import functools
import json
import os
import subprocess

import dicom_bytes as made
import dpipe
import pydicom
from peers import Dcmqrscp, Orthanc, free_port, needs_orthanc

FOLDERS = ("mainjob", "fileset", "charset", "rt", "sr_seg", "us_sc", "enhanced")
#: What they cannot keep: their DCMTK knows no such syntax or class, or data sets differ under one UID.
PLAIN = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"}
COLUMNS = ("StudyDate", "PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber",
           "SeriesDescription", "AccessionNumber")


def sources():
    """{SOP Instance UID: (path, head)} of what both archives can keep."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((dpipe.REAL_DATA / folder).rglob("*")):
            if not path.is_file() or path.name == "DICOMDIR":
                continue
            try:
                head = pydicom.dcmread(path, stop_before_pixels=True)
                syntax, uid = head.file_meta.TransferSyntaxUID, head.SOPInstanceUID
            except (pydicom.errors.InvalidDicomError, AttributeError):
                continue
            valid_date = not head.get("StudyDate") or str(head.StudyDate).isdigit()
            whole = all(head.get(k) for k in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"))
            if syntax in PLAIN and whole and valid_date and uid not in found and uid == head.file_meta.get(
                    "MediaStorageSOPInstanceUID") and head.SOPClassUID.startswith("1.2.840.10008.5.1.4.1.1."):
                found[uid] = path, head
    return found


def text(head, keyword):
    return str(head.get(keyword) or "").strip()


def fits(row, head):
    for keyword, key in row.items():
        value = text(head, keyword)
        if keyword == "StudyDate" and "-" in key:
            first, last = key.split("-")
            fit = bool(value) and first <= value <= (last or "9")
        elif keyword == "PatientName":
            fit = fnmatch.fnmatchcase(value.upper(), key.upper())
        elif keyword == "SeriesNumber":
            fit = value != "" and int(value) == int(key)
        else:
            fit = fnmatch.fnmatchcase(value, key.replace("[", "[[]"))
        if not fit:
            return False
    return True


def rows_over(found):
    """50 rows of every kind, none of which asks for all."""
    series = {}
    for _, head in found.values():
        series.setdefault(head.SeriesInstanceUID, head)
    heads = [series[uid] for uid in sorted(series)]
    rows = [{"SeriesInstanceUID": h.SeriesInstanceUID, "StudyInstanceUID": h.StudyInstanceUID} for h in heads[::4]]
    rows += [{"PatientID": text(h, "PatientID"), "Modality": text(h, "Modality")} for h in heads[1::6]]
    rows += [{"StudyInstanceUID": h.StudyInstanceUID, "SeriesNumber": text(h, "SeriesNumber")}
             for h in heads[2::6] if text(h, "SeriesNumber")]
    rows += [{"PatientID": text(h, "PatientID"), "StudyDate": text(h, "StudyDate")}
             for h in heads[3::8] if text(h, "StudyDate")]
    rows += [{"PatientID": text(h, "PatientID"), "SeriesDescription": text(h, "SeriesDescription")[:4] + "*"}
             for h in heads[4::9] if text(h, "SeriesDescription").isascii() and len(text(h, "SeriesDescription")) > 4]
    rows += [{"StudyDate": "20180101-20211231", "Modality": "MR"}, {"StudyDate": "20200101-", "Modality": "CT"},
             {"PatientName": "Doe^*", "Modality": "CR"}, {"PatientName": "test^reg*", "SeriesNumber": "4"},
             {"PatientID": "NOBODY"}, {"PatientID": "DEV", "StudyDate": "19990101"}]
    return rows[:44] + rows[-6:]


@needs_orthanc
@dpipe.needs("dcmqrscp")
@dpipe.needs_real_data
class Cohort(dpipe.TestCase):
    def query(self, node, out, *words):
        result = dpipe.run("dpipe-query", "--node", node, "--aet", "ME", "--layout", "uid", "--json", "--save", "-o",
                           out, *words, self.cohort, timeout=600)
        return result.code, [json.loads(line) for line in result.lines], result.err

    def check(self, name, node, found, rows, kept, *words):
        self.assertGreater(len(kept), 0.9 * len(found))
        expected = {uid for uid in kept if any(fits(row, found[uid][1]) for row in rows)}
        self.assertGreater(len(expected), 300)
        self.assertLess(len(expected), len(kept))
        out = self.scratch / name
        code, records, err = self.query(node, out, *words)
        self.assertEqual(code, 0, err)
        stored = {p.stem: p for p in out.rglob("*.dcm")}
        self.assertEqual(set(stored), expected, name)
        differ = [uid for uid, path in stored.items()
                  if made.split(path.read_bytes())[1] != made.split(kept[uid]())[1]]
        self.assertEqual(differ, [], name)
        code, again, err = self.query(node, out, *words)
        self.assertEqual(code, 0, err)
        self.assertEqual({(r["status"], r["received"]) for r in again}, {("skipped", 0)})
        self.assertEqual(len(again), len(records))

    def test_fifty_rows(self):
        found = sources()
        rows = rows_over(found)
        self.assertEqual(len(rows), 50)
        self.cohort = self.scratch / "cohort.csv"
        with self.cohort.open("w", newline="", encoding="utf-8-sig") as file:
            table = csv.DictWriter(file, COLUMNS, delimiter=";")
            table.writeheader()
            table.writerows(rows)
        port = free_port()
        with Dcmqrscp(self.scratch / "qr", move_port=port) as dcmtk, Orthanc(
                self.scratch / "orthanc", {"me": ["ME", "127.0.0.1", port]}, DicomAlwaysAllowFind=True,
                DicomAlwaysAllowGet=True, DicomAlwaysAllowMove=True, OverwriteInstances=False) as orthanc:
            listed = self.scratch / "list"
            listed.mkdir()
            for number, (path, _) in enumerate(found.values()):
                (listed / f"{number:04}.dcm").symlink_to(path)
            for aet, at in (("QRSCP", dcmtk.port), ("ORTHANC", orthanc.port)):
                subprocess.run(["dcmsend", "-nh", "-aec", aet, "127.0.0.1", str(at), "+sd", listed], check=False,
                               capture_output=True, env={**os.environ, "TCP_NODELAY": "1"})
            ids = {orthanc.rest(f"/instances/{i}/tags?simplify")["SOPInstanceUID"]: i
                   for i in orthanc.rest("/instances")}
            archived = {}
            for path in (self.scratch / "qr" / "db").glob("*.dcm"):
                archived[made.split(path.read_bytes())[0][0x00020003].decode()] = path
            self.check("dcmqrscp", f"QRSCP@127.0.0.1:{dcmtk.port}", found, rows,
                       {uid: path.read_bytes for uid, path in archived.items()})
            self.check("orthanc", f"ORTHANC@127.0.0.1:{orthanc.port}", found, rows,
                       {uid: functools.partial(orthanc.raw, f"/instances/{i}/file") for uid, i in ids.items()})


if __name__ == "__main__":
    dpipe.main()
