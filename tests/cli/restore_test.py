"""dpipe-restore: what comes back, from where, and what is refused."""

import json
import os
import pathlib
import sqlite3
import subprocess
import unittest

import pydicom
import same
import tiny
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import dpipe

PERSON = {"PatientName": "Smithson^Jane", "PatientID": "MRN-4711", "PatientBirthDate": "19800203",
          "IssuerOfPatientID": "MERCY", "AccessionNumber": "ACC-99", "StudyDescription": "head of Jane",
          "InstitutionName": "Mercy Hospital", "OperatorsName": "Oper^Ator"}
METHOD = ("DeidentificationMethod", "DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified")


class RestoreTest(dpipe.TestCase):
    """`self.sources` de-identified into `self.outputs`, in the same order."""

    def setUp(self):
        super().setUp()
        self.map = self.scratch / "link.db"
        self.key = self.scratch / "link.restore.key"
        self.back = self.scratch / "back"
        self.succeeds("dpipe-map", "init", "-m", self.map)

    def write(self, series=1, number=1, **attributes):
        ds = tiny.instance("CT", **{**PERSON, "SeriesNumber": series, "InstanceNumber": number, **attributes})
        reference = Dataset()
        reference.ReferencedSOPClassUID = ds.SOPClassUID
        reference.ReferencedSOPInstanceUID = tiny.uid("another")
        request = Dataset()
        request.AccessionNumber = "ACC-99"
        request.ScheduledProcedureStepDescription = "head of Jane"
        request.ReferencedStudySequence = Sequence([reference])
        ds.RequestAttributesSequence = Sequence([request])
        ds.ReferencedImageSequence = Sequence([reference])
        ds.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "private of Jane")
        path = self.scratch / "in" / f"{ds.SOPInstanceUID}.dcm"
        path.parent.mkdir(exist_ok=True)
        ds.save_as(path, write_like_original=False)
        return path

    def anonymize(self, *sources, words=()):
        return [pathlib.Path(line) for line in self.succeeds(
            "dpipe-anon", "-m", self.map, "-o", self.scratch / "out", *words, *sources).lines]

    def restore(self, *inputs, words=(), **how):
        return [pathlib.Path(line) for line in self.succeeds(
            "dpipe-restore", "-m", self.map, "--restore-key", self.key, "-o", self.back, *words, *inputs, **how).lines]

    def refuses(self, code, *words):
        """The message; asserts that nothing was written."""
        result = self.fails(code, "dpipe-restore", "-o", self.back, *words)
        self.assertEqual(self.files(self.back), [])
        self.assertEqual(result.out, "")
        return result.err

    def refuses_by_map(self, code, *words):
        return self.refuses(code, "-m", self.map, "--restore-key", self.key, *words)

    @staticmethod
    def files(folder):
        return sorted(p for p in folder.rglob("*.dcm")) if folder.exists() else []

    def audit_lines(self, log="link.audit.jsonl"):
        return [json.loads(line) for line in (self.scratch / log).read_text().splitlines()]


