#!/usr/bin/env bash
# Installs Perl's Redis and Cache::Memcached through apt when they are missing and we are root.
# Exits with 3 when they cannot be had (tests then skip, or fail with CI=true).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cache=$root/.cache/interop-perl
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

perl -MRedis -MCache::Memcached -MJSON::PP -e 1 2>/dev/null && exit 0
# No program is called as a module is, so it is installed.
"$root/tests/interop/apt.sh" "$cache/build.log" perl:perl perl-redis:libredis-perl perl-memcached:libcache-memcached-perl
