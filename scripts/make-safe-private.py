#!/usr/bin/python3
"""Turn PS3.15 Table E.3.10-1 (CSV: group, element_low, creator) into libdcmpipe/deid/safe_private.inc.

Usage: scripts/make-safe-private.py safe_private_e3101.csv > libdcmpipe/deid/safe_private.inc
"""

import csv
import sys


def main(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = sorted(
            {(row["creator"].strip(), int(row["group"], 16), int(row["element_low"], 16)) for row in csv.DictReader(file)})
    print("// Made by scripts/make-safe-private.py. Do not edit.")
    print("// Derived from DICOM PS3.15 Table E.3.10-1, © NEMA.")
    for creator, group, element in rows:
        print(f'{{"{creator}", 0x{group:04x}, 0x{element:02x}}},')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