class Levels(RestoreTest):
    def test_full_is_the_data_set_that_came_in(self):
        source = self.write()
        restored, = self.restore(*self.anonymize(source), words=["--level", "full"])
        self.assertEqual(same.difference(restored, source), [])
        self.assertEqual(pydicom.dcmread(restored).file_meta.MediaStorageSOPInstanceUID,
                         pydicom.dcmread(source).SOPInstanceUID)

    def test_identity_is_who_when_and_all_uids_at_every_depth_and_nothing_else(self):
        source = self.write()
        path, = self.anonymize(source, words=["--retain-longitudinal-modified-dates"])
        restored = pydicom.dcmread(self.restore(path)[0])
        original = pydicom.dcmread(source)
        for keyword in ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
                        "AccessionNumber", "StudyID", "StudyDate", "StudyTime", "StudyInstanceUID",
                        "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
            self.assertEqual(restored.get(keyword), original.get(keyword), keyword)
        self.assertEqual(restored.ReferencedImageSequence[0].ReferencedSOPInstanceUID, tiny.uid("another"))
        for keyword in ("StudyDescription", "InstitutionName", "OperatorsName"):
            self.assertFalse(restored.get(keyword), keyword)
        self.assertNotIn(0x00091001, restored)
        self.assertNotIn(b"head of Jane", pathlib.Path(self.restore(path)[0]).read_bytes())

    def test_after_it_the_identity_is_said_to_be_there_and_the_method_is_gone(self):
        path, = self.anonymize(self.write())
        self.assertEqual(pydicom.dcmread(path).PatientIdentityRemoved, "YES")
        restored = pydicom.dcmread(self.restore(path)[0])
        self.assertEqual(restored.PatientIdentityRemoved, "NO")
        for keyword in METHOD:
            self.assertIn(keyword, pydicom.dcmread(path))
            self.assertNotIn(keyword, restored)

    def test_full_gives_back_marks_that_an_earlier_hand_had_left(self):
        source = self.write(PatientIdentityRemoved="YES", DeidentificationMethod="by hand")
        restored, = self.restore(*self.anonymize(source), words=["--level", "full"])
        self.assertEqual(same.difference(restored, source), [])

    def test_full_also_where_two_profiles_made_two_outputs_of_one_input(self):
        source = self.write()
        words = ["dpipe-anon", "-m", self.map]
        strict, = self.succeeds(*words, "-o", self.scratch / "a", source).lines
        mild, = self.succeeds(
            *words, "-o", self.scratch / "b", "--retain-device-identity", "--retain-patient-characteristics",
            source).lines
        for output in (strict, mild):
            restored, = self.restore(output, words=["--level", "full", "--overwrite"])
            self.assertEqual(same.difference(restored, source), [])

    def test_what_was_changed_since_stays_changed(self):
        path, = self.anonymize(self.write())
        ds = pydicom.dcmread(path)
        ds.ImageComments = "seen by the reading room"
        ds.save_as(path)
        restored = pydicom.dcmread(self.restore(path, words=["--level", "full"])[0])
        self.assertEqual(restored.ImageComments, "seen by the reading room")
        self.assertEqual(restored.PatientID, "MRN-4711")


class Inputs(RestoreTest):
    def setUp(self):
        super().setUp()
        self.sources = [self.write(series, number) for series in (1, 2) for number in (1, 2)]
        self.anonymize(self.scratch / "in")

    def assert_all_back(self):
        restored = {pydicom.dcmread(p).SOPInstanceUID: p for p in self.files(self.back)}
        for source in self.sources:
            self.assertEqual(same.difference(restored.pop(source.stem), source), [])
        self.assertEqual(restored, {})

    def test_a_folder_comes_back_as_its_study_folder(self):
        folder, = self.restore(self.scratch / "out", words=["--level", "full"])
        self.assertEqual(folder, self.back / "MRN-4711" / tiny.uid("study"))
        self.assertTrue((folder / tiny.MARKER).exists())
        self.assert_all_back()

    def test_files_by_stdin(self):
        lines = "".join(f"{p}\n" for p in self.files(self.scratch / "out"))
        self.assertEqual(len(self.restore("-", words=["--level", "full"], stdin=lines)), 4)
        self.assert_all_back()

    def test_again_is_skipped_and_another_result_is_not_replaced_unless_asked(self):
        self.restore(self.scratch / "out")
        path = self.files(self.back)[0]
        words = ("dpipe-restore", "-m", self.map, "--restore-key", self.key, "-o", self.back, "--json")
        again = [json.loads(line)["status"] for line in self.succeeds(*words, self.scratch / "out").lines]
        self.assertEqual(set(again), {"skipped"})
        before = path.read_bytes()
        result = self.fails(3, *words, "--level", "full", self.scratch / "out")
        self.assertIn("--overwrite", result.err)
        self.assertEqual(path.read_bytes(), before)
        self.restore(self.scratch / "out", words=["--level", "full", "--overwrite"])
        self.assert_all_back()

    def test_one_that_is_unknown_does_not_stop_the_others(self):
        tiny.write(self.scratch / "out" / "stranger.dcm", "CT", InstanceNumber=77)
        result = self.fails(3, "dpipe-restore", "-m", self.map, "--restore-key", self.key, "--level", "full", "-o",
                            self.back, self.scratch / "out")
        self.assertIn("stranger.dcm': no originals of it are known", result.err)
        self.assert_all_back()

    def test_dry_run_writes_nothing(self):
        self.restore(self.scratch / "out", words=["-n"])
        self.assertFalse(self.back.exists())

    def test_layout(self):
        self.restore(self.scratch / "out", words=["--layout", "{PatientID}/{SOPInstanceUID}.dcm"])
        self.assertEqual({p.parent for p in self.files(self.back)}, {self.back / "MRN-4711"})


