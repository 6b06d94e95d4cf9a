"""The benchmark of de-identification in its short form, and its scorer against cases made by hand.

The whole, with peers beside us: `make bench-deid`; what it measures: docs/benchmark-deid.md.
"""

import pathlib
import sys
import tempfile

import dpipe

sys.path.insert(0, str(pathlib.Path(__file__).with_name("benchmark")))

import answer_key  # noqa: E402
import score  # noqa: E402
import tiny  # noqa: E402
import tools  # noqa: E402
from anonymized import item, sequence  # noqa: E402
from inject import Injector  # noqa: E402


class Words(dpipe.TestCase):
    def test_text_removed(self):
        for value, text, result in (
                ("", "Doe^Jane", 1), ("sub-001", "Doe^Jane", 1), ("knee of jane", "Doe^Jane", 0),
                ("does", "Doe", 1), ("of DOE", "Doe", 0), ("30 deg", "+49 30 1234567", 1), ("x1234567", "+49 30 1234567", 0),
                ("Hospital", "Mercy Hospital", 0), ("of the", "of the", 0)):
            with self.subTest(value, text=text):
                self.assertEqual(score.text_removed(value, text), result)

    def test_text_retained(self):
        for value, text, result in (
                ("CT CHEST", "CT CHEST", 1), ("CHEST", "CT CHEST", 0.5), ("", "CT", 0), ("1.50", "1.5", 1),
                ("chest of", "CHEST the", 1), ("x", "the of", None)):
            with self.subTest(value, text=text):
                self.assertEqual(score.text_retained(value, text), result)


class Paths(dpipe.TestCase):
    def test_there_and_back(self):
        path = answer_key.path_of("ReferencedStudySequence", 0, "ReferencedSOPInstanceUID")
        self.assertEqual(path, "<(0008,1110)>[<0000>]<(0008,1155)>")
        self.assertEqual(answer_key.path_of((0x19, "Acme", 0x0C)), '<(0019,"ACME",0C)>')

    def test_elements_are_found(self):
        ds = tiny.instance("CT")
        ds.ReferencedStudySequence = sequence(item(ReferencedSOPInstanceUID="1.2.3"))
        ds.private_block(0x19, "Acme", create=True).add_new(0x0C, "LO", "x")
        for path, value in (("<(0008,1110)>[<0000>]<(0008,1155)>", "1.2.3"), ('<(0019,"ACME",0C)>', "x")):
            self.assertEqual(score.element_at(ds, path).value, value)
        for path in ("<(0008,1110)>[<0001>]<(0008,1155)>", '<(0019,"OTHER",0C)>', "<(0099,0099)>"):
            self.assertIsNone(score.element_at(ds, path))


class Short(dpipe.TestCase):
    """Ten people, one visit each, a script each; without real files and without dciodvfy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="dpipe-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.source = pathlib.Path(folder.name) / "injected"
        Injector(cls.source, "short", person_count=10, visits=1).run().save(f"{folder.name}/answers.db")
        instances, extra = answer_key.load(f"{folder.name}/answers.db")
        cls.key = instances, [row for row in extra if row[1] != "dciodvfy_delta"]
        cls.files = sorted(str(p.relative_to(cls.source)) for p in cls.source.rglob("*") if p.is_file())

    def tally(self, tool):
        outputs = tool.run(self.source, self.files, self.scratch / "out")
        return score.Scorer(self.key, self.source, outputs, tool.names_files).run()

    def wrong(self, tally, kind):
        return tally.rate({kind})[0]

    def test_dpipe_anon_leaks_nothing_and_loses_nothing(self):
        tally = self.tally(tools.Dpipe())
        self.assertEqual(tally.failures, [])
        self.assertGreater(sum(tally.good.values()), 15000)

    def test_a_copy_leaks_all_and_loses_nothing(self):
        tally = self.tally(tools.Copy())
        self.assertEqual(self.wrong(tally, answer_key.SCRUB), 0)
        leaked, checks = tally.rate({answer_key.LEAK})
        self.assertGreater(leaked / checks, 0.99)

    def test_nothing_leaks_nothing_and_loses_all(self):
        tally = self.tally(tools.Nothing())
        self.assertEqual(self.wrong(tally, answer_key.LEAK), 0)
        lost, checks = tally.rate({answer_key.SCRUB})
        self.assertEqual(lost, checks)


if __name__ == "__main__":
    dpipe.main()
