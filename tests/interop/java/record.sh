#!/usr/bin/env bash
# Records the samples of both hessian-lite oracles as fixtures under tests/wire/hessian/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(cd "$here/../../wire/hessian" && pwd)

"$here/build.sh"
for oracle in hl3:3.2.13 hl4:4.0.4; do
    version=${oracle#*:}
    "$here/run.sh" "oracle-${oracle%%:*}" oracle.Main record \
        "$out/hessian-lite-$version.jsonl" "hessian-lite $version on JDK 17"
    echo "recorded $out/hessian-lite-$version.jsonl" >&2
done
