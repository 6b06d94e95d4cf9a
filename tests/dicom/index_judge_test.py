"""The element index and the rewriter before an independent judge: pydicom and dcmdump.

On every generated and every real file our index agrees with both readers, element by element at every depth:
where it is, VR, length, value. What we refuse is listed with the defence; so is what they do not read. A
rewrite without patches gives the data set back byte for byte. Malformed files end in a reason: quickly, in
little memory, never by a signal.
"""

import json
import multiprocessing
import pathlib
import shutil
import sys
import tempfile

import dpipe
import readers

MAKE = dpipe.BUILD / "tests" / "make-studies"
PEAK = pathlib.Path(dpipe.__file__).with_name("peak.py")

#: Real files that we refuse: the end of the name, the reason, the defence.
REFUSED = [
    ("nested_4000_ok.dcm", "nested deeper than 64", "a limit; no image is nested so"),
    ("nested_8000_crashes_dcmtk367.dcm", "nested deeper than 64", "a limit; DCMTK dies of it"),
    ("rt/rtplan_truncated.dcm", "claims", "cut short in the middle of a sequence"),
    ("corrupt/MR_truncated.dcm", "claims", "cut short in its pixel data"),
    ("corrupt/3gb-bulk-data-truncated", "claims", "3 GiB claimed, 98 kB there"),
    ("corrupt/emri_small_jpeg_2k_lossless_too_short.dcm", "truncated", "cut short between two fragments"),
    ("corrupt/GH179A.dcm", "no value representation",
     "two spaces for a VR: the length after them may have 16 or 32 bits, readers differ"),
    ("corrupt/GH179B.dcm", "no value representation", "as GH179A; dcmdump fails on it too"),
    ("corrupt/bad.dcm", "no data set", "meta information and nothing after it"),
    ("corrupt/no_meta.dcm", "not a DICOM file", "a stray byte before the data set; nobody reads it"),
    ("corrupt/zipMR.gz", "not a DICOM file", "a gzip file"),
    ("us_sc/GH364.dcm", "where none should be", "cut and joined; nobody reads it"),
    ("fileset/dicomdirtests/DICOMDIR-nooffset", "an item claims",
     "an item longer than its sequence: where it ends is anybody's guess"),
    ("transfersyntax/SC_rgb_jpeg.dcm", "its elements are implicit VR",
     "implicit VR under the name of an explicit, compressed syntax: no name fits what it is"),
    ("MANIFEST.tsv", "not a DICOM file", "a table"),
    ("generated/nest.py", "not a DICOM file", "a script"),
    ("generated/generate.sh", "not a DICOM file", "a script"),
]

#: Files that a peer does not read whole and we do: the end of the name, the peer, why.
THEIR_REFUSALS = [
    ("trailing-zeros.dcm", "dcmdump", "zero bytes after the end"),
    ("corrupt/no_preamble_dicm_in_data", "dcmdump", "`DICM` at byte 128 of a bare data set"),
    ("corrupt/no_preamble_dicm_in_data", "pydicom", "the same: it goes on after those bytes"),
]


def differences(mine, theirs, printed_as):
    """What one reader saw and the other did not, a line each."""
    found, opaque = [], []
    for path, all_seen in theirs.items():
        for seen in all_seen:
            reasons = [disagreement(path, seen, our, printed_as) for our in mine.get(path, [])]
            if not reasons:
                found.append(f"{path} is missing in ours")
            elif None not in reasons:
                found.append(f"{path}: {reasons[0]}")
        if not all_seen[0].container:
            opaque.append(path + "[")
    # Inside of what is one value to them (a sequence in UN, encapsulated pixels) the bytes were compared.
    return found + [f"{path} is in ours alone" for path in mine
                    if path not in theirs and not path.startswith(tuple(opaque))]


def disagreement(path, seen, our, printed_as):
    """None, or what one of theirs and one of ours differ in."""
    sequence_in_unknown = seen.container and our.vr == "UN"
    if None not in (seen.vr, our.vr) and seen.vr != our.vr and not sequence_in_unknown:
        return f"VR {seen.vr}, ours {our.vr}"
    for name in ("length", "offset", "checksum"):
        expected = getattr(seen, name)
        if expected is not None and expected != getattr(our, name):
            return f"{name} {expected}, ours {getattr(our, name)}"
    if seen.text is not None and not printed_as(path, seen, our):
        return f"value {seen.text[:60]}"
    return None


def ends_with(path, table):
    return [row for row in table if str(path).endswith(row[0])]


class Judge:
    """Compares files with both peers; gives what is wrong with each."""

    def __init__(self, paths):
        self.index = readers.ours(paths)
        accepted = [p for p in paths if not isinstance(self.index[str(p)], readers.Refused)]
        self.dumped = readers.by_dcmdump(accepted)

    def __call__(self, path):
        mine = self.index[str(path)]
        if isinstance(mine, readers.Refused):
            known = ends_with(path, REFUSED)
            return [] if known and known[0][1] in str(mine) else [f"refused: {mine}"]
        return self.compare("pydicom", path, readers.by_pydicom(path)) + self.compare(
            "dcmdump", path, self.dumped[str(path)])

    def compare(self, peer, path, theirs):
        if any(row[1] == peer for row in ends_with(path, THEIR_REFUSALS)):
            return []
        if isinstance(theirs, readers.Refused):
            return [f"{peer} refuses: {theirs}"]
        wrong = differences(self.index[str(path)], theirs, self.printer(path))
        return [f"{peer}: {line}" for line in wrong[:5]]

    def printer(self, path):
        syntax = self.index.syntax[str(path)]
        whole = path.read_bytes()
        data_set = readers.inflated(whole) if syntax.endswith(".1.99") else whole

        def printed_as(tags, seen, our):
            meta = tags.startswith("0002")
            if our.length == readers.UNDEFINED:
                return True
            value = (whole if meta else data_set)[our.offset:our.offset + our.length]
            big_endian = not meta and syntax == "1.2.840.10008.1.2.2"
            return readers.prints_as(seen.text, seen.vr, value, big_endian)

        return printed_as