class Refusals(RestoreTest):
    def setUp(self):
        super().setUp()
        self.path, = self.anonymize(self.write())

    def tamper(self, statement):
        db = sqlite3.connect(self.map)
        db.execute(statement)
        db.commit()
        db.close()

    def test_an_instance_nobody_knows(self):
        self.assertIn("no originals of it are known",
                      self.refuses_by_map(3, tiny.write(self.scratch / "y.dcm", "CT")))

    def test_a_foreign_restore_key(self):
        self.succeeds("dpipe-map", "init", "-m", self.scratch / "other.db")
        self.assertIn("the restore key does not fit this map", self.refuses(
            3, "-m", self.map, "--restore-key", self.scratch / "other.restore.key", self.path))

    def test_a_foreign_project_key(self):
        self.succeeds("dpipe-map", "init", "-m", self.scratch / "other.db")
        self.assertIn("it was made for key", self.refuses_by_map(
            2, "--key-file", self.scratch / "other.key", self.path))

    def test_a_tampered_row(self):
        self.tamper("update originals set body = cast(substr(body, 1, 30) || x'00' || substr(body, 32) as blob)")
        self.assertIn("tampered", self.refuses_by_map(3, self.path))

    def test_a_row_moved_to_another_instance(self):
        other, = self.anonymize(self.write(number=2, PatientName="Other^One", PatientID="MRN-4712"))
        self.tamper("update originals set body = (select body from originals where id = 1) where id = 2")
        self.assertIn("tampered", self.refuses_by_map(3, other))

    def test_a_tampered_run_key(self):
        self.tamper("update seal set sealed_key = cast(substr(sealed_key, 1, 40) || x'00' || substr(sealed_key, 42) "
                    "as blob)")
        self.assertIn("the restore key does not fit", self.refuses_by_map(3, self.path))

    def test_another_transfer_syntax(self):
        converted = self.scratch / "converted.dcm"
        subprocess.run(["dcmconv", "+ti", self.path, converted], check=True)
        self.assertIn("convert it back to 1.2.840.10008.1.2.1", self.refuses_by_map(3, converted))

    def test_a_damaged_file(self):
        self.path.write_bytes(self.path.read_bytes()[:700])
        self.assertIn("error", self.refuses_by_map(3, self.path))

    def test_without_a_word_where_the_originals_are(self):
        self.assertIn("-m/--map is missing", self.refuses(2, self.path))
        self.assertIn("--restore-key is missing", self.refuses(2, "-m", self.map, self.path))

    def test_a_map_that_is_no_map(self):
        (self.scratch / "no.db").write_text("no map")
        self.refuses(1, "-m", self.scratch / "no.db", "--key-file", self.scratch / "link.key", "--restore-key", self.key,
                     self.path)

    def test_the_messages_tell_them_apart(self):
        # Each of the tests above asks for its own words; none of them names the patient.
        self.tamper("update originals set body = zeroblob(50)")
        self.assertNotIn("Smithson", self.refuses_by_map(3, self.path))


