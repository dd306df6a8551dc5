#!/usr/bin/env bash
# Installs PHP and its extensions soap, redis and memcached through apt when they are missing and we are root.
# Exits with 3 when they cannot be had (tests then skip, or fail with CI=true).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cache=$root/.cache/interop-php
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

has() { php -r 'exit(extension_loaded($argv[1]) ? 0 : 1);' "$1" 2>/dev/null; }

missing=()
for each in soap redis memcached; do
    has "$each" || missing+=("php-extension-$each:php-$each") # no program is called as the extension is, so it is installed
done
[ ${#missing[@]} -eq 0 ] && exit 0
"$root/tests/interop/apt.sh" "$cache/build.log" php:php-cli "${missing[@]}"
for each in soap redis memcached; do
    has "$each" || {
        echo "interop-php: installed php-$each, and PHP still has no extension $each" >&2
        exit 3
    }
done
