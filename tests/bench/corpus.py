"""Corpora for benchmarks: made up, the same bytes for the same words, no package but pydicom.

    corpus.py ct|small|study|multiframe FOLDER COUNT

`ct`: slices of 512 x 512, 0.5 MB. `small`: 64 x 64, 16 kB, nearly all of it header; two series a study, two studies a
patient. `study`: the same, all of one study. `multiframe`: 300 MB each. A header
has about 320 elements: identity at three depths, sequences, and private blocks as large as scanners write them.
One data set is encoded a series; instances differ in UID, number and position, patched in place.
"""

import pathlib
import random
import sys

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.10.1451"
CT, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
SHAPES = {"ct": (512, 1), "small": (64, 1), "study": (64, 1), "multiframe": (512, 600)}
SERIES = {"ct": 250, "small": 50, "study": 50, "multiframe": 1}  # instances in each

FIRST = ["Anna", "Bruno", "Chiara", "David", "Elena", "Felix"]
LAST = ["Muller", "Favre", "Rossi", "Schmid", "Dubois", "Keller"]


def uid(*numbers):
    """Always 56 characters, so that one can stand where another stood."""
    text = ROOT + "." + ".".join(str(number) for number in numbers) + "."
    return text + "9" * (56 - len(text))


def reference(sop_class, instance):
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class
    item.ReferencedSOPInstanceUID = instance
    return item


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def identity(ds, patient, study):
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.PatientName = f"{LAST[patient % 6]}{patient}^{FIRST[patient % 6]}"
    ds.PatientID = f"PID{patient:07d}"
    ds.PatientBirthDate = f"19{30 + patient % 60:02d}{1 + patient % 12:02d}{1 + patient % 28:02d}"
    ds.PatientSex = "MF"[patient % 2]
    ds.PatientAge = f"{20 + patient % 70:03d}Y"
    ds.PatientAddress = f"{patient} Rue du Bugnon, 1011 Lausanne"
    ds.PatientTelephoneNumbers = f"+41 21 555 {patient:04d}"
    ds.PatientComments = f"Patient {ds.PatientName} from ward {study}"
    ds.MedicalRecordLocator = f"MRL{patient:06d}"
    ds.InstitutionName = "Centre Hospitalier Test"
    ds.InstitutionAddress = "Rue du Test 1, 1000 Lausanne"
    ds.ReferringPhysicianName = "Bernard^Alice"
    ds.PerformingPhysicianName = ds.NameOfPhysiciansReadingStudy = "Weber^Karl"
    ds.OperatorsName = "Tech^Tom"
    ds.StationName = f"CTAWP{patient % 9}"
    ds.AccessionNumber = f"A{patient:05d}{study:04d}"
    ds.StudyID = f"S{study:05d}"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = f"2021{1 + study % 12:02d}{1 + study % 28:02d}"
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "101112.000000"


def acquisition(ds):
    ds.Modality = "CT"
    ds.Manufacturer, ds.ManufacturerModelName = "GE MEDICAL SYSTEMS", "RHAPSODE"
    ds.DeviceSerialNumber, ds.SoftwareVersions = "SN000001", "05"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.StudyDescription, ds.SeriesDescription, ds.ProtocolName = "Head e+1", "axial 1mm", "routine head"
    ds.BodyPartExamined, ds.PatientPosition, ds.ScanOptions = "HEAD", "FFS", "AXIAL MODE"
    ds.KVP, ds.ExposureTime, ds.XRayTubeCurrent, ds.Exposure = "120", "1601", "170", "272"
    ds.SliceThickness, ds.DataCollectionDiameter, ds.ReconstructionDiameter = "1", "480", "338.67"
    ds.GantryDetectorTilt, ds.TableHeight, ds.RotationDirection, ds.FilterType = "0", "150.1", "CW", "BODY"
    ds.FocalSpots, ds.ConvolutionKernel, ds.RescaleIntercept, ds.RescaleSlope = "0.7", "STANDARD", "-1024", "1"
    ds.PixelSpacing, ds.ImageOrientationPatient = ["0.66", "0.66"], ["1", "0", "0", "0", "1", "0"]
    ds.ImagePositionPatient, ds.PositionReferenceIndicator = ["-158.1", "-179.0", "00000.00"], "SN"
    ds.WindowCenter, ds.WindowWidth = "40", "400"


