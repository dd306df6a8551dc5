"""How many calls per second become durable: the record is written, its file synchronised, its caller told."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import tempfile
import time
from pathlib import Path
from random import Random

from gateway.cluster.failback import new_call_id
from gateway.contracts import contract_of
from gateway.failback.outbox import Outbox
from gateway.failback.pace import Pacing
from gateway.failback.sqlite_store import SqliteStore
from gateway.model.call import Invocation, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ConnectFailed
from tests.support.ledger import Ledger

__all__ = ["durable_records_per_second"]

_CALLERS = 1024
_CONTRACT = contract_of(Ledger)


def durable_records_per_second(count: int, rounds: int, folder: Path) -> float:
    """The median of several rounds with `count` calls each, on the disk of `folder`."""
    return statistics.median(asyncio.run(_round(count, folder)) for _ in range(rounds))


async def _round(count: int, folder: Path) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        store = SqliteStore(Path(place) / "calls.db", 10 * count, 1 << 40)
        # Nothing is due before the end: what is measured is keeping.
        outbox = Outbox(store, Pacing(interval_s=3600.0, max_interval_s=3600.0), 86400.0, lambda *_: None)
        box = outbox.box("ledger", _CONTRACT)
        box.attach(_nobody, 1.0)
        await outbox.start()
        (apply,) = _CONTRACT.methods
        service, error = ServiceKey(_CONTRACT.name), ConnectFailed("refused")
        numbers, random_bits = itertools.count(), Random().getrandbits

        async def keep() -> None:
            while (number := next(numbers)) < count:
                await box.record(Invocation(service, "apply", (number,), apply), new_call_id(random_bits), error, None)

        began = time.perf_counter()
        await asyncio.gather(*(keep() for _ in range(_CALLERS)))
        took = time.perf_counter() - began
        kept = (await store.tally())["ledger"].waiting
        await outbox.aclose()
    assert kept == count, f"{kept} of {count} calls were kept"
    return count / took


async def _nobody(_: Invocation) -> Result:
    raise ConnectFailed("refused")
