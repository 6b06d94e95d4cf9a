#!/usr/bin/python3
"""Turn PS3.15 Table E.1-1 (CSV) into the rows of libdcmpipe/deid/table_e1_1.inc.

Usage: scripts/make-deid-table.py e1_1_2025b.csv > libdcmpipe/deid/table_e1_1.inc

The project keeps the result, so that it builds without the CSV. Columns of the CSV: id, tag, name,
stdCompIOD, basicProfile, then one a PS3.15 option.
"""

import csv
import sys

ACTIONS = {
    "D": "D", "Z": "Z", "X": "X", "K": "K", "C": "C", "U": "U",
    "X/Z": "XZ", "X/D": "XD", "Z/D": "ZD", "X/Z/D": "XZD", "X/Z/U*": "XZU",
}
OPTIONS = [
    "rtnSafePrivOpt", "rtnUIDsOpt", "rtnDevIdOpt", "rtnInstIdOpt", "rtnPatCharsOpt", "rtnLongFullDatesOpt",
    "rtnLongModifDatesOpt", "cleanDescOpt", "cleanStructContOpt", "cleanGraphOpt",
]


def tag_and_mask(identifier):
    """`50xxxxxx` and its like are masks; the row of private attributes has no place in the table."""
    if not all(c in "0123456789abcdefx" for c in identifier.lower()):
        return None
    digits = identifier.lower()
    tag = int(digits.replace("x", "0"), 16)
    mask = int("".join("0" if c == "x" else "f" for c in digits), 16)
    return tag, mask


def main(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if tag_and_mask(row["id"])]
    rows.sort(key=lambda row: tag_and_mask(row["id"]))
    print(f"// Made by scripts/make-deid-table.py from {path.rsplit('/', 1)[-1]}. Do not edit.")
    print("// Derived from DICOM PS3.15 Table E.1-1, edition 2025b, © NEMA.")
    for row in rows:
        tag, mask = tag_and_mask(row["id"])
        options = "".join(row[option] or "-" for option in OPTIONS)
        name = row["name"].replace('"', "'")
        print(f'{{Tag{{0x{tag:08x}}}, 0x{mask:08x}, TableAction::{ACTIONS[row["basicProfile"]]}, "{options}", "{name}"}},')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
