#!/usr/bin/env bash
# Installs programs and files that are missing: apt.sh LOG PROGRAM:PACKAGE… /A/FILE:PACKAGE…
# Exits with 3 when one cannot be had: no apt, not root, or no such package.
set -euo pipefail
log=$1
shift
packages=()
look() {
    packages=()
    for each in "$@"; do
        [ -f "${each%%:*}" ] || command -v "${each%%:*}" >/dev/null || packages+=("${each#*:}")
    done
    [ ${#packages[@]} -gt 0 ]
}
look "$@" || exit 0

unavailable() {
    echo "interop: $1" >&2
    exit 3
}
command -v apt-get >/dev/null || unavailable "missing: ${packages[*]}; there is no apt-get here, install by hand"
[ "$(id -u)" -eq 0 ] || unavailable "missing: ${packages[*]}; run as root, or: sudo apt-get install ${packages[*]}"
# One after the other, longer than apt waits for its own lock; what was started with a package must not keep ours.
exec 8>"${TMPDIR:-/tmp}/polyport-apt.lock"
flock 8
look "$@" || exit 0
echo "interop: installing through apt: ${packages[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
# A failed update need not matter: the lists of yesterday may still do.
apt-get -o DPkg::Lock::Timeout=120 update -qq >>"$log" 2>&1 8>&- || echo "interop: apt-get update failed, trying without" >&2
if ! apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${packages[@]}" >>"$log" 2>&1 8>&-; then
    tail -n 20 "$log" >&2
    unavailable "could not install ${packages[*]}, see $log"
fi
