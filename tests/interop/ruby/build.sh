#!/usr/bin/env bash
# Installs Ruby and its redis through apt when it is missing and we are root.
# Exits with 3 when it cannot be had (tests then skip, or fail with CI=true).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cache=$root/.cache/interop-ruby
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

ruby -e 'require "redis"; require "json"' 2>/dev/null && exit 0
# No program is called as a library is, so it is installed.
"$root/tests/interop/apt.sh" "$cache/build.log" ruby:ruby ruby-redis:ruby-redis
