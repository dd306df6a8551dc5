#!/usr/bin/env bash
# Installs the client generator into a virtual environment below .cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../venv.sh" openapi "$here/requirements.txt"
