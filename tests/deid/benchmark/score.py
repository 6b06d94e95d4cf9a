"""Scores what a tool made of injected files, by the answer key. Reads DICOM with pydicom, never with our library.

MIDI-B's actions are scored as its validation scripts describe them (without NLTK: a fixed list of stop words);
then the extra checks. A check gives 1, 0, or the fraction of its words that are right.
"""

import datetime
import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile
import warnings
import zlib

import pydicom
from answer_key import KIND, steps_of
from pydicom.multival import MultiValue

STOP_WORDS = set("a an and as at by for from in is of on or the to with without w".split())
CODEC = {"\\ISO 2022 IR 87": "iso2022_jp", "\\ISO 2022 IR 149": "euc_kr", "GB18030": "gb18030", "ISO_IR 100": "latin1",
         "ISO_IR 101": "iso8859_2", "ISO_IR 126": "iso8859_7", "ISO_IR 138": "iso8859_8", "ISO_IR 127": "iso8859_6",
         "ISO_IR 144": "iso8859_5", "ISO_IR 166": "cp874"}
#: When an instance has no output, what must go is gone and what must stay is lost.
PASSES_UNSEEN = {"text_removed", "date_shifted", "uid_changed", "pixels_hidden", "uid_consistent", "patid_consistent"}


def words(text):
    return [w for w in re.findall(r"[^\W_]+(?:[.][0-9]+)?", text) if w.lower() not in STOP_WORDS]


def is_number(word):
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", word) is not None


def text_removed(value, text):
    """Neither the text nor any telling word of it stands in the value; words of three letters count whole."""
    low = value.lower()
    if text and text.lower() in low and (len(text) > 3 or re.search(rf"\b{re.escape(text.lower())}\b", low)):
        return 0.0
    for word in words(text):
        if is_number(word) and len(word) < 4:
            continue
        whole = len(word.encode()) < 4
        if re.search(rf"\b{re.escape(word.lower())}\b", low) if whole else word.lower() in low:
            return 0.0
    return 1.0


def text_retained(value, text):
    """The share of the text's words that the value still has; numbers are compared as numbers."""
    if text in value:
        return 1.0
    wanted, found = words(text), words(value)
    numbers = {float(w) for w in found if is_number(w)}
    lower = {w.lower() for w in found}
    if not wanted:
        return None
    good = sum((float(w) in numbers) if is_number(w) else (w.lower() in lower) for w in wanted)
    return good / len(wanted)


def element_at(ds, path):
    """The element that a path of the key names; None where it is not there."""
    here, element = ds, None
    for step in steps_of(path):
        try:
            if isinstance(step, tuple):
                creator = next(e.value for e in here if e.tag.is_private_creator and str(e.value).upper() == step[1])
                element = here.private_block(step[0], creator)[step[2]]
            elif isinstance(step, int) and not isinstance(step, pydicom.tag.BaseTag):
                here = element.value[step]
                continue
            else:
                element = here[step]
        except (KeyError, IndexError, StopIteration, TypeError, AttributeError):
            return None
    return element


def text_of(element):
    value = element.value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, (list, MultiValue)):
        return "\\".join(map(str, value))
    return str(value)


class Output:
    """One file that a tool delivered."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.raw = self.path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.ds = pydicom.dcmread(self.path, force=True)
            self.texts = [text_of(e) for e in self.ds.iterall() if e.VR not in ("SQ", "OB", "OW", "UI", "UN", "OF")]
        if self.ds.file_meta.get("TransferSyntaxUID") == "1.2.840.10008.1.2.1.99":
            start = 144 + int.from_bytes(self.raw[140:144], "little")
            self.raw = self.raw[:start] + zlib.decompress(self.raw[start:], -15)
        pixels = self.ds.get("PixelData", b"")
        at = self.raw.rfind(pixels) if len(pixels) > 4096 else -1
        self.header = self.raw if at < 0 else self.raw[:at] + self.raw[at + len(pixels):]

    def shows(self, token, charset):
        """The token stands in the bytes: in UTF-8, UTF-16, the file's own set, in either case."""
        for form in {token, token.upper(), token.lower()}:
            for codec in ("utf-8", "utf-16-le", CODEC.get(charset, "latin1")):
                try:
                    needle = form.encode(codec)
                except UnicodeEncodeError:
                    continue
                if codec == "iso2022_jp":
                    needle = re.sub(rb"\x1b[ -/]+[0-~]", b"", needle)
                # Dark pixels of 16 bits that follow each other are letters of UTF-16 by chance.
                where = self.header if codec == "utf-16-le" else self.raw
                if len(needle) >= 6 and needle in where or 4 <= len(needle) < 6 and whole_word(needle, self.header):
                    return True
        pattern = re.escape(token) if len(token.encode()) >= 4 else rf"\b{re.escape(token)}\b"
        return any(re.search(pattern, text, re.I) for text in self.texts)


