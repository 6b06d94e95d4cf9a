"""dpipe-anon paints boxes into pixels: DCMTK and GDCM decode what came out, this test compares byte by byte."""

import json
import pathlib
import random
import shutil
import struct

import pixels
import pydicom
import tiny
from pixels import Format
from pydicom.encaps import encapsulate
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import dpipe

BOXES = [[3, 2, 20, 7], [10, 5, 31, 4], [0, 20, 2, 999]]

GREY = {
    "8 bit": Format(),
    "odd length": Format(rows=5, columns=7, frames=3),
    "12 in 16": Format(bits=16, stored=12, frames=2),
    "signed": Format(bits=16, signed=True, black=[0x8000]),
    "monochrome 1": Format("MONOCHROME1", bits=16, stored=12, black=[0xFFF]),
}
COLOUR = {
    "rgb": Format("RGB", frames=2),
    "rgb odd": Format("RGB", rows=5, columns=5, frames=3),
}
SIGNED_12 = Format(bits=16, stored=12, signed=True, black=[0xF800])
PLANES = Format("RGB", planar=1, frames=2)
YBR = Format("YBR_FULL", black=[0, 128, 128])
YBR_PLANES = Format("YBR_FULL", planar=1, black=[0, 128, 128])
PAIRS = Format("YBR_FULL_422", frames=2, black=[0, 128, 128])
WIDE = Format(bits=32, black=[0])


