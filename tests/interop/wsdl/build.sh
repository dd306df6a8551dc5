#!/usr/bin/env bash
# Fetches WSDLs that others made, with package managers, into .cache/interop-wsdl: those of Apache CXF's tests, of ONVIF and
# of zeep's tests. Does nothing when they are there. Exits with 3 when Maven cannot be had, with 1 when fetching fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-wsdl
log=$cache/build.log
python=$root/.venv/bin/python
cxf=org.apache.cxf:cxf-testutils:4.0.5
packages=(onvif-zeep==0.2.12 zeep==4.3.2)
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once
if cmp -s "${BASH_SOURCE[0]}" "$cache/built"; then
    exit 0
fi
"$here/../apt.sh" "$log" mvn:maven

fetch() {
    rm -rf "$cache/fetched" "$cache/cxf" "$cache/python" || return
    mvn -q -B dependency:copy -Dartifact="$cxf" -DoutputDirectory="$cache/fetched" || return
    "$python" -m zipfile -e "$cache/fetched/cxf-testutils-${cxf##*:}.jar" "$cache/cxf" || return
    mkdir -p "$cache/python"
    # What they depend on is not needed to look into them.
    for each in "${packages[@]}"; do
        "$python" -m pip download -q --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation \
            -d "$cache/fetched" "$each" || return
    done
    for each in "$cache"/fetched/*.tar.gz; do
        "$python" -m tarfile -e "$each" "$cache/python" || return
    done
}

if ! fetch >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "interop-wsdl: could not fetch, see $log" >&2
    exit 1
fi
cp "${BASH_SOURCE[0]}" "$cache/built"
