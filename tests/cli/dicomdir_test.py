"""dpipe-dicomdir: a media copy with a DICOMDIR, the same every time, whole or not at all."""

import hashlib
import json
import random
import shutil
import subprocess
import time
import warnings

import pydicom
from pydicom import fileset
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet

import dpipe
import page
import small_disk
import tiny


def setUpModule():
    # pydicom 2.3 announces that its DicomDir class will go.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", ResourceWarning)


FIRST = "PT000000/ST000000/SE000000/IM000000"


def nested(content, depth):
    """The bytes of an instance with sequences in sequences put in: DCMTK 3.6.7 dies of many."""
    begin = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    end = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    at = content.index(b"\x10\x00\x10\x00PN")
    return content[:at] + begin * depth + end * depth + content[at:]


class DicomdirCase(dpipe.TestCase):
    def setUp(self):
        super().setUp()
        self.input = self.scratch / "in"
        self.out = self.scratch / "media"
        tiny.study(self.input / "a", series=2, instances=3, PatientID="1")
        tiny.study(
            self.input / "b", instances=2, modality="MR", PatientID="2", StudyInstanceUID=tiny.uid("study", "b"))
        tiny.study(
            self.input / "c", instances=1, modality="SR", PatientID="2", StudyInstanceUID=tiny.uid("study", "c"))

    def make(self, *words, **how):
        return self.succeeds("dpipe-dicomdir", "-o", self.out, *(words or [self.input]), **how)

    @staticmethod
    def files(folder):
        """Every file below a folder and the digest of its bytes."""
        return {
            str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in folder.rglob("*") if p.is_file()}

    def records(self, kind):
        directory = pydicom.dcmread(self.out / "DICOMDIR")
        return [r for r in directory.DirectoryRecordSequence if r.DirectoryRecordType == kind]


