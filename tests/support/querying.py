"""What the tests of dpipe-query against the scripted archive share."""

import json

import dicom_bytes as made
import dpipe
from fake_pacs import FakeInstance, FakePacs
from peers import free_port

PATIENT, NAME, DATE, NUMBER, DESCRIPTION = 0x00100020, 0x00100010, 0x00080020, 0x00200011, 0x0008103E


def series(count, study="1.2", number=1, attributes=()):
    return [FakeInstance(f"{study}.{number}.{i}", study, f"{study}.{number}",
                         {PATIENT: "P1", DATE: "20240102", NUMBER: str(number), **dict(attributes)})
            for i in range(1, count + 1)]


class QueryTest(dpipe.TestCase):
    method = ()

    def setUp(self):
        super().setUp()
        self.out = self.scratch / "raw"
        self.move_port = free_port()

    def pacs(self, instances):
        pacs = FakePacs(instances, {"ME": self.move_port})
        self.addCleanup(pacs.acceptor.close)
        return pacs

    def words(self, pacs, cohort, *words):
        path = self.scratch / "cohort.csv"
        path.write_text(cohort)
        usual = {"--node": f"FAKE@127.0.0.1:{pacs.port}", "--aet": "ME", "--retry-delay": "0.02", "--layout": "uid"}
        first = [w for name, value in usual.items() if name not in words for w in (name, value)]
        return ("dpipe-query", *first, "--json", *words, path)

    def query(self, pacs, cohort, *words, code=0, **how):
        result = dpipe.run(*self.words(pacs, cohort, *words), **how)
        self.assertEqual(result.code, code, result.out + result.err)
        self.err = result.err
        return [json.loads(line) for line in result.lines]

    def save(self, pacs, cohort="PatientID\nP1\n", *words, **how):
        return self.query(pacs, cohort, "--save", "-o", self.out, *self.method, *words, **how)

    def stored(self):
        return sorted(p.stem for p in self.out.rglob("*.dcm"))

    def check_whole(self, pacs, instances=None):
        instances = pacs.instances.values() if instances is None else instances
        self.assertEqual(self.stored(), sorted(i.uid for i in instances))
        for path in self.out.rglob("*.dcm"):
            self.assertEqual(made.split(path.read_bytes())[1], pacs.instances[path.stem].data_set)