class Audit(RestoreTest):
    def setUp(self):
        super().setUp()
        self.paths = self.anonymize(self.write(), self.write(number=2), self.write(
            StudyInstanceUID=tiny.uid("second"), SeriesInstanceUID=tiny.uid("series of second"),
            SOPInstanceUID=tiny.uid("of second")))

    def test_each_study_once_by_pseudonym(self):
        self.restore(self.scratch / "out")
        lines = self.audit_lines()
        self.assertEqual({line["of"][0] for line in lines}, {p.parts[-3] for p in self.paths})
        self.assertEqual(len(lines), 2)
        self.assertEqual({(line["program"], line["action"]) for line in lines}, {("dpipe-restore", "restore")})
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
            self.assertTrue(line["user"])
        self.assertNotIn("Smithson", json.dumps(lines))

    def test_no_log_no_reveal(self):
        for log in ("/proc/no/such/log", self.scratch):
            self.assertIn("nothing is revealed", self.refuses_by_map(3, "--audit-log", log, self.scratch / "out"))

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_a_full_disk_is_no_log_either(self):
        self.assertIn("nothing is revealed", self.refuses_by_map(3, "--audit-log", "/dev/full", self.scratch / "out"))

    def test_what_is_refused_is_not_noted_as_revealed(self):
        self.refuses_by_map(3, tiny.write(self.scratch / "y.dcm", "CT"))
        self.assertFalse((self.scratch / "link.audit.jsonl").exists())


class Foreign(RestoreTest):
    """Instances of other systems, by what those systems kept."""

    def setUp(self):
        super().setUp()
        self.path = tiny.write(self.scratch / "x.dcm", "CT", PatientName="sub-001", PatientID="sub-001",
                               PatientBirthDate="", StudyInstanceUID="1.2.3", PatientIdentityRemoved="YES",
                               DeidentificationMethod="by another")

    def map_file(self, content):
        path = self.scratch / "patient_info_map.json"
        path.write_text(json.dumps(content))
        return path

    def by_file(self, file, *words):
        return pydicom.dcmread(self.succeeds(
            "dpipe-restore", "--map-file", file, "-o", self.back, "--overwrite", *words, self.path).lines[0])

    def assert_jane(self, ds):
        self.assertEqual((ds.PatientName, ds.PatientID), ("Smithson^Jane", "MRN-4711"))
        self.assertEqual(ds.PatientIdentityRemoved, "NO")
        self.assertNotIn("DeidentificationMethod", ds)

    def test_the_dicom_receiver_s_map_in_both_forms(self):
        info = {"1.2.3": {"PatientName": "Smithson^Jane", "PatientID": "MRN-4711", "PatientBirthDate": "19800203"}}
        for form in ({"patient_info": info, "patient_name_map": {"Smithson^Jane": "sub-001"},
                      "patient_study_map": {"MRN-4711": ["1.2.3"]}}, info):
            for level in ("identity", "full"):
                with self.subTest(keys=list(form), level=level):
                    ds = self.by_file(self.map_file(form), "--level", level)
                    self.assert_jane(ds)
                    self.assertEqual(ds.PatientBirthDate, "19800203")

    def test_a_removed_element_is_made_again(self):
        ds = pydicom.dcmread(self.path)
        del ds.PatientBirthDate
        ds.save_as(self.path)
        ds = self.by_file(self.map_file({"1.2.3": {"PatientID": "MRN-4711", "PatientBirthDate": "19800203"}}))
        self.assertEqual(ds.PatientBirthDate, "19800203")

    def test_an_unknown_study(self):
        file = self.map_file({"1.2.4": {"PatientID": "MRN-4711"}})
        self.assertIn("no originals of it are known", self.refuses(3, "--map-file", file, self.path))

    def test_an_original_that_its_characters_cannot_write(self):
        file = self.map_file({"1.2.3": {"PatientName": "山田^太郎"}})
        self.assertIn("cannot be written in its character set", self.refuses(3, "--map-file", file, self.path))

    def test_what_is_no_map_file(self):
        for content in ([], {"1.2.3": {"NoSuchAttribute": "x"}}, {"1.2.3": {"PatientID": 7}}, {"1.2.3": "x"}):
            with self.subTest(content):
                self.refuses(2, "--map-file", self.map_file(content), self.path)
        (self.scratch / "cut.json").write_text('{"1.2.3": ')
        self.refuses(2, "--map-file", self.scratch / "cut.json", self.path)
        self.refuses(2, "--map-file", self.scratch / "no-such.json", self.path)

    def identity_db(self, tables):
        path = self.scratch / "identity.db"
        path.unlink(missing_ok=True)
        db = sqlite3.connect(path)
        for table, (original, cleaned) in tables.items():
            db.execute(f"create table {table} (id integer primary key, original text, cleaned text, study integer)")
            db.execute(f"insert into {table} (original, cleaned, study) values (?, ?, 1)", (original, cleaned))
        db.commit()
        db.close()
        return path

    def test_identity_db_in_both_forms(self):
        for names in (("patientsname", "patientid", "studyinstanceuid"), ("patient", "id", "studyuid")):
            with self.subTest(names):
                file = self.identity_db(dict(zip(names, (
                    ("Smithson^Jane", "sub-001"), ("MRN-4711", "sub-001"), ("9.8.7", "1.2.3")))))
                ds = self.by_file(file)
                self.assert_jane(ds)
                self.assertEqual(ds.StudyInstanceUID, "9.8.7")

    def test_a_database_of_something_else(self):
        self.assertIn("no identity.db", self.refuses(
            2, "--map-file", self.identity_db({"cats": ("a", "b")}), self.path))

    def test_it_is_noted_beside_the_output(self):
        self.by_file(self.map_file({"1.2.3": {"PatientID": "MRN-4711"}}))
        self.assertEqual([line["of"] for line in self.audit_lines("back.audit.jsonl")], [["1.2.3"]])


