"""What identities are put into: objects of many classes made here, and real files where the machine has them."""

import hashlib
import pathlib
import warnings

import pydicom
import tiny
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence


#: Text stands here in burned-in pictures: columns from, rows from, columns, rows.
BOX = (0, 0, 64, 12)
#: DCMTK's encoders; a picture is left out where one is not installed.
ENCODERS = {"native": None, "rle": ["dcmcrle"], "jpeg": ["dcmcjpeg", "+e1"], "jpegls": ["dcmcjpls", "+el"]}


def burned_in(rows, columns, box):
    """A frame: a gradient, and in the box a pattern that stands for text."""
    left, top, width, height = box
    return bytes(
        255 if left <= x < left + width and top <= y < top + height and (x * 7 + y * 3) % 5 < 2 else 16 + (x + y) % 200
        for y in range(rows) for x in range(columns))


def item(**attributes):
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def code(value, meaning):
    return Sequence([item(CodeValue=value, CodingSchemeDesignator="99BENCH", CodeMeaning=meaning)])


def reclassed(modality, sop_class, label, **attributes):
    ds = tiny.instance(modality, **attributes)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.Modality = label
    return ds


def made(number):
    """[(name, data set)]: one study of each kind. `number` makes its UIDs differ from other studies'."""
    ct = [tiny.instance("CT", InstanceNumber=i + 1) for i in range(2)]
    for ds in ct:
        ds.ConvolutionKernel, ds.BodyPartExamined = "B30f", "CHEST"
    mr = tiny.instance("MR", SeriesNumber=2)
    mr.MagneticFieldStrength, mr.BodyPartExamined = "1.5", "BRAIN"
    pet = reclassed("CT", "1.2.840.10008.5.1.4.1.1.128", "PT", SeriesNumber=3)
    pet.Units, pet.DecayCorrection = "BQML", "START"
    pet.RadiopharmaceuticalInformationSequence = Sequence([item(
        RadionuclideTotalDose="370000000", RadionuclideHalfLife="6586.2")])
    enhanced = reclassed("MR", "1.2.840.10008.5.1.4.1.1.4.1", "MR", SeriesNumber=4)
    enhanced.NumberOfFrames, enhanced.PixelData = 3, bytes(range(128)) * 3
    enhanced.SharedFunctionalGroupsSequence = Sequence([item(
        PixelMeasuresSequence=Sequence([item(SliceThickness="5", PixelSpacing=["1", "1"])]))])
    us = reclassed("OT", "1.2.840.10008.5.1.4.1.1.3.1", "US", SeriesNumber=5)
    us.NumberOfFrames, us.PixelData, us.FrameTime = 2, bytes(range(128)) * 2, "33"
    xa = reclassed("OT", "1.2.840.10008.5.1.4.1.1.12.1", "XA", SeriesNumber=6)
    mg = reclassed("OT", "1.2.840.10008.5.1.4.1.1.1.2", "MG", SeriesNumber=7)
    seg = reclassed("OT", "1.2.840.10008.5.1.4.1.1.66.4", "SEG", SeriesNumber=8)
    refers = dict(ReferencedSOPClassUID=ct[0].SOPClassUID, ReferencedSOPInstanceUID=ct[0].SOPInstanceUID)
    seg.ReferencedSeriesSequence = Sequence([item(
        SeriesInstanceUID=ct[0].SeriesInstanceUID, ReferencedInstanceSequence=Sequence([item(**refers)]))])
    rt = reclassed("SR", "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", SeriesNumber=9)
    rt.StructureSetLabel = "PLAN"
    rt.ReferencedFrameOfReferenceSequence = Sequence([item(
        FrameOfReferenceUID=ct[0].FrameOfReferenceUID, RTReferencedStudySequence=Sequence([item(
            ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=ct[0].StudyInstanceUID,
            RTReferencedSeriesSequence=Sequence([item(
                SeriesInstanceUID=ct[0].SeriesInstanceUID, ContourImageSequence=Sequence([item(**refers)]))]))]))])
    sr = tiny.instance("SR", SeriesNumber=10)
    sr.CurrentRequestedProcedureEvidenceSequence = Sequence([item(
        StudyInstanceUID=ct[0].StudyInstanceUID, ReferencedSeriesSequence=Sequence([item(
            SeriesInstanceUID=ct[0].SeriesInstanceUID, ReferencedSOPSequence=Sequence([item(**refers)]))]))])
    pr = reclassed("SR", "1.2.840.10008.5.1.4.1.1.11.1", "PR", SeriesNumber=11)
    pr.ContentLabel, pr.PresentationCreationDate, pr.PresentationCreationTime = "KEY", "20240102", "101010"
    pr.ReferencedSeriesSequence = Sequence([item(
        SeriesInstanceUID=ct[0].SeriesInstanceUID, ReferencedImageSequence=Sequence([item(**refers)]))])
    ecg = reclassed("SR", "1.2.840.10008.5.1.4.1.1.9.1.1", "ECG", SeriesNumber=12)
    wave = item(WaveformOriginality="ORIGINAL", NumberOfWaveformChannels=1, NumberOfWaveformSamples=64,
                SamplingFrequency="500", WaveformBitsAllocated=16, WaveformSampleInterpretation="SS")
    wave.add_new(0x54001010, "OW", bytes(range(128)))
    ecg.WaveformSequence = Sequence([wave])
    pdf = reclassed("SR", "1.2.840.10008.5.1.4.1.1.104.1", "DOC", SeriesNumber=13)
    pdf.MIMETypeOfEncapsulatedDocument = "application/pdf"
    pdf.EncapsulatedDocument = b""
    burned = []
    for serial, (name, _) in enumerate(ENCODERS.items(), 14):
        shot = reclassed("OT", "1.2.840.10008.5.1.4.1.1.3.1", "US", SeriesNumber=serial)
        shot.Manufacturer, shot.ManufacturerModelName, shot.BurnedInAnnotation = "BENCH", "Burner 1", "YES"
        shot.Rows, shot.Columns, shot.BitsAllocated, shot.BitsStored, shot.HighBit = 48, 64, 8, 8, 7
        shot.NumberOfFrames, shot.FrameTime = 2, "33"
        shot.PixelData = burned_in(48, 64, BOX) * 2
        burned.append((f"burned-{name}", shot))
    objects = [*burned, ("ct1", ct[0]), ("ct2", ct[1]), ("mr", mr), ("pet", pet), ("emr", enhanced), ("us", us), ("xa", xa),
               ("mg", mg), ("seg", seg), ("rt", rt), ("sr", sr), ("pr", pr), ("ecg", ecg), ("pdf", pdf)]
    for _, ds in objects:
        renumber(ds, number)
    return objects


