"""Files that our Rewriter changed, as pydicom and dcmdump read them: the changes and nothing else."""

import json
import multiprocessing
import random
import zlib

import dpipe
import readers

MAKE = dpipe.BUILD / "tests" / "make-studies"
PATCH = dpipe.BUILD / "tests" / "patch"
TEXT = {"CS", "LO", "LT", "PN", "SH", "ST", "UT", "UC", "AE"}
INSERTED = "00091001"


def data_set_rows(path):
    """[(path, VR)] in the order of the index, so that a row's place is the element's number."""
    lines = [line.split("\t") for line in dpipe.run(readers.INDEX_DUMP, path).lines[1:]]
    return [(words[0], words[1]) for words in lines if not words[0].startswith("0002")]


def choose(rows, visible, chance):
    """Words for `patch`, and what is to become of paths: {path: bytes, or None where it goes}.

    Only paths that are `visible` to the judge are touched.
    """
    words, expected = [], {}

    def inside_of_what_goes(path):
        return any(path.startswith((gone + ".", gone + "[")) for gone, v in expected.items() if v is None)

    for number, (path, vr) in enumerate(rows):
        special = path.endswith(("]", "00080005", "0000", "7FE00010"))
        if special or path not in visible or inside_of_what_goes(path) or chance.random() < 0.7:
            continue
        if vr in TEXT and chance.random() < 0.6:
            value = "new value"[:chance.randint(0, 9)]
            words += ["replace", str(number), value]
            expected[path] = value.encode() + b" " * (len(value) % 2)
        else:
            words += ["remove", str(number)]
            expected[path] = None
    items = [(str(n), p + ".") for n, (p, _) in enumerate(rows) if p.endswith("]") and p in visible]
    for number, prefix in [("-", "")] + items:
        there = prefix + INSERTED in dict(rows) or inside_of_what_goes(prefix)
        if not there and chance.random() < 0.5:
            words += ["insert", number, INSERTED, "LO", "inserted"]
            expected[prefix + INSERTED] = b"inserted"
    return words, expected


def plain(rows, expected):
    """{path: checksum, or None for containers} of the data set; without what is to go and what changed."""
    gone = tuple(p for p, value in expected.items() if value is None)
    below = tuple(p + end for p in gone for end in ".[")
    return {path: seen[-1].checksum for path, seen in rows.items()
            if path not in gone and not path.startswith(below) and not path.startswith("0002")
            and not path.endswith("0000")}


def judge(job):
    path, out = job
    original = readers.by_pydicom(path)
    if "00041220" in original:
        return None  # a DICOMDIR: its records name offsets, which no reader forgives when they move
    words, expected = choose(data_set_rows(path), original, random.Random(zlib.crc32(path.name.encode())))
    result = dpipe.run(PATCH, path, out, *words)
    if result.code != 0:
        return f"{result.err} for {words}"
    wanted = plain(original, expected)
    wanted.update({p: readers.checksum(v) for p, v in expected.items() if v is not None})
    read_again = readers.by_pydicom(out)
    if isinstance(read_again, readers.Refused):
        return f"pydicom refuses: {read_again} {expected}"
    got = plain(read_again, {})
    if got != wanted:
        differ = {p: (wanted.get(p), got.get(p)) for p in wanted.keys() | got.keys()
                  if wanted.get(p, 0) != got.get(p, 0)}
        return f"pydicom: {differ}"
    before, after = readers.by_dcmdump([path, out]).values()
    if isinstance(before, readers.Refused) != isinstance(after, readers.Refused):
        return "dcmdump does not read it"
    if not isinstance(after, readers.Refused):
        wanted = set(plain(before, expected)) | {p for p, v in expected.items() if v is not None}
        if set(plain(after, {})) != wanted:
            return f"dcmdump: {set(plain(after, {})) ^ wanted}"
    return None


class Rewritten(dpipe.TestCase):
    def all_are_good(self, paths):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            jobs = [(path, self.scratch / f"{number}.out") for number, path in enumerate(paths)]
            wrong = {str(path): found for path, found in zip(paths, pool.map(judge, jobs, 4)) if found}
        self.assertEqual(wrong, {}, json.dumps(wrong, indent=1))

    def test_generated_files(self):
        self.assertEqual(dpipe.run(MAKE, self.scratch / "in", "--studies", "3").code, 0)
        self.all_are_good(sorted((self.scratch / "in").rglob("*.dcm")))

    @dpipe.needs_real_data
    def test_real_files(self):
        paths = sorted(p for p in dpipe.REAL_DATA.rglob("*") if p.is_file())
        index = readers.ours(paths)
        readable = [p for p in paths if not isinstance(index[str(p)], readers.Refused)]
        kinds = {}
        for path in readable:
            kinds.setdefault(path.parent, []).append(path)
        self.all_are_good([path for group in kinds.values() for path in group[:6]])


if __name__ == "__main__":
    dpipe.main()
