"""Headers of Siemens and GE MR systems for tests, written without our own code, with somebody's name in every
place where real ones leak: values, unused bytes behind names and values, the XProtocol, a gzip file's name."""

import struct
import zlib


def _field(text, size, junk):
    """`text` and a NUL, filled up with whatever memory held before."""
    return (text.encode() + b"\0" + junk * size)[:size]


def header(tags, junk=b"junk ", mark=True):
    """A CSA header; `tags` are (name, VR, values). Without `mark` in the older form."""
    # Real ones have six values at least, empty ones at the end; dcm2niix counts on it.
    tags = [(name, vr, values + [""] * (6 - len(values)) if values else []) for name, vr, values in tags]
    out = (b"SV10\4\3\2\1" if mark else b"") + struct.pack("<II", len(tags), 77)
    bias = len(tags[0][2])
    for name, vr, values in tags:
        out += _field(name, 64, junk) + struct.pack("<i", len(values)) + _field(vr, 4, junk)
        out += struct.pack("<iii", 6, len(values), 77 if values else 205)
        for value in values:
            value = value.encode() + (b"\0" if value else b"")
            length = len(value)
            out += struct.pack("<iiii", length if mark else length + bias, length, 77, length)
            out += value + (junk * 4)[:-length % 4]
    return out + b"\0\0\0\0"


def protocol(name, lines):
    """A measurement protocol: XProtocol with a name in it, then the lines that converters read."""
    ascii_part = "".join(f"{key}\t = \t{value}\n" for key, value in lines)
    return (f'<XProtocol> \n{{\n  <ParamString."tPatientName"> {{ "{name}" }}\n}}\n'
            f"### ASCCONV BEGIN object=MrProtDataImpl@MrProtocolData version=51130001 ###\n{ascii_part}"
            f'### ASCCONV END ###" \n}}\n')


def read(data):
    """The tags of a header with the mark: {name: values, without empty ones at the end}."""
    assert data[:4] == b"SV10", data[:4]
    count, = struct.unpack_from("<I", data, 8)
    at, tags = 16, {}
    for _ in range(count):
        name = data[at:at + 64].split(b"\0")[0].decode()
        values, = struct.unpack_from("<i", data, at + 76)
        at += 84
        tags[name] = []
        for _ in range(values):
            length, = struct.unpack_from("<i", data, at + 4)
            tags[name].append(data[at + 16:at + 16 + length].split(b"\0")[0].decode())
            at += 16 + (length + 3) // 4 * 4
        while tags[name] and not tags[name][-1]:
            tags[name].pop()
    return tags


def ge_protocol(lines, file_name):
    """The protocol block of GE: a length, then a gzip file with a name."""
    text = "".join(f'{key} "{value}"\n' for key, value in lines).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    file = b"\x1f\x8b\x08\x08\0\0\0\0\0\3" + file_name.encode() + b"\0" + packer.compress(text) + packer.flush()
    file += struct.pack("<II", zlib.crc32(text), len(text))
    return struct.pack("<I", len(file)) + file
