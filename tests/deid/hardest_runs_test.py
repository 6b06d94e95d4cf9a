"""The hardest tests of de-identification (hardest_test.py lists all): identity across runs, kills, restoring."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pydicom
import tiny
from anonymized import PERSON, AnonTest, item, read, sequence

import dpipe


def tree(folder):
    """{path below: digest} of the results."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*.dcm"))}


class References(AnonTest):
    def objects(self):
        """A CT, and what speaks of it: a structure set, a segmentation, a report."""
        ct = tiny.instance("CT", **PERSON)
        frame, series = ct.FrameOfReferenceUID, ct.SeriesInstanceUID
        refers = dict(ReferencedSOPClassUID=ct.SOPClassUID, ReferencedSOPInstanceUID=ct.SOPInstanceUID)

        def other(modality, sop_class, number):
            ds = tiny.instance("SR", SeriesNumber=number, **PERSON)
            ds.Modality, ds.SOPClassUID = modality, sop_class
            ds.file_meta.MediaStorageSOPClassUID = sop_class
            del ds.ConceptNameCodeSequence
            return ds

        rt = other("RTSTRUCT", "1.2.840.10008.5.1.4.1.1.481.3", 2)
        rt.StructureSetLabel = "plan"
        rt.ReferencedFrameOfReferenceSequence = sequence(item(
            FrameOfReferenceUID=frame, RTReferencedStudySequence=sequence(item(
                ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=ct.StudyInstanceUID,
                RTReferencedSeriesSequence=sequence(item(
                    SeriesInstanceUID=series, ContourImageSequence=sequence(item(**refers))))))))
        seg = other("SEG", "1.2.840.10008.5.1.4.1.1.66.4", 3)
        seg.FrameOfReferenceUID = frame
        seg.ReferencedSeriesSequence = sequence(item(
            SeriesInstanceUID=series, ReferencedInstanceSequence=sequence(item(**refers))))
        seg.PerFrameFunctionalGroupsSequence = sequence(item(DerivationImageSequence=sequence(item(
            SourceImageSequence=sequence(item(**refers))))))
        sr = other("SR", "1.2.840.10008.5.1.4.1.1.88.33", 4)
        sr.CurrentRequestedProcedureEvidenceSequence = sequence(item(
            StudyInstanceUID=ct.StudyInstanceUID, ReferencedSeriesSequence=sequence(item(
                SeriesInstanceUID=series, ReferencedSOPSequence=sequence(item(**refers))))))
        sr.ContentSequence = sequence(item(
            RelationshipType="CONTAINS", ValueType="IMAGE", ReferencedSOPSequence=sequence(item(**refers))))
        return [("rt", rt), ("ct", ct), ("seg", seg), ("sr", sr)]

    def test_05_references_resolve_across_runs(self):
        """Each in a run of its own, what refers first."""
        out = {}
        for n, (name, ds) in enumerate(self.objects()):
            source = self.saved(ds, f"{name}.dcm")
            os.utime(source, (n * 86400, n * 86400))
            (path,) = self.anonymize("--clean-structured-content", source)
            out[name] = read(path)
        ct = out["ct"]
        study = out["rt"].ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
        contour = study.RTReferencedSeriesSequence[0]
        self.assertEqual(study.ReferencedSOPInstanceUID, ct.StudyInstanceUID)
        self.assertEqual(contour.SeriesInstanceUID, ct.SeriesInstanceUID)
        self.assertEqual(contour.ContourImageSequence[0].ReferencedSOPInstanceUID, ct.SOPInstanceUID)
        self.assertEqual(out["rt"].ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID, ct.FrameOfReferenceUID)
        self.assertEqual(
            out["seg"].ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID, ct.SOPInstanceUID)
        self.assertEqual(
            out["seg"].PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
            .ReferencedSOPInstanceUID, ct.SOPInstanceUID)
        evidence = out["sr"].CurrentRequestedProcedureEvidenceSequence[0]
        self.assertEqual(evidence.StudyInstanceUID, ct.StudyInstanceUID)
        self.assertEqual(
            evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID, ct.SOPInstanceUID)
        self.assertEqual(out["sr"].ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID, ct.SOPInstanceUID)
        self.assertEqual(len({ds.PatientID for ds in out.values()}), 1)


class Patients(AnonTest):
    def code(self, **attributes):
        study = tiny.uid(repr(attributes))
        source = self.tiny(StudyInstanceUID=study, **attributes)
        return self.one(source).PatientID

    def test_11_the_issuer_is_part_of_the_identity(self):
        codes = [self.code(PatientID="1", IssuerOfPatientID=issuer) for issuer in ("MERCY", "HOPE", "MERCY", "")]
        self.assertEqual(codes, ["sub-001", "sub-002", "sub-001", "sub-003"])

    def test_11_padding_makes_no_other_patient(self):
        self.assertEqual({self.code(PatientID=i) for i in ("77", "77 ", " 77", "77  ")}, {"sub-001"})

    def test_11_patients_without_id_are_told_apart(self):
        self.assertNotEqual(self.code(PatientID="", PatientName="A"), self.code(PatientID=None, PatientName="B"))


