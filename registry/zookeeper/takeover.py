"""What a process that died left behind in ZooKeeper, taken back by the one that was started again in its place.

The nodes of a process that was killed stand until its session expires, beside those of the next one. A Java consumer
then keeps the dead connection to the address for the new provider, and tries it again after a minute. When the old node
is seen to go first, it closes that connection, and makes another for the new one.

Only ephemeral nodes of other sessions are deleted, of the same application, at addresses at which this process listens,
so nobody else does. Where two machines have one address all the same, whoever is alive makes its node again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from gateway.model.endpoint import Endpoint, Identity
from registry.entries import PROVIDERS, read_providers
from registry.slice import Slice
from registry.zookeeper.layout import category_path, encode_name
from registry.zookeeper.session import Session
from registry.zookeeper.watch import read_names

__all__ = ["take_over"]

_LOG: Final = logging.getLogger("polyport.registry.zookeeper")
_AT_ONCE: Final = 64
_SEEN_S: Final = 1.0
"""Long enough for consumers to be told, to look, and to close their connections."""
_APPLICATION: Final = "application"


async def take_over(
    session: Session,
    root: str,
    endpoints: Sequence[Endpoint],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Deletes what is left there of these providers, and gives their consumers a moment to see it.

    Raises:
        RegistryError: it cannot be asked, or does not allow it.
    """
    by_interface: dict[str, list[Endpoint]] = {}
    for each in endpoints:
        by_interface.setdefault(each.service.interface, []).append(each)
    pace, count = Slice(), 0
    services = list(by_interface)
    for start in range(0, len(services), _AT_ONCE):
        steps = (
            _delete_left(session, category_path(root, each, PROVIDERS), by_interface[each], pace)
            for each in services[start : start + _AT_ONCE]
        )
        count += sum(await asyncio.gather(*steps))
    if count:
        _LOG.warning("registry zookeeper: %d providers were left by a process that ended without a word", count)
        await sleep(_SEEN_S)


async def _delete_left(session: Session, folder: str, own: Sequence[Endpoint], pace: Slice) -> int:
    expected = {each.identity: each.parameters.get(_APPLICATION) for each in own}
    marks = {encode_name(each.address) for each in own}
    count = 0
    for name in await session.children(folder) or ():
        await pace.breathe()
        if not any(mark in name for mark in marks):
            # Of a thousand providers one is read.
            continue
        found, _ = read_names([name], partial(read_providers, service=None))
        if not any(_is_left(each, expected) for each in found):
            continue
        path = f"{folder}/{name}"
        state = await session.stat(path)
        if state is not None and state.owner not in (0, session.session_id):
            await session.delete(path)
            count += 1
    return count


def _is_left(there: Endpoint, expected: Mapping[Identity, str | None]) -> bool:
    application = expected.get(there.identity)
    return bool(application) and there.parameters.get(_APPLICATION) == application
