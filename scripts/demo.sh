#!/bin/sh
# The main job, end to end: made-up studies (and the real series of ../shared where that folder stands) go by
# DICOM into dpipe-receive and by HTTP out of dpipe-upload, and back; a PACS is asked for one series, and a
# medium is written. Everything runs on free ports of the loopback interface. It ends with a table and checks
# what it claims; anything amiss: exit 1, and the folder stays.
# Usage: sh scripts/demo.sh [--keep]
set -eu
cd "$(dirname "$0")/.."
keep=${1:-}

sh scripts/setup.sh build demo
make programs >/dev/null
PATH="$PWD/build/bin:$PWD/build/tests:/usr/bin:$PATH"
home=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/dpipe-demo.XXXXXX")
cd "$work"
echo "demo: working in $work"

servers=
finish() {
    status=$?
    # shellcheck disable=SC2086 # a list of process ids
    [ -z "$servers" ] || kill $servers 2>/dev/null || true
    if [ "$status" = 0 ] && [ "$keep" != --keep ]; then
        cd / && rm -rf "$work"
    else
        echo "demo: everything is in $work"
    fi
    [ "$status" = 0 ] || echo "demo: FAILED" >&2
}
trap finish EXIT

# stage NAME COMMAND...: runs it, and notes how long it took.
stage() {
    name=$1
    shift
    start=$(date +%s%N)
    "$@" || { echo "demo: error: $name ended with $?" >&2; exit 1; }
    echo "$name $((($(date +%s%N) - start) / 1000000))" >>seconds
}

# wait_for FILE PATTERN: the part of FILE that a server writes once it listens.
wait_for() {
    for _ in $(seq 200); do
        found=$(sed -n "s/$2/\1/p" "$1" | head -n 1)
        [ -z "$found" ] || { echo "$found"; return; }
        sleep 0.05
    done
    echo "demo: error: no '$2' in $1" >&2
    exit 1
}

# --- what goes in ---------------------------------------------------------------------------------------
make-studies input --scale demo
real=$home/../shared/data/dicom/mainjob
for series in ct_head_93 ge_mr_fmri philips_ct_head philips_mr_t1 siemens_mr_fieldmap; do
    [ ! -d "$real/$series" ] || cp -r "$real/$series" input/
done
find input -name DIRFILE -delete      # a media index: nobody sends it
# Bare data sets, and one with bytes behind its end: the senders of DCMTK do not read them.
find input \( -name "no-*" -o -name "trailing-zeros*" \) -delete
chmod -R u+w input
find input -name '*.json' -prune -o -type f -print | sort >sent.list

# --- the pipe -------------------------------------------------------------------------------------------
(umask 077 && printf 'secret\n' >password)
python3 "$home/scripts/demo-api.py" --port 0 --username demo --password secret api >api.log 2>&1 &
servers="$servers $!"
dpipe-receive --port 0 --bind 127.0.0.1 --aet DEMO -o incoming >received.list 2>receive.log &
receiver=$!
servers="$servers $receiver"
api_port=$(wait_for api.log '.*127\.0\.0\.1:\([0-9]*\).*')
port=$(wait_for receive.log '.*listening on .*:\([0-9][0-9]*\) as.*')
dpipe-map init -q -m link.db >/dev/null

send() {
    grep '/ct/' sent.list | xargs storescu -aec DEMO 127.0.0.1 "$port" || return
    grep -v '/ct/' sent.list | xargs dcmsend -q -aec DEMO --decompress-never 127.0.0.1 "$port"
}
stage receive send
kill -TERM $receiver
wait $receiver || true

find_complete() { dpipe-watch --once --timeout 0.2 incoming >complete.list; }
sleep 0.3
stage watch find_complete

anonymize() {
    # Exit 3: documents and images with burned-in identity are kept back, as they should be.
    dpipe-anon -m link.db -o anon --report report.json - <complete.list >anon.list 2>anon.log || [ $? = 3 ]
}
stage anon anonymize

pack() { dpipe-zip -o zips - <anon.list >zips.list; }
stage zip pack

upload() {
    dpipe-upload --url "http://127.0.0.1:$api_port" --username demo --password-file password - <zips.list >uploaded.list
}
stage upload upload

restore() { dpipe-restore -m link.db --restore-key link.restore.key --level full -o restored - <anon.list >restored.list; }
stage restore restore

# --- a PACS, and a medium -------------------------------------------------------------------------------
sh "$home/scripts/demo-pacs.sh" .

# --- is it true? ----------------------------------------------------------------------------------------
python3 -B "$home/scripts/demo-check.py" .
