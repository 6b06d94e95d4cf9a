"""The profile dcm2niix: what dcm2niix makes of a series is the same before and after; nobody is left in it."""

import json
import re
import shutil
import subprocess

import csa
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import dpipe

MAKE = dpipe.BUILD / "tests" / "make-studies"

#: What the sidecar says of people, places and days, and not of images.
IDENTITY = {
    "AccessionNumber", "AcquisitionDateTime", "DeviceSerialNumber", "InstitutionAddress", "InstitutionName",
    "InstitutionalDepartmentName", "PatientBirthDate", "PatientID", "PatientName", "ReferringPhysicianName",
    "SeriesInstanceUID", "StationName", "StudyID", "StudyInstanceUID",
}
#: Texts that a person may have typed: a name goes out of them, the rest stays.
TYPED = {
    "ImageComments", "ProcedureStepDescription", "ProtocolName", "SequenceName", "SeriesDescription", "WipMemBlock"}
#: Words that are a test patient's name and everybody's word as well.
EVERYDAY = {b"head", b"phantom", b"test"}


def words(text):
    return re.findall(r"[^\s^_]+", text)


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


@dpipe.needs("dcm2niix")
class Case(dpipe.TestCase):
    def convert(self, folder, name):
        """What dcm2niix makes of a folder: {file name: bytes}."""
        out = self.scratch / f"nii-{name}"
        out.mkdir()
        subprocess.run(
            ["dcm2niix", "-b", "y", "-ba", "n", "-z", "n", "-f", "out_%s", "-o", out, folder], check=True,
            capture_output=True, timeout=120)
        return {path.name: path.read_bytes() for path in sorted(out.iterdir())}

    def anonymize(self, folder, code=0):
        """The folder of the results; DICOMDIRs have none."""
        if not (self.scratch / "link.db").exists():
            self.succeeds("dpipe-map", "init", "-m", self.scratch / "link.db")
        out = self.scratch / "anon"
        result = dpipe.run(
            "dpipe-anon", "-m", self.scratch / "link.db", "-p", "dcm2niix", "--residual", "full", "-o", out, folder)
        self.assertEqual(result.code, code, result.err)
        return out

    def assert_same_conversion(self, before, after, people=()):
        self.assertEqual(list(before), list(after))
        self.assertTrue(before, "dcm2niix made nothing of the input")
        for name, data in before.items():
            if name.endswith(".json"):
                self.assert_same_sidecar(json.loads(data), json.loads(after[name]), people)
            else:
                self.assertTrue(data == after[name], f"{name} differs")

    def assert_same_sidecar(self, before, after, people):
        for key in sorted((before.keys() | after.keys()) - IDENTITY):
            old, new = before.get(key), after.get(key)
            if key in TYPED and old is not None:
                left = words(new or "")
                # A name goes with the number behind it: CS4 where somebody is called CS.
                taken = [word.rstrip("0123456789") for word in words(old) if word not in left]
                self.assertFalse([word for word in taken if word.lower().encode() not in people], (key, old, new))
            else:
                self.assertEqual(old, new, key)

    def names_in(self, folder):
        """Words of the people and the UIDs of a folder, in lower case."""
        found, uids = set(), set()
        for path in files_of(folder):
            ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
            for element in ds.iterall():
                if element.VR == "UI" and element.keyword.endswith("InstanceUID"):
                    uids.update(str(uid).encode() for uid in pydicom.multival.MultiValue(str, [element.value])
                                if not str(uid).startswith("1.2.840.10008."))
                elif element.VR == "PN" or element.keyword in ("PatientID", "PatientBirthDate", "AccessionNumber"):
                    found.update(word.lower().encode() for word in words(str(element.value)))
        return found, uids

    def assert_nobody_left(self, folder, people, uids):
        for path in files_of(folder):
            data = path.read_bytes()
            ds = pydicom.dcmread(path)
            if "PixelData" in ds:
                data = data.replace(ds.PixelData, b"")
            for uid in uids:
                self.assertNotIn(uid, data, path)
            for word in people - EVERYDAY:
                if len(word) >= 4:
                    self.assertIsNone(re.search(rb"(?<![a-z0-9])" + re.escape(word) + rb"(?![a-z0-9])", data.lower()), (path, word))


@dpipe.needs_real_data
class EveryVendor(Case):
    def series(self, name):
        source = dpipe.REAL_DATA / "mainjob" / name
        people, uids = self.names_in(source)
        before = self.convert(source, "before")
        out = self.anonymize(source)
        self.assert_same_conversion(before, self.convert(out, "after"), people)
        self.assert_nobody_left(out, people, uids)
        return before


def test_of(name):
    def test(self):
        self.series(name)
    return test


if dpipe.REAL_DATA.is_dir():
    for each in sorted(path.name for path in (dpipe.REAL_DATA / "mainjob").iterdir() if path.is_dir()):
        setattr(EveryVendor, f"test_{each}", test_of(each))


