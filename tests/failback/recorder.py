"""The receiver that knows the ids: a ledger in a file, over dubbo:// at a given port.

python -m tests.failback.recorder PORT FILE
"""

from __future__ import annotations

import asyncio
import sys

from tests.support.running import hosting, running


async def main(port: int, file: str) -> None:
    ledger = f"\n    options: {{path: '{file}'}}"
    text = hosting("tests.support.ledger:Ledger", "tests.support.ledger:FileLedger", port=port, more=ledger)
    async with running(text):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
