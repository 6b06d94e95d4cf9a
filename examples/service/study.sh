#!/bin/sh
# One complete study from received to uploaded. dpipe-watch calls it again until it ends with 0, so whatever was
# killed, full or away in between costs time and no study. Each stage ends before the next begins, and skips what is
# done. Beside it, in the working folder: keys/link.db, keys/password, and rules.json (made from `dpipe-filter
# --print-rules`) or the name of ready-made rules in RULES.
set -eu
: "${URL:=https://api.example.org/api}" "${MAP:=keys/link.db}" "${PASSWORD_FILE:=keys/password}" "${RULES:=identifiable}"
: "${API_USER:=study}"

# Exit 3 of the first two: instances were kept back, as they should be. They are named in the log; the others go on.
stage() {
    "$@" --log-file study.log -q || [ $? = 3 ]
}
kept=$(stage dpipe-filter --rules "$RULES" --link -o filtered "$1")
[ -n "$kept" ] || exit 0
anon=$(stage dpipe-anon -m "$MAP" -o anon "$kept")
[ -n "$anon" ] || exit 0
# A study that came in again, with more instances, replaces its ZIP and is sent again.
zips=$(echo "$anon" | dpipe-zip -q --overwrite --log-file study.log -o zips -)
echo "$zips" | dpipe-upload -q --log-file study.log --url "$URL" --username "$API_USER" \
    --password-file "$PASSWORD_FILE" - >>uploaded.log
