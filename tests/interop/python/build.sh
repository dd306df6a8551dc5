#!/usr/bin/env bash
# Installs packages that are peers into a virtual environment below .cache. Does nothing when they are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-python
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once
if cmp -s "$here/requirements.txt" "$cache/built"; then
    exit 0
fi
python=$root/.venv/bin/python
if ! { "$python" -m venv --clear "$cache/venv" &&
    "$cache/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"; } \
    >"$cache/build.log" 2>&1; then
    tail -n 20 "$cache/build.log" >&2
    echo "interop-python: could not install the packages, see $cache/build.log" >&2
    exit 1
fi
cp "$here/requirements.txt" "$cache/built"
