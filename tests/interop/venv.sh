#!/usr/bin/env bash
# Installs packages into a virtual environment: venv.sh NAME REQUIREMENTS; it is .cache/interop-NAME/venv.
# Does nothing when they are there.
set -euo pipefail
name=$1
requirements=$2
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=$root/.cache/interop-$name
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once
if cmp -s "$requirements" "$cache/built"; then
    exit 0
fi
python=$root/.venv/bin/python
if ! { "$python" -m venv --clear "$cache/venv" &&
    "$cache/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"; } \
    >"$cache/build.log" 2>&1; then
    tail -n 20 "$cache/build.log" >&2
    echo "interop-$name: could not install the packages, see $cache/build.log" >&2
    exit 1
fi
cp "$requirements" "$cache/built"