@dpipe.needs_real_data
class EnhancedMultiFrame(Case):
    """Private sequences in the functional groups: Siemens syngo MR XA, Philips, one instance each."""

    def check(self, path):
        source = self.scratch / "in"
        source.mkdir()
        shutil.copy(path, source / "x.dcm")
        before = self.convert(source, "before")
        people, _ = self.names_in(source)
        self.assert_same_conversion(before, self.convert(self.anonymize(source), "after"), people)

    def test_siemens_xa(self):
        self.check(next((dpipe.REAL_DATA / "enhanced").glob("0001_*")))

    def test_philips(self):
        self.check(dpipe.REAL_DATA / "enhanced" / "IM-0001-9600-0001.dcm")

    def test_philips_diffusion(self):
        self.check(dpipe.REAL_DATA / "private" / "philips_ingenia_4_1_3_dwi.dcm")


class Generated(Case):
    """The series of make-studies with headers as three vendors write them; each has a name wherever it can."""

    NAME = "Hidden^Person"

    def setUp(self):
        super().setUp()
        self.succeeds(MAKE, self.scratch / "made")
        self.folder = next((self.scratch / "made").glob("study-*/mr"))
        self.people, self.uids = self.names_in(self.folder)
        self.people |= {b"hidden", b"person"}

    def each(self, change):
        for number, path in enumerate(files_of(self.folder)):
            ds = pydicom.dcmread(path)
            for element in [element for element in ds if element.tag.is_private]:
                del ds[element.tag]
            # Of the patient, so that whoever searches for people knows the name.
            ds.OtherPatientNames = self.NAME
            change(ds, number)
            ds.save_as(path)

    def check(self):
        before = self.convert(self.folder, "before")
        self.out = self.anonymize(self.folder)
        after = self.convert(self.out, "after")
        self.assert_same_conversion(before, after, self.people)
        self.assert_nobody_left(self.out, self.people, self.uids)
        return json.loads(after["out_1.json"]), after

    def instances(self):
        return [pydicom.dcmread(path) for path in files_of(self.out)]

    def test_as_it_is(self):
        self.check()
        for ds in self.instances():
            self.assertFalse([e for e in ds if e.tag.is_private], "a vendor that nobody knows")

    def siemens(self, ds, number):
        ds.Manufacturer = "SIEMENS"
        ds.ManufacturerModelName = "Skyra"
        junk = self.NAME.encode()
        block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x08, "CS", "IMAGE NUM 4")
        block.add_new(0x10, "OB", csa.header([
            ("B_value", "IS", ["1000    "]),
            ("DiffusionGradientDirection", "FD", ["0.6", "0.8", "0.0"] if number else ["0.0", "0.6", "0.8"]),
            ("BandwidthPerPixelPhaseEncode", "FD", ["27.778"]),
            ("PhaseEncodingDirectionPositive", "IS", ["1"]),
            ("ImaCoilString", "LO", ["HEA;HEP"]),
            ("RealDwellTime", "IS", ["3000"]),
            ("ExamLandmarks", "LT", [f"landmarks of {self.NAME}"]),
            ("ImageHistory", "LO", [f"by {self.NAME}"]),
            ("SequenceMask", "UL", [self.NAME])], junk))
        block.add_new(0x20, "OB", csa.header([
            ("UsedPatientWeight", "IS", ["90"]),
            ("RepresentativeImage", "UI", [str(ds.SOPInstanceUID)]),
            ("MrPhoenixProtocol", "UN", [csa.protocol(self.NAME, [
                ("tSequenceFileName", '""%SiemensSeq%\\ep2d_diff""'),
                ("tProtocolName", f'""scan of {self.NAME}""'),
                ("tReferenceImage0", f'""{ds.SOPInstanceUID}""'),
                ("sWipMemBlock.tFree", f'""{self.NAME}""'),
                ("sGRADSPEC.asGPAData[0].lOffsetX", "-3717"),
                ("dPatientAge", "48.0"),
                ("sKSpace.lBaseResolution", "72"),
                ("asCoilSelectMeas[0].asList[0].sCoilElementID.tCoilID", '""Head_32""')])])], junk))

    def test_siemens_headers(self):
        self.each(self.siemens)
        sidecar, after = self.check()
        self.assertEqual(sidecar["BaseResolution"], 72)  # dcm2niix has read the protocol
        self.assertEqual(sidecar["PulseSequenceDetails"], "%SiemensSeq%\\ep2d_diff")
        self.assertEqual(sidecar["ReceiveCoilName"], "Head_32")
        self.assertIn("1000", after["out_1.bval"].decode())
        for ds in self.instances():
            image = csa.read(ds[0x0029, 0x1010].value)
            self.assertEqual(image["B_value"], ["1000    "])
            self.assertEqual((image["ExamLandmarks"], image["ImageHistory"], image["SequenceMask"]), ([], [], []))
            series = csa.read(ds[0x0029, 0x1020].value)
            self.assertEqual((series["UsedPatientWeight"], series["RepresentativeImage"]), ([], []))
            text = series["MrPhoenixProtocol"][0]
            self.assertNotIn("XProtocol", text)
            for key in ("dPatientAge", "tProtocolName", "tReferenceImage0"):
                self.assertNotIn(key, text)

    def test_the_older_form_is_read_too(self):
        def change(ds, number):
            ds.Manufacturer = "SIEMENS"
            block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
            block.add_new(0x10, "OB", csa.header(
                [("EchoLinePosition", "IS", ["36"]), ("B_value", "IS", ["700"]), ("ExamLandmarks", "LT", ["x"])],
                self.NAME.encode(), mark=False))

        self.each(change)
        self.anonymize(self.folder)
        self.out = self.scratch / "anon"
        for ds in self.instances():
            header = csa.read(ds[0x0029, 0x1010].value)
            self.assertEqual((header["EchoLinePosition"], header["B_value"]), (["36"], ["700"]))
        self.assert_nobody_left(self.out, self.people, self.uids)

    def test_what_cannot_be_read_goes(self):
        def change(ds, number):
            good = csa.header([("B_value", "IS", ["1000"]), ("FlowVenc", "FD", ["1"])])
            block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
            block.add_new(0x10, "OB", good[:-30] if number % 2 else b"no header of anything, " * 4)
            block = ds.private_block(0x0025, "GEMS_SERS_01", create=True)
            block.add_new(0x1b, "OB", csa.ge_protocol([("SLICEORDER", "1")], "x")[:-9])
            block = ds.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
            block.add_new(0x0f, "UN", f"no sequence but {self.NAME} ".encode())
            block = ds.private_block(0x0019, "GEMS_ACQU_01", create=True)
            block.add_new(0xbb, "LO", "0.5 somebody")

        self.each(change)
        self.anonymize(self.folder)
        self.out = self.scratch / "anon"
        for ds in self.instances():
            self.assertFalse([e for e in ds if e.tag.is_private])

    def test_ge_headers(self):
        def change(ds, number):
            ds.Manufacturer = "GE MEDICAL SYSTEMS"
            block = ds.private_block(0x0019, "GEMS_ACQU_01", create=True)
            block.add_new(0x9c, "LO", "epiRT")
            block.add_new(0x9e, "LO", "EPI")
            block = ds.private_block(0x0043, "GEMS_PARM_01", create=True)
            block.add_new(0x2c, "SS", 388)
            block.add_new(0x95, "LO", "TG/s3,RN/s1")
            block.add_new(0x62, "SH", self.NAME)
            block = ds.private_block(0x0025, "GEMS_SERS_01", create=True)
            block.add_new(0x1b, "OB", csa.ge_protocol(
                [("SLICEORDER", "1"), ("VIEWORDER", "0"), ("SEDESC", self.NAME), ("IOPT", "EPI, FMRI")], self.NAME))

        self.each(change)
        sidecar, _ = self.check()
        self.assertEqual(sidecar["PulseSequenceName"], "epiRT")
        self.assertEqual(sidecar["PrescanReuseString"], "TG/s3,RN/s1")
        for ds in self.instances():
            block = ds.private_block(0x0025, "GEMS_SERS_01")
            self.assertIn(b'SLICEORDER "1"', block[0x1b].value)
            self.assertNotIn(0x62, ds.private_block(0x0043, "GEMS_PARM_01"))

    def test_philips_sequences_hide_nothing(self):
        """Implicit VR: only a dictionary of private tags says what is a sequence, a number, a text."""
        def change(ds, number):
            ds.Manufacturer = "Philips Medical Systems"
            block = ds.private_block(0x2001, "Philips Imaging DD 001", create=True)
            block.add_new(0x03, "FL", 700.0)
            block.add_new(0x20, "LO", "DwiSE")
            item = Dataset()
            item.PatientName = self.NAME
            item.AcquisitionDate = ds.StudyDate
            item.ReferencedSOPInstanceUID = ds.SOPInstanceUID
            inner = item.private_block(0x2001, "Philips Imaging DD 001", create=True)
            inner.add_new(0x2d, "SS", 6)
            inner.add_new(0xcc, "ST", f"of {self.NAME}")
            unknown = item.private_block(0x2005, "Philips MR Imaging DD 099", create=True)
            unknown.add_new(0x01, "LO", self.NAME)
            block.add_new(0x5f, "SQ", Sequence([item]))

        self.each(change)
        self.check()
        for ds in self.instances():
            item = ds.private_block(0x2001, "Philips Imaging DD 001")[0x5f].value[0]
            self.assertEqual(item.private_block(0x2001, "Philips Imaging DD 001")[0x2d].value, 6)
            self.assertNotEqual(item.ReferencedSOPInstanceUID, "")
            self.assertFalse(item.PatientName)


if __name__ == "__main__":
    dpipe.main()
