"""The hardest tests of de-identification (hardest_test.py lists all): character sets, dates, types by IOD."""

import shutil
import subprocess

import tiny
from anonymized import AnonTest, item, sequence
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

import dicom_bytes as raw
import dpipe

#: (Specific Character Set, the name as people write it, PN in that set)
NAMES = (
    ("\\ISO 2022 IR 87", "山田^太郎", "Yamada^Tarou=".encode() + b"\x1b$B" + "山田".encode("iso2022_jp")[3:-3] + b"\x1b(B^"
     + "太郎".encode("iso2022_jp") + b"=" + "やまだ".encode("iso2022_jp") + b"^" + "たろう".encode("iso2022_jp")),
    ("\\ISO 2022 IR 149", "洪^吉洞", b"Hong^Gildong=\x1b$)C" + "洪".encode("euc_kr") + b"^\x1b$)C" + "吉洞".encode("euc_kr")
     + b"=\x1b$)C" + "홍".encode("euc_kr") + b"^\x1b$)C" + "길동".encode("euc_kr")),
    ("GB18030", "王^小东", "Wang^XiaoDong=".encode() + "王^小东".encode("gb18030")),
    ("ISO_IR 192", "Łuczyński^Żaneta", "Łuczyński^Żaneta".encode()),
    ("ISO_IR 144", "Люксембург^Роза", "Люксембург^Роза".encode("iso8859_5")),
    ("", "Buñuel^Begoña", "Buñuel^Begoña".encode("latin1")),  # no (0008,0005) at all
)


def native(name, charset):
    """The bytes of a part of a name as a writer with this character set leaves them."""
    codec = {"\\ISO 2022 IR 87": "iso2022_jp", "\\ISO 2022 IR 149": "euc_kr", "GB18030": "gb18030", "ISO_IR 192": "utf-8",
             "ISO_IR 144": "iso8859_5", "": "latin1"}[charset]
    return name.encode(codec)


class CharacterSets(AnonTest):
    def instance(self, charset, name, more=()):
        elements = {0x00100010: raw.element(0x00100010, "PN", name)}
        if charset:
            elements[0x00080005] = raw.element(0x00080005, "CS", charset)
        elements.update(more)
        path = self.scratch / "in.dcm"
        path.write_bytes(raw.part10(raw.instance("1.2.3.4.5", more=elements.items()), "1.2.3.4.5"))
        return path

    def test_08_names_in_every_script_go(self):
        for charset, name, encoded in NAMES:
            with self.subTest(charset):
                out = self.one(self.instance(charset, encoded))
                for part in name.split("^"):
                    self.assert_absent(out.raw, native(part, charset), part.encode())

    def test_08_the_residual_search_finds_each_in_bytes(self):
        """The name stands where the profile keeps it: in the file's own character set, and in UTF-8."""
        profile = self.scratch / "keeping.json"
        profile.write_text('{"dcmpipe-profile": 1, "rules": [{"tag": "ImageComments", "action": "keep"}]}')
        for charset, name, encoded in NAMES:
            part = name.split("^")[1]
            for comment in (b"note " + native(part, charset) + b" end", b"note " + part.encode() + b" end"):
                with self.subTest(charset, comment=comment):
                    path = self.instance(charset, encoded, {0x00204000: raw.element(0x00204000, "LT", comment)})
                    reason = self.quarantined("-p", profile, path)["reason"]
                    self.assertIn("ImageComments", reason)
                    self.assertNotIn(part, reason)

    def test_08_an_item_with_a_character_set_of_its_own(self):
        inner = raw.element(0x00080005, "CS", "ISO_IR 144") + raw.element(0x00081030, "LO", "для Люксембург".encode("iso8859_5"))
        inner += raw.element(0x00404037, "PN", "Люксембург^Роза".encode("iso8859_5"))
        items = raw.element(0x00081115, "SQ", b"\xfe\xff\x00\xe0" + len(inner).to_bytes(4, "little") + inner)
        path = self.instance("ISO_IR 192", "Łuczyński^Żaneta".encode(), {0x00081115: items})
        out = self.one(path, "--clean-descriptors")
        self.assert_absent(out.raw, "Люксембург".encode("iso8859_5"), "Люксембург".encode(), "Роза".encode("iso8859_5"))
        self.assertEqual(out.ReferencedSeriesSequence[0].StudyDescription, "для")


SHIFT = ("--retain-longitudinal-modified-dates",)


