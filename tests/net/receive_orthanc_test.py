"""dpipe-receive with Orthanc as the modality that sends."""

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


if __name__ == "__main__":
    dpipe.main()
