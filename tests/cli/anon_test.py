"""dpipe-anon: words, streams and records, bad input, the same bytes everywhere, and the real files at hand."""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import time
import unittest

import pydicom
import small_disk
import tiny
from anonymized import PERSON, AnonTest

import dpipe

SHIFT = "--retain-longitudinal-modified-dates"


def tree(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*.dcm"))}


class Streams(AnonTest):
    def test_names_and_records_end_with_nul(self):
        files = [self.tiny(name=f"{n}.dcm", InstanceNumber=n) for n in range(3)]
        names = "\0".join(map(str, files)) + "\0"
        plain = self.succeeds("dpipe-anon", *self.words("-0", "-"), stdin=names).raw
        self.assertEqual(plain.count(b"\0"), 3)
        self.assertNotIn(b"\n", plain)
        self.assertTrue(all(pathlib.Path(p.decode()).is_file() for p in plain.split(b"\0")[:-1]))
        records = self.succeeds("dpipe-anon", *self.words("-0", "--json", "-"), stdin=names).raw
        self.assertTrue(records.endswith(b"}\0"))
        self.assertNotIn(b"\n", records)
        self.assertEqual([json.loads(r)["status"] for r in records.split(b"\0")[:-1]], ["skipped"] * 3)
        folder = self.succeeds("dpipe-anon", *self.words("-0", "--json", self.scratch / "0.dcm", "-"), stdin="").raw
        self.assertTrue(folder.endswith(b"}\0"))

    def test_inventory_records_end_with_nul(self):
        out = self.succeeds("dpipe-anon", "-0", "--inventory", self.tiny()).raw
        self.assertNotIn(b"\n", out)
        self.assertTrue(all(json.loads(line)["attribute"] for line in out.split(b"\0")[:-1]))

    def test_a_failure_before_us_shows_at_the_end(self):
        line = json.dumps({"path": "x.dcm", "status": "quarantined", "reason": "why"})
        result = dpipe.run("dpipe-anon", *self.words("--json", "-"), stdin=line + "\n")
        self.assertEqual(result.code, 3)
        self.assertEqual(json.loads(result.out), json.loads(line))

    def test_folders_give_study_folders(self):
        for n in range(2):
            tiny.study(self.scratch / "raw" / str(n), StudyInstanceUID=tiny.uid("study", n), **PERSON)
        folders = self.anonymize(self.scratch / "raw")
        self.assertEqual(len(folders), 2)
        self.assertTrue(all(len(list(f.rglob("*.dcm"))) == 2 for f in folders))

    def test_dry_run_writes_nothing_and_says_the_same(self):
        source = self.tiny()
        dry = json.loads(self.succeeds("dpipe-anon", *self.words("--json", "-n", source)).out)
        self.assertTrue(dry.pop("dry_run"))
        self.assertFalse(self.out.exists())
        self.assertEqual(dry["SOPInstanceUID"], json.loads(
            self.succeeds("dpipe-anon", *self.words("--json", source)).out)["SOPInstanceUID"])

    def test_report_and_quarantine_list_name_nobody(self):
        bad = self.scratch / "bad.dcm"
        bad.write_bytes(b"no DICOM of Smithson")
        report = self.scratch / "report.json"
        self.fails(3, "dpipe-anon", *self.words("--report", report, self.tiny(), bad))
        text = report.read_text() + (self.scratch / "anon.quarantine.jsonl").read_text()
        self.assert_absent(text.encode(), "Smithson", "4711", "Mercy")
        said = json.loads(report.read_text())
        self.assertEqual((said["instances"]["written"], said["instances"]["failed"]), (1, 1))
        self.assertEqual(said["edition"], "2025b")

    def test_a_media_index_is_left_out_and_named(self):
        path = self.tiny(name="DICOMDIR")
        ds = pydicom.dcmread(path)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
        result = self.succeeds("dpipe-anon", *self.words(self.saved(ds, "DIRFILE")))
        self.assertIn("DIRFILE", result.err)
        self.assertEqual(result.out, "")


class Wrong(AnonTest):
    """What is wrong is said before the first file, with the exit code that scripts rely on; nothing is done."""

    def refused(self, code, *words, says):
        result = self.fails(code, "dpipe-anon", *self.words(*words, self.tiny()))
        self.assertRegex(result.err, says)
        self.assertEqual(result.out, "")
        self.assertFalse(self.out.exists(), list(self.out.rglob("*")) if self.out.exists() else "")
        self.assert_absent(result.err.encode(), "Smithson", "4711")

    def profile(self, text):
        path = self.scratch / "profile.json"
        path.write_text(text)
        return path

    def test_profiles(self):
        for text, says in (
                ('{"dcmpipe-profile": 1,\n  "rules": [{"tag": "PatientNaem", "action": "remove"}]}',
                 r"profile\.json.*line 2, column \d+.*PatientNaem"),
                ('{"dcmpipe-profile": 1,\n\n "rules": [{"tag": "Rows", "action": "shift"}]}',
                 r"line 3, column \d+.*shift makes no sense for VR US"),
                ('{"dcmpipe-profile": 1, "rules": [{"tag": "Rows", "action": "explode"}]}', "'explode' is no action"),
                ('{"dcmpipe-profile": 1,\n "colour": "red"}', r"line 2.*unknown key 'colour'"),
                ('{"dcmpipe-profile": 1, "options": ["retain-everything"]}', "'retain-everything' is no option"),
                ('{"dcmpipe-profile": 1, "options": ["retain-longitudinal-full-dates",'
                 ' "retain-longitudinal-modified-dates"]}', "exclude each other"),
                ('{"dcmpipe-profile": 1, "edition": "1999a"}', "1999a"),
                ('{"dcmpipe-profile": 2}', "must be 1"),
                ('{"dcmpipe-profile": 1, "rules": [{"vr": "QQ", "action": "remove"}]}', "no value representation"),
                ('{"dcmpipe-profile": 1, "rules": [{"tag": "StudyDescription", "action": "regex", "pattern": "(",'
                 ' "with": ""}]}', r"missing \)"),
                ('{"dcmpipe-profile": 1', "line 1"),
        ):
            with self.subTest(text):
                self.refused(2, "-p", self.profile(text), says=says)

    def test_words(self):
        self.refused(2, "-p", "no-such-profile", says="built in are.*basic")
        self.refused(2, SHIFT, "--retain-longitudinal-full-dates", says="exclude each other")
        self.refused(2, "--no-such-option", says="no-such-option")
        self.refused(2, "--layout", "{NoKeyword}", says="NoKeyword")
        self.refused(2, "--new-ids", self.scratch / "none.json", says="none.json")
        self.refused(2, "--day-shift", self.profile('{"a": "many"}'), says="whole number of days")
        self.fails(2, "dpipe-anon", "-m", self.map, "-o", self.out)
        self.fails(2, "dpipe-anon", "-m", self.map, self.tiny())

    def test_a_missing_map_and_a_missing_key(self):
        self.map.rename(self.scratch / "elsewhere.db")
        self.refused(2, says=r"link\.db")
        (self.scratch / "elsewhere.db").rename(self.map)
        (self.scratch / "link.key").unlink()
        self.refused(2, says=r"link\.key")

    def test_map_or_key_below_the_output(self):
        inside = self.scratch / "inside"
        inside.mkdir()
        for file, words in (("link.db", ("-m", inside / "link.db", "--key-file", self.scratch / "link.key")),
                            ("link.key", ("-m", self.map, "--key-file", inside / "link.key"))):
            with self.subTest(file):
                shutil.copy(self.scratch / file, inside)
                result = self.fails(5, "dpipe-anon", *words, "-o", inside, self.tiny())
                self.assertIn("output folder", result.err)
                self.assertEqual(list(inside.rglob("*.dcm")), [])

    def test_the_output_inside_the_input(self):
        source = self.tiny(name="raw/a.dcm")
        result = self.fails(3, "dpipe-anon", "-m", self.map, "-o", source.parent / "anon", source.parent)
        self.assertIn("stand inside", result.err)

    def test_new_ids(self):
        ids = self.scratch / "ids.json"
        for text, says in (('{"A": "x", "B": "x"}', "two patients"), ('{"A": ""}', "name a folder"),
                           ('{"A": "../x"}', "name a folder"), ("[1]", "must be an object"), ("{", "line 1")):
            with self.subTest(text):
                ids.write_text(text)
                self.refused(2, "--new-ids", ids, says=says)
        ids.write_text('{"OTHER": "x"}')
        self.assertIn("no code for this patient", self.quarantined("--new-ids", ids, self.tiny())["reason"])


class Bad(AnonTest):
    def test_an_unreadable_file_ends_nothing_else(self):
        gone = self.scratch / "gone.dcm"
        result = self.fails(3, "dpipe-anon", *self.words(gone, self.tiny()))
        self.assertIn("gone.dcm", result.err)
        self.assertEqual(len(result.lines), 1)

    def test_another_result_is_not_overwritten(self):
        source = self.tiny()
        (path,) = self.anonymize(source)
        path.write_bytes(b"somebody else's")
        self.assertIn("--overwrite", self.fails(3, "dpipe-anon", *self.words(source)).err)
        self.assertEqual(path.read_bytes(), b"somebody else's")
        self.anonymize("--overwrite", source)
        self.assertEqual(pydicom.dcmread(path).PatientID, "sub-001")

    def test_two_inputs_never_become_one(self):
        first, second = (self.tiny(name=f"{n}.dcm", StudyDescription=n * "x", KVP=str(80 + n)) for n in (1, 2))
        result = self.fails(3, "dpipe-anon", *self.words("--overwrite", first, second))
        self.assertEqual(len(result.lines), 1)
        self.assertIn("same SOP Instance UID", result.err)
        self.assertEqual(pydicom.dcmread(result.lines[0]).KVP, 81)
        self.anonymize("--overwrite", first, first)

    def test_an_output_is_no_input(self):
        (path,) = self.anonymize(self.tiny())
        self.assertIn("already", self.quarantined(path)["reason"])

    def test_a_full_disk(self):
        source = self.scratch / "raw"
        for n in range(60):
            ds = tiny.instance("CT", InstanceNumber=n, **PERSON)
            ds.Rows = ds.Columns = 128
            ds.PixelData = bytes(128 * 128 * 2)
            self.saved(ds, f"raw/{n:02}.dcm")
        with small_disk.mounted(self.scratch / "small", "1M"):
            result = self.fails(1, "dpipe-anon", "-m", self.map, "-o", self.scratch / "small" / "anon", source)
            self.assertRegex(result.err, "(?i)no space left")
            for path in (self.scratch / "small").rglob("*"):
                if path.is_file() and path.suffix == ".dcm":
                    pydicom.dcmread(path)
                    self.assertGreater(path.stat().st_size, 32768)
        self.anonymize(source)
        self.assertEqual(len(tree(self.out)), 60)

    def test_a_full_disk_under_the_map(self):
        for n in range(400):
            self.tiny(name=f"raw/{n:03}.dcm", InstanceNumber=n, StudyDescription=("x%d " % n) * 12)
        with small_disk.mounted(self.scratch / "small", "160k"):
            link = self.scratch / "small" / "link.db"
            self.succeeds("dpipe-map", "init", "-m", link)
            result = self.fails(1, "dpipe-anon", "-m", link, "-o", self.out, self.scratch / "raw")
            self.assertRegex(result.err, "(?i)full|no space")
            self.assertLess(len(tree(self.out)), 400)

    def test_pixels_and_lengths_that_lie(self):
        whole = self.tiny().read_bytes()
        for n, cut in enumerate((1, 133, 400, len(whole) - 1)):
            (self.scratch / f"cut{n}.dcm").write_bytes(whole[:cut])
        result = self.fails(3, "dpipe-anon", *self.words("--json", *sorted(self.scratch.glob("cut*.dcm"))))
        self.assertEqual([json.loads(line)["status"] for line in result.lines], ["failed"] * 4)
        self.assertEqual(tree(self.out), {})


class SameEverywhere(AnonTest):
    def runs(self, profile, environments):
        folder = self.scratch / "raw"
        for n in range(24):
            self.tiny("MR" if n % 3 else "CT", name=f"raw/{n:02}.dcm", PatientID=f"P{n % 5}", InstanceNumber=n,
                      StudyInstanceUID=tiny.uid(n % 5), PatientName=f"Müller{n % 5}^Ilse", SpecificCharacterSet="ISO_IR 100",
                      StudyDate="20240331", StudyDescription="MR knee Müller ISIK i")
        trees = []
        for number, (words, order, env) in enumerate(environments):
            home = self.scratch / str(number)
            home.mkdir()
            shutil.copy(self.map, home)
            shutil.copy(self.scratch / "link.key", home)
            files = sorted(folder.iterdir(), reverse=order)
            self.succeeds("dpipe-anon", "-m", home / "link.db", "-o", home / "anon", "-p", profile, *words, *files, env=env)
            trees.append(tree(home / "anon"))
        self.assertEqual(len(trees[0]), 24)
        for other in trees[1:]:
            self.assertEqual(other, trees[0])

    def test_jobs_locale_and_time_zone(self):
        locales = subprocess.run(["locale", "-a"], capture_output=True, check=False).stdout.decode().split()
        others = [name for name in locales if re.match("(tr_TR|de_DE|en_US)", name)]
        self.runs("pacsifier", [
            (("-j1",), False, {"LC_ALL": "C", "TZ": "UTC"}), (("-j2",), False, {"LC_ALL": "C", "TZ": "Pacific/Kiritimati"}),
            (("-j4",), False, {"LC_ALL": others[0] if others else "C.utf8", "TZ": "America/St_Johns"})])

    def test_order_where_codes_do_not_follow_it(self):
        self.runs("pixieveil", [(("-j2",), False, {}), (("-j2",), True, {})])


@dpipe.needs_real_data
class RealData(AnonTest):
    def test_every_input_is_accounted_for(self):
        files = [p for p in sorted(dpipe.REAL_DATA.rglob("*")) if p.is_file()]
        result = dpipe.run("dpipe-anon", *self.words("--json", *files), timeout=300)
        self.assertIn(result.code, (0, 3), result.err[-2000:])
        statuses = [json.loads(line)["status"] for line in result.lines]
        left_out = len(re.findall("left out '", result.err))
        self.assertEqual(len(statuses) + left_out, len(files))
        written = [json.loads(line)["path"] for line in result.lines if json.loads(line)["status"] == "ok"]
        self.assertGreater(len(written), 0.85 * len(files))
        self.assertEqual(len(set(written)), len(tree(self.out)))

    @dpipe.needs("dciodvfy")
    def test_no_errors_that_were_not_there(self):
        """On files of every kind."""
        seen, pairs = {}, []
        for path in sorted(dpipe.REAL_DATA.rglob("*")):
            if path.is_file() and seen.setdefault(path.parent, 0) < 3:
                seen[path.parent] += 1
                pairs.append(path)
        result = dpipe.run("dpipe-anon", *self.words("--json", *pairs), timeout=300)
        records = [json.loads(line) for line in result.lines]
        pairs = [p for p in pairs if f"left out '{p}'" not in result.err]
        self.assertEqual(len(records), len(pairs))
        worse = []
        for source, record in zip(pairs, records):
            if record["status"] == "ok" and errors(record["path"]) > errors(source):
                worse.append(str(source.relative_to(dpipe.REAL_DATA)))
        self.assertEqual(worse, [])


def errors(path):
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False).stderr.decode("latin1")
    # dciodvfy itself cannot skip in a deflated data set.
    return sum(line.startswith("Error") and "Seek failed" not in line for line in said.splitlines())


if __name__ == "__main__":
    dpipe.main()
