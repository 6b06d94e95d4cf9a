#!/bin/sh
# Refuse an include against the order of the rooms:
#   core <- dicom <- net, pseudonym, archive, filter, upload, watch <- deid, retrieve, send <- cli <- apps
# Sisters do not include each other, and foreign libraries stay out of the headers.
# Usage: sh scripts/check-layers.sh [ROOT]      (a test runs it, on the tree and on broken ones)
set -eu
cd "${1:-$(dirname "$0")/..}"

# What a room may include besides itself.
rooms_below() {
    case $1 in
        core) ;;
        dicom) echo core ;;
        net | pseudonym | archive | filter | upload | watch) echo core dicom ;;
        deid | retrieve | send) echo core dicom net pseudonym archive filter upload watch ;;
        cli) echo core dicom net pseudonym archive filter upload watch deid retrieve send ;;
        apps) echo core dicom net pseudonym archive filter upload watch deid retrieve send cli ;;
        *) return 1 ;;
    esac
}

# Headers that say "private to" what they serve: only these may show a foreign library.
seams='net/association_impl.hpp net/dul_connection.hpp pseudonym/map_impl.hpp'
foreign='<(dcmtk/|CLI/|SQLiteCpp/|sqlite3|zip\.h|curl/|openssl/|sodium|re2/|zlib\.h|nlohmann/json\.hpp)'

bad=0
refuse() {
    echo "check-layers: error: $1" >&2
    bad=1
}

for folder in libdcmpipe/*/ apps/; do
    room=$(basename "$folder")
    if ! below=$(rooms_below "$room"); then
        refuse "no place in the order for the room '$room'"
        continue
    fi
    includes=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$folder" | sed -E 's/^([^:]*:[^:]*):[^"]*"([^"]*)".*/\1 \2/')
    while read -r place header; do
        [ -n "$place" ] || continue
        target=${header%%/*}
        case $header in
            ../* | ./*) refuse "$place: a path to '$header': name it by its room" ;;
            */*) case " $room $below " in
                *" $target "*) ;;
                *) refuse "$place: $room must not include '$header'" ;;
            esac ;;
            commands.inc) ;; # made by apps/CMakeLists.txt, for the list in dpipe
            *) refuse "$place: '$header' names no room" ;;
        esac
    done <<LIST
$includes
LIST
done

for header in $(grep -rlE --include="*.hpp" "^[[:space:]]*#[[:space:]]*include[[:space:]]*$foreign" libdcmpipe || true); do
    case " $seams " in
        *" ${header#libdcmpipe/} "*) ;;
        *) refuse "$header: a foreign library in a header" ;;
    esac
done
exit $bad
