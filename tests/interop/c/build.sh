#!/usr/bin/env bash
# Compiles the C peers of redis:// and memcached:// into .cache/interop-c. Does nothing when nothing changed. hiredis and
# libmemcached, with its tools, are installed through apt when they are missing and we are root.
# Exits with 3 when they cannot be had (tests then skip, or fail with CI=true), with 1 when the build fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-c
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

wanted=$(cat "$here"/* | sha256sum)
"$root/tests/interop/apt.sh" "$cache/build.log" gcc:gcc /usr/include/hiredis/hiredis.h:libhiredis-dev \
    /usr/include/libmemcached/memcached.h:libmemcached-dev memccat:libmemcached-tools
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
gcc -O1 -Wall -o "$cache/clients" "$here/cache_clients.c" -lhiredis -lmemcached >"$cache/build.log" 2>&1 || {
    tail -n 20 "$cache/build.log" >&2
    echo "interop-c: build failed, see $cache/build.log" >&2
    exit 1
}
echo "$wanted" >"$cache/built"