def sequences(ds, study):
    ds.ReferencedStudySequence = Sequence([reference("1.2.840.10008.3.1.2.3.1", ds.StudyInstanceUID)])
    ds.ReferencedImageSequence = Sequence([reference(CT, uid(study, 777, n)) for n in range(3)])
    ds.ProcedureCodeSequence = Sequence([code("70450", "C4", "CT head")])
    request = Dataset()
    request.RequestedProcedureID = f"RP{study:06d}"
    request.ScheduledProcedureStepDescription = "CT head"
    request.ScheduledProtocolCodeSequence = Sequence([code("P1", "99X", "head")])
    ds.RequestAttributesSequence = Sequence([request])
    equipment = Dataset()
    equipment.Manufacturer, equipment.InstitutionName = "Gateway", ds.InstitutionName
    equipment.OperatorsName = ds.OperatorsName
    equipment.PurposeOfReferenceCodeSequence = Sequence([code("109103", "DCM", "Modifying Equipment")])
    ds.ContributingEquipmentSequence = Sequence([equipment])


def private(ds):
    for group, creator, count in (
            (0x0009, "GEMS_IDEN_01", 12), (0x0019, "GEMS_ACQU_01", 70), (0x0021, "GEMS_RELA_01", 25),
            (0x0023, "GEMS_STDY_01", 10), (0x0027, "GEMS_IMAG_01", 30), (0x0043, "GEMS_PARM_01", 45)):
        block = ds.private_block(group, creator, create=True)
        for element in range(count):
            if element % 3 == 0:
                block.add_new(element, "DS", "0.000000")
            elif element % 3 == 1:
                block.add_new(element, "SS", element)
            else:
                block.add_new(element, "LO", f"value {element}")


def image(ds, kind, noise):
    size, frames = SHAPES[kind]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows = ds.Columns = size
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.PixelData = noise.randbytes(size * size * 2) * frames


def encoded_series(kind, patient, study, series, scratch):
    """The bytes of a series' first instance."""
    ds = FileDataset(None, {}, preamble=b"\0" * 128, file_meta=FileMetaDataset())
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.SOPClassUID = ENHANCED_CT if kind == "multiframe" else CT
    ds.SOPInstanceUID = uid(patient, study, series, 100000)
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(patient, study), uid(patient, study, series)
    ds.FrameOfReferenceUID = uid(patient, study, 8)
    ds.SeriesNumber, ds.InstanceNumber, ds.AcquisitionNumber = str(series), "100000", "1"
    identity(ds, patient, study)
    acquisition(ds)
    sequences(ds, study)
    private(ds)
    image(ds, kind, random.Random(f"{patient} {study} {series}"))
    ds.save_as(scratch, write_like_original=False)
    data = scratch.read_bytes()
    scratch.unlink()
    return data


def make(kind, folder, count):
    folder.mkdir(parents=True)
    in_series = SERIES[kind]
    for series in range((count + in_series - 1) // in_series):
        patient, study = (0, 0) if kind == "study" else (series // 4, series // 2)
        data = encoded_series(kind, patient, study, series, folder / "first")
        number, first = b"100000", uid(patient, study, series, 100000).encode()
        pixels = data.index(b"\xe0\x7f\x10\x00OW")
        header, rest = data[:pixels], data[pixels:]
        place = folder / f"PAT{patient:04d}" / f"ST{study:04d}" / f"SE{series:05d}"
        place.mkdir(parents=True)
        for instance in range(min(in_series, count - series * in_series)):
            own = str(100000 + instance).encode()
            changed = header.replace(first, first.replace(number, own)).replace(number, own)
            changed = changed.replace(b"00000.00", f"{instance:05d}.00".encode())
            with open(place / f"IM{instance:05d}.dcm", "wb") as file:
                file.write(changed)
                file.write(rest)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    make(sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]))