def renumber(ds, number):
    """Every UID of a thing becomes another, the same everywhere."""
    def visit(_, element):
        if element.VR == "UI" and element.value and not isinstance(element.value, (list, tuple)):
            if not str(element.value).startswith("1.2.840.10008."):
                digest = hashlib.sha256(f"{number} {element.value}".encode()).digest()
                element.value = f"1.2.826.0.1.3680043.10.{int.from_bytes(digest[:9], 'big')}"

    ds.walk(visit)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID


def real(folder, most):
    """[(name, data set)] of real files that pydicom reads and writes: `most` of them, of every folder some."""
    if folder is None or not pathlib.Path(folder).is_dir():
        return []
    folder = pathlib.Path(folder)
    left_out = {"corrupt", "fileset", "generated", "charset"}
    by_folder = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).parts[0] not in left_out and path.stat().st_size < 3_000_000:
            by_folder.setdefault(path.parent, []).append(path)
    found = []
    for round_ in range(60):
        for files in by_folder.values():
            if round_ < len(files) and len(found) < most:
                ds = readable(files[round_])
                if ds is not None:
                    found.append((files[round_].relative_to(folder).as_posix(), ds))
    return found


def readable(path):
    """The data set, decoded to text; None where pydicom cannot read it whole, or it is no instance of a patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(path)
            ds.decode()
            if not ds.get("SOPInstanceUID") or not ds.get("SOPClassUID") or not ds.get("StudyInstanceUID"):
                return None
            if "EncapsulatedDocument" in ds or "DirectoryRecordSequence" in ds or "TransferSyntaxUID" not in ds.file_meta:
                return None
            for element in ds.iterall():  # a value that cannot be read
                element.value  # pylint: disable=pointless-statement
            return ds
        except Exception:  # pylint: disable=broad-except
            return None
