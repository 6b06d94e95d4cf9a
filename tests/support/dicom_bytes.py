"""Data sets and files as bytes, made by hand: what the tests send is exactly what they say.

Explicit VR little endian throughout; values are bytes, str (ASCII) or int (US).
"""

import struct

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
HTJ2K = "1.2.840.10008.1.2.4.201"
VERIFICATION = "1.2.840.10008.1.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MR = "1.2.840.10008.5.1.4.1.1.4"
CT = "1.2.840.10008.5.1.4.1.1.2"

_LONG = {"OB", "OW", "OD", "OF", "OL", "OV", "SQ", "UC", "UN", "UR", "UT", "SV", "UV"}


def even(value, pad=b" "):
    return value if len(value) % 2 == 0 else value + pad


def to_bytes(vr, value):
    if isinstance(value, int):
        return struct.pack("<H", value)
    if isinstance(value, str):
        value = value.encode()
    return even(value, b"\0" if vr in ("UI", "OB", "UN") else b" ")


def element(tag, vr, value=b"", length=None):
    """One element; `length` claims another length than the value has."""
    value = to_bytes(vr, value)
    length = len(value) if length is None else length
    header = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    if vr in _LONG:
        return header + struct.pack("<HI", 0, length) + value
    return header + struct.pack("<H", length) + value


def implicit_element(tag, value, length=None):
    value = to_bytes("UN" if isinstance(value, bytes) else "LO", value)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def nested(tag, depth):
    """A sequence in a sequence in a sequence, all of undefined length."""
    opening = element(tag, "SQ", length=0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    closing = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return opening * depth + closing * depth


def instance(uid, study="1.2.3", series="1.2.3.4", sop_class=SECONDARY_CAPTURE, pixels=b"\0" * 64, more=()):
    """A small image. `more` are elements (tag, bytes); None for a UID leaves its element out."""
    elements = {
        0x00080016: sop_class and element(0x00080016, "UI", sop_class),
        0x00080018: uid and element(0x00080018, "UI", uid),
        0x00080060: element(0x00080060, "CS", "OT"),
        0x00100020: element(0x00100020, "LO", "PAT1"),
        0x0020000D: study and element(0x0020000D, "UI", study),
        0x0020000E: series and element(0x0020000E, "UI", series),
        0x7FE00010: element(0x7FE00010, "OW", pixels),
    }
    elements.update(more)
    return b"".join(elements[tag] for tag in sorted(elements) if elements[tag])


def part10(data_set, uid, sop_class=SECONDARY_CAPTURE, syntax=EXPLICIT):
    """A file around a data set."""
    group = b"".join([
        element(0x00020001, "OB", b"\0\1"), element(0x00020002, "UI", sop_class), element(0x00020003, "UI", uid),
        element(0x00020010, "UI", syntax), element(0x00020012, "UI", "1.2.3.4.5")])
    return b"\0" * 128 + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(group))) + group + data_set


def split(file_bytes):
    """(file meta information as {tag: bytes}, data set) of a file that has both."""
    assert file_bytes[128:132] == b"DICM"
    position, meta = 132, {}
    while file_bytes[position:position + 2] == b"\2\0":
        group, number, vr = struct.unpack_from("<HH2s", file_bytes, position)
        if vr.decode() in _LONG:
            length, position = struct.unpack_from("<I", file_bytes, position + 8)[0], position + 12
        else:
            length, position = struct.unpack_from("<H", file_bytes, position + 6)[0], position + 8
        meta[group << 16 | number] = file_bytes[position:position + length].rstrip(b"\0 ")
        position += length
    return meta, file_bytes[position:]
