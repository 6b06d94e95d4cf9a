#!/usr/bin/env python3
"""Make the seed corpus of the fuzz harnesses, a folder each, out of the synthetic and the malformed studies.

Usage: seeds.py MAKE_STUDIES OUT_DIR
"""

import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: A fuzzer works on small inputs; the few faults that need size are tests of their own.
LARGEST = 16 * 1024

CHARACTER_SETS = [
    "", "ISO_IR 6", "ISO_IR 100", "ISO_IR 101", "ISO_IR 144", "ISO_IR 127", "ISO_IR 126", "ISO_IR 138", "ISO_IR 148",
    "ISO_IR 203", "ISO_IR 13", "ISO_IR 166", "ISO_IR 192", "GB18030", "GBK", "ISO 2022 IR 6\\ISO 2022 IR 87",
    "ISO 2022 IR 13\\ISO 2022 IR 87\\ISO 2022 IR 159", "\\ISO 2022 IR 149", "\\ISO 2022 IR 58", "ISO IR 100", "LATIN1",
    "UTF8", "NO SUCH"]
TEXTS = [
    b"Doe^Jane", "Müller^Jürgen".encode("latin-1"), "Müller^Jürgen".encode(), "Люкceмбypг".encode("iso8859-5"),
    b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
    b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
    "Wang^XiaoDong=王^小东".encode("gb18030"), b"\x1b$)A\xd5\xc5^\x1b(B x \x1b$(D0!\x1b(B", b"\x1b", b"\xff\xfe\0\x80\\\xc3",
    b"A\\\x1b$B;3\\B=C^D\r\n\x1b-AE\t"]
TABLES = [
    b"PatientID,StudyDate\r\nP1,20200101\r\nP2,\r\n", b"\xef\xbb\xbfPatientID;Name\nP1;\"M\xc3\xbcller; Jr \"\"x\"\"\"\n\n",
    b"PatientID\tName\nP1\tM\xfcller\n", b"\"a\nb\",c\n1,2,3\n4\n", b"a,b\r1,2\r", b"\"unclosed,\n", b",,\n,,\n", b""]
JSON = [
    b'{"path":"a.dcm","status":"ok","StudyInstanceUID":"1.2.3","n":3,"x":0.5,"y":true}',
    b'{"path":"b","status":"failed","reason":"not a DICOM file","more":{"a":[1,null]}}',
    b'{"path":"c\\u0000\\ud83d\\ude00","status":"quarantined"}', b'{"path":1}', b"[1,2]", b"{", b'{"a":1} x',
    b'// comment\n{"rules":[{"tag":"0010,0010","action":"remove"}], /* more */ "x":-1e300}', b'{"path":"\xff"}']


def element(tag, value):
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def command(field, message=1, data_set=0x101, sop=b"1.2.840.10008.1.1", more=b""):
    body = (element(0x00000002, sop) + element(0x00000100, struct.pack("<H", field))
            + element(0x00000110, struct.pack("<H", message)) + element(0x00000800, struct.pack("<H", data_set)) + more)
    return element(0x00000000, struct.pack("<I", len(body))) + body


STORE = command(1, data_set=1, sop=b"1.2.840.10008.5.1.4.1.1.7",
                more=element(0x00000700, b"\0\0") + element(0x00001000, b"1.2.3.4"))
COMMANDS = [command(0x30), STORE, command(0x20), command(0x21, more=element(0x00000600, b"DEST")), command(0xFFF),
            command(0x8030, more=element(0x00000900, b"\0\0")), b"", element(0x00080018, b"1.2"), STORE[:-3]]


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def pdu(kind, body):
    return struct.pack(">BBI", kind, 0, len(body)) + body


def pdv(control, data, context=1):
    return struct.pack(">IBB", len(data) + 2, context, control) + data


