"""Our CharacterSet before pydicom, on the text of every file, and before what the generator meant."""

import json
import pathlib
import re
import shutil
import tempfile
import warnings

import pydicom
from pydicom.dataelem import RawDataElement

import dpipe

MAKE = dpipe.BUILD / "tests" / "make-studies"
DECODE = dpipe.BUILD / "tests" / "decode-text"
TEXT = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}

#: pydicom parts names and values before it decodes: letters whose bytes look like `=`, `^` or `\\` break.
BREAKS_PYDICOM = re.compile(rb"\x1b\$B[^\x1b]*[=^\\]")


def decode(rows):
    """[(character set, bytes)] as our library reads them."""
    lines = "".join(f"{character_set}\t{value.hex()}\n" for character_set, value in rows)
    result = dpipe.run(DECODE, stdin=lines)
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.lines]


def texts(data_set, character_set=""):
    """(character set, bytes, text) of every text at every depth, as pydicom decodes it."""
    declared = data_set.get("SpecificCharacterSet", character_set) or ""
    character_set = declared if isinstance(declared, str) else "\\".join(declared)
    for tag in list(data_set._dict):
        raw = data_set._dict[tag]
        element = data_set[tag]
        if element.VR == "SQ":
            for item in element.value:
                yield from texts(item, character_set)
        elif element.VR in TEXT and isinstance(raw, RawDataElement) and raw.value:
            value = element.value
            joined = "\\".join(map(str, value)) if element.VM > 1 else str(value)
            yield character_set, raw.value, joined


class Text(dpipe.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dpipe-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        assert dpipe.run(MAKE, cls.folder).code == 0

    def reads_as_pydicom(self, paths, at_least):
        rows = set()
        for path in paths:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows.update(texts(pydicom.dcmread(path, force=True)))
        rows = sorted(row for row in rows if not BREAKS_PYDICOM.search(row[1]))
        self.assertGreater(len(rows), at_least)
        for (character_set, value, theirs), ours in zip(rows, decode([row[:2] for row in rows])):
            with self.subTest(character_set=character_set, value=value):
                # It drops padding and an empty last component group.
                self.assertEqual(ours.rstrip(" \0="), theirs.rstrip(" \0="))

    def test_generated_text_is_what_was_meant(self):
        strings = json.loads((self.folder / "identities.json").read_text())["strings"]
        rows = [s for s in strings if s["character_set"] is not None]
        self.assertGreater(len({s["character_set"] for s in rows}), 8)
        for row, ours in zip(rows, decode([(s["character_set"], bytes.fromhex(s["hex"])) for s in rows])):
            with self.subTest(row):
                self.assertEqual(ours, row["utf8"])

    def test_generated_files_read_as_pydicom_reads_them(self):
        self.reads_as_pydicom(sorted(self.folder.rglob("*.dcm")), 500)

    @dpipe.needs_real_data
    def test_real_files_read_as_pydicom_reads_them(self):
        self.reads_as_pydicom(sorted(p for p in (dpipe.REAL_DATA / "charset").rglob("*") if p.is_file()), 100)


if __name__ == "__main__":
    dpipe.main()
