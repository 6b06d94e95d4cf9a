"""dpipe-query over TLS, to an Orthanc that asks for certificates, and back from it."""

import json

import dpipe
import tiny
from certificates import Authority
from peers import Orthanc, free_port, needs_orthanc


@needs_orthanc
@dpipe.needs("openssl")
class Tls(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.scratch / "authority")
        certificate, key = self.authority.issue("localhost", "127.0.0.1")
        self.move_port = free_port()
        self.orthanc = Orthanc(
            self.scratch / "orthanc",
            {"me": {"AET": "ME", "Host": "127.0.0.1", "Port": self.move_port, "UseDicomTls": True}},
            DicomTlsEnabled=True, DicomTlsCertificate=str(certificate), DicomTlsPrivateKey=str(key),
            DicomTlsTrustedCertificates=str(self.authority.ca), DicomAlwaysAllowFind=True, DicomAlwaysAllowGet=True,
            DicomAlwaysAllowMove=True)
        self.addCleanup(self.orthanc.stop)
        for number in range(3):
            path = tiny.write(self.scratch / "src" / str(number), "MR", PatientID="P1", InstanceNumber=number + 1)
            self.orthanc.rest("/instances", path.read_bytes())
        self.cohort = self.scratch / "cohort.csv"
        self.cohort.write_text("PatientID\nP1\n")

    def words(self, *words, host="127.0.0.1", name="me", ca=None):
        certificate, key = self.authority.issue(name, "127.0.0.1")
        return ("dpipe-query", "--node", f"ORTHANC@{host}:{self.orthanc.port}", "--aet", "ME", "--json", "--tls",
                "--tls-cert", certificate, "--tls-key", key, "--tls-ca", ca or self.authority.ca, *words, self.cohort)

    def saved(self, out, *words):
        result = self.succeeds(*self.words("--save", "-o", self.scratch / out, *words))
        return [json.loads(line)["received"] for line in result.lines]

    def test_by_get_and_by_move(self):
        self.assertEqual(self.saved("get"), [3])
        self.assertEqual(self.saved("several", "--parallel", "3"), [3])
        self.assertEqual(self.saved("move", "--move-port", self.move_port, "--bind", "127.0.0.1"), [3])

    def test_who_is_not_vouched_for_is_not_asked(self):
        other = Authority(self.scratch / "other", "Another Authority")
        self.fails(4, *self.words(ca=other.ca))
        self.fails(4, "dpipe-query", "--node", f"ORTHANC@127.0.0.1:{self.orthanc.port}", self.cohort, "--timeout", "5")

    def test_words(self):
        self.fails(2, "dpipe-query", "--node", "A@127.0.0.1:1", "--tls-ca", self.authority.ca, self.cohort)
        self.fails(2, *self.words(ca=self.scratch / "none.pem"))


if __name__ == "__main__":
    dpipe.main()
