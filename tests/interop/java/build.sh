#!/usr/bin/env bash
# Compiles the Java peers into .cache/interop-java and lists their class paths there.
# Does nothing when no source changed. Installs a JDK, Maven and Debian's Hessian through apt when they are missing and we
# are root. Exits with 3 when they cannot be had (tests then skip, or fail with CI=true), with 1 when the build fails.
# Where there is no Debian, Maven Central has the same release of Hessian; with CI=true only Debian's will do.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-java
log=$cache/build.log
debian_hessian=/usr/share/java/hessian-4.0.38.jar

say() { echo "interop-java: $*" >&2; }

# What the peers need and cannot be had: tests that want them are skipped, with CI=true they fail.
unavailable() {
    say "$1"
    if [ "${CI:-}" = true ]; then
        say "with CI=true this is a failure"
    fi
    exit 3
}

has_jdk() { (. "$here/jdk.sh") 2>/dev/null; }

# The fixtures were recorded on 17; where a distribution has it no more, its own choice does.
jdk_package() {
    if [ -n "$(apt-cache search --names-only '^openjdk-17-jdk-headless$')" ]; then
        echo openjdk-17-jdk-headless
    else
        echo default-jdk-headless
    fi
}

install_missing() {
    local missing=() packages=()
    has_jdk || missing+=("a JDK, 17 or newer")
    command -v mvn >/dev/null || missing+=("Maven")
    [ ${#missing[@]} -eq 0 ] && return
    local named
    named=$(printf ', %s' "${missing[@]}")
    named=${named:2}
    if ! command -v apt-get >/dev/null; then
        unavailable "missing: $named; there is no apt-get here, install by hand"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        unavailable "missing: $named; run as root, or: sudo apt-get install openjdk-17-jdk-headless maven"
    fi
    say "installing through apt: $named"
    export DEBIAN_FRONTEND=noninteractive
    # A failed update need not matter: the lists of yesterday may still do.
    apt-get -o DPkg::Lock::Timeout=120 update -qq >>"$log" 2>&1 || say "apt-get update failed, trying without"
    has_jdk || packages+=("$(jdk_package)")
    command -v mvn >/dev/null || packages+=(maven)
    if ! apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${packages[@]}" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        unavailable "could not install ${packages[*]}, see $log"
    fi
    has_jdk || unavailable "installed ${packages[*]}, and still found no JDK 17 or newer"
}

install_hessian() {
    [ -f "$debian_hessian" ] && return
    if ! "$root/tests/interop/apt.sh" "$log" "$debian_hessian:libhessian-java" || [ ! -f "$debian_hessian" ]; then
        [ "${CI:-}" != true ] || unavailable "there is no $debian_hessian (libhessian-java)"
        say "no $debian_hessian (libhessian-java): taking that release from Maven Central"
    fi
}

# One line that changes whenever the build would give something else.
fingerprint() {
    cd "$root"
    find tests/interop/java conf/demo.yaml gateway/contracts gateway/demo gateway/model protocols/java.py \
        protocols/soap/{names,schema,shape,wsdl}.py tests/interop/write_wsdl.py \
        protocols/dubbo/idl.py protocols/dubbo/java_source.py -name target -prune -o -type f \
        \( -name '*.java' -o -name '*.py' -o -name '*.yaml' -o -name pom.xml -o -name build.sh \) -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum >"$cache/sources.sums"
    [ ! -f "$debian_hessian" ] || sha256sum "$debian_hessian" >>"$cache/sources.sums"
    sha256sum "$cache/sources.sums" | cut -d ' ' -f 1
}

# The peers are compiled against what any Dubbo consumer would be given.
export_demo() {
    local polyport=$root/.venv/bin/polyport
    rm -rf "$cache/demo"
    if ! "$polyport" export java "$root/conf/demo.yaml" --output "$cache/demo" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        say "could not export the demo services"
        exit 1
    fi
}

# What a listener gives to anybody who asks for ?wsdl.
export_wsdl() {
    if ! (cd "$root" && .venv/bin/python -m tests.interop.write_wsdl "$cache/wsdl") >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        say "could not write the WSDL of the demo services"
        exit 1
    fi
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

install_hessian
wanted=$(fingerprint)
if [ "$(cat "$cache/built" 2>/dev/null)" = "$wanted" ] && has_jdk; then
    exit 0
fi
: >"$log"
install_missing
. "$here/jdk.sh"
say "compiling with $JAVA_HOME (the first time this downloads from Maven Central)"
started=$SECONDS
export_demo
export_wsdl
write_sources_for_26
if ! mvn -B -ntp -f "$here/pom.xml" compile "-Dinterop.cache=$cache" "-Dinterop.demo=$cache/demo" >>"$log" 2>&1; then
    grep -E '^\[ERROR\]' "$log" | head -n 20 >&2 || true
    say "build failed, see $log"
    exit 1
fi
echo "$wanted" >"$cache/built"
say "done in $((SECONDS - started)) s"
