#!/bin/sh
# The part of the demo with an archive and a medium: dcmqrscp gets studies by storescu, dpipe-query pulls one
# series out of them by a CSV, dpipe-dicomdir writes it to a medium. scripts/demo.sh runs it in its folder;
# scripts/demo-check.py checks what came of it.
# Usage: sh scripts/demo-pacs.sh [FOLDER]   (FOLDER has input/ and sent.list; the commands are in PATH)
set -eu
cd "${1:-.}"

archive=
finish() { [ -z "$archive" ] || kill "$archive" 2>/dev/null || true; }
trap finish EXIT

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# stage NAME COMMAND...: runs it, and notes how long it took.
stage() {
    name=$1
    shift
    start=$(milliseconds)
    "$@" || { echo "demo-pacs: error: $name ended with $?" >&2; exit 1; }
    echo "$name $(($(milliseconds) - start))" >>seconds
}

port=$(python3 -c 'import random; print(random.randrange(15000, 32000))')
mkdir -p archive
cat >archive.cfg <<END
NetworkTCPPort = $port
MaxPDUSize = 131072
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCHIVE $PWD/archive RW (1000, 10000mb) ANY
AETable END
END
dcmqrscp -c archive.cfg >archive.log 2>&1 &
archive=$!
for _ in $(seq 100); do
    echoscu -aec ARCHIVE 127.0.0.1 "$port" 2>/dev/null && break
    sleep 0.05
done

# Plain studies: this archive keeps no compressed instances.
grep -E '^input/study-[0-9]+/(ct|mr|report|rtstruct)' sent.list >archived.list
xargs storescu -aec ARCHIVE 127.0.0.1 "$port" <archived.list >>archive.log 2>&1

# The CT of one patient on one day; the archive holds more series of that study, and other patients.
value() { dcmdump -q +P "$1" "$(grep -m 1 /ct/ archived.list)" | sed -n 's/^[^[]*\[\([^]]*\)\].*/\1/p' | head -n 1; }
printf 'PatientID,StudyDate,Modality\n%s,%s,CT\n' "$(value 0010,0020)" "$(value 0008,0020)" >cohort.csv

pull() {
    dpipe-query --node "ARCHIVE@127.0.0.1:$port" --aet DEMO --save -o pulled cohort.csv >pulled.list 2>query.log
}
stage query pull

media() { dpipe-dicomdir -o media - <pulled.list >media.list; }
stage dicomdir media
