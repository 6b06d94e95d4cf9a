#!/bin/sh
# What PACSIFIER does, from a query file to media, by its own query.csv and config.json:
#   pacsifier.sh query.csv config.json
# raw/ gets what was retrieved and a CSV beside each series, anon/ the same de-identified, media/ that under short names
# with its DICOMDIR. The same command again does what is missing.
set -eu
: "${MAP:=keys/link.db}"

# Exit 3: something is missing or was kept back; it is named, and the rest goes on.
most_of() {
    "$@" || [ $? = 3 ]
}

# pacsifier --save --info
most_of dpipe-query --config "$2" --queryfile "$1" --out_directory raw --save --info >retrieved.log

# anonymize_Dicoms.py --delete_identifiable; new codes are those of the query file's column new_ids, where it has one
most_of dpipe-filter --rules pacsifier --link -o filtered --report kept-back.jsonl raw >filtered.log
set -- -m "$MAP" -p pacsifier -o anon
[ ! -e raw/new_ids.json ] || set -- "$@" --new-ids raw/new_ids.json
most_of dpipe-anon "$@" filtered >anon.log

# create_DICOMDIR.py
dpipe-dicomdir --update -o media anon