def start_of_data_set(whole):
    """Past preamble, prefix and the elements of group 0002, by PS3.10 §7.1."""
    at = 132 if whole[128:132] == b"DICM" and whole[132:134] == b"\2\0" else 0
    while whole[at:at + 2] == b"\2\0":
        if whole[at + 4:at + 6] in (b"OB", b"UN"):
            at += 12 + int.from_bytes(whole[at + 8:at + 12], "little")
        else:
            at += 8 + int.from_bytes(whole[at + 6:at + 8], "little")
    return at


def set_judge(the_judge):
    global judge_of_process
    judge_of_process = the_judge


def judge(path):
    return judge_of_process(path)


class AllFiles(dpipe.TestCase):
    """Everything that can be read, generated and real."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dpipe-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        assert dpipe.run(MAKE, cls.folder).code == 0

    def generated(self):
        return sorted(self.folder.rglob("*.dcm"))

    def real(self):
        return sorted(p for p in dpipe.REAL_DATA.rglob("*") if p.is_file())

    def agrees(self, paths):
        # Forked, so that the judge with all it has read need not be handed over.
        context = multiprocessing.get_context("fork")
        with context.Pool(2, initializer=set_judge, initargs=(Judge(paths),)) as pool:
            wrong = {str(path): found for path, found in zip(paths, pool.map(judge, paths, 16)) if found}
        self.assertEqual(wrong, {}, json.dumps(wrong, indent=1))

    def test_generated_files_read_as_others_read_them(self):
        self.agrees(self.generated())

    @dpipe.needs_real_data
    def test_real_files_read_as_others_read_them(self):
        self.agrees(self.real())

    def test_an_empty_patch_list_gives_the_input_back(self):
        paths = self.generated() + (self.real() if dpipe.REAL_DATA.is_dir() else [])
        result = dpipe.run(readers.INDEX_DUMP, "--rewrite", self.scratch, *paths)
        refused = {line.split("\t")[1] for line in result.lines}
        self.assertGreater(len(paths), 150)
        for number, path in enumerate(paths):
            with self.subTest(path):
                if str(path) in refused:
                    self.assertTrue(ends_with(path, REFUSED))
                    continue
                whole = path.read_bytes()
                start = start_of_data_set(whole)
                deflated = b"1.2.840.10008.1.2.1.99" in whole[:start]
                expected = readers.inflated(whole) if deflated else whole[start:]
                self.assertEqual((self.scratch / str(number)).read_bytes(), expected)


#: Malformed files that can be read all the same: the start of the name, the defence.
READABLE = [
    ("deflate-bomb-pixels", "an image, if a blank one; it costs no memory"),
    ("empty-elements", "the same attribute many times over: each is seen"),
    ("implicit-in-name-only", "the bytes show their VRs"),
    ("meta-with-a-lie", "the meta information ends where its group ends"),
    ("syntax-of-another-world", "any syntax without rules of its own is explicit VR (PS3.5 §A.4)"),
    ("vr-unknown-capitals", "a VR of a later edition has a 32-bit length (PS3.5 §7.1.2)"),
    ("cut-at-", "cut between two elements: nothing shows that more was there"),
]


class Hostile(dpipe.TestCase):
    def test_malformed_files_end_in_a_reason(self):
        self.assertEqual(dpipe.run(MAKE, "--hostile", self.scratch / "h").code, 0)
        paths = sorted((self.scratch / "h").iterdir())
        runs = dpipe.run(
            sys.executable, "-S", PEAK, readers.INDEX_DUMP, stdin="".join(f"{p}\n" for p in paths))
        self.assertEqual((runs.code, len(runs.lines)), (0, len(paths)), runs.err)
        wrong = {}
        for one in map(json.loads, runs.lines):
            name = pathlib.Path(one["path"]).name
            refused = one["code"] == 3 and one["out"].startswith("refused\t")
            read = one["code"] == 0 and name.startswith(tuple(start for start, _ in READABLE))
            costly = one["megabytes"] >= 64 and not dpipe.SANITIZED or one["seconds"] > 10
            if not (refused or read) or costly:
                wrong[name] = one
        self.assertEqual(wrong, {}, json.dumps(wrong, indent=1))

    def test_what_is_cut_between_elements_is_no_rule(self):
        """All but a few of the cut files are refused."""
        self.assertEqual(dpipe.run(MAKE, "--hostile", self.scratch / "h").code, 0)
        index = readers.ours(sorted((self.scratch / "h").glob("cut-at-*")))
        read = [path for path, rows in index.items() if not isinstance(rows, readers.Refused)]
        self.assertLessEqual(len(read), 8, read)


if __name__ == "__main__":
    dpipe.main()
