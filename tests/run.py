"""All tests: most of them beside each other, then those that measure, and a last line that counts all.

    python -m tests.run [PATH or option of pytest]...

Those that measure how much is done at a time have a processor each, those that measure how soon something happens have
the machine for themselves. Fails when a test did, and when one was skipped with CI=true. What each part found is
written to `.cache/tests`, in JUnit's form.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from tests.prepare import prepare

_ROOT: Final = Path(__file__).parents[1]
_FOLDER: Final = _ROOT / ".cache" / "tests"
_PROCESSORS: Final = os.cpu_count() or 1
# In their own order: files whose few tests take long (e2e, hostile, interop) come before the many short ones of unit,
# which then keep every worker busy until the end.
_BY_FILE: Final = ("--dist", "loadfile", "--no-loadscope-reorder")
_PARTS: Final = {
    # More than processors: most tests of processes and registries wait for others.
    "beside each other": ("-m", "not serial and not processor", "-n", str(2 * _PROCESSORS), *_BY_FILE),
    "on a processor each": ("-m", "processor and not serial", "-n", str(_PROCESSORS), *_BY_FILE),
    "one by one": ("-m", "serial"),
}
_NOTHING_TO_RUN: Final = 5
"""How pytest ends where no test is in the part of what was asked for."""


@dataclass(frozen=True)
class _Part:
    """`counts`: of JUnit's file."""

    code: int
    counts: Counter[str]
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Runs all parts; what the process shall end with."""
    reading = None if _FOLDER.exists() else _read_all()
    _FOLDER.mkdir(parents=True, exist_ok=True)
    prepare()
    if reading is not None:
        reading.wait()
    parts = {name: _run(name, options, arguments or _marked(options)) for name, options in _PARTS.items()}
    counts = sum((part.counts for part in parts.values()), Counter[str]())
    passed = counts["tests"] - counts["failures"] - counts["errors"] - counts["skipped"]
    failed = {part.code for part in parts.values()} - {0, _NOTHING_TO_RUN}
    took = ", ".join(f"{name} {part.seconds:.0f} s" for name, part in parts.items())
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{passed} of {counts['tests']} tests passed{skipped} ({took})", flush=True)
    return max(failed, default=0) or int(not passed)


def _read_all() -> subprocess.Popen[bytes]:
    """Has pytest read all tests once, which keeps them compiled; otherwise each worker of a first run would do that."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only"]
    return subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _marked(options: Sequence[str]) -> list[str]:
    """Where the tests of a part are that is about a mark; reading all others as well takes many seconds."""
    mark = options[options.index("-m") + 1].partition(" ")[0]
    if mark == "not":
        return []
    text = f"mark.{mark}("
    found = [each for each in sorted((_ROOT / "tests").rglob("*.py")) if text in each.read_text("utf-8")]
    return [str(each.parent if each.name == "conftest.py" else each) for each in found]


def _run(name: str, options: Sequence[str], arguments: Sequence[str]) -> _Part:
    report = _FOLDER / f"{name.replace(' ', '-')}.xml"
    report.unlink(missing_ok=True)
    began = monotonic()
    command = [sys.executable, "-m", "pytest", "-q", *options, f"--junitxml={report}", *arguments]
    code = subprocess.run(command, cwd=_ROOT, check=False).returncode
    counts: Counter[str] = Counter()
    if report.exists():
        for suite in ET.parse(report).getroot():
            counts.update({key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")})
    return _Part(code, counts, monotonic() - began)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
