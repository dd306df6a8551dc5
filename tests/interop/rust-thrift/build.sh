#!/usr/bin/env bash
# Compiles the Rust peer of thrift:// into .cache/interop-rust-thrift, with the code that tests/interop/thrift generates.
# Does nothing when nothing changed; the first time it downloads Apache's library. Rust is installed through apt when it
# is missing and we are root.
# Exits with 3 when it cannot be had (tests then skip, or fail with CI=true), with 1 when the build fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-rust-thrift
generated=$root/.cache/interop-thrift
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

"$here/../thrift/build.sh" 9>&-
wanted=$(cat "$here"/*.* "$here"/src/* "$generated/built" | sha256sum)
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
"$root/tests/interop/apt.sh" "$cache/build.log" cargo:cargo
rm -rf "$cache/source"
mkdir "$cache/source"
cp -r "$here/Cargo.toml" "$here/src" "$cache/source"
cp "$generated/rust/demo.rs" "$cache/source/src"
cd "$cache/source"
CARGO_TARGET_DIR=$cache/target cargo build --quiet >"$cache/build.log" 2>&1 || {
    tail -n 20 "$cache/build.log" >&2
    exit 1
}
cp "$cache/target/debug/rust-thrift" "$cache/peer"
echo "$wanted" >"$cache/built"
