#!/usr/bin/env bash
# Generates a Python client: generate.sh DOCUMENT FOLDER. Installs the generator into .cache/interop-openapi when first
# needed. Exits with 1, and says why, when the generator cannot make sense of any part of the document.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=$root/.cache/interop-openapi
"$here/build.sh"
output=$("$cache/venv/bin/openapi-python-client" generate --path "$1" --output-path "$2" --overwrite --meta none \
    --config "$here/generator.yaml" --fail-on-warning 2>&1) || {
    echo "$output" >&2
    exit 1
}
