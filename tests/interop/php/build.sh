#!/usr/bin/env bash
# Installs PHP and its SOAP extension through apt when they are missing and we are root.
# Exits with 3 when they cannot be had (tests then skip, or fail with CI=true).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cache=$root/.cache/interop-php
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

has_soap() { php -r 'exit(extension_loaded("soap") ? 0 : 1);' 2>/dev/null; }

has_soap && exit 0
# No program is called as the extension is, so it is installed.
"$root/tests/interop/apt.sh" "$cache/build.log" php:php-cli php-extension-soap:php-soap
has_soap || {
    echo "interop-php: installed php-soap, and PHP still has no SoapClient" >&2
    exit 3
}
