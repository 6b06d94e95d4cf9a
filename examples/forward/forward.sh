#!/bin/sh
# One complete, de-identified study to every node that is enabled in nodes.json. For dpipe-watch, which calls it until
# it ends with 0 and then never again; what a node has is not sent to it twice, so one that was away gets only the rest:
#   */5 * * * * cd /srv/study && flock -n .lock dpipe-watch --once --timeout 300 --exec './forward.sh {}' anon
set -eu
: "${NODES:=forward/nodes.json}" "${AET:=GATE}" "${JOURNAL:=forward.db}"

exec dpipe-send -q --nodes "$NODES" --all-nodes --aet "$AET" --journal "$JOURNAL" --require-deidentified "$1" >>forwarded.log
