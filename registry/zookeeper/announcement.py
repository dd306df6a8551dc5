"""What this process announces in ZooKeeper, kept there: ephemeral nodes of our own session, and of no other.

A session that expired may leave its nodes behind for a while. One of the same name is replaced: it would vanish with
that session, and nobody would see us any more. Every node is watched, and made again when it vanishes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint
from gateway.model.errors import RegistryError
from registry.entries import CONSUMERS, PROVIDERS, provider_url
from registry.upkeep import Upkeep
from registry.zookeeper.layout import category_path, encode_name
from registry.zookeeper.session import Removal, Session

__all__ = ["Announcements"]

_AGAIN_S: Final = 2.0
"""Between two looks at one node because of events: whoever keeps deleting it must not keep us busy."""


@dataclass(frozen=True, slots=True)
class _Node:
    key: Hashable
    path: str
    ephemeral: bool


class Announcements:
    """Belongs to one event loop. Life: construct, `start`, `aclose`. `name`: of the registry, for logs."""

    def __init__(self, name: str, root: str, session: Session) -> None:
        self._root = root
        self._session = session
        self._upkeep: Upkeep[Hashable, _Node] = Upkeep(name, self._announce, self._withdraw)
        self._watched: dict[str, Callable[[], None]] = {}
        self._held: dict[str, int] = {}
        """The session in which a node was last known to be ours."""
        self._resting: dict[str, asyncio.TimerHandle] = {}
        self._seen_again: set[str] = set()

    def start(self) -> None:
        """Begins; nothing is written before `resume`."""
        self._upkeep.start()

    def resume(self) -> None:
        """There is a connection: everything is looked at, since what was announced may be gone."""
        self._upkeep.doubt()
        self._upkeep.resume()

    def suspend(self) -> None:
        """There is no connection."""
        self._upkeep.suspend()

    async def put(self, announced: Endpoint | Consumer, wait_s: float) -> None:
        """Announces it from now on; waits at most `wait_s` until it is there."""
        node = self._node(announced)
        await self._upkeep.put(node.key, node, wait_s)

    async def take_back(self, announced: Endpoint | Consumer, wait_s: float) -> None:
        """Announces it no more; as `put`."""
        await self._upkeep.take_back(self._node(announced).key, wait_s)

    async def aclose(self, wait_s: float) -> None:
        """Takes everything back, for at most `wait_s`."""
        await self._upkeep.aclose(wait_s)
        for path in tuple(self._watched):
            self._unwatch(path)

    def _node(self, announced: Endpoint | Consumer) -> _Node:
        if isinstance(announced, Consumer):
            category, url, ephemeral = CONSUMERS, announced.url, True
        else:
            category, url = PROVIDERS, provider_url(announced)
            ephemeral = announced.parameters.get("dynamic") != "false"
        folder = category_path(self._root, announced.service.interface, category)
        return _Node((category, announced.identity), f"{folder}/{encode_name(url)}", ephemeral)

    async def _announce(self, node: _Node, former: Sequence[_Node]) -> None:
        removals = [Removal(each.path) for each in former]
        # At one stroke, so that consumers do not see none of them, or both.
        if not (removals and await self._session.replace(removals, node.path, ephemeral=node.ephemeral)):
            await self._session.create(node.path, ephemeral=node.ephemeral)
            await self._delete(former)
        for each in former:
            self._unwatch(each.path)
        self._watch(node)
        found = await self._session.stat(node.path, watch=True)
        if found is None:
            raise RegistryError("a node that was made just now is gone")
        ours = self._session.session_id if node.ephemeral else 0
        if found.owner == ours:
            self._held[node.path] = ours
            return
        if found.owner and self._held.get(node.path) == ours:
            # Whoever took it from this session is alive, and says the same. Taking it back would go on for ever; it is
            # watched, and made again when the other is gone.
            return
        removal = Removal(node.path, found.version)
        if not await self._session.replace([removal], node.path, ephemeral=node.ephemeral):
            raise RegistryError("a node of another session could not be replaced")
        if await self._session.stat(node.path, watch=True) is None:
            raise RegistryError("a node that replaced one of another session is gone")
        self._held[node.path] = ours

    async def _withdraw(self, nodes: Sequence[_Node]) -> None:
        for each in nodes:
            # First, so that nobody takes the deletion for a loss.
            self._unwatch(each.path)
        await self._delete(nodes)

    async def _delete(self, nodes: Sequence[_Node]) -> None:
        for each in nodes:
            await self._session.delete(each.path)

    # Events of our own nodes.

    def _watch(self, node: _Node) -> None:
        if node.path not in self._watched:
            watcher = self._watched[node.path] = lambda: self._happened(node)
            self._session.subscribe(node.path, watcher)

    def _unwatch(self, path: str) -> None:
        watcher = self._watched.pop(path, None)
        if watcher is not None:
            self._session.unsubscribe(path, watcher)
        self._held.pop(path, None)
        self._seen_again.discard(path)
        if (timer := self._resting.pop(path, None)) is not None:
            timer.cancel()

    def _happened(self, node: _Node) -> None:
        """Looks at once, but then not again for a while; whatever happens in between is looked at together."""
        if node.path in self._resting:
            self._seen_again.add(node.path)
            return
        self._upkeep.doubt(node.key)
        self._resting[node.path] = asyncio.get_running_loop().call_later(_AGAIN_S, self._rested, node)

    def _rested(self, node: _Node) -> None:
        del self._resting[node.path]
        if node.path in self._seen_again:
            self._seen_again.discard(node.path)
            self._happened(node)