class Media(DicomdirCase):
    def test_every_instance_byte_for_byte_under_a_file_id(self):
        self.assertEqual(self.make().lines, [str(self.out / "DICOMDIR")])
        media = self.files(self.out)
        self.assertIsNotNone(media.pop("DICOMDIR"))
        sources = [d for name, d in self.files(self.input).items() if name.endswith(".dcm")]
        self.assertEqual(sorted(media.values()), sorted(sources))
        for name in media:
            self.assertRegex(name, r"^PT\d{6}/ST\d{6}/SE\d{6}/IM\d{6}$")
        self.assertIn("PT000001/ST000001/SE000000/IM000000", media)

    def test_json_counts_what_is_on_it(self):
        record, = map(json.loads, self.make("--json", self.input).lines)
        self.assertEqual(
            [record[k] for k in ("status", "patients", "studies", "series", "instances")], ["ok", 2, 3, 4, 9])

    def test_pydicom_finds_every_file_by_its_record(self):
        self.make()
        file_set = FileSet(self.out / "DICOMDIR")
        self.assertEqual(len(file_set), 9)
        for instance in file_set:
            self.assertEqual(instance.load().SOPInstanceUID, instance.ReferencedSOPInstanceUIDInFile)
        self.assertEqual(len(file_set.find(PatientID="2")), 3)

    @dpipe.needs("dcmdump")
    def test_dcmtk_reads_it(self):
        self.make()
        dump = self.succeeds("dcmdump", self.out / "DICOMDIR").out
        self.assertEqual(dump.count("ReferencedFileID"), 9)

    @dpipe.needs("dciodvfy")
    def test_dciodvfy_finds_no_error(self):
        self.make()
        result = dpipe.run("dciodvfy", self.out / "DICOMDIR")
        self.assertIn("BasicDirectory", result.err)
        self.assertNotIn("Error", result.err)

    def test_the_same_input_gives_the_same_media(self):
        self.make()
        expected = self.files(self.out)
        moved = self.scratch / "moved"
        for i, source in enumerate(sorted(self.input.rglob("*.dcm"), reverse=True)):
            target = moved / f"{i % 3}" / f"{i:03}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        time.sleep(1.1)  # a clock in seconds would show
        other = self.scratch / "other"
        self.succeeds("dpipe-dicomdir", "-o", other, moved / "2", moved / "0", moved / "1", env={"TZ": "XXX-9"})
        self.assertEqual(self.files(other), expected)

    def test_the_input_is_not_touched(self):
        before = {p: (p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in self.input.rglob("*")}
        self.make()
        self.assertEqual({p: (p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in self.input.rglob("*")}, before)


class Attributes(DicomdirCase):
    def test_what_a_record_must_have_is_invented_without_looking_at_the_clock(self):
        shutil.rmtree(self.input)
        missing = dict.fromkeys(
            ["PatientID", "StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber"])
        tiny.write(self.input / "1.dcm", SOPInstanceUID=tiny.uid(1), **missing)
        tiny.write(self.input / "2.dcm", SOPInstanceUID=tiny.uid(2), **missing)
        self.make()
        study, = self.records("STUDY")
        self.assertEqual((study.StudyDate, study.StudyTime), ("19000101", "000000"))
        self.assertTrue(study.StudyID)
        self.assertTrue(self.records("PATIENT")[0].PatientID)
        self.assertEqual(len(self.records("IMAGE")), 2)
        first = self.files(self.out)
        time.sleep(1.1)
        shutil.rmtree(self.out)
        self.make()
        self.assertEqual(self.files(self.out), first)

    def test_another_date_of_the_study_stands_in(self):
        shutil.rmtree(self.input)
        tiny.write(self.input / "1.dcm", StudyDate="", StudyTime=None, SeriesDate="20200304", ContentTime="101112")
        self.make()
        study, = self.records("STUDY")
        self.assertEqual((study.StudyDate, study.StudyTime), ("20200304", "101112"))

    def test_names_beyond_ascii_keep_their_character_set(self):
        shutil.rmtree(self.input)
        tiny.write(self.input / "1.dcm", SpecificCharacterSet="ISO_IR 192", PatientName="Müller^Zoë")
        self.make()
        patient, = self.records("PATIENT")
        self.assertEqual(str(patient.PatientName), "Müller^Zoë")

    def test_text_of_no_declared_set_becomes_utf8(self):
        shutil.rmtree(self.input)
        source = tiny.write(self.input / "1.dcm", PatientName="M_ller")
        source.write_bytes(source.read_bytes().replace(b"M_ller", b"M\xfcller"))
        self.make()
        patient, = self.records("PATIENT")
        self.assertEqual((patient.SpecificCharacterSet, str(patient.PatientName)), ("ISO_IR 192", "Müller"))

    def test_code_extensions_are_declared_where_they_are_used(self):
        shutil.rmtree(self.input)
        name = "Yamada^Tarou=山田^太郎"
        tiny.write(
            self.input / "1.dcm", SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName=name, StudyDescription="x")
        self.make()
        patient, = self.records("PATIENT")
        self.assertEqual(str(patient.PatientName), name)
        self.assertNotIn("SpecificCharacterSet", self.records("STUDY")[0])

    def test_a_bare_data_set_becomes_a_file(self):
        shutil.rmtree(self.input)
        self.input.mkdir()
        whole = tiny.write(self.scratch / "whole.dcm").read_bytes()
        bare = whole[132 + 12 + int.from_bytes(whole[140:144], "little"):]
        (self.input / "bare").write_bytes(bare)
        self.make()
        made = (self.out / FIRST).read_bytes()
        self.assertTrue(made.endswith(bare))
        self.assertEqual(
            pydicom.dcmread(self.out / FIRST).file_meta.MediaStorageSOPInstanceUID, tiny.instance().SOPInstanceUID)

    def test_wrong_file_meta_information_is_mended_on_the_media(self):
        shutil.rmtree(self.input)
        uid = str(tiny.instance().SOPInstanceUID).encode()
        wrong = tiny.write(self.input / "x.dcm")
        wrong.write_bytes(wrong.read_bytes().replace(uid, b"9" + uid[1:], 1))
        self.make()
        meta = pydicom.dcmread(self.out / FIRST).file_meta
        self.assertEqual(str(meta.MediaStorageSOPInstanceUID).encode(), uid)


def filled(sop_class):
    """An instance with all that any directory record asks for."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99X", "meaning"
    modifier = Dataset()
    modifier.RelationshipType, modifier.ValueType = "HAS CONCEPT MOD", "CODE"
    modifier.ConceptNameCodeSequence = modifier.ConceptCodeSequence = [code]
    other = Dataset()
    other.RelationshipType, other.ValueType, other.TextValue = "CONTAINS", "TEXT", "not in a directory"
    observer = Dataset()
    observer.VerificationDateTime = "20240102030405"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", tiny.uid("other")
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedImageSequence = tiny.uid("series"), [reference]
    blending = Dataset()
    blending.BlendingPosition = "SUPERIMPOSED"
    blending.StudyInstanceUID, blending.ReferencedSeriesSequence = tiny.uid("study"), [series]
    hanging = Dataset()
    hanging.Modality, hanging.AnatomicRegionSequence, hanging.Laterality = "CT", [code], ""
    hanging.ProcedureCodeSequence = hanging.ReasonForRequestedProcedureCodeSequence = [code]
    blends = sop_class == "1.2.840.10008.5.1.4.1.1.11.4"
    given = {
        "ReferencedSeriesSequence": None if blends else [series],
        "BlendingSequence": [blending, blending] if blends else None,
        "ReferencedImageEvidenceSequence": [reference], "ContentLabel": "LABEL",
        "ContentDescription": "description", "ContentCreatorName": "Name",
        "ContentDate": "20240103", "ContentTime": "030405", "InstanceCreationDate": "20240102",
        "PresentationCreationDate": "20240104", "PresentationCreationTime": "040506", "CompletionFlag": "COMPLETE",
        "VerificationFlag": "VERIFIED", "VerifyingObserverSequence": [observer], "ConceptNameCodeSequence": [code],
        "ContentSequence": [modifier, other], "DoseSummationType": "PLAN", "StructureSetLabel": "LABEL",
        "RTPlanLabel": "LABEL", "NumberOfFrames": 1, "DataPointRows": 1, "DataPointColumns": 16,
        "MIMETypeOfEncapsulatedDocument": "application/pdf", "HangingProtocolName": "NAME",
        "HangingProtocolDescription": "description", "HangingProtocolLevel": "SITE", "HangingProtocolCreator": "me",
        "HangingProtocolCreationDateTime": "20240102030405", "HangingProtocolDefinitionSequence": [hanging],
        "NumberOfPriorsReferenced": 1, "ImplantName": "name", "ImplantPartNumber": "1",
        "ImplantAssemblyTemplateName": "name", "ImplantAssemblyTemplateIssuer": "me",
        "ProcedureTypeCodeSequence": [code], "ImplantTemplateGroupName": "name", "ImplantTemplateGroupIssuer": "me"}
    return {"SOPClassUID": sop_class, "SOPInstanceUID": tiny.uid(sop_class), **given}


class Records(DicomdirCase):
    """What pydicom holds every SOP class' record to be is what we write."""

    def setUp(self):
        super().setUp()
        shutil.rmtree(self.input)
        self.types = {**fileset._FOUR_LEVEL_SOP_CLASSES, **fileset._SINGLE_LEVEL_SOP_CLASSES}
        for i, sop_class in enumerate(self.types):
            # pydicom takes whatever has such an attribute for a plan.
            without = {} if sop_class.name.startswith("RT Plan") else {"RTPlanLabel": None}
            tiny.write(self.input / f"{i}.dcm", **{**filled(sop_class), **without})
        tiny.write(self.input / "plan.dcm", **filled("1.2.840.10008.5.1.4.1.1.481.5"))

    def leaves(self):
        return {r.ReferencedSOPClassUIDInFile: r for r in pydicom.dcmread(self.out / "DICOMDIR").DirectoryRecordSequence
                if "ReferencedFileID" in r}

    def test_every_class_has_its_record(self):
        self.make()
        leaves = self.leaves()
        self.assertEqual(leaves.pop("1.2.840.10008.5.1.4.1.1.481.5").DirectoryRecordType, "RT PLAN")
        self.assertEqual({str(k): r.DirectoryRecordType for k, r in leaves.items()}, self.types)
        whole = FileSet(self.out / "DICOMDIR")
        self.assertEqual(len(whole), len(self.types) + 1)
        for node in whole:
            self.assertEqual(node.load().SOPInstanceUID, node.ReferencedSOPInstanceUIDInFile)

    def test_the_keys_are_those_that_pydicom_makes(self):
        self.make()
        for sop_class, record in self.leaves().items():
            source = pydicom.dcmread(self.out.joinpath(*record.ReferencedFileID))
            for cut_down in ("ContentSequence", "BlendingSequence"):
                source.pop(cut_down, None)
            for element in fileset.DIRECTORY_RECORDERS[record.DirectoryRecordType](source):
                if element.value or element.VM:  # what it leaves empty it may write, or not
                    self.assertEqual(record.get(element.tag), element, f"{sop_class}: {element.keyword}")

    def test_of_a_content_tree_the_modifiers_of_its_title(self):
        self.make()
        report = self.leaves()["1.2.840.10008.5.1.4.1.1.88.11"]
        self.assertEqual([i.RelationshipType for i in report.ContentSequence], ["HAS CONCEPT MOD"])
        self.assertEqual(report.VerificationDateTime, "20240102030405")

    def test_the_records_are_those_of_dcmmkdir(self):
        self.make()
        theirs = self.scratch / "THEIRS"
        self.succeeds("dcmmkdir", "-q", "-Pgp", "-Nxc", "-Nec", "-nb", "+D", theirs, "+id", self.out, "+r",
                      *(p.name for p in self.out.iterdir() if p.is_dir()))
        ours = {tuple(r.ReferencedFileID): r for r in self.leaves().values()}
        known = 0
        for record in pydicom.dcmread(theirs).DirectoryRecordSequence:
            if "ReferencedFileID" not in record:
                continue
            known += 1
            if record.DirectoryRecordType in ("IMPLANT GROUP", "IMPLANT ASSY", "STEREOMETRIC"):
                continue  # DCMTK 3.6.7 takes one for the other, and writes no keys for the third
            mine = ours[tuple(record.ReferencedFileID)]
            for offset in ("OffsetOfTheNextDirectoryRecord", "OffsetOfReferencedLowerLevelDirectoryEntity"):
                setattr(mine, offset, 0)
                setattr(record, offset, 0)
            self.assertEqual(mine, record)
        self.assertGreater(known, 60)

    @dpipe.needs("dciodvfy")
    def test_dciodvfy_takes_them_all(self):
        self.make()
        result = dpipe.run("dciodvfy", self.out / "DICOMDIR")
        self.assertIn("BasicDirectory", result.err)
        # It knows no record types of the last years.
        errors = [e for e in result.err.splitlines() if e.startswith("Error") and "Unrecognized" not in e]
        self.assertEqual(set(errors), set())

    def test_what_belongs_to_no_study(self):
        shutil.rmtree(self.input)
        palette = {k: v for k, v in filled("1.2.840.10008.5.1.4.39.1").items()}
        for missing in ("StudyInstanceUID", "SeriesInstanceUID", "Modality", "PatientID"):
            palette[missing] = None
        tiny.write(self.input / "1.dcm", **palette)
        self.make()
        record, = self.leaves().values()
        self.assertEqual(list(record.ReferencedFileID), ["NP000000", "PL000000"])

    def test_minimal_instances_as_pacs_send_them(self):
        """QPF19: dcmmkdir fails on these without +I, and PACSIFIER swallows that."""
        shutil.rmtree(self.input)
        missing = dict.fromkeys(["StudyTime", "SeriesNumber", "StudyID"])
        for i in range(3):
            tiny.write(self.input / f"{i}.dcm", InstanceNumber=i + 1, SOPInstanceUID=tiny.uid(i), **missing)
        self.make()
        for judge in ("dciodvfy", "dcmdump"):
            if shutil.which(judge):
                self.assertNotIn("Error", self.succeeds(judge, self.out / "DICOMDIR").err)
        self.assertEqual(len(FileSet(self.out / "DICOMDIR")), 3)
        self.assertEqual(self.records("SERIES")[0].SeriesNumber, 1)

    @dpipe.needs("dcentvfy")
    def test_dcentvfy_finds_the_entities_whole(self):
        self.make()
        files = [p for p in self.out.rglob("*") if p.is_file() and p.name != "DICOMDIR"]
        self.assertNotIn("Error", dpipe.run("dcentvfy", *files).err)


class Profiles(DicomdirCase):
    def test_what_a_profile_does_not_allow_fails_and_the_rest_is_there(self):
        shutil.rmtree(self.input)
        allowed = {"STD-GEN-CD": {1}, "STD-GEN-DVD-JPEG": {1, 2}, "STD-GEN-USB-JPEG": {1, 2}, "STD-GEN-USB-J2K": {1, 3},
                   "STD-GEN-DVD-J2K": {1, 3}, "none": {1, 2, 3}}
        syntaxes = {2: "1.2.840.10008.1.2.4.70", 3: "1.2.840.10008.1.2.4.90"}
        for i in (1, 2, 3):
            ds = tiny.instance(InstanceNumber=i)
            if i in syntaxes:
                ds.file_meta.TransferSyntaxUID = syntaxes[i]
                ds.PixelData = encapsulate([b"not decoded."])
                ds["PixelData"].is_undefined_length = True
                ds["PixelData"].VR = "OB"
            self.input.mkdir(exist_ok=True)
            ds.save_as(self.input / f"{i}.dcm", write_like_original=False)
        for profile, those in allowed.items():
            with self.subTest(profile):
                shutil.rmtree(self.out, ignore_errors=True)
                result = dpipe.run("dpipe-dicomdir", "--profile", profile, "-o", self.out, self.input)
                self.assertEqual(result.code, 0 if len(those) == 3 else 3, result.err)
                self.assertEqual({int(r.InstanceNumber) for r in self.records("IMAGE")}, those)

    def test_its_keys_are_those_of_dcmmkdir(self):
        shutil.rmtree(self.input)
        plane, measures, shared = Dataset(), Dataset(), Dataset()
        plane.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        measures.PixelSpacing = ["0.5", "0.5"]
        shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [plane], [measures]
        more = {"InstitutionName": "Hospital", "CalibrationImage": "NO", "FrameOfReferenceUID": tiny.uid("frame")}
        tiny.write(self.input / "1.dcm", **more)
        tiny.write(self.input / "2.dcm", InstanceNumber=2, ImageOrientationPatient=None, PixelSpacing=None,
                   SharedFunctionalGroupsSequence=[shared], NumberOfFrames=1, **more)
        self.make("--profile", "STD-GEN-USB-JPEG", self.input)
        theirs = self.scratch / "THEIRS"
        self.succeeds("dcmmkdir", "-q", "-Pfl", "-nb", "+D", theirs, "+id", self.out, "+r", "PT000000")
        offsets = ("OffsetOfTheNextDirectoryRecord", "OffsetOfReferencedLowerLevelDirectoryEntity")
        both = [pydicom.dcmread(p).DirectoryRecordSequence for p in (self.out / "DICOMDIR", theirs)]
        for records in both:
            for record in records:
                for offset in offsets:
                    setattr(record, offset, 0)
                record.pop("IconImageSequence", None)  # may be there (PS3.11 §J.3.3.1): we make none
        self.assertEqual(list(both[0]), list(both[1]))
        self.assertIn("PixelSpacing", both[0][-1])
        self.assertIn("InstitutionName", both[0][2])


class Update(DicomdirCase):
    def counted(self, *words):
        record, = map(json.loads, self.make("--json", "--update", *words).lines)
        return record["status"], record["instances"], record["added"]

    def test_what_is_new_is_added_and_what_is_there_stays(self):
        self.assertEqual(self.counted(self.input / "a"), ("ok", 6, 6))
        before = self.files(self.out)
        new = tiny.study(self.scratch / "more", series=3, instances=4, PatientID="1")
        self.assertEqual(self.counted(new, self.input / "b"), ("ok", 14, 8))
        after = self.files(self.out)
        self.assertEqual({k: after[k] for k in before if k != "DICOMDIR"},
                         {k: v for k, v in before.items() if k != "DICOMDIR"})
        self.assertEqual(
            sorted(after.keys() - before.keys()),
            ["PT000000/ST000000/SE000000/IM000003", "PT000000/ST000000/SE000001/IM000003",
             *(f"PT000000/ST000000/SE000002/IM00000{i}" for i in range(4)),
             *(f"PT000001/ST000000/SE000000/IM00000{i}" for i in range(2))])
        self.assertEqual(len(FileSet(self.out / "DICOMDIR")), 14)
        self.assertEqual((len(self.records("PATIENT")), len(self.records("STUDY"))), (2, 2))

    def test_nothing_new_touches_nothing(self):
        self.make()
        before = {p: p.stat().st_mtime_ns for p in self.out.rglob("*")}
        self.assertEqual(self.counted(self.input), ("skipped", 9, 0))
        self.assertEqual({p: p.stat().st_mtime_ns for p in self.out.rglob("*")}, before)

    def test_media_of_dcmmkdir(self):
        for i, source in enumerate(sorted((self.input / "a").rglob("*.dcm"))):
            target = self.out / "IMAGES" / f"A{i}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        self.succeeds("dcmmkdir", "-q", "+id", self.out, "+D", self.out / "DICOMDIR", "+r", "IMAGES")
        self.assertEqual(self.counted(self.input), ("ok", 9, 3))
        whole = FileSet(self.out / "DICOMDIR")
        self.assertEqual(len(whole), 9)
        for node in whole:
            node.load()

    def test_another_instance_with_the_same_uid(self):
        self.make(self.input / "a")
        before = self.files(self.out)
        bad = self.input / "a" / "1" / "1.dcm"
        bad.write_bytes(bad.read_bytes().replace(b"dcmpipe", b"DCMPIPE"))
        self.assertIn("1.dcm", self.fails(3, "dpipe-dicomdir", "--update", "-o", self.out, bad).err)
        self.assertEqual(self.files(self.out), before)

    def test_media_that_lacks_a_file_is_not_updated(self):
        self.make(self.input / "a")
        (self.out / FIRST).unlink()
        self.assertIn("not there", self.fails(1, "dpipe-dicomdir", "--update", "-o", self.out, self.input).err)

    def test_no_dicomdir_at_all(self):
        self.out.mkdir()
        (self.out / "DICOMDIR").write_text("mine")
        self.fails(1, "dpipe-dicomdir", "--update", "-o", self.out, self.input)
        self.assertEqual((self.out / "DICOMDIR").read_text(), "mine")

    def test_killed_at_any_instant_there_is_media_all_the_time(self):
        big = {"Rows": 256, "Columns": 256, "PixelData": bytes(2 * 256 * 256)}
        self.make(self.input / "a")
        old = (self.out / "DICOMDIR").read_bytes()
        for i in range(60):
            tiny.write(self.input / "z" / f"{i}.dcm", InstanceNumber=i + 10, PatientID="9", **big)
        undisturbed = self.scratch / "undisturbed"
        shutil.copytree(self.out, undisturbed)
        self.succeeds("dpipe-dicomdir", "--update", "-o", undisturbed, self.input)
        new = (undisturbed / "DICOMDIR").read_bytes()
        chance = random.Random(3)
        for _ in range(10):
            process = dpipe.start("dpipe-dicomdir", "--update", "-o", self.out, self.input,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
            process.wait()
            self.assertIn((self.out / "DICOMDIR").read_bytes(), (old, new))
        self.make("--update", self.input)
        self.assertEqual(self.files(self.out), self.files(undisturbed))


class LeftOut(DicomdirCase):
    def test_strays_are_named_and_do_no_harm(self):
        (self.input / "notes.txt").write_text("seen")
        (self.input / ".hidden.dcm").write_text("unseen")
        self.make()
        shutil.copy(self.out / "DICOMDIR", self.input / "DICOMDIR")
        silent = pydicom.dcmread(self.out / "DICOMDIR")
        del silent.file_meta.MediaStorageSOPClassUID
        FileDataset(None, dict(silent), preamble=b"\0" * 128, file_meta=silent.file_meta, is_implicit_VR=False,
                    is_little_endian=True).save_as(self.input / "DIRFILE", write_like_original=True)
        shutil.copy(self.input / "a" / "1" / "1.dcm", self.input / "again.dcm")
        other = self.scratch / "other"
        result = self.succeeds("dpipe-dicomdir", "-o", other, self.input)
        for name in ("notes.txt", "in/DICOMDIR", "in/DIRFILE", "again.dcm"):
            self.assertRegex(result.err, f"{name}' is left out")
        self.assertEqual(self.files(other), self.files(self.out))

    def failed(self, name, content):
        """The reason why this file is not on the media; all others are."""
        (self.input / name).write_bytes(content)
        result = self.fails(3, "dpipe-dicomdir", "-o", self.out, "--json", self.input)
        bad, media = map(json.loads, result.lines)
        self.assertEqual((bad["path"], bad["status"]), (str(self.input / name), "failed"))
        self.assertEqual((media["status"], media["instances"]), ("ok", 9))
        self.assertEqual(len(self.files(self.out)), 10)
        return bad["reason"]

    def test_a_damaged_file(self):
        whole = (self.input / "a" / "1" / "1.dcm").read_bytes()
        self.failed("cut.dcm", whole[:-20])

    def test_sequences_nested_without_end(self):
        whole = (self.input / "a" / "1" / "1.dcm").read_bytes()
        self.assertIn("nested", self.failed("nested.dcm", nested(whole, 20_000)))

    def test_another_instance_with_the_same_uid(self):
        whole = (self.input / "a" / "1" / "1.dcm").read_bytes()
        self.assertIn("same SOP Instance UID", self.failed("z.dcm", whole.replace(b"dcmpipe", b"DCMPIPE")))

    def test_an_instance_that_no_record_can_be_made_of(self):
        ds = tiny.write(self.scratch / "x.dcm", SOPClassUID="1.2.3.4", SOPInstanceUID=tiny.uid("odd"))
        self.failed("odd.dcm", ds.read_bytes())

    def test_an_instance_without_what_places_it(self):
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "Modality"):
            ds = tiny.write(self.scratch / "x.dcm", SOPInstanceUID=tiny.uid("odd"), **{keyword: None})
            self.assertIn(f"no {keyword}", self.failed("odd.dcm", ds.read_bytes()))
            shutil.rmtree(self.out)

    def test_no_instance_at_all(self):
        shutil.rmtree(self.input)
        self.input.mkdir()
        self.fails(1, "dpipe-dicomdir", "-o", self.out, self.input)
        self.assertFalse(self.out.exists())

    def test_media_inside_the_input(self):
        self.out = self.input / "media"
        self.make()
        first = self.files(self.out)
        self.make()
        self.assertEqual(self.files(self.out), first)


class Existing(DicomdirCase):
    def test_the_same_again_is_skipped_and_not_touched(self):
        self.make()
        before = {p: p.stat().st_mtime_ns for p in self.out.rglob("*")}
        record, = map(json.loads, self.make("--json", self.input).lines)
        self.assertEqual((record["status"], record["instances"]), ("skipped", 9))
        self.assertEqual({p: p.stat().st_mtime_ns for p in self.out.rglob("*")}, before)

    def test_a_folder_with_other_files_is_left_alone(self):
        self.out.mkdir()
        (self.out / "README").write_text("mine")
        self.assertIn("--overwrite", self.fails(1, "dpipe-dicomdir", "-o", self.out, self.input).err)
        self.assertEqual(list(self.files(self.out)), ["README"])

    def test_other_media_is_left_alone_or_replaced_whole(self):
        self.make(self.input / "a")
        before = self.files(self.out)
        self.fails(1, "dpipe-dicomdir", "-o", self.out, self.input / "b", self.input / "c")
        self.assertEqual(self.files(self.out), before)
        (self.out / "README").write_text("mine")
        self.make("--overwrite", self.input / "b", self.input / "c")
        fresh = self.scratch / "fresh"
        self.succeeds("dpipe-dicomdir", "-o", fresh, self.input / "b", self.input / "c")
        after = self.files(self.out)
        self.assertIsNotNone(after.pop("README"))
        self.assertEqual(after, self.files(fresh))
        self.assertFalse((self.out / "PT000000" / "ST000000" / "SE000001").exists())

    def test_what_is_new_since_is_said(self):
        self.make()
        before = self.files(self.out)
        tiny.write(self.input / "z.dcm", PatientID="9", StudyInstanceUID=tiny.uid("study", "z"))
        result = self.fails(3, "dpipe-dicomdir", "-o", self.out, self.input)
        self.assertIn("z.dcm", result.err)
        self.assertEqual(self.files(self.out), before)


class Trouble(DicomdirCase):
    def setUp(self):
        super().setUp()
        pixels = {"Rows": 256, "Columns": 256, "PixelData": bytes(2 * 256 * 256)}
        for i in range(10, 60):
            tiny.write(self.input / "a" / "1" / f"{i}.dcm", InstanceNumber=i, PatientID="1", **pixels)

    def undisturbed(self):
        folder = self.scratch / "undisturbed"
        self.succeeds("dpipe-dicomdir", "-o", folder, self.input)
        return self.files(folder)

    def test_killed_at_any_instant_the_same_words_end_the_same(self):
        expected = self.undisturbed()
        chance = random.Random(11)
        for _ in range(12):
            process = dpipe.start(
                "dpipe-dicomdir", "-o", self.out, self.input, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, 0.25))
            process.kill()
            process.wait()
            if (self.out / "DICOMDIR").exists():
                self.assertEqual(
                    {k: v for k, v in self.files(self.out).items() if not k.startswith(".")}, expected)
                shutil.rmtree(self.out)
        self.make()
        self.assertEqual(self.files(self.out), expected)

    def test_a_full_disk_is_said_and_room_makes_it_good(self):
        expected = self.undisturbed()
        with small_disk.mounted(self.out, 9 << 20):
            filler = self.out / ".filler"
            filler.write_bytes(bytes(6 << 20))
            result = self.fails(1, "dpipe-dicomdir", "-o", self.out, self.input)
            self.assertIn("No space left", result.err)
            self.assertFalse((self.out / "DICOMDIR").exists())
            filler.unlink()
            self.make()
            self.assertEqual(self.files(self.out), expected)

    def test_two_at_once_do_not_mix(self):
        expected = self.undisturbed()
        both = [
            dpipe.start("dpipe-dicomdir", "-o", self.out, self.input, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)]
        errors = [p.communicate()[1] for p in both]
        self.assertIn(sorted(p.returncode for p in both), ([0, 0], [0, 1]), errors)
        self.assertEqual(self.files(self.out), expected)


class Page(dpipe.TestCase):
    def test_the_page_has_the_options_of_the_command(self):
        page.check(self, "dpipe-dicomdir")


if __name__ == "__main__":
    dpipe.main()
