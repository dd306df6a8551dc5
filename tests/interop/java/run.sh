#!/usr/bin/env bash
# Runs a main class of one built module: run.sh MODULE CLASS [ARGUMENT...]
# JAVA_OPTS is passed to the virtual machine. The shell becomes the Java process (one pid to signal).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$here/../../.." && pwd)/.cache/interop-java
module=$1
class=$2
shift 2

. "$here/jdk.sh"
# hessian-lite 3 reads private fields of the JDK; without these it can serialize neither exceptions nor BigInteger.
# CXF 3.1, which Dubbo 2.7 uses, looks for the Authenticator of java.net.
opens=()
for package in java.lang java.lang.reflect java.math java.net java.util java.util.concurrent java.time; do
    opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
# shellcheck disable=SC2086 # JAVA_OPTS is a list
exec "$JAVA_HOME/bin/java" "${opens[@]}" \
    -Duser.timezone=UTC -Dfile.encoding=UTF-8 -Djava.net.preferIPv4Stack=true \
    -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -Xmx512m ${JAVA_OPTS:-} \
    -cp "$cache/$module/classes:$(cat "$cache/$module.classpath")" "$class" "$@"
