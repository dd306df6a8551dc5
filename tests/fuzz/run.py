"""`make fuzz`: recorded, random and mutated input for every decoder; ends with `N of N targets clean`.

With QUICK=1 about half a minute, otherwise about ten. POLYPORT_FUZZ_SEED repeats a run, POLYPORT_FUZZ_SECONDS sets
the time for mutations. An input that breaks something is kept under `tests/fuzz/corpus`, which the ordinary tests
replay.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
import traceback

from tests.fuzz.mutation import Mutator
from tests.fuzz.target import TARGETS, Target

_QUICK = bool(os.environ.get("QUICK"))
_SECONDS = float(os.environ.get("POLYPORT_FUZZ_SECONDS", "20" if _QUICK else "480"))
_RANDOM_BYTES = 512
_SLOWEST_S = 1.0
_PROGRESS_S = 10.0


def main() -> int:
    """Runs all targets; 0 when all are clean."""
    seed = int(os.environ.get("POLYPORT_FUZZ_SEED", secrets.randbelow(1 << 32)))
    print(f"seed {seed} (POLYPORT_FUZZ_SEED={seed} repeats this run)", flush=True)
    signal.signal(signal.SIGPROF, _too_slow)
    shares = sum(target.share for target in TARGETS)
    clean = sum(_run(target, seed, _SECONDS * target.share / shares) for target in TARGETS)
    print(f"{clean} of {len(TARGETS)} targets clean")
    return 0 if clean == len(TARGETS) else 1


def _run(target: Target, seed: int, seconds: float) -> bool:
    mutator = Mutator(list(target.seeds()), target.dictionary, seed)
    random_rounds = target.random_rounds // (100 if _QUICK else 1)
    began = told = time.monotonic()
    rounds = 0
    try:
        for path in target.recorded():
            data = bytes.fromhex(path.read_text(encoding="ascii"))
            _timed(target, data)
        for rounds in range(1, random_rounds + 1):
            data = mutator.random(_RANDOM_BYTES)
            _timed(target, data)
            told = _progress(target, rounds, told)
        began_mutating = time.monotonic()
        while time.monotonic() - began_mutating < seconds:
            rounds += 1
            data = mutator.mutated()
            _timed(target, data)
            told = _progress(target, rounds, told)
    except Exception:
        traceback.print_exc()
        print(f"{target.name}: BROKEN by {target.record(data)}", flush=True)
        return False
    print(f"{target.name}: clean, {rounds} inputs in {time.monotonic() - began:.0f} s", flush=True)
    return True


def _timed(target: Target, data: bytes) -> None:
    # Counts this process's own time, and interrupts what would never end.
    signal.setitimer(signal.ITIMER_PROF, _SLOWEST_S)
    try:
        target.check(data)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _too_slow(*_: object) -> None:
    raise AssertionError(f"took more than {_SLOWEST_S:g} s")


def _progress(target: Target, rounds: int, told: float) -> float:
    now = time.monotonic()
    if now - told < _PROGRESS_S:
        return told
    print(f"  {target.name}: {rounds} inputs …", flush=True)
    return now


if __name__ == "__main__":
    sys.exit(main())
