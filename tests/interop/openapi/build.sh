#!/usr/bin/env bash
# Installs the client generator into a virtual environment below .cache. Does nothing when it is there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-openapi
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
    echo "interop-openapi: could not install the generator, see $cache/build.log" >&2
    exit 1
fi
cp "$here/requirements.txt" "$cache/built"
