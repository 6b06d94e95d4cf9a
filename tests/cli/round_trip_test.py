"""De-identified and given back in full, every readable file is what it was: by the map, and by CMS.

Real files where the machine has them, and studies of our own generator in every clone. dcmdump and pydicom judge.
"""

import json
import pathlib
import subprocess

import pydicom
import readers
import same

import dpipe

MAKE_STUDIES = dpipe.BUILD / "tests" / "make-studies"
BULK = 64 * 1024  # PS3.15 §E.1.2 seals no bulk data


def instance_uid(path):
    """Nothing where pydicom finds none."""
    try:
        return str(pydicom.dcmread(path, force=True, specific_tags=["SOPInstanceUID"]).get("SOPInstanceUID", ""))
    except Exception:  # whatever it is, it is pydicom's way to refuse
        return ""


def without_doubles(paths):
    """Batches in which each SOP Instance UID stands once: an output has its place by it, and so has a row of a map."""
    batches = []
    for path in paths:
        uid = instance_uid(path)
        for batch in batches:
            if uid not in batch:
                batch[uid] = path
                break
        else:
            batches.append({uid: path})
    return batches


def by_dcmdump(paths):
    rows = readers.by_dcmdump(paths)
    return [rows[str(p)] if isinstance(rows[str(p)], readers.Refused)
            else {at: seen for at, seen in rows[str(p)].items() if not at.startswith("0002")} for p in paths]


def same_bytes(restored, source):
    """The data set of the one ends the other; zeros that pad a file are none of it."""
    whole = restored.read_bytes()
    data_set = whole[144 + int.from_bytes(whole[140:144], "little"):].rstrip(b"\0")
    return source.read_bytes().rstrip(b"\0").endswith(data_set)


def sealed(path, tag):
    """False for what CMS does not bring back, or a code that stays where the source had nothing."""
    element = pydicom.dcmread(path, force=True).get_item(int(tag, 16))
    if element is None:
        return tag not in ("00100010", "00100020", "00120062")
    return not tag.endswith("0000") and tag != "00120062" and len(element.value or b"") <= BULK


@dpipe.needs("dcmdump")
@dpipe.needs("openssl")
class RoundTrip(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.key = self.scratch / "reader.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=reader", "-keyout",
                        self.key, "-out", self.scratch / "reader.pem"], check=True, capture_output=True)
        self.key.chmod(0o600)

    def anonymize(self, sources, work):
        """The outputs, and the inputs that have none with the reason."""
        self.succeeds("dpipe-map", "init", "-m", work / "link.db", "-q")
        result = dpipe.run(
            "dpipe-anon", "-q", "--json", "-m", work / "link.db", "-o", work / "out", "--residual", "off",
            "--encrypt-to", self.scratch / "reader.pem", "-", stdin="".join(f"{p}\n" for p in sources), timeout=300)
        self.assertIn(result.code, (0, 3), result.err)
        records = [json.loads(line) for line in result.lines]
        return ([r["path"] for r in records if r["status"] == "ok"],
                {r["path"]: r["reason"] for r in records if r["status"] != "ok"})

    def restore(self, outputs, work, name, *words):
        """{original SOP Instance UID: restored file}"""
        result = self.succeeds(
            "dpipe-restore", "-q", "--level", "full", "--layout", "{SOPInstanceUID}.dcm", "-o", work / name, *words, "-",
            stdin="".join(f"{p}\n" for p in outputs), timeout=300)
        self.assertEqual(len(result.lines), len(outputs))
        return {instance_uid(line): pathlib.Path(line) for line in result.lines}

    def assert_same_by_map(self, pairs):
        """As two readers see it, each where it takes the source at all."""
        for (restored, source), ours, theirs in zip(
                pairs, by_dcmdump([r for r, _ in pairs]), by_dcmdump([s for _, s in pairs])):
            with self.subTest(source):
                if not isinstance(theirs, readers.Refused):
                    self.assertEqual(ours, theirs)
                if not same_bytes(restored, source) and not isinstance(readers.by_pydicom(source), readers.Refused):
                    self.assertEqual(same.difference(restored, source), [])

    def assert_same_by_cms(self, pairs):
        """But for what the page says."""
        for restored, source in pairs:
            if isinstance(readers.by_pydicom(source), readers.Refused):
                continue
            with self.subTest(source):
                tags = same.top_level(same.difference(restored, source))
                self.assertEqual([tag for tag in tags if sealed(source, tag)], [])
                self.assertEqual(pydicom.dcmread(restored).PatientIdentityRemoved, "NO")

    def round_trip(self, sources):
        """Takes all there and back; gives what had no output."""
        without = {}
        for number, batch in enumerate(without_doubles(sources)):
            work = self.scratch / str(number)
            outputs, kept_back = self.anonymize(batch.values(), work)
            without.update(kept_back)
            by_map = self.restore(
                outputs, work, "by-map", "-m", work / "link.db", "--restore-key", work / "link.restore.key")
            self.assert_same_by_map([(restored, batch[uid]) for uid, restored in by_map.items()])
            by_cms = self.restore(outputs, work, "by-cms", "--cms-key", self.key)
            self.assert_same_by_cms([(restored, batch[uid]) for uid, restored in by_cms.items()])
            self.assertEqual(by_map.keys(), by_cms.keys())
            self.assertEqual(len(by_map), len(outputs))
        return without

    def test_generated_studies(self):
        self.succeeds(MAKE_STUDIES, self.scratch / "studies", "--scale", "small")
        files = sorted((self.scratch / "studies").rglob("*.dcm"))
        self.assertGreater(len(files), 20)
        reasons = set(self.round_trip(files).values())
        self.assertLessEqual(
            reasons, {
                "an encapsulated document can hold any identity",
                "it says that its pixels hold identity (BurnedInAnnotation), and no pixel rule knows where"})

    @dpipe.needs_real_data
    def test_every_readable_real_file(self):
        files = sorted(p for p in dpipe.REAL_DATA.rglob("*") if p.is_file() and p.suffix != ".tsv")
        without = self.round_trip(files)
        self.assertGreater(len(files), 600)
        # What has no output is not readable, is no instance, or may not pass.
        self.assertLess(len(without), 40)
        for path, reason in without.items():
            self.assertNotRegex(reason, "exists and differs|names the patient", path)


if __name__ == "__main__":
    dpipe.main()
