"""`make failback`: calls that nobody answers survive `kill -9` at any moment, and each is applied once.

First a process makes calls while nobody is there, and is killed again and again; each number it printed was answered
with success. Then a recorder that knows ids is there, and two processes on one file send what waits, while one of them
makes further calls; they are killed as well, until nothing waits. At the end the recorder must have seen the id of each
printed number, and no number under two ids. Durable records per second are measured by themselves.

Exit status: 0 all of it held, 1 something fell short. QUICK=1 makes a tenth of the calls.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.ports import free_port
from tests.failback.rate import durable_records_per_second

_ROOT = Path(__file__).parents[2]
_RATE = 5_000.0
_QUICK_RATE = 2_500.0
"""On machines that do other things at the same time, as those of CI do."""
_WAIT_S = 120.0
_RUN = 10_000_000
"""Numbers that one process may use."""


@dataclass
class Plan:
    calls: int
    kills_recording: int
    kills_resending: int
    further: int
    """Calls that are made while others are sent again."""
    rate_calls: int
    rate: float


FULL = Plan(100_000, 25, 25, 10_000, 20_000, _RATE)
QUICK = Plan(10_000, 5, 5, 1_000, 5_000, _QUICK_RATE)


class Fallen(Exception):
    """Something did not hold; the text says what."""


@dataclass
class Caller:
    """A process that makes calls. `answered`: the numbers whose calls were, read until its end."""

    process: subprocess.Popen[bytes]
    answered: list[int] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    reader: threading.Thread | None = None

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line == b"ready\n":
                self.ready.set()
            elif line == b"done\n":
                self.done.set()
            elif line.endswith(b"\n"):
                self.answered.append(int(line))
        self.ready.set()
        self.done.set()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(_WAIT_S)
        if self.reader is not None:
            self.reader.join(_WAIT_S)
        if self.process.stdout is not None:
            self.process.stdout.close()


class Proof:
    def __init__(self, plan: Plan, folder: Path, seed: int) -> None:
        self._plan = plan
        self._random = random.Random(seed)
        self._store = folder / "calls.db"
        self._ledger = folder / "ledger.db"
        self._runs = 0
        self._alive: list[Caller] = []
        self._recorder: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self.answered: set[int] = set()
        self.kills = [0, 0]

    def record(self) -> tuple[int, float]:
        """Makes calls nobody answers. How many wait then, and how many were kept per second."""
        busy = 0.0
        while True:
            left = self._plan.calls - len(self.answered)
            killing = self.kills[0] < self._plan.kills_recording
            if left <= 0 and not killing:
                break
            # As long as there are kills left each process gets a part, so that they hit while calls are made.
            part = max(left, 500)
            caller = self._start(part)
            began = time.monotonic()
            share = left / self._plan.calls * 2.0
            if killing and not caller.done.wait(self._random.uniform(0.0, max(0.2, share))):
                self.kills[0] += 1
            else:
                caller.done.wait(_WAIT_S)
                self.kills[0] += killing
            busy += time.monotonic() - began
            self._end(caller)
        waiting = self._waiting()
        if waiting < len(self.answered):
            raise Fallen(f"{len(self.answered)} calls were answered with success, and only {waiting} wait")
        return waiting, len(self.answered) / busy

    def resend(self) -> None:
        """Lets two processes send what waits, killing them now and then, until nothing waits."""
        self._start_recorder()
        callers = [self._start(self._plan.further), self._start(0)]
        deadline = time.monotonic() + 20 * _WAIT_S
        waiting = self._waiting()
        while self.kills[1] < self._plan.kills_resending or waiting:
            if time.monotonic() > deadline:
                raise Fallen(f"{waiting} calls still wait")
            time.sleep(self._random.uniform(0.0, 0.6))
            if self.kills[1] < self._plan.kills_resending:
                victim = self._random.randrange(2)
                self._end(callers[victim])
                self.kills[1] += 1
                callers[victim] = self._start(0 if waiting else 200)
            waiting = self._waiting()
        for caller in callers:
            caller.done.wait(_WAIT_S)
        while self._waiting():
            time.sleep(0.1)
            if time.monotonic() > deadline:
                raise Fallen(f"{self._waiting()} calls still wait")
        for caller in callers:
            self._end(caller)

    def count(self) -> tuple[int, int]:
        """Ids that the recorder has seen, and how many of them more than once. Raises Fallen when one is missing."""
        ledger = sqlite3.connect(self._ledger)
        rows = ledger.execute("SELECT number, times FROM seen").fetchall()
        ledger.close()
        numbers = {number for number, _ in rows}
        if lost := self.answered - numbers:
            raise Fallen(f"{len(lost)} calls were answered with success and never arrived, such as {min(lost)}")
        if len(numbers) != len(rows):
            raise Fallen(f"{len(rows) - len(numbers)} calls were applied twice, under another id")
        return len(rows), sum(times > 1 for _, times in rows)

    def _start(self, count: int) -> Caller:
        self._runs += 1
        where = [str(self._port), str(self._store), str(self._runs * _RUN), str(count)]
        process = _python("tests.failback.caller", *where)
        caller = Caller(process)
        caller.reader = threading.Thread(target=caller.read, daemon=True)
        caller.reader.start()
        self._alive.append(caller)
        if not caller.ready.wait(_WAIT_S) or process.poll() is not None:
            raise Fallen("a caller did not start")
        return caller

    def _end(self, caller: Caller) -> None:
        caller.kill()
        self._alive.remove(caller)
        self.answered.update(caller.answered)

    def _start_recorder(self) -> None:
        self._recorder = _python("tests.failback.recorder", str(self._port), str(self._ledger))
        assert self._recorder.stdout is not None
        if self._recorder.stdout.readline() != b"ready\n":
            raise Fallen("the recorder did not start")

    def _waiting(self) -> int:
        store = sqlite3.connect(f"file:{self._store}?mode=ro", uri=True, timeout=30.0)
        try:
            found: int = store.execute("SELECT count(*) FROM calls").fetchone()[0]
        finally:
            store.close()
        return found

    def close(self) -> None:
        for caller in tuple(self._alive):
            caller.kill()
        if self._recorder is not None:
            self._recorder.kill()
            self._recorder.wait(_WAIT_S)
            if self._recorder.stdout is not None:
                self._recorder.stdout.close()


def _python(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.failback.run", description=(__doc__ or "").partition("\n")[0])
    quick = os.environ.get("QUICK", "") not in ("", "0")
    parser.add_argument("--quick", action="store_true", default=quick, help="a tenth of the calls")
    parser.add_argument("--seed", type=int, default=None, help="of the moments of the kills")
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    seed = random.randrange(1_000_000) if options.seed is None else options.seed
    print(f"failback: seed {seed}", flush=True)
    began = time.monotonic()
    (_ROOT / ".cache").mkdir(exist_ok=True)
    # On the disk of this clone: a folder in memory would prove nothing.
    with tempfile.TemporaryDirectory(prefix="failback-", dir=_ROOT / ".cache") as folder:
        try:
            line, held = _prove(plan, Path(folder), seed)
        except Fallen as exc:
            line, held = str(exc), False
    print(f"failback {'passed' if held else 'FAILED'}: {line} ({time.monotonic() - began:.0f} s)")
    return 0 if held else 1


def _prove(plan: Plan, folder: Path, seed: int) -> tuple[str, bool]:
    rate = durable_records_per_second(plan.rate_calls, 5, folder)
    print(f"{rate:,.0f} durable records/s, {plan.rate:,.0f} are wanted", flush=True)
    proof = Proof(plan, folder, seed)
    try:
        waiting, kept = proof.record()
        print(
            f"{waiting} calls wait after {proof.kills[0]} kill -9, {kept:,.0f} calls/s were made and kept", flush=True
        )
        proof.resend()
        seen, again = proof.count()
    finally:
        proof.close()
    total = len(proof.answered)
    line = (
        f"{total} of {total} answered calls arrived and were applied once ({seen} ids seen, {again} more than once); "
        f"{proof.kills[0]} kill -9 while recording, {proof.kills[1]} while resending; "
        f"{rate:,.0f} durable records/s ({plan.rate:,.0f} wanted)"
    )
    return line, rate >= plan.rate and total >= plan.calls


if __name__ == "__main__":
    sys.exit(main())
