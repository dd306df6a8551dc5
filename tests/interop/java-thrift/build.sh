#!/usr/bin/env bash
# Compiles the Java peers of thrift:// with the code that tests/interop/thrift generates, beside those of
# tests/interop/java, which bring the JDK and Maven. Does nothing when nothing changed.
# Exits with 3 when something cannot be had (tests then skip, or fail with CI=true), with 1 when the build fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-java
generated=$root/.cache/interop-thrift
log=$cache/build-thrift.log
mkdir -p "$cache"
exec 9>"$cache/lock-thrift"
flock 9 # several test processes may ask at once

"$here/../thrift/build.sh" 9>&-
"$here/../java/build.sh" 9>&-
wanted=$(find "$here" "$here/../java/pom.xml" "$here/../java/app/src/app/Checks.java" "$here/../java/app/src/app/Same.java" \
    "$here/../java/app/src/app/Options.java" "$here/../java/app/framework/app/Dubbo.java" \
    "$generated/built" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum)
if [ "$(cat "$cache/built-thrift" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
. "$here/../java/jdk.sh"
version=$(thrift --version)
version=${version##* }
# Dubbo needs a libthrift before 0.14, whose compiler wrote three calls otherwise.
older=$cache/sources/dubbo-27-thrift/demo
rm -rf "$older"
mkdir -p "$older"
for each in "$generated"/java/demo/*.java; do
    sed -E 's/iprot\.read(List|Set|Map)Begin\((org[^()]+)\)/new org.apache.thrift.protocol.T\1(\2, iprot.readI32())/' \
        "$each" >"$older/${each##*/}"
done
if ! mvn -B -ntp -f "$here/pom.xml" compile "-Dinterop.cache=$cache" "-Dthrift.version=$version" >"$log" 2>&1; then
    grep -E '^\[ERROR\]' "$log" | head -n 20 >&2 || true
    echo "interop-java-thrift: build failed, see $log" >&2
    exit 1
fi
echo "$wanted" >"$cache/built-thrift"
