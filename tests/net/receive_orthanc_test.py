"""dpipe-receive with Orthanc as the modality that sends."""

import json
import time

import dicom_bytes as made
import dpipe
from peers import Orthanc, needs_orthanc
from receiving import Receiver, stored


@needs_orthanc
class FromOrthanc(dpipe.TestCase):
    def test_it_verifies_us_and_sends_what_it_holds(self):
        out = self.scratch / "in"
        with Receiver(out) as receiver:
            modalities = {"dpipe": ["DICOMRCV", "127.0.0.1", receiver.port]}
            with Orthanc(self.scratch / "orthanc", modalities) as orthanc:
                sent = {}
                for number in range(6):
                    uid = f"1.2.3.4.{number}"
                    sent[uid] = made.instance(uid, study=f"1.2.{number % 2}")
                    orthanc.rest("/instances", made.part10(sent[uid], uid))
                orthanc.rest("/modalities/dpipe/echo", {})
                answer = orthanc.rest("/modalities/dpipe/store", orthanc.rest("/studies"))
                self.assertEqual((answer["InstancesCount"], answer["FailedInstancesCount"]), (6, 0))
            self.assertEqual(sorted(receiver.lines(6)), [str(path) for path in stored(out)])
        for path in stored(out):
            meta, data_set = made.split(path.read_bytes())
            self.assertEqual(data_set, sent[path.stem])
            self.assertEqual(meta[0x00020016], b"ORTHANC")

    def test_it_hears_what_we_commit_to(self):
        """Orthanc asks on one association, releases it, and listens for the report (PS3.4 §J.3)."""
        out, nodes = self.scratch / "in", self.scratch / "nodes.json"

        def name(port):
            nodes.write_text(json.dumps({"nodes": {"o": {"aet": "ORTHANC", "address": "127.0.0.1", "port": port}}}))

        name(1)
        with Receiver(out, "--nodes", nodes) as receiver:
            modalities = {"dpipe": ["DICOMRCV", "127.0.0.1", receiver.port]}
            with Orthanc(self.scratch / "orthanc", modalities) as orthanc:
                name(orthanc.port)
                for number in range(3):
                    uid = f"1.2.3.4.{number}"
                    orthanc.rest("/instances", made.part10(made.instance(uid), uid))
                orthanc.rest("/modalities/dpipe/store", orthanc.rest("/studies"))
                for uids, status in ((("1.2.3.4.0", "1.2.3.4.1", "1.2.3.4.2"), "Success"),
                                     (("1.2.3.4.0", "1.2.3.4.7"), "Failure")):
                    asked = orthanc.rest("/modalities/dpipe/storage-commitment", {
                        "DicomInstances": [[made.SECONDARY_CAPTURE, uid] for uid in uids]})
                    answer = self.answer(orthanc, asked["Path"])
                    self.assertEqual(answer["Status"], status)
                    self.assertEqual([s["SOPInstanceUID"] for s in answer["Success"]], [u for u in uids if u[-1] < "7"])
                self.assertEqual([(f["SOPInstanceUID"], f["FailureReason"]) for f in answer["Failures"]],
                                 [("1.2.3.4.7", 0x0112)])

    def test_it_hears_from_a_receiver_that_was_killed(self):
        out, nodes = self.scratch / "in", self.scratch / "nodes.json"

        def name(port):
            nodes.write_text(json.dumps({"nodes": [{"aet": "ORTHANC", "address": "127.0.0.1", "port": port}]}))

        name(1)
        with Receiver(out, "--nodes", nodes) as receiver:
            modalities = {"dpipe": ["DICOMRCV", "127.0.0.1", receiver.port]}
            with Orthanc(self.scratch / "orthanc", modalities) as orthanc:
                orthanc.rest("/instances", made.part10(made.instance("1.2.3.4.0"), "1.2.3.4.0"))
                orthanc.rest("/modalities/dpipe/store", orthanc.rest("/studies"))
                asked = orthanc.rest("/modalities/dpipe/storage-commitment", {
                    "DicomInstances": [[made.SECONDARY_CAPTURE, "1.2.3.4.0"]]})
                receiver.wait_for_err(b"cannot reach")
                receiver.kill()
                name(orthanc.port)
                self.assertEqual(orthanc.rest(asked["Path"])["Status"], "Pending")
                with Receiver(out, "--nodes", nodes):
                    self.assertEqual(self.answer(orthanc, asked["Path"])["Status"], "Success")

    def answer(self, orthanc, path):
        until = time.monotonic() + 20
        while (answer := orthanc.rest(path))["Status"] == "Pending":
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)
        return answer


if __name__ == "__main__":
    dpipe.main()
