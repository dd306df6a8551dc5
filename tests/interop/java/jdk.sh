# Sourced: sets JAVA_HOME to a JDK 17 or newer, 17 preferred (the fixtures were recorded on it).
jdk_is_usable() {
    [ -x "$1/bin/javac" ] && [ "$("$1/bin/javac" -version 2>&1 | sed -E 's/^javac ([0-9]+).*/\1/')" -ge 17 ]
}

find_jdk() {
    local candidate
    for candidate in "${POLYPORT_JAVA_HOME:-}" /usr/lib/jvm/java-17-openjdk-* "${JAVA_HOME:-}" /usr/lib/jvm/*; do
        if [ -n "$candidate" ] && jdk_is_usable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    if command -v javac >/dev/null; then
        candidate=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
        if jdk_is_usable "$candidate"; then
            echo "$candidate"
            return
        fi
    fi
    return 1
}

JAVA_HOME=$(find_jdk) || {
    echo "no JDK 17 or newer found" >&2
    return 1
}
export JAVA_HOME
