"""Where a row happens: its processes, its files and how long it may take."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bench.ports import free_port
from gateway.plugins.builtin import BUILTIN
from gateway.runtime.connect import connect
from tests.chaos.node import Node, polyport
from tests.support.work_service import Work, recorded

__all__ = ["Ground"]

_PROVIDER = """
application: {{name: {name}, drain: 10s}}
listeners:
  front: {{protocol: {wire}, port: {port}{listener}}}
services:
  work:
    contract: tests.support.work_service:Work
    implementation: tests.support.work_service:Working
    options: {{record: {record}}}
    listeners: [front]
    {service}
{more}"""
_CROWD = """
application: {{name: {name}, drain: 1s}}
listeners:
{listeners}
services:
  work:
    contract: tests.support.work_service:Work
    implementation: tests.support.work_service:Working
    options: {{record: {record}}}
    listeners: [{names}]
"""
_GATEWAY = """
application: {{name: {name}, drain: 10s}}
listeners:
  front: {{protocol: {wire}, port: {port}{listener}}}
services:
  work:
    contract: tests.support.work_service:Work
    listeners: [front]
    remote:
      timeout: 5s
{remote}"""


class Ground:
    """The place of one row on one wire.

    `seconds`: how long each fault of the row lasts. `quick`: the short form, where limits are short too. `folder`:
    of the row alone. `drops_packets`: the network is the row's own too.
    """

    def __init__(self, wire: str, folder: Path, seconds: float, *, quick: bool, drops_packets: bool = False) -> None:
        self.wire = wire
        self.folder = folder
        self.seconds = seconds
        self.quick = quick
        self.drops_packets = drops_packets
        self._stack = AsyncExitStack()
        self._records: set[Path] = set()

    @property
    def protocol(self) -> str:
        """What our own processes speak; peers in other languages speak dubbo://."""
        return self.wire if self.wire in BUILTIN["protocol"] else "dubbo"

    def url(self, *nodes: Node | str) -> list[str]:
        """How these nodes, or addresses, are called over the row's wire."""
        return [f"{self.protocol}://{each if isinstance(each, str) else each.address}" for each in nodes]

    async def providers(self, count: int, **more: Any) -> list[Node]:
        """Several providers, started together."""
        return list(await asyncio.gather(*(self.provider(f"provider-{index + 1}", **more) for index in range(count))))

    async def provider(
        self,
        name: str = "provider",
        *,
        listener: str = "",
        service: str = "",
        more: str = "",
        environ: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
        wrap: Sequence[str] = (),
        errors_to: int | None = None,
    ) -> Node:
        """A running provider of `Work`. `listener`: further keys of its listener; `service`: a further line of the
        service; `more`: further services or sections.

        `wrap`: the command in front of its own. `errors_to`: see `Node`.
        """
        record = self.folder / f"{name}.calls"
        self._records.add(record)
        port = free_port()
        text = _PROVIDER.format(
            name=name,
            wire=self.protocol,
            port=port,
            listener=listener,
            record=record,
            service=service,
            more=more,
        )
        return await self._serve(name, port, text, environ, prepare, wrap, errors_to)

    async def crowd(self, name: str, count: int) -> list[str]:
        """Addresses of many providers that share one process."""
        record = self.folder / f"{name}.calls"
        self._records.add(record)
        ports = list(dict.fromkeys(free_port() for _ in range(count * 2)))[:count]
        lines = "\n".join(f"  l{port}: {{protocol: {self.protocol}, port: {port}}}" for port in ports)
        names = ", ".join(f"l{port}" for port in ports)
        text = _CROWD.format(name=name, listeners=lines, record=record, names=names)
        await self._serve(name, ports[0], text, None, None, (), None)
        return [f"127.0.0.1:{port}" for port in ports]

    async def gateway(
        self,
        name: str,
        behind: Sequence[Node],
        *,
        listener: str = "",
        remote: str = "",
        more: str = "",
        environ: Mapping[str, str] | None = None,
        prepare: Callable[[], None] | None = None,
        wrap: Sequence[str] = (),
    ) -> Node:
        """A running gateway that passes `Work` on to the nodes behind it, or to whom `remote` names: further lines
        of that part.

        The rest as `provider` has it.
        """
        port = free_port()
        addresses = ", ".join(f'"{url}"' for url in self.url(*behind))
        named = [f"addresses: [{addresses}]"] if behind else []
        lines = "".join(f"      {line}\n" for line in (*named, *remote.splitlines()))
        text = _GATEWAY.format(name=name, wire=self.protocol, port=port, listener=listener, remote=lines)
        return await self._serve(name, port, text + more, environ, prepare, wrap, None)

    async def _serve(
        self,
        name: str,
        port: int,
        text: str,
        environ: Mapping[str, str] | None,
        prepare: Callable[[], None] | None,
        wrap: Sequence[str],
        errors_to: int | None,
    ) -> Node:
        file = self.folder / f"{name}.yaml"
        file.write_text(text, "utf-8")
        command = [*wrap, *polyport("serve", str(file))]
        log = self.folder / f"{name}.log"
        node = Node(name, port, command, log, environ=environ, prepare=prepare, errors_to=errors_to)
        return await self.started(node)

    async def started(self, node: Node) -> Node:
        """Starts any other program, which ends with the row."""
        self._stack.push_async_callback(node.close)
        await node.start()
        return node

    def record(self, file: Path) -> None:
        """Counts what another provider writes down there."""
        self._records.add(file)

    def executed(self) -> Counter[int]:
        """How often each id was carried out at any provider of this row."""
        return recorded(*self._records)

    @asynccontextmanager
    async def client(self, *nodes: Node | str, **settings: Any) -> AsyncIterator[Work]:
        """A client of these nodes; `settings` as `connect` takes them."""
        # mypy takes a Protocol for abstract where a class is asked for; connect documents the same.
        async with connect(self.url(*nodes), Work, **settings) as work:  # type: ignore[type-abstract,unused-ignore]
            yield work

    async def close(self) -> None:
        """Ends every process of the row."""
        await self._stack.aclose()
