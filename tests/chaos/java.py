"""Java Dubbo as consumer and as provider of `Work`, in processes of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from bench.ports import free_port
from tests.chaos.ground import Ground
from tests.chaos.load import Load
from tests.chaos.node import Node
from tests.support.java_peer import java_command, require_java

__all__ = ["VERSIONS", "JavaConsumer", "java_consumer", "java_provider"]

VERSIONS: Final = {"java-2.7": "dubbo-27", "java-3.3": "dubbo-33"}
"""What a row calls a peer, to the module that it is built in."""

_COMMAND_S: Final = 120.0


async def java_provider(ground: Ground, name: str) -> Node:
    """A running provider in Java. It writes down what it carries out, as ours does."""
    await asyncio.to_thread(require_java)
    record = ground.folder / f"{name}.calls"
    ground.record(record)
    port = free_port()
    command = java_command(VERSIONS[ground.wire], "app.WorkProvider", str(port), str(record))
    return await ground.started(Node(name, port, command, ground.folder / f"{name}.log", ready="READY"))


class JavaConsumer:
    """A consumer in Java; see `WorkConsumer.java` for what it is told."""

    def __init__(self, node: Node, record: str) -> None:
        self._node = node
        self._record = record

    async def calls(self, number: int, options: str) -> None:
        """Makes so many calls, one after the other."""
        await self._node.say(f"calls {number} {options}", "done", _COMMAND_S)

    @asynccontextmanager
    async def load(self, callers: int, options: str) -> AsyncIterator[None]:
        """Calls all the time, as long as it is entered."""
        await self._node.say(f"load {callers} {options}", "calling", _COMMAND_S)
        try:
            yield
        finally:
            await self._node.say("enough", "done", _COMMAND_S)

    def outcomes(self) -> Load:
        """What became of every call so far, as if a load of ours had made them."""
        load = Load(None, callers=0)  # type: ignore[arg-type] # nobody calls with it
        with open(self._record, encoding="utf-8") as lines:
            for line in lines:
                method, number, outcome = line.rstrip("\n").split(" ", 2)
                kind, id = load.again if method == "again" else load.once, int(number)
                if outcome == "ok":
                    kind.answered.add(id)
                elif outcome.startswith("got "):
                    kind.answered.add(id)
                    load.mixed_up.append(id)
                else:
                    kind.failed[id] = outcome
        return load


async def java_consumer(ground: Ground, nodes: Sequence[Node], name: str = "consumer") -> JavaConsumer:
    """A running consumer in Java that knows the addresses of these nodes."""
    await asyncio.to_thread(require_java)
    record = str(ground.folder / f"{name}.outcomes")
    urls = ",".join(f"dubbo://{each.address}" for each in nodes)
    command = java_command(VERSIONS[ground.wire], "app.WorkConsumer", urls, record)
    node = await ground.started(Node(name, 0, command, ground.folder / f"{name}.log", ready="READY"))
    return JavaConsumer(node, record)
