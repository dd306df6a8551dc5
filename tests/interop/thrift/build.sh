#!/usr/bin/env bash
# Exports the demo services for Thrift and has Apache's compiler make code of them, in .cache/interop-thrift: idl, java,
# go, node, python and rust. Does nothing when nothing changed. The compiler is installed through apt when it is missing
# and we are root.
# Exits with 3 when it cannot be had (tests then skip, or fail with CI=true), with 1 when code cannot be made.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-thrift
log=$cache/build.log
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

cd "$root"
wanted=$(find tests/interop/thrift conf/demo.yaml adapters/thrift.py protocols/thrift gateway/contracts \
    gateway/demo gateway/model gateway/jsonform -type f -not -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ] && command -v thrift >/dev/null; then
    exit 0
fi
: >"$log"
"$root/tests/interop/apt.sh" "$log" thrift:thrift-compiler

failed() {
    tail -n 20 "$log" >&2
    echo "interop-thrift: $1, see $log" >&2
    exit 1
}
rm -rf "$cache/idl"
"$root/.venv/bin/polyport" export thrift conf/demo.yaml --output "$cache/idl" >>"$log" 2>&1 || failed "could not export"
generate() {
    rm -rf "${cache:?}/$1"
    mkdir "$cache/$1"
    # A warning is one of what we write.
    thrift -r --gen "$2" -out "$cache/$1" "$cache/idl/demo.thrift" >>"$log" 2>&1 || failed "no code for $1"
}
generate java java:generated_annotations=suppress
generate go go:package_prefix=polyport.interop/thrift/
generate node js:node,es6
generate python py
generate rust rs
# Examples of programs, which nobody builds.
rm -rf "$cache"/go/demo/*-remote
# Where generated code finds the library.
ln -sfn ../interop-node/node_modules "$cache/node_modules"
echo "$wanted" >"$cache/built"