class Painting(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.succeeds("dpipe-map", "init", "-m", self.scratch / "link.db")
        self.runs = 0

    def profile(self, *rules, **more):
        path = self.scratch / "profile.json"
        rules = rules or ({"when": {"Modality": "OT"}, "boxes": BOXES},)
        path.write_text(json.dumps({"dcmpipe-profile": 1, "pixels": rules, **more}))
        return path

    def words(self, source, profile, *more):
        self.runs += 1
        out = self.scratch / f"out{self.runs}"
        return ["-m", self.scratch / "link.db", "-p", profile, "-o", out, *more, source]

    def paint(self, source, *more, profile=None):
        """De-identify by the profile; give the output's path."""
        return pathlib.Path(self.succeeds("dpipe-anon", *self.words(source, profile or self.profile(), *more)).lines[0])

    def quarantined(self, source, reason, *more, profile=None):
        words = self.words(source, profile or self.profile(), *more)
        result = self.fails(3, "dpipe-anon", "--json", *words)
        record = json.loads(result.lines[0])
        self.assertEqual(record["status"], "quarantined")
        self.assertIn(reason, record["reason"])
        self.assertEqual(list(words[5].rglob("*.dcm")), [])

    def assert_painted(self, form, before, out, boxes=None, grown=1, gdcm=True, fringe=0):
        boxes = BOXES if boxes is None else boxes
        after = pixels.native(out)
        self.assertEqual(pixels.differences(form, before, after.PixelData, boxes, grown, fringe)[:5], [])
        if gdcm and not form.planar and shutil.which("gdcmconv"):
            other = pixels.native(out, with_gdcm=True)
            self.assertEqual(pixels.differences(form, before, other.PixelData, boxes, grown)[:5], [], "by GDCM")
        ds = pydicom.dcmread(out)
        self.assertEqual(ds.BurnedInAnnotation, "NO")
        self.assertIn("113101", [item.CodeValue for item in ds.DeidentificationMethodCodeSequence])
        return ds


    def check(self, formats, tools, gdcm=True):
        """Every format through every tool, painted in one run."""
        cases = [(format, tool) for format in formats for tool in tools]
        folder = self.scratch / "in"
        folder.mkdir()
        for number, (name, tool) in enumerate(cases, 1):
            form = formats[name]
            plain = pixels.write(self.scratch / "plain.dcm", form, form.random_value(name), InstanceNumber=number)
            pixels.tool(*tools[tool], plain, folder / f"{number}.dcm")
        out = self.scratch / "out"
        self.succeeds(
            "dpipe-anon", "-m", self.scratch / "link.db", "-p", self.profile(), "-o", out, "--layout",
            "{InstanceNumber}.dcm", folder)
        for number, (name, tool) in enumerate(cases, 1):
            with self.subTest(format=name, tool=tool):
                form = formats[name]
                ds = self.assert_painted(form, form.random_value(name), out / f"{number}.dcm", gdcm=gdcm)
                before = pydicom.dcmread(folder / f"{number}.dcm")
                self.assertEqual(ds.file_meta.TransferSyntaxUID, before.file_meta.TransferSyntaxUID)
                self.assertEqual(ds.SOPInstanceUID, ds.file_meta.MediaStorageSOPInstanceUID)


class Native(Painting):
    @dpipe.needs("dcmconv")
    def test_every_format_in_every_native_syntax(self):
        formats = {**GREY, **COLOUR, "signed 12": SIGNED_12, "planes": PLANES, "ybr": YBR, "ybr planes": YBR_PLANES,
                   "pairs": PAIRS, "32 bit": WIDE}
        tools = {name: ["dcmconv", f"+t{name[0]}"] for name in ("explicit", "implicit", "big endian", "deflated")}
        self.check(formats, tools, gdcm=False)

    def test_bytes_in_big_endian_words(self):
        form = Format(rows=5, columns=7, frames=2)
        before = form.random_value("words")
        ds = pydicom.dcmread(pixels.write(self.scratch / "plain.dcm", form, before))
        ds["PixelData"].VR = "OW"
        ds.PixelData = b"".join(before[i:i + 2][::-1] for i in range(0, len(before), 2))
        ds.is_little_endian = False
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.2"
        ds.save_as(self.scratch / "words.dcm", write_like_original=False)
        after = pydicom.dcmread(self.paint(self.scratch / "words.dcm")).PixelData
        after = b"".join(after[i:i + 2][::-1] for i in range(0, len(after), 2))
        self.assertEqual(pixels.differences(form, before, after, BOXES), [])

    def test_palette_gets_its_darkest_entry(self):
        form = Format("PALETTE COLOR", black=[7])
        before = form.random_value("palette")
        ds = pydicom.dcmread(pixels.write(self.scratch / "in.dcm", form, before))
        for colour in ("Red", "Green", "Blue"):
            lookup = [60000] * 256
            lookup[7] = 3
            ds.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
            ds.add_new(f"{colour}PaletteColorLookupTableData", "OW", struct.pack("<256H", *lookup))
        ds.save_as(self.scratch / "in.dcm")
        self.assert_painted(form, before, self.paint(self.scratch / "in.dcm"), gdcm=False)

    def test_frames_that_nobody_counted_are_painted_too(self):
        form = Format(frames=2)
        before = form.random_value("more")
        ds = pydicom.dcmread(pixels.write(self.scratch / "in.dcm", form, before))
        ds.NumberOfFrames = 1
        ds.save_as(self.scratch / "in.dcm")
        self.assert_painted(form, before, self.paint(self.scratch / "in.dcm"), gdcm=False)

    def test_whole_image_and_outside_of_regions(self):
        form = Format("RGB")
        before = form.random_value("all")
        source = pixels.write(self.scratch / "in.dcm", form, before)
        ds = pydicom.dcmread(source)
        region = Dataset()
        region.RegionLocationMinX0, region.RegionLocationMinY0 = 5, 6
        region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 19, 12
        ds.SequenceOfUltrasoundRegions = Sequence([region])
        ds.save_as(source)
        everything = self.profile({"when": {"Modality": "OT"}, "boxes": "all"})
        self.assert_painted(form, before, self.paint(source, profile=everything), [[0, 0, 40, 24]])
        outside = self.profile({"when": {"Modality": "OT"}, "boxes": "outside-ultrasound-regions"})
        rest = [[0, 0, 40, 6], [0, 6, 5, 7], [20, 6, 20, 7], [0, 13, 40, 11]]
        self.assert_painted(form, before, self.paint(source, profile=outside), rest)

    def test_icons_go_and_the_rest_of_the_file_stays(self):
        form = Format(bits=16, frames=2)
        source = pixels.write(self.scratch / "in.dcm", form, form.random_value("icon"))
        ds = pydicom.dcmread(source)
        icon = Dataset()
        icon.Rows = icon.Columns = 2
        icon.BitsAllocated = 8
        icon.PixelData = b"icon"
        ds.IconImageSequence = Sequence([icon])
        ds.save_as(source)
        keeping = {"rules": [{"tag": "IconImageSequence", "action": "keep"}]}
        self.assertNotIn("IconImageSequence", pydicom.dcmread(self.paint(source, profile=self.profile(**keeping))))
        unpainted = self.profile({"when": {"Modality": "MR"}, "boxes": BOXES}, **keeping)
        ds = pydicom.dcmread(self.paint(source, profile=unpainted))
        self.assertIn("IconImageSequence", ds)
        self.assertNotIn("BurnedInAnnotation", ds)
        self.assertNotIn("113101", [item.CodeValue for item in ds.DeidentificationMethodCodeSequence])

    def embedded_overlay(self, bits=(15, 12)):
        """Twelve bits of pixels, overlays in bits above them."""
        form = Format(bits=16, stored=16, frames=2)
        before = form.random_value("overlay")
        ds = pydicom.dcmread(pixels.write(self.scratch / "in.dcm", form, before))
        ds.BitsStored, ds.HighBit = 12, 11
        for number, bit in enumerate(bits):
            ds.add_new(0x60000102 + 0x20000 * number, "US", bit)
            ds.add_new(0x60000100 + 0x20000 * number, "US", 16)
        ds.save_as(self.scratch / "in.dcm")
        return self.scratch / "in.dcm", before

    def assert_bits_gone(self, before, after):
        self.assertEqual(len(before), len(after))
        for old, new in zip(struct.iter_unpack("<H", before), struct.iter_unpack("<H", after)):
            self.assertEqual(new[0], old[0] & ~0x9000)

    @dpipe.needs("dcmconv")
    def test_overlays_in_the_bits_above_the_pixels_go_and_come_back(self):
        source, before = self.embedded_overlay()
        for word in ("+te", "+tb"):
            pixels.tool("dcmconv", word, source, self.scratch / "native.dcm")
            out = self.paint(self.scratch / "native.dcm", profile="basic")
            self.assert_bits_gone(before, pixels.native(out).PixelData)
            words = ["-m", self.scratch / "link.db", "--restore-key", self.scratch / "link.restore.key"]
            back = self.succeeds(
                "dpipe-restore", *words, "--level", "full", "-o", self.scratch / f"back{word}", out).lines[0]
            self.assertEqual(pydicom.dcmread(back), pydicom.dcmread(self.scratch / "native.dcm"))
        pixels.tool("dcmcrle", source, self.scratch / "rle.dcm")
        self.assert_bits_gone(before, pixels.native(self.paint(self.scratch / "rle.dcm", profile="basic")).PixelData)
        kept = self.profile(rules=[{"tag": "(60xx,0102)", "action": "keep"}])
        # No box is for it: only the rule for overlays counts.
        kept.write_text(kept.read_text().replace('"Modality": "OT"', '"Modality": "MR"'))
        self.assertEqual(pydicom.dcmread(self.paint(source, profile=kept)).PixelData, before)

    def test_overlays_in_the_bits_of_the_pixels_are_kept_back(self):
        source, _ = self.embedded_overlay((15, 3))
        self.quarantined(source, "bits that its pixels use", profile="basic")

    def test_pixels_that_cannot_be_painted_are_kept_back(self):
        form = Format()
        for reason, changes in {
                "shorter than its frames": {"NumberOfFrames": 5},
                "no rows": {"Rows": 0, "Columns": 0},
                "photometric": {"PhotometricInterpretation": "CMYK"},
                "1 bits allocated": {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0},
                "bits stored": {"BitsStored": 12},
        }.items():
            with self.subTest(reason=reason):
                ds = pydicom.dcmread(pixels.write(self.scratch / "in.dcm", form, form.random_value(1)))
                for keyword, value in changes.items():
                    setattr(ds, keyword, value)
                ds.save_as(self.scratch / "in.dcm")
                everything = {"when": {"Modality": "OT"}, "boxes": "all"}
                self.quarantined(self.scratch / "in.dcm", reason, profile=self.profile(everything))


@dpipe.needs("dcmcrle")
class Compressed(Painting):
    def compressed(self, form, value, *tool, **attributes):
        plain = pixels.write(self.scratch / "plain.dcm", form, value, **attributes)
        pixels.tool(*tool, plain, self.scratch / "in.dcm")
        return self.scratch / "in.dcm"

    def test_rle(self):
        self.check({**GREY, **COLOUR, "signed 12": SIGNED_12, "planes": PLANES}, {"rle": ["dcmcrle"]})

    def test_jpeg_lossless(self):
        self.check({**GREY, **COLOUR}, {"first order": ["dcmcjpeg", "+e1"]})

    def test_jpeg_lossless_by_any_predictor(self):
        tools = {str(number): ["dcmcjpeg", "+el", "+sv", number] for number in range(1, 8)}
        self.check({"12 in 16": GREY["12 in 16"], "rgb": COLOUR["rgb"]}, tools)

    def test_jpeg_ls(self):
        self.check({**GREY, **COLOUR}, {"jpeg-ls": ["dcmcjpls"]})

    def test_jpeg_ls_near_lossless_loses_no_more(self):
        for name, form in {"grey": Format(frames=2), "rgb": Format("RGB")}.items():
            with self.subTest(format=name):
                source = self.compressed(form, form.smooth_value(), "dcmcjpls", "+en", "+md", "3")
                before = pixels.native(source).PixelData
                self.assert_painted(form, before, self.paint(source))

    def test_jpeg_baseline_changes_no_block_but_those_painted(self):
        for name, tool in {"grey": [], "444": ["+s4"], "422": ["+s2"], "rgb": ["+cr"]}.items():
            with self.subTest(format=name):
                form = Format("MONOCHROME2" if name == "grey" else "RGB", rows=64, columns=80, frames=2)
                source = self.compressed(form, form.smooth_value(), "dcmcjpeg", "+eb", "+q", "95", *tool)
                ds = pydicom.dcmread(source)
                form.photometric = ds.PhotometricInterpretation.replace("_422", "")
                form.black = [0, 128, 128] if form.photometric.startswith("YBR") else form.black
                before = pixels.native(source).PixelData
                boxes = [[8, 8, 24, 8], [50, 33, 9, 5]]
                out = self.paint(source, profile=self.profile({"when": {"Modality": "OT"}, "boxes": boxes}))
                after = self.assert_painted(form, before, out, boxes, grown=16, gdcm=False, fringe=2)
                for keyword in ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"):
                    self.assertEqual(after.get(keyword), ds.get(keyword), keyword)

    def test_jpeg_loses_its_comments_and_keeps_its_colour_marker(self):
        form = Format("RGB", rows=16, columns=16)
        source = self.compressed(form, form.smooth_value(), "dcmcjpeg", "+eb", "+cr")
        ds = pydicom.dcmread(source)
        frame = pixels.fragments(ds.PixelData)[0]
        text = b"Smithson^Jane"
        segments = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + b"\xff\xe1" + struct.pack(
            ">H", len(text) + 2) + text
        ds.PixelData = encapsulate([frame[:2] + segments + frame[2:]])
        ds.save_as(source)
        out = self.paint(source, profile=self.profile({"when": {"Modality": "OT"}, "boxes": [[0, 0, 8, 8]]}))
        raw = out.read_bytes()
        self.assertNotIn(b"Smithson", raw)
        self.assertEqual(b"Adobe" in raw, b"Adobe" in frame)

    def test_offset_tables_and_fragments(self):
        form = Format(bits=16, frames=3, rows=64, columns=64)
        before = form.random_value("table")
        for words in (["+ot"], ["-ot"], ["+ot", "+fs", "1"], ["-ot", "+fs", "1"]):
            with self.subTest(words=words):
                source = self.compressed(form, before, "dcmcjpeg", "+e1", *words)
                ds = self.assert_painted(form, before, self.paint(source))
                table = struct.unpack("<I", ds.PixelData[4:8])[0]
                self.assertEqual(table, 12 if "+ot" in words else 0)

    def test_extended_offset_table_follows(self):
        form = Format(bits=16, frames=3)
        before = form.random_value("extended")
        source = self.compressed(form, before, "dcmcjpls", "-ot")
        ds = pydicom.dcmread(source)
        frames = pixels.fragments(ds.PixelData)
        offsets = [sum(len(f) + 8 for f in frames[:i]) for i in range(3)]
        ds.add_new(0x7FE00001, "OV", struct.pack("<3Q", *offsets))
        ds.add_new(0x7FE00002, "OV", struct.pack("<3Q", *map(len, frames)))
        ds.save_as(source)
        out = self.assert_painted(form, before, self.paint(source), gdcm=False)
        frames = pixels.fragments(out.PixelData)
        offsets = [sum(len(f) + 8 for f in frames[:i]) for i in range(3)]
        self.assertEqual(struct.unpack("<3Q", out[0x7FE00001].value), tuple(offsets))
        for length, frame in zip(struct.unpack("<3Q", out[0x7FE00002].value), frames):
            self.assertEqual((length + 1) // 2 * 2, len(frame))

    def test_fragments_without_frames_are_kept_back(self):
        form = Format(bits=16, frames=2)
        source = self.compressed(form, form.random_value(1), "dcmcrle")
        ds = pydicom.dcmread(source)
        frames = pixels.fragments(ds.PixelData)
        ds.PixelData = encapsulate([frames[0][:100], frames[0][100:], frames[1]], has_bot=False)
        ds.save_as(source)
        self.quarantined(source, "told apart")

    def test_other_syntaxes_are_kept_back(self):
        form = Format()
        ds = pydicom.dcmread(pixels.write(self.scratch / "in.dcm", form, form.random_value(1)))
        ds.PixelData = encapsulate([b"\xff\x4f\xff\x51"])
        ds["PixelData"].is_undefined_length = True
        for syntax in ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.1.98"):
            with self.subTest(syntax=syntax):
                ds.file_meta.TransferSyntaxUID = syntax
                ds.save_as(self.scratch / "in.dcm", write_like_original=False)
                self.quarantined(self.scratch / "in.dcm", "transfer syntax cannot be painted")

    def test_plain_pixels_in_a_compressed_syntax_are_kept_back(self):
        form = Format()
        ds = pydicom.dcmread(pixels.write(self.scratch / "in.dcm", form, form.random_value(1)))
        raw = (self.scratch / "in.dcm").read_bytes()
        # Of the same length, so that nothing moves.
        (self.scratch / "in.dcm").write_bytes(raw.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))
        self.assertEqual(ds.file_meta.TransferSyntaxUID, "1.2.840.10008.1.2.1")
        self.quarantined(self.scratch / "in.dcm", "transfer syntax cannot be painted")

    def test_the_number_of_threads_changes_nothing(self):
        folder = self.scratch / "in"
        folder.mkdir()
        form = Format(bits=16, frames=2)
        for number in range(1, 9):
            tool = (["dcmcrle"], ["dcmcjpeg", "+e1"], ["dcmcjpls"], ["dcmconv"])[number % 4]
            source = self.compressed(form, form.random_value(number), *tool, InstanceNumber=number)
            source.rename(folder / f"{number}.dcm")
        for jobs in ("1", "4"):
            self.succeeds(
                "dpipe-anon", "-m", self.scratch / "link.db", "-p", self.profile(), "-j", jobs, "-o",
                self.scratch / f"j{jobs}", folder)
        files = {p.relative_to(self.scratch / "j1") for p in (self.scratch / "j1").rglob("*.dcm")}
        self.assertEqual(len(files), 8)
        for name in files:
            self.assertEqual((self.scratch / "j1" / name).read_bytes(), (self.scratch / "j4" / name).read_bytes())

    def test_damaged_streams_harm_nobody_else(self):
        form = Format(bits=16, stored=12, rows=32, columns=32)
        folder = self.scratch / "in"
        folder.mkdir()
        rng = random.Random(7)
        tools = (["dcmcrle"], ["dcmcjpeg", "+e1"], ["dcmcjpeg", "+eb"], ["dcmcjpls"])
        for t, tool in enumerate(tools):
            kind = form if "+eb" not in tool else Format(rows=32, columns=32)
            source = self.compressed(kind, kind.random_value(t), *tool)
            good = source.read_bytes()
            start = good.rindex(b"\xfe\xff\x00\xe0") + 8
            for i in range(12):
                bad = bytearray(good)
                for _ in range(rng.choice((1, 4, 30))):
                    bad[rng.randrange(start, len(bad) - 8)] = rng.getrandbits(8)
                (folder / f"{t}-{i:02}.dcm").write_bytes(bad)
        tiny.write(folder / "zz.dcm", "CT", SeriesNumber=9)
        result = dpipe.run(
            "dpipe-anon", "--json", "--layout", "{SOPInstanceUID}-{SeriesNumber}.dcm", "--overwrite",
            *self.words(folder, self.profile()))
        self.assertIn(result.code, (0, 3), result.err)
        kept = [json.loads(line) for line in result.lines if "reason" in line]
        self.assertGreater(len(kept), 3)
        self.assertNotIn("zz.dcm", " ".join(record["path"] for record in kept))


@dpipe.needs_real_data
class RealData(Painting):
    def test_every_image_is_painted_or_kept_back(self):
        """A box in every image that there is, and what came out decoded by DCMTK beside what went in."""
        box = [5, 3, 21, 13]
        overlays_stay = [{"tag": "(60xx,0102)", "action": "keep"}]
        profile = self.profile({"when": {"PhotometricInterpretation": "*"}, "boxes": [box]}, rules=overlays_stay)
        painted = 0
        for number, group in enumerate(self.groups()):
            out = self.scratch / f"out{number}"
            result = dpipe.run(
                "dpipe-anon", "--json", "-m", self.scratch / "link.db", "-p", profile, "-o", out, *group)
            self.assertIn(result.code, (0, 3), result.err)
            records = [json.loads(line) for line in result.lines]
            self.assertEqual(len(records), len(group))
            for source, record in zip(group, records):
                if record["status"] == "ok" and "PixelData" in pydicom.dcmread(record["path"]):
                    painted += self.compare(source, record["path"], box)
                elif record["status"] != "ok":
                    self.assertNotRegex(record["reason"], "exists and differs|gave up")
        self.assertGreater(painted, 45)

    def groups(self):
        """The files, copies of one image in different groups: they would stand under one name."""
        groups, seen = [], {}
        for part in ("us_sc", "transfersyntax", "misc_sop", "overlay", "enhanced"):
            for source in sorted(p for p in (dpipe.REAL_DATA / part).rglob("*") if p.is_file()):
                ds = pydicom.dcmread(source, stop_before_pixels=True, force=True)
                number = seen[ds.get("SOPInstanceUID")] = seen.get(ds.get("SOPInstanceUID"), -1) + 1
                groups += [[]] if number == len(groups) else []
                groups[number].append(source)
        return groups

    def compare(self, source, image, box):
        after = pydicom.dcmread(image)
        form = Format(
            after.PhotometricInterpretation, after.BitsAllocated, after.BitsStored, rows=after.Rows,
            columns=after.Columns, frames=int(after.get("NumberOfFrames", 1)))
        x, y, width, height = box
        if form.columns <= x or form.rows <= y:
            return 0
        lossy = after.file_meta.TransferSyntaxUID in ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
        plain = shutil.copy(source, self.scratch / "source.dcm")
        before, painted = (pixels.native(path) for path in (plain, image))
        old, new = before.PixelData, painted.PixelData
        self.assertEqual(len(old), len(new), source)
        if lossy or painted.get("PlanarConfiguration", 0) == 1 or form.pairs:
            return 1
        # By lines, for the images are large: all outside the box is as it was, all inside is one value.
        pixel = form.samples * form.bits // 8
        line = pixel * form.columns
        for frame in range(form.frames):
            for row in range(form.rows):
                at = (frame * form.rows + row) * line
                if not y <= row < y + height:
                    self.assertTrue(old[at:at + line] == new[at:at + line], (source, frame, row))
                    continue
                inside = slice(at + x * pixel, at + min(x + width, form.columns) * pixel)
                self.assertEqual(new[inside], new[inside][:pixel] * (len(new[inside]) // pixel), source)
                self.assertTrue(old[at:inside.start] == new[at:inside.start], (source, frame, row))
                self.assertTrue(old[inside.stop:at + line] == new[inside.stop:at + line], (source, frame, row))
        return 1

    def test_devices_and_screens(self):
        """The option on real images: bands go, screens and unknown devices stay back."""
        out = self.scratch / "out"
        result = self.fails(
            3, "dpipe-anon", "--json", "-m", self.scratch / "link.db", "--clean-pixel-data", "-o", out,
            dpipe.REAL_DATA / "us_sc")
        reasons = {pathlib.Path(r["path"]).name: r["reason"] for r in map(json.loads, result.lines) if "reason" in r}
        self.assertIn("BurnedInAnnotation", reasons["I40"])
        self.assertIn("no pixel rule knows", reasons["examples_ybr_color.dcm"])
        images = [pydicom.dcmread(p) for p in out.rglob("*.dcm")]
        known = [ds for ds in images if ds.get("ManufacturerModelName") == "CX50" and ds.Rows == 600]
        self.assertEqual(len(known), 1)
        self.assertEqual(known[0].BurnedInAnnotation, "NO")


class Flags(Painting):
    """BurnedInAnnotation and the option."""

    def test_burned_in_without_a_rule_is_kept_back_by_every_profile(self):
        form = Format()
        source = pixels.write(self.scratch / "in.dcm", form, form.random_value(1), BurnedInAnnotation="YES")
        for profile in ("basic", "pacsifier", "receiver", "ith", "pixieveil", "dicom-anon", "ruby-dicom"):
            with self.subTest(profile=profile):
                words = self.words(source, profile)
                self.fails(3, "dpipe-anon", *words)
                self.assertEqual(list(words[5].rglob("*.dcm")), [])
        ds = pydicom.dcmread(self.paint(source))
        self.assertEqual(ds.BurnedInAnnotation, "NO")
        known = self.profile({"when": {"Modality": "OT"}, "boxes": []})
        after = pydicom.dcmread(self.paint(source, profile=known))
        self.assertEqual(after.BurnedInAnnotation, "NO")
        self.assertEqual(after.PixelData, pydicom.dcmread(source).PixelData)

    def test_boxes_beyond_the_image_clean_nothing(self):
        form = Format()
        source = pixels.write(self.scratch / "in.dcm", form, form.random_value(1), BurnedInAnnotation="YES")
        self.quarantined(
            source, "BurnedInAnnotation", profile=self.profile({"when": {"Modality": "OT"}, "boxes": [[900, 900, 9, 9]]}))

    def test_the_option_knows_devices_and_keeps_back_what_nobody_knows(self):
        form = Format("RGB", rows=600, columns=80)
        before = form.smooth_value()
        known = pixels.write(
            self.scratch / "us.dcm", form, before, Modality="US", Manufacturer="Philips Medical Systems",
            ManufacturerModelName="iU22", ConversionType=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1")
        out = self.paint(known, "--clean-pixel-data", profile="basic")
        self.assert_painted(form, before, out, [[0, 0, 80, 59]], gdcm=False)
        plain = pydicom.dcmread(self.paint(known, profile="basic"))
        self.assertEqual(plain.PixelData, before)
        self.assertNotIn("113101", [item.CodeValue for item in plain.DeidentificationMethodCodeSequence])
        unknown = pixels.write(
            self.scratch / "other.dcm", form, before, Modality="US", Manufacturer="Nobody", ConversionType=None,
            SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1")
        self.quarantined(unknown, "no pixel rule knows the device", "--clean-pixel-data", profile="basic")
        capture = pixels.write(self.scratch / "sc.dcm", Format(), Format().smooth_value())
        self.quarantined(capture, "secondary capture", "--clean-pixel-data", profile="basic")
        slice_ = tiny.write(self.scratch / "ct.dcm", "CT")
        ds = pydicom.dcmread(self.paint(slice_, "--clean-pixel-data", profile="basic"))
        self.assertNotIn("113101", [item.CodeValue for item in ds.DeidentificationMethodCodeSequence])

    def test_a_rejection_may_except_what_is_painted(self):
        form = Format()
        source = pixels.write(self.scratch / "in.dcm", form, form.random_value(1), BurnedInAnnotation="YES")
        reject = [{"when": {"ConversionType": "WSD"}, "unless": "pixel-rule", "reason": "a capture"}]
        self.paint(source, profile=self.profile(reject=reject))
        other = self.profile({"when": {"Modality": "MR"}, "boxes": BOXES}, reject=reject)
        ds = pydicom.dcmread(source)
        ds.BurnedInAnnotation = "NO"
        ds.save_as(source)
        self.quarantined(source, "a capture", profile=other)

    def test_full_restoration_says_that_pixels_stay_painted(self):
        form = Format()
        source = pixels.write(self.scratch / "in.dcm", form, form.random_value(1), BurnedInAnnotation="YES")
        painted = self.paint(source)
        words = ["-m", self.scratch / "link.db", "--restore-key", self.scratch / "link.restore.key", "--level", "full"]
        result = self.succeeds("dpipe-restore", *words, "-o", self.scratch / "back", painted)
        self.assertIn("painted over", result.err)
        back, before = pydicom.dcmread(result.lines[0]), pydicom.dcmread(source)
        self.assertEqual(back.PixelData, pydicom.dcmread(painted).PixelData)
        # It must not pass for the original.
        self.assertEqual(back.PatientIdentityRemoved, "NO")
        del back.PixelData, before.PixelData, back.PatientIdentityRemoved
        self.assertEqual(back, before)

    def test_wrong_rules_are_told_before_anything_is_read(self):
        for wrong, where in (
            ({"when": {"Modality": "OT"}}, "boxes"),
            ({"boxes": []}, "when"),
            ({"when": {"Modalitee": "OT"}, "boxes": []}, "Modalitee"),
            ({"when": {"Modality": "OT"}, "boxes": [[1, 2, 3]]}, "boxes"),
            ({"when": {"Modality": "OT"}, "boxes": [[1, 2, 3, -4]]}, "boxes"),
            ({"when": {"Modality": "OT"}, "boxes": "some"}, "boxes"),
            ({"when": {"Modality": "OT"}, "boxes": [], "colour": "red"}, "colour"),
        ):
            with self.subTest(wrong=wrong):
                result = self.fails(2, "dpipe-anon", *self.words(self.scratch, self.profile(wrong)))
                self.assertIn(where, result.err)
                self.assertIn("line 1, column", result.err)


if __name__ == "__main__":
    dpipe.main()
