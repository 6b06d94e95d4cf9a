"""Three readers of DICOM files in one form: ours (index-dump), pydicom, dcmdump.

Each gives {path: [Seen, ...]}: path of tags as index-dump prints it (`00081115[0].00081199`), and what the
reader saw there, in the order it saw it.
"""

import dataclasses
import io
import re
import struct
import warnings
import zlib

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_sequence

import dpipe

INDEX_DUMP = dpipe.BUILD / "tests" / "index-dump"
UNDEFINED = "u"


@dataclasses.dataclass
class Seen:
    vr: str = None          #: None: not written, or not told
    length: object = None   #: bytes of the value, UNDEFINED, or None: not told
    offset: int = None      #: of the value; None: not told
    checksum: str = None    #: CRC-32 of the value; None: not told
    text: str = None        #: the value as dcmdump prints it
    container: bool = False


def add(rows, path, seen):
    rows.setdefault(path, []).append(seen)


def checksum(value):
    return f"{zlib.crc32(value):08x}"


class Refused(str):
    """Instead of rows: the reader does not take the file; says why."""


# -- ours ---------------------------------------------------------------------------------------------------

class Index(dict):
    """{file: rows or Refused}, and {file: transfer syntax} beside it."""

    def __init__(self):
        super().__init__()
        self.syntax = {}


def ours(paths):
    """The Index of many files at once."""
    result = dpipe.run(INDEX_DUMP, *paths)
    assert result.code in (0, 3) and not result.err, result.err
    files, rows = Index(), None
    for line in result.lines:
        words = line.split("\t")
        if words[0] == "file":
            rows = files[words[1]] = {}
            files.syntax[words[1]] = words[2]
        elif words[0] == "refused":
            files[words[1]] = Refused(words[2])
        else:
            path, vr, length, offset, crc = words
            add(rows, path, Seen(
                vr=None if vr == "-" else vr, length=length if length == UNDEFINED else int(length),
                offset=int(offset), checksum=crc))
    return files


def inflated(whole):
    """The data set of a deflated file, in which the offsets of its elements count."""
    start = 144 + int.from_bytes(whole[140:144], "little")
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(whole[start:])


# -- pydicom ------------------------------------------------------------------------------------------------

def is_sequence(raw):
    if raw.VR is not None:
        return raw.VR == "SQ"
    try:
        return dictionary_VR(raw.tag) == "SQ"
    except KeyError:
        return False


def walk_pydicom(rows, data_set, prefix, top):
    for tag in list(data_set._dict):
        element = data_set._dict[tag]
        path = f"{prefix}{tag:08X}"
        if not isinstance(element, RawDataElement):
            # A sequence of undefined length, or a value that pydicom itself had to look at.
            sequence = element.VR == "SQ"
            undefined = sequence and element.is_undefined_length
            add(rows, path, Seen(vr=element.VR, length=UNDEFINED if undefined else None, container=sequence))
            walk_items(rows, element.value if sequence else [], path)
            continue
        length = UNDEFINED if element.length == 0xFFFFFFFF else element.length
        seen = Seen(vr=element.VR, length=length, offset=element.value_tell if top else None)
        add(rows, path, seen)
        value = element.value or b""
        if is_sequence(element):
            seen.container = True
            items = read_sequence(
                io.BytesIO(value), element.is_implicit_VR, element.is_little_endian, len(value), "iso8859")
            walk_items(rows, items, path)
        else:
            seen.checksum = checksum(value)


def walk_items(rows, items, path):
    for number, item in enumerate(items):
        here = f"{path}[{number}]"
        length = UNDEFINED if item.is_undefined_length_sequence_item else None
        add(rows, here, Seen(length=length, container=True))
        walk_pydicom(rows, item, here + ".", False)


def by_pydicom(path):
    """Rows or Refused of one file."""
    rows = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data_set = pydicom.dcmread(path, force=True)
            walk_pydicom(rows, data_set.file_meta, "", True)
            walk_pydicom(rows, data_set, "", True)
        except Exception as error:  # whatever it is, it is pydicom's way to refuse
            return Refused(f"{type(error).__name__}: {error}")
    # Zero bytes after the end, which it takes for elements (0000,0000).
    return {p: seen for p, seen in rows.items() if p != "00000000"}


