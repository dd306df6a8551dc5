"""Makes calls by the mode failback until it is killed, and says which of them were answered with success.

    python -m tests.failback.caller PORT STORE FIRST COUNT

Calls numbers FIRST … FIRST + COUNT - 1 at the ledger of 127.0.0.1:PORT, many at a time, and prints each number once its
call was answered: from then on it must not be lost. What waits in the file STORE it sends again all the while.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import sys
from collections.abc import Iterator

from gateway import connect
from tests.support.ledger import Ledger

_CONCURRENCY = 256


async def main(port: int, store: str, first: int, count: int) -> None:
    settings = {"path": store, "interval": 0.05, "max_interval": 0.5, "rate": 0, "concurrency": 64, "limit": 1_000_000}
    client = connect(f"dubbo://127.0.0.1:{port}", Ledger, cluster="failback", failback=settings, timeout_s=5.0)
    numbers = itertools.count(first)
    async with client as ledger:
        print("ready", flush=True)
        await asyncio.gather(*(_call(ledger, numbers, first + count) for _ in range(min(count, _CONCURRENCY))))
        print("done", flush=True)
        await asyncio.Event().wait()


async def _call(ledger: Ledger, numbers: Iterator[int], end: int) -> None:
    while (number := next(numbers)) < end:
        await ledger.apply(number)
        # Not through a buffer: what was written is out, however this process ends.
        os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    logging.getLogger("polyport").setLevel(logging.CRITICAL)
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
