#!/usr/bin/env bash
# Copies the Node peers into .cache/interop-node and installs the packages that package-lock.json names.
# Does nothing when nothing changed. Installs Node and npm through apt when they are missing and we are root.
# Exits with 3 when they cannot be had (tests then skip, or fail with CI=true), with 1 when the packages cannot.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-node
log=$cache/build.log
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

wanted=$(cd "$here" && find . -type f -not -path './node_modules/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ] && command -v node >/dev/null; then
    exit 0
fi
: >"$log"
"$root/tests/interop/apt.sh" "$log" node:nodejs npm:npm
cp -r "$here/." "$cache/"
if ! (cd "$cache" && npm ci --ignore-scripts >>"$log" 2>&1); then
    tail -n 20 "$log" >&2
    echo "interop-node: could not install the packages, see $log" >&2
    exit 1
fi
echo "$wanted" >"$cache/built"
