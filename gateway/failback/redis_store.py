"""The store that several gateways share: streams of a Redis server. Needs the package redis (`polyport[redis]`).

What is kept is as durable as that server is: with `appendonly yes` and `appendfsync always` a call that was kept has
reached its disk, with `everysec` the last second can be lost together with the machine, and without an append-only file
everything. A replica takes over without what it has not received yet; `min-replicas-to-write` bounds that, while `WAIT`
would only tell afterwards. Memory policies that evict keys must not be used.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.failback import redis_script
from gateway.spi.failback import StoredCall, StoreError, Tally
from gateway.telemetry.logs import shorten

__all__ = ["RedisStore"]

_T = TypeVar("_T")
_LOG: Final = logging.getLogger("polyport.failback")
_CONNECT_S: Final = 2.0
_ANSWER_S: Final = 5.0
_CONNECTIONS: Final = 16
_FAR_MS: Final = 7 * 86_400_000
"""The idle time at which an entry is due; nothing is postponed further."""
_PAGE: Final = 500
_START: Final = "0-0"


class RedisStore:
    """See `gateway.spi.failback.CallStore`.

    `url`: `redis://host:port/database`. `group`: names the queue; gateways of one group share it. `limit`, `max_bytes`:
    calls, and bytes of their bodies, kept for one reference. `wall`: seconds since 1970, for what people see; what is
    due the server decides.
    """

    def __init__(
        self,
        url: str,
        group: str,
        limit: int,
        max_bytes: int,
        password: str = "",
        wall: Callable[[], float] = time.time,
    ) -> None:
        more: dict[str, Any] = {"password": password} if password else {}
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_ANSWER_S,
            # Nothing here needs the newer one, which says less clearly that a password is wanted.
            protocol=2,
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=_ANSWER_S,
            # For a connection that the server has closed meanwhile; whoever cannot wait must hear of trouble soon.
            retry=Retry(NoBackoff(), 1),
            **more,
        )
        self._client: Redis = Redis.from_pool(pool)
        parts = urlsplit(url)
        self._place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._base = f"{{polyport:failback:{group}}}"
        self._group = group
        self._limit = limit
        self._max_bytes = max_bytes
        self._wall = wall
        self._cursors: dict[str, str] = {}
        self._scripts = {
            name: self._client.register_script(getattr(redis_script, name)) for name in redis_script.__all__
        }

    @property
    def description(self) -> str:
        """The address and the group."""
        return f"{self._place} ({self._group})"

    async def start(self) -> None:
        """Looks whether the server keeps what it is given; one that is away now may be back later."""
        try:
            info = await self._ask(self._client.info("persistence"))
        except StoreError as exc:
            _LOG.warning("calls cannot be kept at the moment: %s", shorten(str(exc)))
            return
        if not info.get("aof_enabled"):
            _LOG.warning("%s has no append-only file: calls that wait there do not survive a crash of it", self._place)

    async def aclose(self) -> None:
        """See `CallStore.aclose`."""
        await self._client.aclose()

    async def add(self, call: StoredCall) -> int:
        """See `CallStore.add`. It is durable as soon as the server says so."""
        if len(call.body) > self._max_bytes:
            raise StoreError(f"the call has {len(call.body)} bytes, and {self.description} keeps {self._max_bytes}")
        dropped = await self._run(
            "ADD",
            call.reference,
            call.id,
            call.digest,
            call.body,
            repr(call.created),
            repr(call.expires),
            repr(call.due),
            call.error,
            _idle_ms(call.due - self._wall()),
            self._limit,
            self._max_bytes,
        )
        if dropped < 0:
            raise StoreError(f"another call waits under the id {call.id} already")
        return cast("int", dropped)

    async def claim(self, reference: str, limit: int, lease_s: float) -> Sequence[StoredCall]:
        """See `CallStore.claim`."""
        cursor = self._cursors.get(reference, _START)
        due = repr(self._wall() + lease_s)
        after, found = await self._run("CLAIM", reference, limit, _FAR_MS, _idle_ms(lease_s), due, cursor)
        self._cursors[reference] = after.decode()
        return [_call(reference, *each) for each in found]

    async def finish(self, call: StoredCall) -> None:
        """See `CallStore.finish`."""
        await self._run("DISCARD", call.reference, _entry(call))

    async def postpone(self, call: StoredCall, delay_s: float, error: str) -> None:
        """See `CallStore.postpone`."""
        due = repr(self._wall() + delay_s)
        await self._run("POSTPONE", call.reference, _entry(call), _idle_ms(delay_s), due, error)
        self._cursors[call.reference] = _START

    async def bury(self, call: StoredCall, error: str) -> None:
        """See `CallStore.bury`."""
        await self._run("BURY", call.reference, _entry(call), error)

    async def tally(self) -> Mapping[str, Tally]:
        """See `CallStore.tally`."""
        kept = {}
        for reference in await self._references():
            async with self._client.pipeline(transaction=True) as pipeline:
                pipeline.xlen(self._key("calls", reference))
                pipeline.xpending(self._key("calls", reference), "gateways")
                pipeline.get(self._key("size", reference))
                length, pending, size = await self._ask(pipeline.execute())
            waiting = int(pending["pending"])
            if length:
                kept[reference] = Tally(waiting, length - waiting, int(size or 0))
        return kept

    async def page(self, reference: str | None, after: str, limit: int) -> Sequence[StoredCall]:
        """See `CallStore.page`."""
        entry, _, behind = after.partition(" ")
        found: list[StoredCall] = []
        for each in await self._references() if reference is None else [reference]:
            if each < behind or len(found) >= limit:
                continue
            first = f"({entry}" if each == behind else "-"
            entries = await self._ask(
                self._client.xrange(self._key("calls", each), first, "+", count=limit - len(found))
            )
            if entries:
                states = await self._ask(self._client.hmget(self._key("state", each), [name for name, _ in entries]))
                found += [
                    _call(each, name, fields, state)
                    for (name, fields), state in zip(entries, states, strict=True)
                    if state is not None
                ]
        return found

    async def find(self, call_id: str) -> StoredCall | None:
        """See `CallStore.find`."""
        place = await self._place_of(call_id)
        if place is None:
            return None
        reference, entry = place
        entries = await self._ask(self._client.xrange(self._key("calls", reference), entry, entry))
        state = await self._ask(self._client.hget(self._key("state", reference), entry))
        return _call(reference, entries[0][0], entries[0][1], state) if entries and state else None

    async def revive(self, call_id: str | None) -> int:
        """See `CallStore.revive`."""
        due = repr(self._wall())
        count = 0
        async for reference, entry, _ in self._chosen(call_id):
            count += await self._run("REVIVE", reference, entry, _FAR_MS, due)
        return count

    async def discard(self, call_id: str | None, *, dead_only: bool = False) -> int:
        """See `CallStore.discard`."""
        count = 0
        async for reference, entry, dead in self._chosen(call_id):
            if dead or not dead_only:
                count += await self._run("DISCARD", reference, entry)
        return count

    async def _chosen(self, call_id: str | None) -> Any:
        if call_id is not None:
            found = await self.find(call_id)
            if found is not None:
                yield found.reference, _entry(found), found.dead
            return
        after = ""
        while page := await self.page(None, after, _PAGE):
            after = page[-1].handle
            for call in page:
                yield call.reference, _entry(call), call.dead

    async def _place_of(self, call_id: str) -> tuple[str, str] | None:
        text = await self._ask(self._client.hget(f"{self._base}:ids", call_id))
        if text is None:
            return None
        place = json.loads(text)
        return place["reference"], place["entry"]

    async def _references(self) -> list[str]:
        return sorted(each.decode() for each in await self._ask(self._client.smembers(f"{self._base}:references")))

    def _key(self, kind: str, reference: str) -> str:
        return f"{self._base}:{kind}:{reference}"

    async def _run(self, script: str, reference: str, *values: Any) -> Any:
        return await self._ask(self._scripts[script](keys=[self._base], args=[reference, *values]))

    async def _ask(self, asked: Any) -> Any:
        try:
            return await cast("Awaitable[Any]", asked)
        except (RedisError, OSError) as exc:
            raise StoreError(f"{self.description}: {str(exc) or type(exc).__name__}") from exc


def _idle_ms(delay_s: float) -> int:
    """The idle time of an entry that is due in so many seconds."""
    return min(_FAR_MS, max(0, _FAR_MS - round(delay_s * 1000)))


def _entry(call: StoredCall) -> str:
    return call.handle.partition(" ")[0]


def _call(reference: str, entry: bytes, fields: Any, state: bytes) -> StoredCall:
    # A script gives the fields of an entry as one list, the client as a mapping.
    pairs = fields if isinstance(fields, dict) else dict(zip(fields[::2], fields[1::2], strict=True))
    known = json.loads(state)
    return StoredCall(
        id=known["id"],
        reference=reference,
        created=float(pairs[b"created"]),
        expires=float(pairs[b"expires"]),
        due=float(known["due"]),
        body=pairs[b"body"],
        digest=known["digest"],
        attempts=int(known["attempts"]),
        error=known["error"],
        dead=bool(known.get("dead", False)),
        handle=f"{entry.decode()} {reference}",
    )