class Batches(AnonTest):
    def studies(self, count=200):
        folder = self.scratch / "raw"
        for n in range(count):
            tiny.write(folder / f"{n:03}.dcm", "CT", **{**PERSON, "PatientID": f"MRN-{n % 7}", "PatientName": f"Nam{n % 7}^X",
                       "InstanceNumber": n, "StudyInstanceUID": tiny.uid("study", n % 7)})
        return folder

    def test_23_four_bad_files_among_200(self):
        folder = self.studies()
        good = (folder / "000.dcm").read_bytes()
        bad = {"b-truncated.dcm": good[:len(good) // 2], "c-text.dcm": b"this is no DICOM file, but Smithson's letter",
               "d-empty.dcm": b"", "e-unreadable.dcm": good}
        for name, content in bad.items():
            (folder / name).write_bytes(content)
        (folder / "e-unreadable.dcm").unlink()
        (folder / "e-unreadable.dcm").symlink_to(self.scratch / "nowhere")  # root reads whatever the mode says
        result = self.fails(3, "dpipe-anon", *self.words(folder))
        self.assertEqual(len(tree(self.out)), 200)
        listed = [json.loads(line) for line in (self.scratch / "anon.quarantine.jsonl").read_text().splitlines()]
        self.assertEqual({pathlib.Path(r["path"]).name for r in listed}, set(bad))
        self.assertTrue(all(r["reason"] and r["status"] == "failed" for r in listed), listed)
        self.assertNotIn("Smithson", result.out + result.err)
        self.assertEqual([p for p in self.out.rglob("*") if p.is_file() and p.suffix != ".dcm" and p.name[0] != "."], [])

    def fresh(self, name):
        """The same empty map and key, in a folder of its own."""
        folder = self.scratch / name
        folder.mkdir()
        for file in ("link.db", "link.key"):
            shutil.copy(self.scratch / file, folder)
        self.map, self.out = folder / "link.db", folder / "anon"

    def test_24_killed_and_run_again(self):
        folder = self.studies(300)
        self.fresh("undisturbed")
        self.anonymize("-j1", folder)
        expected = tree(self.out)
        self.assertEqual(len(expected), 300)
        self.fresh("killed")
        kills = 0
        for wait in (0.03, 0.06, 0.09, 0.12, 0.15):
            process = dpipe.start("dpipe-anon", *self.words("-j4", folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            for path in self.out.rglob("*.dcm"):
                pydicom.dcmread(path)  # whole, or not there
        self.assertGreater(kills, 0)
        self.anonymize("-j4", folder)
        self.assertEqual(tree(self.out), expected)
        codes = self.succeeds("dpipe-map", "list", "-m", self.map).lines
        self.assertEqual(len(set(codes)), len(codes))


class Restored(AnonTest):
    def setUp(self):
        super().setUp()
        ds = tiny.instance("CT", **PERSON)
        ds.private_block(0x0011, "ACME 1", create=True).add_new(1, "LO", "private of Smithson")
        ds.ReferencedSeriesSequence = sequence(item(SeriesInstanceUID="1.2.3.4.5", SeriesDescription="of Jane"))
        self.source = self.saved(ds)
        self.before = data_set(self.source)

    def restore(self, *words, code=0):
        result = dpipe.run("dpipe-restore", "-o", self.scratch / "restored", "--level", "full", "--overwrite", *words)
        self.assertEqual(result.code, code, result.err)
        return result

    def test_25_by_the_sealed_map(self):
        out = self.one(self.source)
        back = self.restore("-m", self.map, "--restore-key", self.scratch / "link.restore.key", out.path).lines[0]
        self.assertEqual(data_set(back), self.before)

    def test_25_by_encrypted_attributes(self):
        key, certificate = self.scratch / "cms.pem", self.scratch / "cms.crt"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "9",
             "-subj", "/CN=restore"], check=True, capture_output=True)
        os.chmod(key, 0o600)
        out = self.one(self.source, "--encrypt-to", certificate)
        back = self.restore("--cms-key", key, "--cms-cert", certificate, out.path).lines[0]
        after = pydicom.dcmread(back)
        self.assertEqual(after.PatientIdentityRemoved, "NO")  # PS3.15 E.1.2 wants it to say so
        del after.PatientIdentityRemoved
        self.assertEqual(after.to_json(), self.before)

    def test_25_each_refusal_has_its_message(self):
        out = self.one(self.source)
        self.succeeds("dpipe-map", "init", "-m", self.scratch / "other.db")
        wrong_key = self.restore(
            "-m", self.map, "--restore-key", self.scratch / "other.restore.key", out.path, code=3).err
        foreign = self.restore(
            "-m", self.map, "--key-file", self.scratch / "other.key", "--restore-key",
            self.scratch / "link.restore.key", out.path, code=2).err
        unknown = self.restore(
            "-m", self.map, "--restore-key", self.scratch / "link.restore.key", self.source, code=3).err
        self.assertEqual(len({wrong_key.splitlines()[0], foreign.splitlines()[0], unknown.splitlines()[0]}), 3)
        self.assertFalse((self.scratch / "restored").exists() and list((self.scratch / "restored").rglob("*.dcm")))

    def test_25_no_identity_in_the_map_in_clear(self):
        self.one(self.source)
        for path in self.scratch.glob("link.db*"):
            content = path.read_bytes()
            for value in (*PERSON.values(), "Smithson", "Jane", "private of", str(tiny.uid("study"))):
                self.assert_absent(content, value)


def data_set(path):
    """What pydicom reads of it, file meta information aside."""
    return pydicom.dcmread(path).to_json()


if __name__ == "__main__":
    dpipe.main()
