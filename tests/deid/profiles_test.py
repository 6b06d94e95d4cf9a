"""The built-in profiles of the five systems, each against its rows of behaviour; and their quirks, mended."""

import datetime
import json
import re

import pydicom
import tiny
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

import dpipe

PERSON = {
    "PatientName": "Smithson^Jane",
    "PatientID": "MRN-4711",
    "PatientBirthDate": "19800203",
    "PatientSex": "F",
    "PatientAge": "092Y",
    "PatientAddress": "1 Main Road",
    "PatientTelephoneNumbers": "555-123-4567",
    "OtherPatientIDs": "X-99-17",
    "OtherPatientNames": "Roe^Jane",
    "MilitaryRank": "Captain",
    "AccessionNumber": "ACC123456",
    "StudyID": "STUDY77",
    "StudyDate": "20240131",
    "SeriesDate": "20240202",
    "AcquisitionDate": "20240202",
    "ContentDate": "20240202",
    "InstanceCreationDate": "20240203",
    "StudyTime": "101112",
    "SeriesTime": "101212",
    "AcquisitionTime": "101312",
    "ContentTime": "101412",
    "InstitutionName": "Mercy Hospital",
    "InstitutionAddress": "2 Side Street",
    "ReferringPhysicianName": "Ref^Doc",
    "OperatorsName": "Oper^Ator",
    "StudyDescription": "Head CT of Jane Smithson",
    "SeriesDescription": "axial 1mm",
    "ProtocolName": "routine head",
    "DeviceSerialNumber": "SN-123456",
    "ClinicalTrialSponsorName": "ACME Pharma",
    "ClinicalTrialProtocolID": "TRIAL-1234",
}


class Profile(dpipe.TestCase):
    """An instance de-identified by a profile; the methods below look at the result."""

    def setUp(self):
        super().setUp()
        self.succeeds("dpipe-map", "init", "-m", self.scratch / "link.db")

    def run_profile(self, profile, **changes):
        source = self.scratch / f"in-{len(list(self.scratch.iterdir()))}.dcm"
        tiny.write(source, "CT", **{**PERSON, **changes})
        ds = pydicom.dcmread(source)
        item = Dataset()
        item.ReferencedSOPClassUID = ds.SOPClassUID
        item.ReferencedSOPInstanceUID = tiny.uid("other")
        ds.ReferencedStudySequence = Sequence([item])
        ds.RequestAttributesSequence = Sequence([Dataset()])
        ds.RequestAttributesSequence[0].ScheduledProcedureStepID = "SPS-4711"
        block = ds.private_block(0x0009, "ACME", create=True)
        block.add_new(1, "LO", "private of Jane Smithson")
        overlay = pydicom.dataelem.DataElement(0x60000022, "LO", "overlay of Jane")
        ds.add(overlay)
        ds.save_as(source)
        self.source = ds
        out = self.succeeds(
            "dpipe-anon", "-m", self.scratch / "link.db", "-p", profile, "-o", self.scratch / "out", "--overwrite",
            source).lines
        self.path = out[0]
        self.result = pydicom.dcmread(self.path)
        return self.result

    def assert_nobody_left(self):
        raw = open(self.path, "rb").read()
        for word in ("Smithson", "Jane", "MRN-4711", "X-99-17", "Main Road", "123-4567", "ACC123456", "Ref^Doc", "Oper^"):
            self.assertFalse(word.encode() in raw, word)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
            self.assertFalse(str(self.source[keyword].value).encode() in raw, keyword)

    def days_moved(self, keyword):
        before = datetime.datetime.strptime(self.source[keyword].value, "%Y%m%d")
        return (before - datetime.datetime.strptime(self.result[keyword].value, "%Y%m%d")).days


