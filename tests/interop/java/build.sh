#!/usr/bin/env bash
# Compiles the Java peers into .cache/interop-java and lists their class paths there.
# Does nothing when no source changed. Installs a JDK and Maven through apt when they are missing and we are root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$(cd "$here/../../.." && pwd)/.cache/interop-java
log=$cache/build.log

say() { echo "interop-java: $*" >&2; }

install_missing() {
    local packages=()
    (. "$here/jdk.sh") 2>/dev/null || packages+=(openjdk-17-jdk-headless)
    command -v mvn >/dev/null || packages+=(maven)
    [ ${#packages[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "missing: ${packages[*]} (install them, or run as root)"
        exit 3
    fi
    say "installing ${packages[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >>"$log" 2>&1 ||
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >>"$log" 2>&1 ||
        { tail -n 20 "$log" >&2 && say "could not install ${packages[*]}" && exit 3; }
}

# One line that changes whenever the build would give something else.
fingerprint() {
    (cd "$here" && find . -name target -prune -o \( -name '*.java' -o -name 'pom.xml' -o -name 'build.sh' \) -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
}

# Dubbo 2.6 has the same classes in another package.
write_sources_for_26() {
    local target=$cache/sources/dubbo-26/app
    mkdir -p "$target"
    sed 's/org\.apache\.dubbo/com.alibaba.dubbo/g' "$here/app/framework/app/Dubbo.java" >"$target/Dubbo.java"
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # several test processes may ask at once

wanted=$(fingerprint)
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
: >"$log"
install_missing
. "$here/jdk.sh"
say "compiling with $JAVA_HOME (first time: downloading from Maven Central)"
started=$SECONDS
write_sources_for_26
if ! mvn -B -ntp -f "$here/pom.xml" compile "-Dinterop.cache=$cache" "-Dinterop.demo=$here/src-demo" >>"$log" 2>&1; then
    grep -E '^\[ERROR\]' "$log" | head -n 20 >&2
    say "build failed, see $log"
    exit 1
fi
echo "$wanted" >"$cache/built"
say "done in $((SECONDS - started)) s"