class EncryptedAttributes(RestoreTest):
    def setUp(self):
        super().setUp()
        self.cms_key = self.scratch / "reader.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=reader", "-keyout",
                        self.cms_key, "-out", self.scratch / "reader.pem"], check=True, capture_output=True)
        self.cms_key.chmod(0o600)

    def test_identity_and_full(self):
        source = self.write()
        path, = self.anonymize(source, words=["--encrypt-to", self.scratch / "reader.pem"])
        for level, gone in (("identity", ()), ("full", ("OperatorsName",))):
            ds = pydicom.dcmread(self.succeeds(
                "dpipe-restore", "--cms-key", self.cms_key, "--level", level, "--overwrite", "-o", self.back,
                path).lines[0])
            self.assertEqual((ds.PatientID, ds.PatientIdentityRemoved), ("MRN-4711", "NO"))
            self.assertEqual("OperatorsName" in ds, bool(gone))
            for keyword in (*METHOD, "EncryptedAttributesSequence"):
                self.assertNotIn(keyword, ds)
        self.assertEqual(len(self.audit_lines("back.audit.jsonl")), 2)

    def test_an_instance_without_any(self):
        path, = self.anonymize(self.write())
        self.assertIn("no originals of it are known", self.refuses(3, "--cms-key", self.cms_key, path))

    def test_by_the_map_too_they_are_gone(self):
        source = self.write()
        path, = self.anonymize(source, words=["--encrypt-to", self.scratch / "reader.pem"])
        self.assertNotIn("EncryptedAttributesSequence", pydicom.dcmread(self.restore(path)[0]))
        restored, = self.restore(path, words=["--level", "full", "--overwrite"])
        self.assertEqual(same.difference(restored, source), [])


