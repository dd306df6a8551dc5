#!/usr/bin/env bash
# Installs packages that are peers into a virtual environment below .cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../venv.sh" python "$here/requirements.txt"
