"""dpipe-upload --api stow against Orthanc's DICOMweb plugin: what arrives, what is sent again, what is not."""

import json
import pathlib
import unittest

import dpipe
import tiny
from peers import ORTHANC, Orthanc

PLUGIN = next((path for path in (
    pathlib.Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
    *pathlib.Path("/usr/lib/orthanc").glob("libOrthancDicomWeb.so*")) if path.exists()), None)
ENV = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


@unittest.skipUnless(ORTHANC and PLUGIN, "Orthanc with its DICOMweb plugin is not installed")
class ToOrthanc(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        orthanc = Orthanc(
            self.scratch / "orthanc", Plugins=[str(PLUGIN)], AuthenticationEnabled=True,
            RegisteredUsers={"me": "secret"}, DicomWeb={"Enable": True, "Root": "/dicom-web/"})
        orthanc.credentials = ("me", "secret")
        self.orthanc = orthanc
        self.addCleanup(orthanc.stop)
        self.url = f"http://127.0.0.1:{orthanc.http}/dicom-web"

    def upload(self, code, *words, password="secret"):
        result = dpipe.run(
            "dpipe-upload", "--api", "stow", "--url", self.url, "--username", "me", "--json", "--retry-delay", "0.05",
            *words, env={**ENV, "DPIPE_PASSWORD": password})
        self.assertEqual(result.code, code, result.err + result.out)
        return [json.loads(line) for line in result.lines], result

    def test_every_instance_arrives_once_with_its_bytes(self):
        study = tiny.study(self.scratch / "study", series=2, instances=5)
        (record,), _ = self.upload(0, "--batch-instances", "3", study)
        self.assertEqual((record["status"], record["instances"], record["sent"]), ("ok", 10, 10))
        held = self.orthanc.rest("/instances")
        self.assertEqual(len(held), 10)
        sent = {path.read_bytes() for path in study.rglob("*.dcm")}
        self.assertEqual({self.orthanc.raw(f"/instances/{one}/file") for one in held}, sent)
        lines = (self.scratch / "study.receipt.jsonl").read_text().splitlines()
        self.assertEqual(len(lines), 10)

        (record,), _ = self.upload(0, study)
        self.assertEqual((record["status"], record["sent"]), ("skipped", 0))
        tiny.write(study / "2" / "6.dcm", SeriesNumber=2, InstanceNumber=6)
        (record,), _ = self.upload(0, str(study) + "/")
        self.assertEqual((record["status"], record["instances"], record["sent"]), ("ok", 11, 1))
        self.assertEqual(len(self.orthanc.rest("/instances")), 11)

    def test_a_wrong_password_ends_the_run(self):
        study = tiny.study(self.scratch / "study")
        self.upload(2, study, password="wrong")
        self.assertEqual(self.orthanc.rest("/instances"), [])

    def test_what_is_no_instance_fails_and_the_others_arrive(self):
        study = tiny.study(self.scratch / "study", instances=3)
        (study / "notes.txt").write_text("no instance")
        (record,), result = self.upload(3, study)
        self.assertEqual(record["status"], "failed")
        self.assertIn("1 failed, 3 stored", result.err)
        self.assertEqual(len(self.orthanc.rest("/instances")), 3)

    def test_a_zip_names_the_way(self):
        study = self.scratch / "a.zip"
        study.write_bytes(b"PK")
        _, result = self.upload(3, study)
        self.assertIn("not a DICOM file", result.err)


if __name__ == "__main__":
    dpipe.main()