# -- dcmdump ------------------------------------------------------------------------------------------------

LINE = re.compile(
    r"^(?P<indent> *)\((?P<group>[0-9a-f]{4}),(?P<element>[0-9a-f]{4})\) (?P<vr>\S\S|  ) (?P<value>.*?) *"
    r"# +(?P<length>u/l|[0-9]+), *[0-9]+ [^#]*$")


def by_dcmdump(paths):
    """{file: rows or Refused} for many files at once."""
    words = ("-q", "-Un", "+L", "+Qo", "-dc", "-ml", "-M", "+R", "4", "+F")
    sections = re.split(r"^# dcmdump \(\d+/\d+\): ", dpipe.run("dcmdump", *words, *paths).out, flags=re.M)[1:]
    assert len(sections) == len(paths)
    return {str(path): rows_of_section(section) for path, section in zip(paths, sections)}


def rows_of_section(section):
    name, _, text = section.partition("\n")
    if "# Dicom-" not in text:
        return Refused("dcmdump does not read it")
    rows, around, items = {}, [], []
    for line in text.split("\n"):
        match = LINE.match(line)
        if not match:
            assert not line.strip() or line.strip().startswith("#"), f"{name}: {line}"
            continue
        tag = (match["group"] + match["element"]).upper()
        depth = len(match["indent"]) // 2
        del around[depth:], items[depth + 1:]
        items.extend([0] * (depth + 1 - len(items)))
        if tag in ("FFFEE00D", "FFFEE0DD"):
            continue
        if tag == "FFFEE000":
            here = f"{around[-1]}[{items[depth]}]"
            items[depth] += 1
        else:
            here = f"{around[-1]}.{tag}" if around else tag
            items[depth] = 0
        around.append(here)
        add(rows, here, seen_in(tag, match))
    return rows


def seen_in(tag, match):
    vr, value = match["vr"], match["value"]
    item = tag == "FFFEE000"
    container = item and vr != "pi" or value.startswith(("(Sequence with ", "(PixelSequence "))
    # Of encapsulated pixel data it shows OB whatever stands there, and `up` for offsets of a DICOMDIR.
    return Seen(
        vr=None if item or value.startswith("(PixelSequence ") else {"up": "UL"}.get(vr, vr),
        length=UNDEFINED if match["length"] == "u/l" else int(match["length"]),
        container=container, text=None if container else value)


NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q",
           "OF": "f", "OD": "d", "OL": "I"}
TEXT = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}


def quoted(value):
    """As dcmdump quotes with +Qo."""
    return "".join(chr(b) if 32 <= b < 127 else f"\\{b:03o}" for b in value)


def prints_as(text, vr, value, big_endian):
    """True where `text` is how dcmdump shows these bytes; nothing is left to compare of what it left out."""
    if text in ("(not loaded)", "(no value available)"):
        return text == "(not loaded)" or not value.strip(b" \0")
    order = ">" if big_endian else "<"
    if vr in TEXT:
        shown = text[1:-1] if text.startswith("[") else text
        return quoted(value).rstrip(" ").replace("\\000", "") == shown.rstrip(" ").replace("\\000", "")
    if vr == "AT":
        pairs = struct.iter_unpack(order + "HH", value)
        return "\\".join(f"({g:04x},{e:04x})" for g, e in pairs) == text
    if vr == "OW":
        return "\\".join(f"{n:04x}" for (n,) in struct.iter_unpack(order + "H", value)) == text
    if vr in NUMBERS:
        code = NUMBERS[vr]
        numbers = [n for (n,) in struct.iter_unpack(order + code, value)]
        shown = text.split("\\")
        return len(numbers) == len(shown) and all(
            abs(n - float(s)) <= 1e-5 * abs(n) or n != n for n, s in zip(numbers, shown))
    return "\\".join(f"{b:02x}" for b in value) == text