def whole_word(needle, content):
    """Four bytes may stand anywhere by chance; a name stands between other things than letters."""
    pattern = rb"(?<![A-Za-z0-9\x80-\xff])" + re.escape(needle) + rb"(?![A-Za-z0-9\x80-\xff])"
    return re.search(pattern, content) is not None


class Tally:
    def __init__(self):
        self.good, self.bad, self.blank, self.failures = {}, {}, {}, []

    def add(self, action, result, where):
        if result is None:
            self.blank[action] = self.blank.get(action, 0) + 1
            self.failures.append(f"blank\t{action}\t{where}")
            return
        self.good[action] = self.good.get(action, 0) + result
        self.bad[action] = self.bad.get(action, 0) + 1 - result
        if result < 1:
            self.failures.append(f"{1 - result:.2f}\t{action}\t{where}")

    def rate(self, kinds):
        bad = sum(n for a, n in self.bad.items() if KIND[a] in kinds)
        blank = sum(n for a, n in self.blank.items() if KIND[a] in kinds)
        total = bad + blank + sum(n for a, n in self.good.items() if KIND[a] in kinds)
        return bad + blank, total


class Scorer:
    """`outputs`: {file of the key: path or None}. `source`: where the injected files stand."""

    def __init__(self, key, source, outputs, names_files=True):
        self.instances, self.extra = key
        self.source = pathlib.Path(source)
        self.names_files = names_files
        self.tally = Tally()
        self.out = {file: Output(path) for file, path in outputs.items() if path}
        self.uids, self.ids = {}, {}
        for file, row, _ in self.instances:
            if file in self.out:
                for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
                    self.uids.setdefault(row[keyword], str(self.out[file].ds.get(keyword, "")))

    def run(self, again=None, restored=None):
        """`again`: the outputs of a second run; `restored`: {file: path} of what was put back."""
        for file, row, answers in self.instances:
            for answer in answers:
                result = self.midi(self.out.get(file), answer)
                self.tally.add(answer["action"], result, f"{file}\t{answer['tag_ds']}\t{answer['action_text']}")
        for file, check, detail in self.extra:
            if check in ("rerun_same", "restore_equal"):
                continue
            for result, where in getattr(self, check)(file, **detail):
                self.tally.add(check, result, f"{file}\t{where}")
        painted = {file for file, check, _ in self.extra if check == "pixel_box_dark"}  # for good
        for file, output in self.out.items():
            if again is not None:
                same = again.get(file) and pathlib.Path(again[file]).read_bytes() == output.path.read_bytes()
                self.tally.add("rerun_same", float(bool(same)), file)
            if restored is not None and file not in painted:
                self.tally.add("restore_equal", float(self.same_data_set(file, restored.get(file))), file)
        return self.tally

    def midi(self, output, answer):
        action, text = answer["action"], answer["action_text"]
        if output is None:
            return float(action in PASSES_UNSEEN)
        element = element_at(output.ds, answer["tag_ds"])
        if action in ("tag_retained",):
            return float(element is not None)
        if element is None:
            return float(action in PASSES_UNSEEN)
        if action == "pixels_retained":
            return float(hashlib.md5(element.value).hexdigest() == text)
        value = text_of(element)
        if action == "text_notnull":
            return float(value != "")
        if action == "text_retained":
            return text_retained(value, text)
        if action == "text_removed":
            return text_removed(value, text)
        if action in ("date_shifted", "uid_changed"):
            return float(text not in value)
        if action == "uid_consistent":
            return float(self.uids.setdefault(text, value) == value)
        if action == "patid_consistent":
            return float(bool(value) and self.ids.setdefault(text, value) == value)
        raise ValueError(action)

    # -- what MIDI-B cannot see: each gives (result, where) ---------------------------------------------------

    def raw_absent(self, file, token, charset):
        output = self.out.get(file)
        yield float(output is None or not output.shows(token, charset)), token

    def name_absent(self, file, token):
        if self.names_files and file in self.out:
            yield float(token not in str(self.out[file].path)), "path"

    def delivered(self, file, **_):
        yield float(file in self.out), "output"

    def withheld_or_clean(self, file, token):
        yield float(file not in self.out or not self.out[file].shows(token, "")), "document"

    def pixel_box_dark(self, file, box):
        """Every pixel of the box has one value, in every frame; or the picture was withheld."""
        if file not in self.out:
            yield 1.0, "withheld"
            return
        for number, frame in enumerate(frames(self.out[file].path)):
            yield float(len({frame[y * WIDTH + x] for x, y in cells(box)}) == 1), f"frame {number}"

    def pixel_outside_equal(self, file, box):
        if file in self.out:
            hidden = set(cells(box))
            for number, (old, new) in enumerate(zip(frames(self.source / file), frames(self.out[file].path))):
                same = len(old) == len(new) and all(
                    old[y * WIDTH + x] == new[y * WIDTH + x] for y in range(len(old) // WIDTH) for x in range(WIDTH)
                    if (x, y) not in hidden)
                yield float(same), f"frame {number}"

    def batch_survives(self, file):
        yield float(bool(self.out) and file not in self.out), "broken input"

    def markers(self, file):
        if file in self.out:
            ds = self.out[file].ds
            codes = {c.get("CodeValue") for c in ds.get("DeidentificationMethodCodeSequence", [])}
            yield float(ds.get("PatientIdentityRemoved") == "YES"), "(0012,0062)"
            yield float(bool(ds.get("DeidentificationMethod"))), "(0012,0063)"
            yield float("113100" in codes), "(0012,0064)"
            yield float(ds.get("LongitudinalTemporalInformationModified") in ("MODIFIED", "REMOVED", "UNMODIFIED")), \
                "(0028,0303)"

    def dciodvfy_delta(self, file):
        if file in self.out and shutil.which("dciodvfy"):
            yield float(iod_errors(self.out[file].path) <= iod_errors(self.source / file)), "dciodvfy"

    def patients_distinct(self, _, patients):
        seen = {}
        for file, row, answers in self.instances:
            if file in self.out:
                who = {a["action_text"] for a in answers if a["action"] == "patid_consistent"}
                seen.setdefault(str(self.out[file].ds.get("PatientID", "")), set()).update(who)
        for code, who in seen.items():
            yield float(len(who) <= 1 and code != ""), f"one code for {len(who)} patients"

    def interval_kept(self, _, files):
        base = None
        for file in files:
            if file not in self.out:
                continue
            before = pydicom.dcmread(self.source / file, stop_before_pixels=True, force=True)
            for keyword in ("StudyDate", "SeriesDate", "AcquisitionDateTime"):
                old, new = day(before.get(keyword)), day(self.out[file].ds.get(keyword))
                if old is None:
                    continue
                shift = old - new if new else None
                base = shift if base is None else base
                yield float(shift is not None and shift == base), f"{file} {keyword}"

    def refs_closed(self, _):
        old = {row["SOPInstanceUID"] for file, row, _ in self.instances if file in self.out}
        new = {str(output.ds.get("SOPInstanceUID", "")) for output in self.out.values()}
        for file, _, answers in self.instances:
            if file in self.out:
                before = references(pydicom.dcmread(self.source / file, stop_before_pixels=True, force=True))
                after = references(self.out[file].ds)
                for path, uid in before.items():
                    if uid in old and path in after:
                        yield float(after[path] in new), f"{file} {path}"

    def same_data_set(self, file, path):
        return bool(path) and data_set_bytes(path) == data_set_bytes(self.source / file)


#: Columns of the pictures that have text in them.
WIDTH = 64


def cells(box):
    left, top, width, height = box
    return [(x, y) for y in range(top, top + height) for x in range(left, left + width)]


def frames(path):
    """The frames of a picture of 8 bits, decoded by DCMTK's programs."""
    ds = pydicom.dcmread(path)
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax.is_compressed and not syntax.is_deflated:
        decoder = {"1.2.840.10008.1.2.5": "dcmdrle", "1.2.840.10008.1.2.4.80": "dcmdjpls"}.get(syntax, "dcmdjpeg")
        with tempfile.NamedTemporaryFile(suffix=".dcm") as native:
            subprocess.run([decoder, str(path), native.name], capture_output=True, check=True)
            ds = pydicom.dcmread(native.name)
            ds.PixelData  # pylint: disable=pointless-statement
    size = ds.Rows * ds.Columns
    return [ds.PixelData[n * size:(n + 1) * size] for n in range(int(ds.get("NumberOfFrames", 1)))]


def references(ds, prefix=""):
    """{path: UID} of what the instance refers to."""
    found = {}
    for element in ds:
        if element.VR == "SQ" and not element.tag.is_private:
            for number, item in enumerate(element.value):
                found.update(references(item, f"{prefix}{element.tag}[{number}]"))
        elif element.keyword == "ReferencedSOPInstanceUID":
            found[f"{prefix}{element.tag}"] = str(element.value)
    return found


def day(value):
    try:
        return datetime.datetime.strptime(str(value)[:8], "%Y%m%d")
    except ValueError:
        return None


def data_set_bytes(path):
    raw = pathlib.Path(path).read_bytes()
    return raw[144 + int.from_bytes(raw[140:144], "little"):]


def iod_errors(path):
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False).stderr.decode("latin1")
    return sum(line.startswith("Error") and "Seek failed" not in line for line in said.splitlines())