class Dates(AnonTest):
    def shifted(self, *more, **attributes):
        """An output whose dates moved by 7 days."""
        table = self.scratch / "shift.json"
        table.write_text('{"MRN-4711": -7}')
        ds = tiny.instance("CT", **{"PatientID": "MRN-4711", "PatientName": "Smithson^Jane", **attributes})
        for tag, vr, value in more:
            ds.add(DataElement(Tag(tag), vr, value))
        return self.one(self.saved(ds), *SHIFT, "--day-shift", table)

    def test_09_every_form_of_date_keeps_its_form(self):
        dt, da = 0x0008002A, 0x00080021
        for tag, vr, before, after in (
                (dt, "DT", "20240115233000.123456+0100", "20240108233000.123456+0100"),
                (dt, "DT", "20240101001500-0800", "20231225001500-0800"),
                (dt, "DT", "2024", "2024"), (dt, "DT", "202402", "202402"), (dt, "DT", "", ""),
                (da, "DA", "20240301", "20240223"), (da, "DA", "", "")):
            with self.subTest(before):
                self.assertEqual(str(self.shifted((tag, vr, before))[tag].value or ""), after)

    def test_09_old_and_several_dates(self):
        path = self.scratch / "raw.dcm"
        table = self.scratch / "shift.json"
        table.write_text('{"PAT1": -7}')
        for before, after in ((b"2024.01.15", b"2024.01.08"), (b"20240115\\20240116", b"20240108\\20240109")):
            data_set = raw.instance("1.2.3.4.5", more={0x00080022: raw.element(0x00080022, "DA", before)}.items())
            path.write_bytes(raw.part10(data_set, "1.2.3.4.5"))
            out = self.one(path, *SHIFT, "--day-shift", table)
            self.assert_absent(out.raw, before)
            self.assertTrue(after in out.raw, after)

    def test_09_garbage_is_never_kept(self):
        path = self.scratch / "raw.dcm"
        for vr, tag, garbage in (("DA", 0x00080022, b"15 Jan 2024"), ("DA", 0x00080022, b"20241399"),
                                 ("DT", 0x0008002A, b"Born 19800203"), ("TM", 0x00080032, b"of Smithson")):
            with self.subTest(garbage):
                data_set = raw.instance("1.2.3.4.5", more={tag: raw.element(tag, vr, garbage)}.items())
                path.write_bytes(raw.part10(data_set, "1.2.3.4.5"))
                out = self.one(path, *SHIFT)
                self.assert_absent(out.raw, garbage.strip())

    def test_10_the_decay_time_of_a_tracer_stays(self):
        ds = tiny.instance("CT", StudyDate="20240131", SeriesDate="20240131", SeriesTime="101500", PatientID="MRN-4711")
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.128"
        ds.RadiopharmaceuticalInformationSequence = sequence(item(
            RadiopharmaceuticalStartDateTime="20240131091230.5", RadiopharmaceuticalStartTime="091230.5",
            RadionuclideTotalDose="370000000", RadionuclideHalfLife="6586.2"))
        out = self.one(self.saved(ds), *SHIFT)
        tracer = out.RadiopharmaceuticalInformationSequence[0]
        self.assertEqual(str(tracer.RadiopharmaceuticalStartDateTime), f"{out.SeriesDate}091230.5")
        self.assertEqual((str(out.SeriesTime), str(tracer.RadiopharmaceuticalStartTime)), ("101500", "091230.5"))
        self.assertEqual(tracer.RadionuclideTotalDose, 370000000)
        self.assertNotEqual(out.SeriesDate, "20240131")

    def test_12_age_and_birth_date_fit_the_shifted_study(self):
        profile = self.scratch / "birth.json"
        profile.write_text(
            '{"dcmpipe-profile": 1, "options": ["retain-longitudinal-modified-dates", "retain-patient-characteristics"],'
            ' "dates": {"birth-date": "shift"}}')
        ds = tiny.instance(
            "CT", PatientID="MRN-4711", PatientBirthDate="19710301", StudyDate="20240131", PatientAge="052Y")
        out = self.one(self.saved(ds), "-p", profile)
        self.assertEqual(out.PatientAge, "052Y")
        years = int(out.StudyDate[:4]) - int(out.PatientBirthDate[:4]) - (out.StudyDate[4:] < out.PatientBirthDate[4:])
        self.assertEqual(years, 52)
        old = tiny.instance("CT", PatientID="MRN-4712", PatientBirthDate="19310301", StudyDate="20240131", PatientAge="092Y")
        self.assertEqual(self.one(self.saved(old), "--retain-patient-characteristics").PatientAge, "090Y")


class Types(AnonTest):
    def of_class(self, uid, **attributes):
        ds = tiny.instance("CT", SeriesDate="20240131", AcquisitionDateTime="20240131101010", **attributes)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = uid
        return self.one(self.saved(ds))

    def test_13_the_type_in_the_iod_decides(self):
        pet = self.of_class("1.2.840.10008.5.1.4.1.1.128")
        self.assertRegex(pet.SeriesDate, r"^\d{8}$")
        self.assertNotEqual(pet.SeriesDate, "20240131")
        self.assertNotIn("SeriesDate", self.of_class("1.2.840.10008.5.1.4.1.1.4"))
        enhanced = self.of_class("1.2.840.10008.5.1.4.1.1.2.1")
        self.assertTrue(enhanced.AcquisitionDateTime)
        self.assert_absent(enhanced.raw, "20240131")

    def test_13_an_unknown_class_is_taken_as_the_strictest(self):
        unknown = self.of_class("1.2.3.4.5.6.7.8")
        self.assertTrue(unknown.SeriesDate and unknown.AcquisitionDateTime)
        self.assert_absent(unknown.raw, "20240131")

    @dpipe.needs("dciodvfy")
    def test_13_no_errors_that_were_not_there(self):
        for modality in ("CT", "MR", "OT", "SR"):
            with self.subTest(modality):
                source = self.tiny(modality)
                kept = shutil.copy(source, self.scratch / "kept.dcm")
                out = self.one(source)
                self.assertLessEqual(errors(out.path), errors(kept))


def errors(path):
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False).stderr.decode("latin1")
    return sum(line.startswith("Error") for line in said.splitlines())


if __name__ == "__main__":
    dpipe.main()