def associations():
    """What storescu sends: a request, an echo, a store in two pieces, a release; and worse."""
    def request(*more, contexts=1):
        proposed = b"".join(
            item(0x20, struct.pack("BBBB", 2 * n + 1, 0, 0, 0) + item(0x30, b"1.2.840.10008.1.1")
                 + item(0x40, b"1.2.840.10008.1.2") + item(0x40, b"1.2.840.10008.1.2.1")) for n in range(contexts))
        user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3") + item(0x55, b"V1") + b"".join(more))
        return pdu(1, struct.pack(">HH16s16s32x", 1, 0, b"CALLED".ljust(16), b"CALLING".ljust(16))
                   + item(0x10, b"1.2.840.10008.3.1.1.1") + proposed + user)

    release = pdu(5, bytes(4))
    echo = pdu(4, pdv(3, command(0x30)))
    store = pdu(4, pdv(3, STORE) + pdv(0, b"\x08\0\x18\0UI\4\0")) + pdu(4, pdv(2, b"1.2\0"))
    role = item(0x54, struct.pack(">H", 17) + b"1.2.840.10008.1.1\1\1")
    extended = item(0x56, struct.pack(">H", 17) + b"1.2.840.10008.1.1" + b"\1\2\3")
    identity = item(0x58, b"\1\1" + struct.pack(">H", 4) + b"user" + struct.pack(">H", 0))
    window = item(0x53, struct.pack(">HH", 1, 1))
    yield request() + echo + store + release
    yield request(role, extended, identity, window, contexts=3) + echo + release
    yield request() + pdu(7, bytes(4))
    yield request() + pdu(4, pdv(1, STORE[:10]) + pdv(3, STORE[10:]) + pdv(2, b"")) + release
    yield request()[:60]
    yield pdu(2, bytes(4))


def commitments():
    """Requests for storage commitment, in implicit and in explicit VR."""
    def uid(tag, value, explicit):
        value += b"\0" * (len(value) % 2)
        header = struct.pack("<HH", tag >> 16, tag & 0xffff)
        return header + (b"UI" + struct.pack("<H", len(value)) if explicit else struct.pack("<I", len(value))) + value

    for explicit in (False, True):
        reference = uid(0x00081150, b"1.2.840.10008.5.1.4.1.1.7", explicit) + uid(0x00081155, b"1.2.9", explicit)
        whole = struct.pack("<HHI", 0xfffe, 0xe000, len(reference)) + reference
        ending = struct.pack("<HHI", 0xfffe, 0xe00d, 0)
        open_ = struct.pack("<HHI", 0xfffe, 0xe000, 0xffffffff) + reference + ending
        for items in (whole, whole + open_, b""):
            sequence = struct.pack("<HH", 8, 0x1199) + (b"SQ\0\0" if explicit else b"") + struct.pack("<I", len(items))
            yield bytes([explicit]) + uid(0x00081195, b"1.2.77", explicit) + sequence + items


def rewriter_scripts(files):
    """Changes before each file (see rewriter_fuzz.cpp); from a fixed seed, so that the corpus stays the same."""
    chance = random.Random(1)
    for name, data in files.items():
        changes = chance.randrange(1, 6)
        script = b"".join(struct.pack("<BHB", chance.randrange(3), chance.randrange(64), chance.randrange(40))
                          for _ in range(changes))
        yield name, bytes([changes]) + script + data


def main(make_studies, out):
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([make_studies, f"{scratch}/small", "--scale", "small"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([make_studies, "--hostile", f"{scratch}/hostile"], check=True, stdout=subprocess.DEVNULL)
        paths = sorted(p for p in pathlib.Path(scratch).rglob("*") if p.is_file() and p.stat().st_size <= LARGEST)
        files = {"-".join(p.relative_to(scratch).parts): p.read_bytes() for p in paths}

    def put(harness, name, data):
        folder = out / harness
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    for name, data in files.items():
        put("element_index", name, data)
        if name.endswith(".json"):
            put("json", name, data)
    for name, data in rewriter_scripts(files):
        put("rewriter", name, data)
    for n, terms in enumerate(CHARACTER_SETS):
        for m, text in enumerate(TEXTS):
            put("charset", f"{n}-{m}", terms.encode() + b"\n" + text)
    for n, data in enumerate([b"", b"text " * 99, bytes(70_000), *TEXTS]):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        for name, bytes_ in (("whole", packed), ("cut", packed[:-1]), ("long", packed + b"\0")):
            put("inflate", f"{n}-{name}", bytes_)
    for harness, inputs in (("command", COMMANDS), ("association", associations()), ("commitment", commitments()),
                            ("csv", TABLES), ("json", JSON)):
        for n, data in enumerate(inputs):
            put(harness, str(n), data)
    for profile in (ROOT / "libdcmpipe" / "deid" / "profiles").glob("*.json"):
        put("json", profile.name, profile.read_bytes()[:LARGEST])


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