class Pacsifier(Profile):
    def test_pf42_code_in_id_and_name(self):
        ds = self.run_profile("pacsifier")
        self.assertEqual((ds.PatientID, str(ds.PatientName)), ("000001", "000001^sub"))

    def test_pf41_new_ids_by_folder_name(self):
        ids = self.scratch / "new_ids.json"
        ids.write_text(json.dumps({"sub-MRN_4711": "P0001"}))
        tiny.write(self.scratch / "x.dcm", "CT", **PERSON)
        line = self.succeeds(
            "dpipe-anon", "-m", self.scratch / "link.db", "-p", "pacsifier", "--new-ids", ids, "-o",
            self.scratch / "out", self.scratch / "x.dcm").lines[0]
        self.assertEqual(pydicom.dcmread(line).PatientID, "P0001")

    def test_pf43_blanked_and_deleted(self):
        ds = self.run_profile("pacsifier")
        self.assertEqual(str(ds.ReferringPhysicianName), "")  # QPF6: the original misspelt the keyword
        for keyword in ("RequestAttributesSequence", "ReferencedStudySequence"):
            self.assertNotIn(keyword, ds)
        self.assertEqual(ds.InstitutionAddress, "Address")

    def test_pf44_ages_above_89(self):
        self.assertEqual(self.run_profile("pacsifier").PatientAge, "090Y")  # QPF8: 90+Y is no AS
        self.assertEqual(self.run_profile("pacsifier", PatientAge="120D").PatientAge, "120D")

    def test_pf45_pf46_every_date_moves_by_the_same_days(self):
        self.run_profile("pacsifier")
        moved = {self.days_moved(k) for k in ("StudyDate", "SeriesDate", "AcquisitionDate", "PatientBirthDate")}
        self.assertEqual(len(moved), 1)  # QPF12: intervals stay
        self.assertTrue(0 < moved.pop() <= 30)
        self.assertEqual(self.result.StudyTime, "101112")

    def test_empty_birth_date_stays_empty(self):
        self.assertEqual(self.run_profile("pacsifier", PatientBirthDate="").PatientBirthDate, "")  # QPF9

    def test_pf47_pf49_uids_and_private(self):
        ds = self.run_profile("pacsifier")
        self.assert_nobody_left()
        self.assertEqual(ds.file_meta.MediaStorageSOPInstanceUID, ds.SOPInstanceUID)
        self.assertFalse([e for e in ds if e.tag.is_private])

    def test_descriptions_stay_without_the_name(self):
        ds = self.run_profile("pacsifier")
        self.assertEqual((ds.StudyDescription, ds.SeriesDescription), ("Head CT of", "axial 1mm"))


class Receiver(Profile):
    def test_dr07_sequential_names(self):
        first = self.run_profile("receiver")
        other = self.run_profile("receiver", PatientID="MRN-4712")  # QDR2: homonyms are two patients
        again = self.run_profile("receiver", PatientName="SMITHSON^JANE")
        self.assertEqual([d.PatientID for d in (first, other, again)], ["sub-001", "sub-002", "sub-001"])

    def test_dr06_anon_where_it_fits_the_vr(self):
        ds = self.run_profile("receiver")
        for keyword in ("PatientAddress", "PatientTelephoneNumbers", "OtherPatientIDs", "OtherPatientNames"):
            self.assertEqual(str(ds[keyword].value), "ANON")
        self.assertRegex(ds.PatientBirthDate, r"^\d{8}$")  # QDR3
        self.assert_nobody_left()


