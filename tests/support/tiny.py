"""Tiny DICOM instances for tests: a few attributes, an 8x8 image, a size of about 1 kB.

    tiny.write(path, "MR", PatientID="1", InstanceNumber=3)
    tiny.study(folder, series=2, instances=3, PatientID="1")

The same words give the same bytes. UIDs derive from names: `tiny.uid("study", 1)`.
"""

import hashlib
import pathlib

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

#: What a study folder of dcmpipe is known by.
MARKER = ".dpipe-study"

SOP_CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "OT": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.11",
}


def uid(*words):
    """A UID that stands for these words."""
    digest = hashlib.sha256(repr(words).encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:15], 'big')}")


def _pixels(ds):
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows = ds.Columns = 8
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = 0
    ds.PatientOrientation = ""
    ds.PixelData = bytes(range(128))


def _slice(ds):
    _pixels(ds)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.PatientPosition = "HFS"
    ds.PixelSpacing = ["1", "1"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.ImagePositionPatient = ["0", "0", str(ds.InstanceNumber)]
    ds.SliceThickness = "1"
    ds.FrameOfReferenceUID = uid("frame", ds.SeriesInstanceUID)
    ds.PositionReferenceIndicator = ""


def _ct(ds):
    _slice(ds)
    ds.RescaleIntercept = "-1024"
    ds.RescaleSlope = "1"
    ds.KVP = "120"
    ds.AcquisitionNumber = "1"


def _mr(ds):
    _slice(ds)
    ds.ScanningSequence = "SE"
    ds.SequenceVariant = "NONE"
    ds.ScanOptions = ""
    ds.MRAcquisitionType = "2D"
    ds.EchoTime = "10"
    ds.RepetitionTime = "500"
    ds.EchoTrainLength = "1"


def _sc(ds):
    _pixels(ds)
    ds.ConversionType = "WSD"


def _sr(ds):
    title = Dataset()
    title.CodeValue = "121070"
    title.CodingSchemeDesignator = "DCM"
    title.CodeMeaning = "Findings"
    ds.ValueType = "CONTAINER"
    ds.ConceptNameCodeSequence = Sequence([title])
    ds.ContinuityOfContent = "SEPARATE"
    ds.CompletionFlag = "COMPLETE"
    ds.VerificationFlag = "UNVERIFIED"
    ds.ContentDate = ds.StudyDate
    ds.ContentTime = ds.StudyTime
    ds.PerformedProcedureCodeSequence = Sequence([])
    ds.ReferencedPerformedProcedureStepSequence = Sequence([])


_MODULES = {"CT": _ct, "MR": _mr, "OT": _sc, "SR": _sr}


def instance(modality="CT", **attributes):
    """An instance of this modality; a keyword sets an attribute, None takes it away."""
    given = {keyword: value for keyword, value in attributes.items() if value is not None}
    ds = FileDataset(None, {}, preamble=b"\0" * 128, file_meta=FileMetaDataset())
    ds.SOPClassUID = SOP_CLASSES[modality]
    ds.Modality = modality
    ds.PatientName = "Tiny^Test"
    ds.PatientID = "TINY"
    ds.PatientBirthDate = ""
    ds.PatientSex = "O"
    ds.StudyDate = "20240102"
    ds.StudyTime = "030405"
    ds.StudyID = "1"
    ds.AccessionNumber = ""
    ds.ReferringPhysicianName = ""
    ds.Manufacturer = "dcmpipe"
    ds.SeriesNumber = given.get("SeriesNumber", 1)
    ds.InstanceNumber = given.get("InstanceNumber", 1)
    ds.StudyInstanceUID = given.get("StudyInstanceUID", uid("study"))
    ds.SeriesInstanceUID = uid("series", ds.StudyInstanceUID, ds.SeriesNumber)
    ds.SOPInstanceUID = uid("instance", ds.SeriesInstanceUID, ds.InstanceNumber)
    _MODULES[modality](ds)
    for keyword, value in given.items():
        setattr(ds, keyword, value)
    for keyword in attributes.keys() - given.keys():
        if keyword in ds:
            delattr(ds, keyword)
    ds.is_little_endian = True
    ds.is_implicit_VR = False
    meta = ds.file_meta
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("tiny")
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", uid("no instance"))
    return ds


def write(path, modality="CT", **attributes):
    """Write an instance, with the folders above it; give its path."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    instance(modality, **attributes).save_as(path, write_like_original=False)
    return path


def study(folder, series=1, instances=2, modality="CT", **attributes):
    """Write a marked study folder, `folder/SERIES/INSTANCE.dcm`; give its path."""
    folder = pathlib.Path(folder)
    for s in range(1, series + 1):
        for i in range(1, instances + 1):
            write(folder / str(s) / f"{i}.dcm", modality, SeriesNumber=s, InstanceNumber=i, **attributes)
    (folder / MARKER).write_text("{}\n")
    return folder
