"""make-studies: the same bytes every time, whole references, honest lists, clean by dciodvfy."""

import concurrent.futures
import filecmp
import json
import pathlib
import re
import shutil
import tempfile
import unittest
import zlib

import dpipe

MAKE = dpipe.BUILD / "tests" / "make-studies"

#: Errors of dciodvfy that are wanted or are its own, by the kind of file (empty: any).
ALLOWED = [
    # It counts bytes of a whole PN; PS3.5 §6.2 allows 64 characters a component group.
    ("", r"PatientName.*Length invalid for this VR"),
    # It takes the byte 5C of a kanji under ISO 2022 IR 87 for a backslash.
    ("", r"(PatientName|InstitutionName|ReasonForTheRequestedProcedure|SourceOfPreviousValues).*"
         r"Bad attribute Value Multiplicity"),
    # It cannot read deflated files of DCMTK.
    ("deflated", r"."),
    ("trailing-zeros", r"Tags out of order - trailing garbage"),
    ("undeclared-characters", r"Character invalid for character repertoire"),
    # It does not look into a sequence that is written as UN.
    ("hidden-sequences", r"ContributingEquipmentSequence.*Missing attribute for Type 1"),
]


def errors_of(path, what):
    text = dpipe.run("dciodvfy", "-new", path).err
    return [line for line in text.splitlines() if line.startswith("Error")
            and not any(what.startswith(kind) and re.search(allowed, line) for kind, allowed in ALLOWED)]


def plain_bytes(path, what):
    """The file; of a deflated one its data set as well."""
    whole = path.read_bytes()
    if what != "deflated":
        return whole
    start = 144 + int.from_bytes(whole[140:144], "little")
    return whole + zlib.decompress(whole[start:], -zlib.MAX_WBITS)


class MakeStudies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dpipe-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.out = cls.folder / "a"
        assert dpipe.run(MAKE, cls.out).code == 0
        cls.instances = json.loads((cls.out / "manifest.json").read_text())["instances"]
        cls.strings = json.loads((cls.out / "identities.json").read_text())["strings"]

    def test_the_same_words_give_the_same_bytes(self):
        again, other = self.folder / "b", self.folder / "c"
        self.assertEqual(dpipe.run(MAKE, again).code, 0)
        names = [i["path"] for i in self.instances] + ["manifest.json", "identities.json"]
        self.assertEqual(filecmp.cmpfiles(self.out, again, names, shallow=False), (names, [], []))
        self.assertEqual(dpipe.run(MAKE, other, "--seed", "2", "--studies", "1").code, 0)
        self.assertFalse(filecmp.cmp(self.out / names[0], other / names[0], shallow=False))

    def test_the_manifest_names_every_file(self):
        files = {str(p.relative_to(self.out)) for p in self.out.rglob("*.dcm")}
        self.assertEqual(files, {i["path"] for i in self.instances})
        self.assertEqual(len({i["study_uid"] for i in self.instances}), 12)

    def test_references_of_a_study_resolve(self):
        known = {i["instance_uid"] for i in self.instances} | {i["study_uid"] for i in self.instances}
        referring = [i for i in self.instances if i["what"] in ("rtstruct", "sr", "mr")]
        self.assertGreater(len(referring), 20)
        for instance in referring:
            missing = set(instance["references"]) - known
            # An MR names a performed procedure step, which is nobody's file.
            self.assertEqual(len(missing), 1 if instance["what"] == "mr" else 0, instance["path"])

    def test_every_identifying_string_stands_in_a_file(self):
        bytes_of_all = b"".join(plain_bytes(self.out / i["path"], i["what"]) for i in self.instances)
        names = " ".join(i["path"] for i in self.instances)
        absent = [s for s in self.strings
                  if bytes.fromhex(s["hex"]) not in bytes_of_all and s["utf8"] not in names]
        self.assertEqual(absent, [])

    def test_alphabets_kinds_and_encodings_are_all_there(self):
        self.assertEqual(
            {s["kind"] for s in self.strings},
            {"name", "id", "date", "time", "address", "phone", "text", "institution", "device", "uid"})
        letters = "".join(s["utf8"] for s in self.strings)
        self.assertEqual(set("ßαжض构가ほﾊłफ") - set(letters), set())
        self.assertGreaterEqual(len({i["transfer_syntax"] for i in self.instances}), 8)

    @dpipe.needs("dciodvfy")
    def test_dciodvfy_finds_no_error_but_those_we_want(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = pool.map(
                lambda i: (i["path"], errors_of(self.out / i["path"], i["what"])), self.instances)
            self.assertEqual({path: errors for path, errors in found if errors}, {})

    def test_wrong_words_are_a_usage_error(self):
        for words in ([], ["--seed"], ["out", "--seed", "x"], ["out", "--scale", "huge"], ["out", "--what"]):
            with self.subTest(words):
                result = dpipe.run(MAKE, *words)
                self.assertEqual(result.code, 2)
                self.assertIn("make-studies: error:", result.err)


class Hostile(dpipe.TestCase):
    def test_makes_the_corpus(self):
        self.assertEqual(dpipe.run(MAKE, "--hostile", self.scratch / "h").code, 0)
        names = {p.name for p in (self.scratch / "h").iterdir()}
        self.assertGreater(len(names), 250)
        for name in ("nest-100000-un-defined.dcm", "deflate-bomb-pixels.dcm", "cut-at-0400.dcm"):
            self.assertIn(name, names)


if __name__ == "__main__":
    dpipe.main()
