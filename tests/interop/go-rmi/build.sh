#!/usr/bin/env bash
# Compiles the Go client of rmi:// into .cache/interop-go-rmi. Does nothing when nothing changed; the first time it
# downloads og-rek. Go itself is installed through apt when it is missing and we are root.
# Exits with 3 when it cannot be had (tests then skip, or fail with CI=true), with 1 when the build fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-go-rmi
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

wanted=$(cat "$here"/* "$here/../go/checks.go" | sha256sum)
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ] && command -v go >/dev/null; then
    exit 0
fi
"$root/tests/interop/apt.sh" "$cache/build.log" go:golang-go
rm -rf "$cache/source"
mkdir "$cache/source"
cp "$here"/*.go "$here"/go.* "$here/../go/checks.go" "$cache/source"
cd "$cache/source"
GOTOOLCHAIN=local GOFLAGS=-mod=mod go build -o "$cache/client" . >&2
echo "$wanted" >"$cache/built"
