#!/usr/bin/env bash
# Compiles a client with what gSOAP makes of the WSDL of demo.Catalog into .cache/interop-gsoap. Does nothing when nothing
# changed. gSOAP is installed through apt when it is missing and we are root.
# Exits with 3 when it cannot be had (tests then skip, or fail with CI=true), with 1 when the build fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-gsoap
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

cd "$root"
.venv/bin/python -m tests.interop.write_wsdl "$cache/wsdl"
wanted=$(cat "$here"/* "$cache/wsdl/demo.Catalog.wsdl" | sha256sum)
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
"$root/tests/interop/apt.sh" "$cache/build.log" gcc:gcc wsdl2h:gsoap /usr/include/stdsoap2.h:libgsoap-dev
cd "$cache"
if ! { wsdl2h -c -o catalog.h wsdl/demo.Catalog.wsdl && soapcpp2 -c -C -L -1 -w -x -I/usr/share/gsoap/import catalog.h &&
    gcc -O0 -I. -o client "$here/client.c" soapC.c soapClient.c -lgsoap; } >build.log 2>&1; then
    tail -n 20 build.log >&2
    echo "interop-gsoap: build failed, see $cache/build.log" >&2
    exit 1
fi
echo "$wanted" >built
