#!/bin/sh
# Ask a PACS for the series of a CSV, and de-identify each as it comes.
#   NODE=PACS@pacs.example.org:104 fetch.sh cohort.csv
# The same command again, after a break or with more rows, retrieves and de-identifies what is missing.
# Exit code: 0 all there; 3 something is missing or was kept back; 4 the PACS is away, try later.
set -eu
: "${NODE:?AET@HOST:PORT of the PACS}" "${AET:=RESEARCH}" "${MAP:=keys/link.db}"

# Identified images stand in raw/ only as long as they must; under --json a failure travels down the pipe.
dpipe-query --json --node "$NODE" --aet "$AET" --save --info -o raw "$1" |
    dpipe-anon --json -m "$MAP" -p pacsifier -o anon - >>anon.log
