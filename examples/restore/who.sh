#!/bin/sh
# Give identities back, to whoever holds the restore key. Every use is written to keys/link.audit.jsonl.
#   who.sh code sub-007            who is it?
#   who.sh images OUT anon/sub-007 copies of these instances as they came in
#   who.sh table <results.json     the same table with the names and ids of the patients
set -eu
: "${MAP:=keys/link.db}" "${RESTORE_KEY:=keys/link.restore.key}"

what=$1
shift
case $what in
code) dpipe-map lookup -m "$MAP" --restore-key "$RESTORE_KEY" --pseudonym "$1" --json ;;
images)
    out=$1
    shift
    dpipe-restore -m "$MAP" --restore-key "$RESTORE_KEY" --level full -o "$out" "$@"
    ;;
table) dpipe-restore -m "$MAP" --restore-key "$RESTORE_KEY" --filter-json ;;
*) echo "who.sh: error: code, images or table, not $what" >&2 && exit 2 ;;
esac
