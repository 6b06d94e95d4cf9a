#!/usr/bin/python3
"""Resolve the open actions of PS3.15 Table E.1-1 (X/D, Z/D, ...) for each storage SOP class.

Usage: scripts/make-iod-table.py compound_types.csv compound_exceptions.csv > libdcmpipe/deid/table_iods.inc

The types CSV says which type (1, 1C, 2, 2C, 3) an attribute has in the modules of an IOD (PS3.3 of 2016); the
exceptions CSV holds resolutions that were checked by hand and win. The project keeps the result. The names of
SOP classes come from Debian's pydicom. The first row printed names the attributes, then one row a SOP class
with one letter an attribute.
"""

import csv
import sys

from pydicom._uid_dict import UID_dictionary

ACTION_OF_TYPE = {"1": "D", "1C": "D", "2": "Z", "2C": "Z", "3": "X"}
STRICTNESS = "XZD"

# IODs whose name in the CSV is not the name of their SOP class.
CLASSES_OF_IOD = {
    "12-Lead ECG": ["12-lead ECG Waveform"],
    "Ambulatory ECG": ["Ambulatory ECG Waveform"],
    "Basic Cardiac EP": ["Cardiac Electrophysiology Waveform"],
    "Basic Voice Audio": ["Basic Voice Audio Waveform"],
    "CR Image": ["Computed Radiography Image"],
    "Digital Intra-Oral X-Ray Image": ["Digital Intra-Oral X-Ray Image"],
    "Digital X-Ray Image": ["Digital X-Ray Image"],
    "General ECG": ["General ECG Waveform"],
    "Hemodynamic": ["Hemodynamic Waveform"],
    "Implantation Plan SR Document": ["Implantation Plan SR"],
    "Intravascular OCT Image": ["Intravascular Optical Coherence Tomography Image"],
    "Multi-frame Grayscale Byte SC Image": ["Multi-frame Grayscale Byte Secondary Capture Image"],
    "Multi-frame Grayscale Word SC Image": ["Multi-frame Grayscale Word Secondary Capture Image"],
    "Multi-frame Single Bit SC Image": ["Multi-frame Single Bit Secondary Capture Image"],
    "Multi-frame True Color SC Image": ["Multi-frame True Color Secondary Capture Image"],
    "PET Image": ["Positron Emission Tomography Image"],
    "SC Image": ["Secondary Capture Image"],
    "US Image": ["Ultrasound Image"],
    "US Multi-frame Image": ["Ultrasound Multi-frame Image"],
    "XRF Image": ["X-Ray Radiofluoroscopic Image"],
    "table_A.5-1.js": ["Nuclear Medicine Image"],
    "table_A.27-1.js": ["Digital Mammography X-Ray Image"],
    "table_A.33.2-1.js": ["Color Softcopy Presentation State"],
    "table_A.35.14-1.js": ["Radiopharmaceutical Radiation Dose SR"],
    "table_A.35.15-1.js": ["Extensible SR"],
    "table_A.35.16-1.js": ["Acquisition Context SR"],
    "table_A.39.1-1.js": ["Spatial Registration"],
    "table_A.43-1.js": ["Stereometric Relationship"],
    "table_A.45.2-1.js": ["Encapsulated CDA"],
    "table_A.47-1.js": ["Enhanced XA Image"],
    "table_A.48-1.js": ["Enhanced XRF Image"],
    "table_A.51-1.js": ["Segmentation"],
    "table_A.74-1.js": ["Breast Projection X-Ray Image"],
    "table_A.78-1.js": ["Tractography Results"],
}

# Newer than the types: Operators' Name became type 2 in RT Series (PS3.3 §C.8.8.1); Content Date and Time are
# type 1 in Multi-frame Functional Groups (§C.7.6.16), which the types do not list.
BY_HAND = {
    **{iod: {"(0008,1070)": "Z"} for iod in ("RT Dose", "RT Image", "RT Plan", "RT Structure Set", "RT Ion Plan")},
    **{
        iod: {"(0008,0023)": "D", "(0008,0033)": "D"}
        for iod in ("table_A.51-1.js", "VL Whole Slide Microscopy Image", "Enhanced US Volume")
    },
}


def uids_by_class_name():
    """`Digital X-Ray Image` has a UID for presentation and one for processing."""
    uids = {}
    for uid, (name, *_) in UID_dictionary.items():
        if "Storage" in name and uid.startswith("1.2.840.10008.5.1.4"):
            uids.setdefault(name.split(" Storage")[0], []).append(uid)
    return uids


def resolutions(types_path, exceptions_path):
    """{iod: {tag: letter}} by the strictest type that the attribute has in a module of the IOD, and
    {tag: letter} for where the types do not know it."""
    table, common = {}, {}
    with open(types_path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            letter = ACTION_OF_TYPE[row["type"]]
            if row["action"] == "X/Z/U*":
                letter = "U" if letter == "D" else letter
            tags = table.setdefault(row["iod"], {})
            old = tags.get(row["tag"].upper(), "X")
            strict = "XZDU".index
            tags[row["tag"].upper()] = max(old, letter, key=strict)
    with open(exceptions_path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            table.setdefault(row["iod"], {})[row["tag"].upper()] = row["resolution"]
            if row["table_action"] == "Z/D":  # it stands in every such object, whatever its modules say
                common[row["tag"].upper()] = row["common_resolution"]
    for iod, resolved in BY_HAND.items():
        table.setdefault(iod, {}).update(resolved)
    return table, common


def main(types_path, exceptions_path):
    table, common = resolutions(types_path, exceptions_path)
    tags = sorted({tag for row in table.values() for tag in row})
    uids = uids_by_class_name()
    print("// Made by scripts/make-iod-table.py. Do not edit. Types after DICOM PS3.3, © NEMA.")
    print("constexpr Tag resolved_tags[]{")
    for tag in tags:
        print(f"    Tag{{0x{tag[1:5]}, 0x{tag[6:10]}}},")
    print("};")
    print("constexpr ClassRow class_rows[]{")
    rows = {}
    for iod, row in table.items():
        for name in CLASSES_OF_IOD.get(iod, [iod]):
            for uid in uids.get(name, []):
                rows[uid] = "".join(row.get(tag, common.get(tag, "X")) for tag in tags)
    for uid in sorted(rows):
        print(f'    {{"{uid}", "{rows[uid]}"}}, // {UID_dictionary[uid][0]}')
    print("};")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
