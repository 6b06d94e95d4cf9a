#!/bin/sh
# Install what is missing of the groups of packages named (default: build), then stop.
# Usage: sh scripts/setup.sh [build] [demo] [test] [lint] [bench] [fuzz]
# Needs root, or sudo, only where something is missing.
set -eu
cd "$(dirname "$0")"

installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for group in "${@:-build}"; do
    packages=$(awk -v group="$group" '$1 == group { print $2 }' deps.txt)
    if [ -z "$packages" ]; then
        echo "setup: error: no group '$group' in scripts/deps.txt" >&2
        exit 2
    fi
    for package in $packages; do
        installed "$package" || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "setup: installing$missing" >&2

# Orthanc is a peer for tests: installing it must not start a service on this machine.
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$guard" >/dev/null
    $as_root chmod 755 "$guard"
    trap '$as_root rm -f "$guard"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
options="-qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3"
# shellcheck disable=SC2086 # both are lists of words
{
    $as_root apt-get $options update
    $as_root apt-get $options install -y --no-install-recommends $missing >/dev/null
}