class Ith(Profile):
    def test_ip07_keyed_code(self):
        ds = self.run_profile("ith")
        self.assertRegex(ds.PatientID, r"^ANON-[A-Z2-7]{16}$")  # QIP1
        self.assertEqual(str(ds.PatientName), ds.PatientID)

    def test_ip06_dates_times_and_descriptions(self):
        ds = self.run_profile("ith")
        for keyword in ("PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
            self.assertEqual(ds[keyword].value, "19700101")
        for keyword in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"):
            self.assertEqual(ds[keyword].value, "000000")
        self.assertEqual(ds.SeriesDescription, "axial 1mm")
        self.assertNotIn("RequestAttributesSequence", ds)
        self.assertIn("FrameOfReferenceUID", ds)  # QIP9
        self.assert_nobody_left()


class PixieVeil(Profile):
    def test_pv15_pv17_pseudonym_and_prefix(self):
        ds = self.run_profile("pixieveil")
        self.assertRegex(ds.PatientID, r"^[A-Z2-7]{16}$")  # QPV4
        self.assertEqual(str(ds.PatientName), f"ANON-{ds.PatientID}")

    def test_pv16_same_uid_on_every_pass(self):
        self.assertEqual(self.run_profile("pixieveil").SOPInstanceUID, self.run_profile("pixieveil").SOPInstanceUID)

    def test_pv14_pv18_removed_and_replaced(self):
        ds = self.run_profile("pixieveil")
        self.assertEqual((ds.StudyDescription, ds.SeriesDescription), ("Anonymized Study", "Anonymized Series"))
        for keyword in (
            "PatientTelephoneNumbers", "MilitaryRank", "RequestAttributesSequence", "ClinicalTrialSponsorName",
            "ClinicalTrialProtocolID"):
            self.assertNotIn(keyword, ds)

    def test_pv20_pv21_private_and_overlays(self):
        ds = self.run_profile("pixieveil")
        self.assertFalse([e for e in ds if e.tag.is_private or e.tag.group & 0xFF00 == 0x6000])
        self.assert_nobody_left()

    def test_pv19_dates_move_and_are_not_today(self):
        self.run_profile("pixieveil")
        self.assertEqual(self.days_moved("StudyDate"), self.days_moved("ContentDate"))  # QPV12
        self.assertEqual(self.days_moved("StudyDate") % 7, 0)

    def test_pv23_says_nothing_of_pixels(self):
        self.assertNotIn("BurnedInAnnotation", self.run_profile("pixieveil"))  # QPV6


class DicomAnon(Profile):
    def test_basic(self):
        ds = self.run_profile("dicom-anon")
        self.assertEqual(str(ds.PatientName), "Patient's Name 1")
        self.assertEqual(ds.StudyID, "CLEANED")
        self.assertNotIn("StudyDescription", ds)
        self.assertNotIn("SeriesDescription", ds)
        self.assert_nobody_left()

    def test_da14_codes_stand_where_they_belong(self):
        item = self.run_profile("dicom-anon").DeidentificationMethodCodeSequence[0]
        self.assertEqual((item.CodeValue, item.CodingSchemeDesignator), ("113100", "DCM"))  # QDA1

    def test_da10_what_may_show_a_patient_is_kept_back(self):
        for changes in ({"BurnedInAnnotation": "YES"}, {"SeriesDescription": "Patient Protocol"},
                        {"ImageType": ["DERIVED", "SCREEN SAVE"]}):
            with self.subTest(changes):
                tiny.write(self.scratch / "x.dcm", "CT", **{**PERSON, **changes})
                self.fails(
                    3, "dpipe-anon", "-m", self.scratch / "link.db", "-p", "dicom-anon", "-o", self.scratch / "out",
                    self.scratch / "x.dcm")

    def test_one_number_a_patient(self):
        first = self.run_profile("dicom-anon")
        second = self.run_profile("dicom-anon", StudyInstanceUID=tiny.uid("another study"))  # QDA3
        self.assertEqual(first.PatientID, second.PatientID)


class RubyDicom(Profile):
    def test_rb02_name_and_id_from_one_entry(self):
        ds = self.run_profile("ruby-dicom")
        self.assertEqual((ds.PatientID, str(ds.PatientName)), ("ID1", "ID1"))

    def test_rb03_rb04(self):
        ds = self.run_profile("ruby-dicom")
        for keyword in ("StudyDate", "AcquisitionDate", "PatientBirthDate"):
            self.assertEqual(ds[keyword].value, "20000101")
        self.assertEqual(str(ds.StudyTime), "000000.00")
        self.assertNotIn("DeviceSerialNumber", ds)
        self.assertNotIn("ProtocolName", ds)
        self.assert_nobody_left()


class All(Profile):
    def test_every_output_says_what_was_done(self):
        for profile in ("basic", "pacsifier", "receiver", "ith", "pixieveil", "dicom-anon", "ruby-dicom"):
            with self.subTest(profile):
                ds = self.run_profile(profile)
                self.assertEqual(ds.PatientIdentityRemoved, "YES")
                self.assertIn(f"profile {profile}", str(ds.DeidentificationMethod))
                self.assertTrue(re.match("(RE|MODIFI|UNMODIFI)", ds.LongitudinalTemporalInformationModified))


if __name__ == "__main__":
    dpipe.main()
