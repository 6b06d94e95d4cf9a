"""What the tests of dpipe-anon share: a map in the scratch folder, runs, and looking at what came out.

Outputs are read with pydicom, never with our own library: the judge is independent.
"""

import json
import pathlib

import pydicom
import tiny
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import dpipe

#: As plain an invented identity as can be; each value is found by its bytes.
PERSON = {
    "PatientName": "Smithson^Jane",
    "PatientID": "MRN-4711",
    "PatientBirthDate": "19800203",
    "AccessionNumber": "ACC123456",
    "ReferringPhysicianName": "Referson^Rudolf",
    "InstitutionName": "Mercy Hospital",
}


def item(**attributes):
    """A sequence item."""
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def sequence(*items):
    return Sequence(items)


def read(path):
    return pydicom.dcmread(path, force=True)


class AnonTest(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.map = self.scratch / "link.db"
        self.out = self.scratch / "anon"
        self.succeeds("dpipe-map", "init", "-m", self.map)

    def words(self, *words):
        return ("-m", self.map, "-o", self.out, *words)

    def anonymize(self, *words, **how):
        """Run to success; give the paths it printed."""
        return [pathlib.Path(line) for line in self.succeeds("dpipe-anon", *self.words(*words), **how).lines]

    def quarantined(self, *words):
        """Run to exit 3; give the last record, which must say quarantined."""
        result = self.fails(3, "dpipe-anon", *self.words("--json", *words))
        record = json.loads(result.lines[-1])
        self.assertEqual(record["status"], "quarantined", record)
        return record

    def tiny(self, modality="CT", name="in.dcm", **attributes):
        return tiny.write(self.scratch / name, modality, **{**PERSON, **attributes})

    def saved(self, ds, name="in.dcm"):
        """Write a data set made with pydicom; give its path."""
        path = self.scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        ds.save_as(path, write_like_original=False)
        return path

    def one(self, source, *words):
        """De-identify one file; give its output as pydicom sees it, with `raw`, its bytes, and `path`."""
        (path,) = self.anonymize("--overwrite", *words, source)
        ds = read(path)
        object.__setattr__(ds, "raw", path.read_bytes())
        object.__setattr__(ds, "path", path)
        return ds

    def assert_absent(self, raw, *words):
        for word in words:
            for form in {word, word.upper(), word.lower()} if isinstance(word, str) else {word}:
                for charset in ("utf-8", "utf-16-le") if isinstance(form, str) else ("bytes",):
                    needle = form if charset == "bytes" else form.encode(charset)
                    self.assertFalse(needle in raw, f"{form!r} is still there")
