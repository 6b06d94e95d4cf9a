#!/bin/sh
# One complete study through the pipe: de-identified, packed, uploaded. For dpipe-watch, which calls it until it
# ends with 0 and then never again, even where the machine stops in between:
#   */5 * * * * cd /srv/study && flock -n .lock dpipe-watch --once --timeout 300 --exec './study.sh {}' incoming
# Each stage ends before the next begins, so that no half-made study travels on; each skips what is done.
set -eu
: "${URL:=https://api.example.org/api}" "${MAP:=keys/link.db}" "${PASSWORD_FILE:=keys/password}"

# Exit 3: instances were kept back, as they should be. They are named in the log; the others go on.
anon=$(dpipe-anon -m "$MAP" -o anon --log-file study.log -q "$1") || [ $? = 3 ]
[ -n "$anon" ] || exit 0
zips=$(echo "$anon" | dpipe-zip -q -o zips -)
echo "$zips" | dpipe-upload -q --url "$URL" --username study --password-file "$PASSWORD_FILE" - >>uploaded.log