class JsonStream(RestoreTest):
    def setUp(self):
        super().setUp()
        self.paths = self.anonymize(self.write(), self.write(2), self.write(
            PatientID="MRN-4712", PatientName="Doe^John", StudyInstanceUID=tiny.uid("second"),
            SeriesInstanceUID=tiny.uid("series"), SOPInstanceUID=tiny.uid("instance")))

    def filter(self, text, **how):
        return self.succeeds(
            "dpipe-restore", "--filter-json", "-m", self.map, "--restore-key", self.key, stdin=text, **how)

    def values(self, *values):
        return [json.loads(line) for line in self.filter("".join(json.dumps(v) + "\n" for v in values)).lines]

    def test_codes_names_and_uids_become_originals_wherever_they_stand(self):
        *_, study, series, instance = self.paths[1].with_suffix("").parts
        original = pydicom.dcmread(self.files(self.scratch / "in")[0])
        done, other = self.values(
            {"patient": "sub-001", "PatientName": "sub-001", "study": study, "volumes": [1.5, {"series": series}],
             "sop": [instance], "note": "sub-001 is not alone", "n": 7, "none": None},
            {"subject": "sub-002", "unknown": "sub-999", "uid": "1.2.3.4"})
        self.assertEqual((done["patient"], done["PatientName"]), ("MRN-4711", "Smithson^Jane"))
        self.assertEqual(done["study"], original.StudyInstanceUID)
        second = next(p for p in self.files(self.scratch / "in") if pydicom.dcmread(p).SeriesNumber == 2)
        self.assertEqual(done["sop"], [second.stem])
        self.assertEqual(done["volumes"], [1.5, {"series": pydicom.dcmread(second).SeriesInstanceUID}])
        self.assertEqual((done["note"], done["n"], done["none"]), ("sub-001 is not alone", 7, None))
        self.assertEqual(other, {"subject": "MRN-4712", "unknown": "sub-999", "uid": "1.2.3.4"})

    def test_the_standard_s_own_json(self):
        done, = self.values({"00100010": {"vr": "PN", "Value": [{"Alphabetic": "sub-001"}]},
                             "00100020": {"vr": "LO", "Value": ["sub-001"]}})
        self.assertEqual(done["00100010"]["Value"], [{"Alphabetic": "Smithson^Jane"}])
        self.assertEqual(done["00100020"]["Value"], ["MRN-4711"])

    def test_a_value_over_many_lines(self):
        text = json.dumps({"id": "sub-001"}, indent=4) + "\n" + json.dumps(["sub-002"], indent=4)
        self.assertEqual([json.loads(line) for line in self.filter(text).lines], [{"id": "MRN-4711"}, ["MRN-4712"]])

    def test_each_value_comes_out_before_the_next_goes_in(self):
        running = dpipe.start(
            "dpipe-restore", "--filter-json", "-m", self.map, "--restore-key", self.key, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for code, id_ in (("sub-001", "MRN-4711"), ("sub-002", "MRN-4712")):
            running.stdin.write(json.dumps({"id": code}).encode() + b"\n")
            running.stdin.flush()
            self.assertEqual(json.loads(running.stdout.readline()), {"id": id_})
        running.stdin.close()
        self.assertEqual(running.wait(), 0)
        running.stdout.close()

    def test_every_look_is_noted(self):
        self.values({"id": "sub-001"}, {"id": "sub-001"})
        self.assertEqual([line["of"] for line in self.audit_lines()], [["sub-001"]])

    def test_no_log_no_reveal(self):
        result = self.fails(5, "dpipe-restore", "--filter-json", "-m", self.map, "--restore-key", self.key,
                            "--audit-log", "/proc/no/such/log", stdin='{"id": "sub-001"}\n')
        self.assertEqual(result.out, "")

    def test_what_is_no_json_ends_it_saying_so(self):
        result = self.fails(1, "dpipe-restore", "--filter-json", "-m", self.map, "--restore-key", self.key,
                            stdin='{"id": "sub-001"}\n{"id": Smithson\n')
        self.assertEqual(json.loads(result.out), {"id": "MRN-4711"})
        self.assertIn("not JSON", result.err)
        self.assertNotIn("Smithson", result.err)

    def test_a_full_disk_is_said_so(self):
        with open("/dev/full", "wb") as full:
            running = dpipe.start("dpipe-restore", "--filter-json", "-m", self.map, "--restore-key", self.key,
                                  stdin=subprocess.PIPE, stdout=full, stderr=subprocess.PIPE)
            _, err = running.communicate(b'{"id": "sub-001"}\n')
        self.assertEqual(running.returncode, 1, err)

    def test_it_needs_the_map(self):
        self.assertIn("--filter-json", self.fails(
            2, "dpipe-restore", "--filter-json", "--map-file", "x.json", stdin="{}").err)


if __name__ == "__main__":
    dpipe.main()
