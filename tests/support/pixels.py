"""Images for tests of pixels: any format of the Image Pixel module, and a judge that works byte by byte."""

import pathlib
import random
import shutil
import subprocess

import pydicom
import tiny
from pydicom.uid import ExplicitVRLittleEndian


class Format:
    """The Image Pixel module, with what a black pixel is."""

    def __init__(self, photometric="MONOCHROME2", bits=8, stored=None, signed=False, planar=0, rows=24, columns=40,
                 frames=1, black=None):
        self.photometric = photometric
        self.bits = bits
        self.stored = stored or bits
        self.signed = signed
        self.planar = planar
        self.rows = rows
        self.columns = columns
        self.frames = frames
        self.samples = 1 if photometric.startswith("MONO") or photometric == "PALETTE COLOR" else 3
        self.black = black if black is not None else [0] * self.samples

    @property
    def pairs(self):
        return self.photometric == "YBR_FULL_422"

    @property
    def frame_samples(self):
        pixels = self.rows * self.columns
        return 2 * pixels if self.pairs else pixels * self.samples

    @property
    def frame_bytes(self):
        return self.frame_samples * self.bits // 8

    def sample_at(self, number):
        """Of a frame's sample: column, row, which sample of its pixel; of pairs, the column of the pair."""
        pixels = self.rows * self.columns
        if self.pairs:
            pair, part = divmod(number, 4)
            row, column = divmod(pair * 2, self.columns)
            return column, row, (0, 0, 1, 2)[part]
        if self.planar:
            sample, pixel = divmod(number, pixels)
        else:
            pixel, sample = divmod(number, self.samples)
        row, column = divmod(pixel, self.columns)
        return column, row, sample

    def random_value(self, seed):
        """Frames of noise; unused high bits are zero, as compressors expect."""
        rng = random.Random(seed)
        out = bytearray()
        for _ in range(self.frame_samples * self.frames):
            number = rng.getrandbits(self.stored)
            if self.signed and number >> (self.stored - 1):
                number |= (1 << self.bits) - (1 << self.stored)
            out += number.to_bytes(self.bits // 8, "little")
        return bytes(out)

    def smooth_value(self):
        """Frames of gradients, that a lossy compressor does not turn to noise."""
        out = bytearray()
        for frame in range(self.frames):
            for number in range(self.frame_samples):
                column, row, sample = self.sample_at(number)
                out.append((40 + 3 * column + 2 * row + 30 * sample + 10 * frame) % 200 + 20)
        return bytes(out)


def write(path, form, value, **attributes):
    """A secondary capture with these pixels, in explicit VR little endian; give its path."""
    ds = tiny.instance("OT", **attributes)
    ds.Rows, ds.Columns = form.rows, form.columns
    ds.SamplesPerPixel = form.samples
    ds.PhotometricInterpretation = form.photometric
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = form.bits, form.stored, form.stored - 1
    ds.PixelRepresentation = int(form.signed)
    if form.samples > 1:
        ds.PlanarConfiguration = form.planar
    if form.frames > 1:
        ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
        ds.NumberOfFrames = form.frames
    ds.PixelData = value + b"\0" * (len(value) % 2)
    ds["PixelData"].VR = "OB" if form.bits == 8 else "OW"
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    path = pathlib.Path(path)
    ds.save_as(path, write_like_original=False)
    return path


def tool(*argv):
    """Run one of DCMTK's or GDCM's tools; it must succeed."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{argv}: {done.stdout.decode()}{done.stderr.decode()}")


DECODERS = {
    "1.2.840.10008.1.2.5": ["dcmdrle"],
    "1.2.840.10008.1.2.4.50": ["dcmdjpeg", "+cn", "+px"],
    "1.2.840.10008.1.2.4.51": ["dcmdjpeg", "+cn", "+px"],
    "1.2.840.10008.1.2.4.57": ["dcmdjpeg", "+cn", "+px"],
    "1.2.840.10008.1.2.4.70": ["dcmdjpeg", "+cn", "+px"],
    "1.2.840.10008.1.2.4.80": ["dcmdjpls"],
    "1.2.840.10008.1.2.4.81": ["dcmdjpls"],
}


def native(path, with_gdcm=False):
    """The data set, its pixels decoded by a tool that is not ours, in explicit VR little endian."""
    path = pathlib.Path(path)
    syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    out = path.parent / f"{path.stem}.{'gdcm' if with_gdcm else 'native'}.dcm"
    if with_gdcm:
        tool("gdcmconv", "--raw", path, out)
    elif syntax in DECODERS:
        tool(*DECODERS[syntax], path, out)
    elif syntax != ExplicitVRLittleEndian:
        tool("dcmconv", "+te", path, out)
    else:
        shutil.copy(path, out)
    return pydicom.dcmread(out)


def fragments(value):
    """The fragments of encapsulated pixel data, without the offset table."""
    found, at = [], 0
    while value[at:at + 4] == b"\xfe\xff\x00\xe0":
        length = int.from_bytes(value[at + 4:at + 8], "little")
        found.append(value[at + 8:at + 8 + length])
        at += 8 + length
    return found[1:]


def differences(form, before, after, boxes, grown=1, fringe=0):
    """What is wrong with `after`: a list of words. Boxes must be black, all else as before; `grown` tells the
    size of the blocks, of which a box takes whole ones, and `fringe` how far a reader of subsampled colour
    looks over their edges."""
    wrong = []
    size = form.bits // 8
    if len(after) - len(after) % 2 < len(before) - len(before) % 2:
        return ["too short"]
    for frame in range(form.frames):
        for number in range(form.frame_samples):
            column, row, sample = form.sample_at(number)
            columns = (column, column + 1) if form.pairs else (column,)

            def inside(grow, edge):
                return any(
                    x // grow * grow - edge <= c < -(-(x + w) // grow) * grow + edge and y // grow * grow - edge <= row
                    < -(-(y + h) // grow) * grow + edge for x, y, w, h in boxes for c in columns)

            at = (frame * form.frame_samples + number) * size
            new = int.from_bytes(after[at:at + size], "little")
            if inside(1, -fringe) and new != form.black[sample]:
                wrong.append(f"frame {frame} row {row} column {column}: {new} shows")
            if not inside(grown, fringe) and after[at:at + size] != before[at:at + size]:
                wrong.append(f"frame {frame} row {row} column {column}: changed")
    return wrong
