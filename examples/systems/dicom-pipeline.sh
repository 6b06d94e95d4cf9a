#!/bin/sh
# What dicom-pipeline does: studies that were reviewed go from a staging PACS, de-identified, to a research PACS.
#   STAGING=PACS@host:104 RESEARCH=ARCHIVE@host:104 dicom-pipeline.sh studies.txt
# studies.txt has a Study Instance UID a line. Every run has a folder of logs under runs/, as many files as steps. The same
# command again goes on where the last one stopped (-r); `--max N` takes the first N studies (-m).
# The map keeps what each patient and study became, for the next run as well; an identity.db of old is taken in once:
#   dpipe-map import --format identity-db -m keys/link.db identity.db
set -eu
: "${MAP:=keys/link.db}" "${STAGING:?AET@HOST:PORT of the identified archive}" "${RESEARCH:?that of the de-identified one}"
: "${LOCAL_AE:=DCMQR}"

run=runs/$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$run"
if [ "$1" = --max ]; then
    head -n "$2" "$3" >"$run/studies.txt"
else
    cp "$1" "$run/studies.txt"
fi

# Exit 3: something is missing or was kept back; it is named in the step's log, and the rest goes on.
step() {
    log=$run/$1.log
    shift
    "$@" --json >>"$log" 2>>"$log" || [ $? = 3 ]
}
step 1-pull dpipe-query --node "$STAGING" --aet "$LOCAL_AE" --studies --save -o raw "$run/studies.txt"
step 2-quarantine dpipe-filter --rules dicom-pipeline --link -o filtered --reject quarantine raw
step 3-anonymize dpipe-anon -m "$MAP" -p dicom-anon -o anon filtered
step 4-push dpipe-send --node "$RESEARCH" --aet "$LOCAL_AE" --journal sent.db --require-deidentified anon
