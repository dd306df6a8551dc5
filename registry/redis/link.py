"""Connections to one peer. What the client library calls its errors ends here or is listed in `TROUBLES`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from registry.redis.address import Peer, PeerKind

__all__ = ["TROUBLES", "Link", "heed_cancellation"]

TROUBLES: Final = (RedisError, RedisClusterException, OSError, TimeoutError)
"""What asking a server may end in."""
_CONNECTIONS: Final = 16
_REDIRECTIONS: Final = 2


def heed_cancellation() -> None:
    """For the top of a loop that a task runs until it is cancelled.

    The client library writes under `asyncio.wait_for`, which loses a cancellation that comes together with its result
    (python/cpython#86296, mended in Python 3.12). A loop that went on then would never end.

    Raises:
        asyncio.CancelledError: the task was told to end, and has not.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Link:
    """What is needed to talk to `peer`; connects when it is used. `timeout_s`: for connecting, and for each answer.

    Nothing is tried twice here: whoever asks has to know that the connection was away.
    """

    def __init__(self, peer: Peer, password: str, timeout_s: float) -> None:
        self.peer: Final = peer
        self._timeout_s = timeout_s
        self._sentinel: Sentinel | None = None
        patience: dict[str, Any] = {
            # Nothing here needs the newer one, which says less clearly that a password is wanted.
            "protocol": 2,
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
        }
        access: dict[str, Any] = {
            **({"username": peer.user} if peer.user else {}),
            **({"password": password or peer.password} if password or peer.password else {}),
        }
        encrypted: dict[str, Any] = {"ssl": True} if peer.tls else {}
        self.client: Any
        if peer.kind is PeerKind.CLUSTER:
            self.client = RedisCluster(
                startup_nodes=[ClusterNode(host, port) for host, port in peer.hosts],
                # For slots that have moved meanwhile, which is no trouble.
                retry=Retry(NoBackoff(), _REDIRECTIONS),
                **patience,
                **access,
                **encrypted,
            )
        elif peer.kind is PeerKind.SENTINEL:
            once = Retry(NoBackoff(), 0)
            self._sentinel = Sentinel(  # type: ignore[no-untyped-call]
                list(peer.hosts),
                sentinel_kwargs={**patience, **encrypted, "retry": once},
                db=peer.database,
                **patience,
                **access,
                **encrypted,
            )
            self.client = self._sentinel.master_for(peer.service, retry=once)
        else:
            ((host, port),) = peer.hosts
            self.client = Redis(
                host=host,
                port=port,
                db=peer.database,
                max_connections=_CONNECTIONS,
                retry=Retry(NoBackoff(), 0),
                **patience,
                **access,
                **encrypted,
            )

    async def master(self) -> tuple[str, int] | None:
        """The server that Sentinel names now; None where it names none, or there is no Sentinel."""
        if self._sentinel is None:
            return None
        try:
            async with asyncio.timeout(self._timeout_s):
                host, port = await self._sentinel.discover_master(self.peer.service)
        except TROUBLES:
            # A server can be used without those that watch over it.
            return None
        return str(host), int(port)

    async def execute(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        """Sends all commands at once, and gives their answers, among them the errors that the server has answered."""
        pipeline = self.client.pipeline(transaction=False) if self.is_single else self.client.pipeline()
        for command in commands:
            pipeline.execute_command(*command)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    async def write(self, commands: list[tuple[Any, ...]], messages: list[tuple[str, bytes]]) -> list[Any]:
        """`execute`, and says `messages` (channel, text) afterwards. Gives the answers to the commands alone.

        Raises:
            RedisError: a message could not be said.
        """
        if not self.is_single:
            # In a cluster every node passes it on, so there is no slot by which a pipeline could send it.
            answers = await self.execute(commands) if commands else []
            for channel, message in messages:
                await self.client.publish(channel, message)
            return answers
        answers = await self.execute([*commands, *(("PUBLISH", *each) for each in messages)])
        for said in answers[len(commands) :]:
            if isinstance(said, Exception):
                raise said
        return answers[: len(commands)]

    @property
    def is_single(self) -> bool:
        """Whether one server has all keys."""
        return self.peer.kind is not PeerKind.CLUSTER

    async def aclose(self) -> None:
        """Ends all connections."""
        closing = [self.client, *(self._sentinel.sentinels if self._sentinel is not None else ())]
        for each in closing:
            with suppress(*TROUBLES):
                async with asyncio.timeout(self._timeout_s):
                    await each.aclose()
