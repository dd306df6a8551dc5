#!/usr/bin/env bash
# Compiles the Go peers of redis:// and memcached:// into .cache/interop-go-cache. Does nothing when nothing changed; the
# first time it downloads their libraries, and a newer Go where the installed one is older than go.mod asks for. Go itself
# is installed through apt when it is missing and we are root.
# Exits with 3 when it cannot be had (tests then skip, or fail with CI=true), with 1 when the build fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-go-cache
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

wanted=$(cat "$here"/* | sha256sum)
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ] && command -v go >/dev/null; then
    exit 0
fi
"$root/tests/interop/apt.sh" "$cache/build.log" go:golang-go
version=$(go env GOVERSION)
if [[ $version =~ ^go1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -lt 21 ]; then
    echo "interop-go-cache: Go 1.21 or newer is needed, this is $version" >&2
    exit 3
fi
cd "$here"
GOTOOLCHAIN=auto GOFLAGS=-mod=readonly go build -o "$cache/peer" . >"$cache/build.log" 2>&1 || {
    tail -n 20 "$cache/build.log" >&2
    exit 1
}
echo "$wanted" >"$cache/built"
