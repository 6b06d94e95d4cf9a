#!/bin/sh
# What PixieVeil, the DICOM Receiver and the ITH DICOM Proxy do, by the settings that their READMEs name:
#   receive.sh pixieveil|receiver|ith          receive, and take every study that is complete to the API, until stopped
#   receive.sh pixieveil|receiver|ith STUDY    take one study there: upload_study.py
# Killed at any instant and started again, every study arrives, and once. In the working folder: keys/link.db (made by
# dpipe-map init), and what is received, filtered, de-identified and packed.
set -eu
: "${MAP:=keys/link.db}"

system=$1
timeout=60 aet=DICOMRCV port=11112 cleanup=
case $system in
pixieveil)
    url=${REMOTE_URL:?base_url of the remote storage} api=pixieveil
    DPIPE_TOKEN=${AUTH_TOKEN:?auth_token of the remote storage}
    timeout=${COMPLETION_TIMEOUT:-120} aet=${AE_TITLE:-PIXIEVEIL} port=${PORT:-$port}
    ;;
receiver)
    url=${DICOM_RECEIVER_API_URL:-http://localhost:8000/api} api=generic
    DPIPE_TOKEN=${DICOM_RECEIVER_API_TOKEN:-} DPIPE_PASSWORD=${DICOM_RECEIVER_API_PASSWORD:-}
    timeout=${DICOM_RECEIVER_TIMEOUT:-$timeout} aet=${DICOM_RECEIVER_AE_TITLE:-$aet} port=${DICOM_RECEIVER_PORT:-$port}
    cleanup=${DICOM_RECEIVER_CLEANUP_AFTER_UPLOAD:-}
    ;;
ith)
    url=${ITH_URL:?}/api/v1/proxy/${ITH_WORKSPACE:?} api=ith
    DPIPE_TOKEN=${ITH_TOKEN:?}
    timeout=${DICOM_STUDY_TIMEOUT:-$timeout} aet=${DICOM_AE_TITLE:-$aet} port=${DICOM_PORT:-$port}
    ;;
*) echo "receive.sh: error: pixieveil, receiver or ith, not $system" >&2 && exit 2 ;;
esac
export DPIPE_TOKEN DPIPE_PASSWORD

# Exit 3: instances were kept back, as they should be. They are named in the log; the others go on.
stage() {
    "$@" --log-file study.log -q || [ $? = 3 ]
}

take() {
    kept=$(stage dpipe-filter --rules "$system" --link -o filtered "$1")
    [ -n "$kept" ] || return 0
    anon=$(stage dpipe-anon -m "$MAP" -p "$system" -o anon "$kept")
    [ -n "$anon" ] || return 0
    zips=$(echo "$anon" | dpipe-zip -q --overwrite --log-file study.log -o zips -)
    set -- -q --log-file study.log --url "$url" --api "$api"
    [ -z "${DICOM_RECEIVER_API_USERNAME:-}" ] || set -- "$@" --username "$DICOM_RECEIVER_API_USERNAME"
    [ "$cleanup" != true ] || set -- "$@" --remove-source
    echo "$zips" | dpipe-upload "$@" - >>uploaded.log
    # What was received stays: it goes by a rule of its own, not because it was sent.
    [ "$cleanup" != true ] || echo "$kept
$anon" | while read -r folder; do rm -rf "$folder"; done
}

if [ $# -gt 1 ]; then
    take "$2"
    exit
fi
dpipe-receive --aet "$aet" --port "$port" -o incoming >>received.log &
receive=$!
mkdir -p incoming
dpipe-watch incoming --timeout "$timeout" --exec "'$0' $system {}" &
watch=$!
trap 'kill "$receive" "$watch" 2>/dev/null' TERM INT EXIT
wait "$watch"
