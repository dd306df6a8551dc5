"""Coverage-guided fuzzing of one target with atheris, for long campaigns.

    python -m tests.fuzz.guided hessian -runs=1000000


Needs the extra `fuzz`. Further arguments are libFuzzer's.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["protocols", "gateway"]):
    from tests.fuzz.target import TARGETS


def main() -> None:
    """Runs the target named first until it breaks or libFuzzer's limits are reached."""
    targets = {target.name: target for target in TARGETS}
    if len(sys.argv) < 2 or sys.argv[1] not in targets:
        sys.exit(f"usage: python -m tests.fuzz.guided {'|'.join(targets)} [libFuzzer options]")
    target = targets[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds()):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, folder], target.check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
