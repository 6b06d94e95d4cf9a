"""Puts invented identities into files and writes down what must go and what must stay.

Written from PS3.15 and from what users of de-identifiers reported, not from what dpipe-anon does. The same seed
gives the same bytes. See docs/benchmark-deid.md.
"""

import hashlib
import pathlib
import random
import re
import struct
import subprocess
import unicodedata
import warnings

import bases
from answer_key import KIND, LEAK, Key, path_of
from people import ROMANISED, people
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

#: Free text around an identity: words that must stay are plain, {fields} must go.
SENTENCES = [
    "CT CHEST WITH CONTRAST {given} {family}",
    "KNEE left {family}, {given} {id}",
    "LIVER 3-phase DOB {birth_iso} routine",
    "MR BRAIN without contrast call {phone}",
    "axial T2 TSE fat saturation {accession}",
    "PROSTATE multiparametric seen by Dr. {doctor}",
    "ABDOMEN portal venous, mail {mail} done",
    "SPINE lumbar study of {birth_dots} {family}",
    "HIP both sides Mr. {family} supine",
    "SHOULDER right by Dr. {stranger}",
    "CHEST ap DR {stranger_upper}",
    "{family_upper}_{given_upper}_PELVIS",
    "WRIST {given}{family} left",
    "ANKLE {family_ascii} lateral",
    "FOOT dob {birth_us} right",
    "NECK DOB {birth_long} sagittal",
    "HEAD trauma {great_age} male",
    "THORAX at {institution} supine",
    "ELBOW lateral from {host} right",
    "COLON {family_lower} prone",
]
#: They may go with the identity that they announce.
AROUND = ("Dr.", "DR", "Mr.", "DOB", "dob", "of", "by", "seen", "call", "mail", "at", "from")
#: A name that stands in no element of its own.
STRANGERS = ["Hochstetter", "Abernathy", "Quintanilla", "Vandermeer"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
#: Attributes that the Clean Descriptors Option keeps, cleaned.
DESCRIPTORS = ["StudyDescription", "SeriesDescription", "ImageComments", "RequestedProcedureDescription",
               "PerformedProcedureStepDescription", "AdditionalPatientHistory", "DerivationDescription",
               "AcquisitionComments", "ProtocolName"]
#: What science needs and no row of the table takes.
BAIT = ["Modality", "ImageType", "SliceThickness", "KVP", "RepetitionTime", "EchoTime", "MagneticFieldStrength",
        "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "Rows", "Columns", "BitsAllocated", "BitsStored",
        "PhotometricInterpretation", "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "BodyPartExamined",
        "Manufacturer", "ManufacturerModelName", "ScanOptions", "ConvolutionKernel", "PatientPosition", "SeriesNumber",
        "InstanceNumber", "FlipAngle", "EchoTrainLength", "ImagingFrequency", "ExposureTime", "Units", "DecayCorrection",
        "SpacingBetweenSlices", "PercentPhaseFieldOfView", "SequenceVariant", "ScanningSequence"]
SAFE_PRIVATE = [(0x0019, "SIEMENS MR HEADER", 0x0C, "IS", "1000"), (0x2001, "Philips Imaging DD 001", 0x03, "FL", 800.0),
                (0x0043, "GEMS_PARM_01", 0x39, "IS", "900")]
#: Families whose name is also a word of the trade: they go beside another name, and stay in its own meaning.
EPONYMS = {"Parkinson": "BRAIN Parkinson protocol", "Stone": "KIDNEY stone protocol"}
TYPE_1 = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality"]
#: Type 2 of every composite object: it stays, empty or not.
TYPE_2 = ["PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
          "ReferringPhysicianName", "StudyID"]
BY_ROW = ["InstitutionAddress", "InstitutionalDepartmentName", "PatientAddress"]


def ascii_form(name):
    """As a typist without the letters writes it; as it is, where that makes no sense."""
    plain = unicodedata.normalize("NFD", name.translate(str.maketrans("łŁøØđĐß", "lLoOdDs")))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return plain if plain.isascii() else name


class Injector:
    def __init__(self, folder, seed, person_count=20, real_folder=None, real_count=60, visits=2):
        self.folder = pathlib.Path(folder)
        self.rng = random.Random(f"inject {seed}")
        self.key = Key()
        self.people = people(seed, person_count)
        # Two patients of one number and two issuers; one of a padded number.
        self.people[1].id, self.people[0].issuer, self.people[1].issuer = self.people[0].id, "MERCYFIELD", "HOPEWELL"
        self.seed, self.real_folder, self.real_count, self.visits = seed, real_folder, real_count, visits
        self.number = 0

    def run(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sources = bases.real(self.real_folder, self.real_count)
            for index, person in enumerate(self.people):
                dates = sorted(person.date(self.rng) for _ in range(self.visits))
                for visit, date in enumerate(dates):
                    for name, ds in bases.made(f"{self.seed} {index} {visit}"):
                        self.identify(name, ds, person, date)
                for name, ds in sources[index::len(self.people)]:
                    bases.renumber(ds, f"{self.seed} {index}")
                    self.identify(name, ds, person, dates[0])
        self.broken_files()
        self.across_files()
        return self.key

    # -- one instance ---------------------------------------------------------------------------------------

    def identify(self, name, ds, person, date):
        self.number += 1
        romanised = ROMANISED.get(person.family, "patient" if not person.family.isascii() else person.family)
        file = f"{romanised}_{person.id}/{self.number:04}.dcm"
        self.ds, self.person, self.file, self.date = ds, person, file, date
        #: A document, a picture with text in it: nothing of it must stay.
        self.may_be_withheld = ds.get("Modality") == "DOC" or ds.get("BurnedInAnnotation") == "YES"
        self.tokens = {*person.physicians[0].split("^"), person.id, person.accession, person.phone, person.mail,
                       person.address, person.institution}
        if person.family not in EPONYMS:
            self.tokens |= set(person.parts)
        ds.SpecificCharacterSet = person.charset.split("\\") if "\\" in person.charset else person.charset
        self.forget_old_names()
        self.patient_and_study()
        self.key.instance(file, ds)
        self.header_checks()
        self.descriptors()
        self.nested()
        if Tag(0x7FE00010) in ds:
            self.pictures()
        self.private()
        if ds.get("Modality") == "SR":
            self.report()
        if ds.get("Modality") == "DOC":
            ds.DocumentTitle = f"Letter {person.pn.split('=')[0]}"
            ds.EncapsulatedDocument = f"%PDF-1.4\n({person.pn.split('=')[0]} {person.id})\n%%EOF\n".encode()
        self.bait()
        self.save(bases.ENCODERS.get(name.removeprefix("burned-")))
        if name.startswith("burned-"):
            self.key.extra_check(file, "pixel_box_dark", box=bases.BOX)
            self.key.extra_check(file, "pixel_outside_equal", box=bases.BOX)
        for token in sorted(self.tokens):
            self.key.extra_check(file, "raw_absent", token=token, charset=person.charset)
        self.key.extra_check(file, "name_absent", token=person.id)
        self.key.extra_check(file, "markers")
        self.key.extra_check(file, "dciodvfy_delta")
        self.key.extra_check(file, "withheld_or_clean" if self.may_be_withheld else "delivered", token=person.id)

    def forget_old_names(self):
        """A base file's own test identity would be neither bait nor known."""
        def visit(data_set, element):
            if element.VR == "PN" or (element.tag.group == 0x0010 and element.VR in ("LO", "SH", "LT")):
                del data_set[element.tag]
            elif element.VR in ("LO", "SH", "LT", "ST", "UT") and not str(element.value).isascii():
                element.value = "text"

        self.ds.walk(visit)

    def patient_and_study(self):
        ds, p = self.ds, self.person
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = p.pn, p.id, p.birth
        if p.issuer:
            ds.IssuerOfPatientID = p.issuer
        ds.PatientSex, ds.PatientAge, ds.AccessionNumber = p.sex, p.age, p.accession
        ds.StudyID = f"ST{self.rng.randrange(10**5, 10**6)}"
        ds.StudyDate = ds.SeriesDate = ds.ContentDate = ds.AcquisitionDate = self.date
        ds.AcquisitionDateTime = f"{self.date}101112.5"
        ds.StudyTime = "101010"
        ds.InstitutionName, ds.InstitutionAddress = p.institution, p.address
        ds.InstitutionalDepartmentName = f"Radiology of {p.institution}"
        ds.PatientAddress, ds.PatientTelephoneNumbers = p.address, p.phone
        ds.ReferringPhysicianName, ds.OperatorsName, ds.PerformingPhysicianName = p.physicians
        ds.PatientBirthName = p.pn
        ds.PatientMotherBirthName = f"{p.family}^Mother"
        ds.OtherPatientIDs = f"ALT{p.id[3:]}"
        ds.MedicalRecordLocator, ds.AdmissionID = f"LOC{p.id[3:]}", f"ADM{p.id[3:]}"
        ds.StationName, ds.DeviceSerialNumber = f"STAT{p.id[3:6]}X", f"SER{p.id[3:]}"
        ds.PatientComments = f"brother of {p.given} {p.family}, {p.mail}"
        self.tokens |= {f"ALT{p.id[3:]}", f"LOC{p.id[3:]}", f"SER{p.id[3:]}"}

    def header_checks(self):
        ds, p = self.ds, self.person
        add = self.check
        for keyword in ("PatientName", "PatientID", "PatientBirthName", "PatientMotherBirthName", "AccessionNumber",
                        "InstitutionName", "ReferringPhysicianName", "OperatorsName", "PerformingPhysicianName",
                        "OtherPatientIDs", "MedicalRecordLocator", "AdmissionID", "StationName", "DeviceSerialNumber",
                        "PatientTelephoneNumbers", "StudyID", *BY_ROW):
            add("text_removed", path_of(keyword), str(ds[keyword].value))
        for text in (p.given, p.family, p.mail):  # with the Clean Descriptors Option the rest may stay
            add("text_removed", path_of("PatientComments"), text)
        if p.issuer:
            add("text_removed", path_of("IssuerOfPatientID"), p.issuer)
        for keyword in ("StudyDate", "SeriesDate", "ContentDate", "AcquisitionDate", "PatientBirthDate"):
            add("date_shifted", path_of(keyword), str(ds[keyword].value))
        add("date_shifted", path_of("AcquisitionDateTime"), self.date)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
            if ds.get(keyword):
                add("uid_changed", path_of(keyword), str(ds[keyword].value))
                add("uid_consistent", path_of(keyword), str(ds[keyword].value))
                self.tokens.add(str(ds[keyword].value))
        add("patid_consistent", path_of("PatientID"), f"{p.id}|{p.issuer}")
        for keyword in TYPE_1:
            if ds.get(keyword):
                add("text_notnull", path_of(keyword))
        for keyword in TYPE_2:
            add("tag_retained", path_of(keyword))

    def check(self, action, path, text="", value=""):
        if self.may_be_withheld and KIND[action] != LEAK:
            return
        self.key.add(self.file, action, path, text, value)

    def descriptors(self):
        p, stranger = self.person, self.rng.choice(STRANGERS)
        fields = {
            "family": p.family, "given": p.given, "id": p.id, "phone": p.phone, "accession": p.accession, "mail": p.mail,
            "birth_iso": f"{p.birth[:4]}-{p.birth[4:6]}-{p.birth[6:]}", "doctor": p.physicians[0].split("^")[0],
            "stranger": stranger, "stranger_upper": stranger.upper(), "family_upper": p.family.upper(),
            "given_upper": p.given.upper(), "family_lower": p.family.lower(), "family_ascii": ascii_form(p.family),
            "birth_us": f"{MONTHS[int(p.birth[4:6]) - 1]} {int(p.birth[6:])}, {p.birth[:4]}",
            "birth_long": f"{int(p.birth[6:])}. {MONTHS[int(p.birth[4:6]) - 1]} {p.birth[:4]}",
            "great_age": f"{self.rng.randint(90, 104)} y/o", "institution": p.institution,
            "host": f"10.{self.rng.randrange(200)}.{self.rng.randrange(200)}.{self.rng.randrange(200)}",
            "birth_dots": f"{p.birth[6:]}.{p.birth[4:6]}.{p.birth[:4]}"}
        for keyword in DESCRIPTORS:
            sentence = self.rng.choice(SENTENCES)
            if p.family in EPONYMS and "{family" in sentence and "{given}" not in sentence:
                sentence = EPONYMS[p.family]
            words = [w for w in re.sub(r"\{\w+\}", " ", sentence).replace(",", " ").replace("_", " ").split()
                     if w not in AROUND]
            text = sentence.format(**fields)
            if len(text.encode()) > 60:
                continue
            setattr(self.ds, keyword, text)
            for name, value in fields.items():
                if f"{{{name}}}" in sentence and not (name.startswith("family") and p.family in EPONYMS and "{given}" not in sentence):
                    self.check("text_removed", path_of(keyword), value)
            self.check("text_retained", path_of(keyword), " ".join(words))

    def nested(self):
        """Identity at depth 1 to 4, some of it where a reader does not look."""
        ds, p = self.ds, self.person
        refers = bases.item(ReferencedSOPClassUID=ds.SOPClassUID, ReferencedSOPInstanceUID=ds.SOPInstanceUID)
        refers.PersonName, refers.InstitutionName = p.pn, p.institution
        refers.InstanceCreationDate = self.date
        chain, steps = refers, []
        for depth, keyword in enumerate(("ReferencedInstanceSequence", "ReferencedSeriesSequence",
                                         "ReferencedInstanceSequence", "ReferencedSeriesSequence"), 1):
            if depth > 1 + self.number % 4:
                break
            outer = bases.item(SeriesInstanceUID=ds.SeriesInstanceUID, StudyDate=self.date)
            setattr(outer, keyword, Sequence([chain]))
            chain, steps = outer, [keyword, 0, *steps]
        if "PredecessorDocumentsSequence" not in ds:
            ds.StudiesContainingOtherReferencedInstancesSequence = Sequence([chain])
            top = ["StudiesContainingOtherReferencedInstancesSequence", 0]
            for keyword, value in (("PersonName", p.pn), ("InstitutionName", p.institution)):
                self.check("text_removed", path_of(*top, *steps, keyword), value)
            self.check("uid_changed", path_of(*top, *steps, "ReferencedSOPInstanceUID"), str(ds.SOPInstanceUID))
            self.check("uid_consistent", path_of(*top, *steps, "ReferencedSOPInstanceUID"), str(ds.SOPInstanceUID))
            self.check("date_shifted", path_of(*top, "StudyDate"), self.date)
        request = bases.item(RequestedProcedureID=f"RP{p.id[3:]}", ScheduledPerformingPhysicianName=p.physicians[1],
                             RequestedProcedureDescription=f"CHEST of {p.given} {p.family}")
        ds.RequestAttributesSequence = Sequence([request])
        self.check("text_removed", path_of("RequestAttributesSequence", 0, "RequestedProcedureID"), f"RP{p.id[3:]}")
        self.check(
            "text_removed", path_of("RequestAttributesSequence", 0, "ScheduledPerformingPhysicianName"), p.physicians[1])
        ds.OriginalAttributesSequence = Sequence([bases.item(
            AttributeModificationDateTime=self.date, ModifyingSystem=f"PACS{p.id[3:]}", SourceOfPreviousValues=p.institution,
            ReasonForTheAttributeModification="CORRECT",
            ModifiedAttributesSequence=Sequence([bases.item(PatientName=p.pn, PatientID=f"OLD{p.id[3:]}")]))])
        ds.ContributingEquipmentSequence = Sequence([bases.item(
            Manufacturer="ACME", InstitutionName=p.institution, StationName=f"EQ{p.id[3:]}", OperatorsName=p.physicians[2])])
        self.tokens |= {f"PACS{p.id[3:]}", f"OLD{p.id[3:]}", f"RP{p.id[3:]}", f"EQ{p.id[3:]}"}
        if self.number % 3 == 0 and not ds.is_implicit_VR and ds.is_little_endian:
            self.hidden_in_un()

    def hidden_in_un(self):
        """CP-246: a sequence that its writer did not know, implicit inside explicit, of undefined length."""
        mark = f"UNMARK{self.number}"
        value = mark.encode() + b" " * (len(mark) % 2)
        inner = struct.pack("<HHI", 0x0040, 0xA123, len(value)) + value
        items = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        config.replace_un_with_known_vr = False  # pydicom must not mend what is broken on purpose
        if "ReferencedSeriesSequence" not in self.ds:
            self.ds.add(DataElement(Tag(0x00081115), "UN", items))
        self.ds.add(DataElement(Tag(0x0009, 0x0010), "LO", "ACME UN"))
        self.ds.add(DataElement(Tag(0x0009, 0x1001), "UN", items))
        config.replace_un_with_known_vr = True
        self.tokens.add(mark)

    def private(self):
        ds, p = self.ds, self.person
        group, creator, low, vr, value = SAFE_PRIVATE[self.number % len(SAFE_PRIVATE)]
        block = ds.private_block(group, creator, create=True)
        if low not in block:
            block.add_new(low, vr, value)
        self.check("text_retained", path_of((group, creator, low)), str(block[low].value))
        mark = f"PRIVMARK{self.number}"
        if 0xFE not in block:
            block.add_new(0xFE, "LO", f"{p.given} {p.family} {mark}")
            self.check("text_removed", path_of((group, creator, 0xFE)), mark)
        unknown = ds.private_block(0x0077, "BENCH RIS 1.0", create=True)
        unknown.add_new(0x01, "LO", f"{p.id} {mark}")
        unknown.add_new(0x02, "PN", p.pn)
        unknown.add_new(0x03, "UI", ds.StudyInstanceUID)
        unknown.add_new(0x04, "DA", self.date)
        unknown.add_new(0x05, "SQ", Sequence([bases.item(PatientName=p.pn, StudyDescription=mark)]))
        unknown.add_new(0x06, "OB", mark.encode())
        for low, text in ((1, p.id), (2, p.pn), (6, mark)):
            self.check("text_removed", path_of((0x0077, "BENCH RIS 1.0", low)), text)
        self.tokens.add(mark)

    def pictures(self):
        ds, mark = self.ds, f"OVERMARK{self.number}"
        in_pixels = any(  # such an overlay must go, and is no part of the image
            ds.get((g, 0x0102)) and ds[g, 0x0102].value and (g, 0x3000) not in ds for g in range(0x6000, 0x6020, 2))
        for group in (0x6000, 0x6002 + 2 * (self.number % 10)):
            for element, vr, value in (
                    (0x0010, "US", 8), (0x0011, "US", 8), (0x0022, "LO", mark), (0x0040, "CS", "G"),
                    (0x0050, "SS", [1, 1]), (0x0100, "US", 1), (0x0102, "US", 0), (0x1500, "LO", mark),
                    (0x3000, "OW", mark.encode().ljust(16)), (0x4000, "LT", f"of {self.person.given}")):
                ds.add(DataElement(Tag(group, element), vr, value))
        ds.add(DataElement(Tag(0x5000, 0x2500), "LO", mark))
        icon = bases.item(Rows=8, Columns=8, SamplesPerPixel=1, BitsAllocated=8, BitsStored=8, HighBit=7,
                          PixelRepresentation=0, PhotometricInterpretation="MONOCHROME2")
        icon.add_new(0x7FE00010, "OB", mark.encode().ljust(64))
        ds.IconImageSequence = Sequence([icon])
        self.tokens.add(mark)
        ds.PixelData += b"\0" * (len(ds.PixelData) % 2)
        if not in_pixels:
            self.check("pixels_retained", path_of("PixelData"), hashlib.md5(ds.PixelData).hexdigest())

    def report(self):
        p = self.person
        sentence = f"Mass of 4 cm in the liver of {p.given} {p.family}, {p.id}"
        observer = bases.item(RelationshipType="HAS OBS CONTEXT", ValueType="PNAME",
                              ConceptNameCodeSequence=bases.code("O1", "Observer"), PersonName=p.physicians[1])
        text = bases.item(RelationshipType="CONTAINS", ValueType="TEXT",
                          ConceptNameCodeSequence=bases.code("T1", "Finding"), TextValue=sentence)
        number = bases.item(RelationshipType="CONTAINS", ValueType="NUM",
                            ConceptNameCodeSequence=bases.code("M1", "Length"), MeasuredValueSequence=Sequence([bases.item(
                                NumericValue="42.5", MeasurementUnitsCodeSequence=bases.code("mm", "mm"))]))
        self.ds.ContentSequence = Sequence([observer, text, number])
        self.check("text_removed", path_of("ContentSequence", 0, "PersonName"), p.physicians[1])
        for value in (p.given, p.family, p.id):
            if value not in EPONYMS:
                self.check("text_removed", path_of("ContentSequence", 1, "TextValue"), value)
        self.check("text_retained", path_of("ContentSequence", 1, "TextValue"), "Mass 4 cm liver")
        self.check("text_retained", path_of("ContentSequence", 2, "MeasuredValueSequence", 0, "NumericValue"), "42.5")

    def bait(self):
        for keyword in [*BAIT, "PatientSex", "PatientAge"]:
            if keyword in self.ds and self.ds[keyword].value not in (None, "", []):
                value = self.ds[keyword].value
                text = "\\".join(map(str, value)) if self.ds[keyword].VM > 1 else str(value)
                self.check("text_retained", path_of(keyword), text)

    def save(self, encoder):
        ds, p = self.ds, self.person
        meta = ds.file_meta
        meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.preamble = f"PREMARK{self.number}".encode().ljust(128, b"\0")
        meta.SourceApplicationEntityTitle = f"AE{p.id[3:]}"
        meta.PrivateInformationCreatorUID, meta.PrivateInformation = "1.2.3.4", f"FMIMARK{self.number}".encode().ljust(16)
        ds.DataSetTrailingPadding = f"PADMARK{self.number}".encode().ljust(32, b"\0")
        self.tokens |= {f"PREMARK{self.number}", f"FMIMARK{self.number}", f"PADMARK{self.number}", f"AE{p.id[3:]}"}
        path = self.folder / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        ds.save_as(path, write_like_original=False)
        if encoder:
            self.encode(encoder, path)

    def encode(self, encoder, path):
        """With DCMTK; the preamble, which it does not keep, comes back."""
        try:
            subprocess.run([*encoder, "-ic" if encoder[0] == "dcmcjpeg" else "-q", path, path], capture_output=True, check=False)
        except FileNotFoundError:
            return  # it stays native
        content = path.read_bytes()
        path.write_bytes(self.ds.preamble + content[128:])

    # -- the whole ------------------------------------------------------------------------------------------

    def broken_files(self):
        some = (self.folder / next(iter(self.key.instances))).read_bytes()
        for name, content in (("cut.dcm", some[: len(some) // 3]), ("text.dcm", b"no DICOM\n"), ("empty.dcm", b"")):
            (self.folder / "broken").mkdir(exist_ok=True)
            (self.folder / "broken" / name).write_bytes(content)
            self.key.extra_check(f"broken/{name}", "batch_survives")

    def across_files(self):
        by_person = {}
        for file in self.key.instances:
            by_person.setdefault(file.split("/")[0], []).append(file)
        self.key.extra_check("", "patients_distinct", patients=len(self.people))
        self.key.extra_check("", "refs_closed")
        self.key.extra_check("", "rerun_same")
        self.key.extra_check("", "restore_equal")
        for files in by_person.values():
            self.key.extra_check("", "interval_kept", files=files)
