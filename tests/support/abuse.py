"""A running gateway, peers that abuse it, and what must hold while they do.

`Abuse` runs one attack many times and then checks what is owed whatever the attack is: a well-behaved client on
another connection noticed nothing, each refusal was counted and logged at a bounded rate with its reason and peer,
and no connection, call, task, descriptor, timeout, object or memory is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from time import monotonic
from typing import Any

from adapters.blocking.connection import Connection
from adapters.blocking.server import BlockingServer
from adapters.http.connection import GuardedConnection
from adapters.http.server import AiohttpServer
from adapters.tcp.server import TcpServer
from adapters.tcp.server_connection import ServerConnection
from gateway.runtime.app import App
from tests.support.dialect import DUBBO, Dialect
from tests.support.running import running

__all__ = [
    "MOST_GROWTH",
    "REPEATS",
    "Abuse",
    "Attacker",
    "Canary",
    "Gateway",
    "abused",
    "hosted",
    "memory",
    "reset_peak",
]

REPEATS = int(os.environ.get("POLYPORT_REPEATS", "200"))
"""How often each attack is repeated; `make hostile` sets it."""

LIMIT_S = 5.0
"""How long anything may take that must happen."""

_SLOWEST_CALL_S = 0.25
_LONGEST_LINE = 600
_UNREAD = "bad-request"
_CHANCE = 10
"""Objects of one class that may be there by chance: what a call of the canary in progress needs."""
_BIND_ADDRESS_NO_PORT = 24
"""IP_BIND_ADDRESS_NO_PORT of Linux, ip(7); the socket module has it from Python 3.12 on."""
_MEBI = 1 << 20
MOST_GROWTH = 16 * _MEBI
"""Memory that one hostile connection may cost, in bytes."""
_COUNTED_MODULES = ("adapters.", "protocols.", "gateway.model.call", "gateway.runtime", "gateway.routing")
# Remembered by a listener or a contract: bounded, and tested where they are defined.
_REMEMBERED = {"RequestHead", "_Target", "CallAttachments", "ClassDefinition", "TypeRef"}


_HOSTED = """
application: {{name: abused, drain: 1s}}
listeners:
  attacked: {{protocol: {protocol}, port: 0, options: {options}, limits: {{{limits}}}}}{far}
registries:
  local: {{type: embedded}}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [attacked]
  types:
    contract: gateway.demo.types:Types
    implementation: gateway.demo.types:DemoTypes
    listeners: [{hosts}]
    announce: [local]
"""
_FAR = """
  far: {protocol: dubbo, port: 0}"""
_REPORTS = """
  reports:
    contract: gateway.demo.reports:Reports
    implementation: gateway.demo.reports:DemoReports
    options: {page_ms: 1}
    listeners: [attacked]
"""
_FORWARDED = """
  bridged:
    contract: gateway.demo.types:Types
    remote: {registries: [local], group: "", protocol: dubbo}
    group: bridged
    listeners: [attacked]
"""
_BLIND = """
  blind:
    generic: true
    interface: demo.Types
    remote: {registries: [local], group: "", protocol: dubbo}
    group: blind
    listeners: [attacked]
"""


_STORE = """
  store:
    contract: gateway.demo.store:Store
    implementation: gateway.demo.store:DemoStore
    listeners: [attacked]
    protocols:
      memcached:
        mounts: {"store:": {get: get, gets: entry, set: set, delete: delete, incr: increment, expire: expire}}
"""


def hosted(dialect: Dialect = DUBBO, limits: str = "", *, forwarding: bool = False) -> str:
    """The configuration of a gateway whose first listener is there to be attacked.

    `limits`: of that listener, as in a configuration file. `forwarding`: `demo.Types` once more, forwarded over dubbo://
    with its contract (group `bridged`) and without one (group `blind`), to the listener itself where it speaks that.
    """
    far = forwarding and dialect.protocol != "dubbo"
    text = _HOSTED.format(
        protocol=dialect.protocol,
        options=dialect.options,
        limits=limits,
        far=_FAR if far else "",
        hosts="attacked, far" if far else "attacked",
    )
    callbacks = _REPORTS if dialect.protocol == "dubbo" else ""
    forwarded = _FORWARDED + (_BLIND if dialect.generic else "") if forwarding else ""
    store = _STORE if dialect.protocol == "memcached" else ""
    return text + callbacks + store + forwarded + dialect.more


class Attacker:
    """A connected socket that sends what it likes and closes as it likes."""

    def __init__(self, port: int, source: str = "127.0.0.1", dialect: Dialect = DUBBO) -> None:
        self._dialect = dialect
        self._loop = asyncio.get_running_loop()
        self.sock = socket.socket()
        # Otherwise the kernel looks for a port that nobody uses at all, and thousands wait here for their second end.
        self.sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        self.sock.bind((source, 0))
        # The kernel accepts on behalf of a listener in this process, so this does not wait for the loop.
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.address = "{}:{}".format(*self.sock.getsockname())
        self._received = b""

    async def send(self, *pieces: bytes) -> None:
        """Sends each piece with a turn of the loop in between; a peer that has had enough may close meanwhile."""
        async with asyncio.timeout(LIMIT_S):
            for piece in pieces:
                try:
                    await self._loop.sock_sendall(self.sock, piece)
                except (BrokenPipeError, ConnectionResetError):
                    return
                await asyncio.sleep(0)

    async def raw(self, size: int) -> bytes:
        """The next bytes of what comes, so many."""
        async with asyncio.timeout(LIMIT_S):
            while len(self._received) < size:
                data = await self._loop.sock_recv(self.sock, 1 << 18)
                if not data:
                    raise EOFError(f"closed after {self._received!r}")
                self._received += data
        found, self._received = self._received[:size], self._received[size:]
        return found

    async def reply(self) -> Any:
        """The next answer, as the dialect takes it apart."""
        async with asyncio.timeout(LIMIT_S):
            while (found := self._dialect.first(self._received)) is None:
                data = await self._loop.sock_recv(self.sock, 1 << 18)
                if not data:
                    raise EOFError(f"closed after {self._received!r}")
                self._received += data
        answer, end = found
        self._received = self._received[end:]
        return answer

    async def end(self) -> bytes:
        """What still comes until the other side closes."""
        async with asyncio.timeout(LIMIT_S):
            with contextlib.suppress(ConnectionResetError):
                while data := await self._loop.sock_recv(self.sock, 1 << 18):
                    self._received += data
        found, self._received = self._received, b""
        return found

    async def refused(self) -> None:
        """The other side closes without a word."""
        rest = await self.end()
        assert rest == b"", rest[:400]

    def finish(self) -> None:
        """Sends no more, but reads."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Goes away without a goodbye."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()


Attack = Callable[[Attacker], Awaitable[None]]


class Gateway:
    """The gateway under attack, and what its first listener holds."""

    def __init__(self, app: App, dialect: Dialect) -> None:
        server = app._servers[0]
        assert isinstance(server, TcpServer | AiohttpServer | BlockingServer)
        assert server._state is not None
        self._app = app
        self._server = server
        self._state = server._state
        self.dialect = dialect
        self.address = app.listening[0].address
        self.port = int(self.address.rpartition(":")[2])

    def attacker(self, source: str = "127.0.0.1") -> Attacker:
        return Attacker(self.port, source, self.dialect)

    @property
    def refused(self) -> dict[str, int]:
        """How often something was refused, by reason: by the listener, or because arguments could not be read."""
        return dict(Counter(self._server.refused) + Counter({_UNREAD: self._unread}))

    @property
    def _unread(self) -> int:
        return self._app.troubles().get((self._server._options.protocol, _UNREAD), 0)

    @property
    def lines(self) -> int:
        """How many lines all refusals so far are worth: the first of its kind, and each tenfold.

        Of calls whose arguments could not be read only the first: the next comes after longer than an attack takes.
        """
        return sum(len(str(count)) for count in self._server.refused.values()) + bool(self._unread)

    @property
    def peers(self) -> set[str]:
        """Who is connected."""
        return {each._peer for each in self._state.connected.connections}

    @property
    def per_address(self) -> dict[str, int]:
        """Connections that count against the limit of an address."""
        return dict(self._state.connected.per_address)

    @property
    def calls(self) -> int:
        """Calls in progress."""
        if isinstance(self._server, AiohttpServer):
            assert self._server._state is not None
            return self._server._state.runner.running
        assert self._server._state is not None
        return self._server._state.calls

    @property
    def schedules(self) -> list[str]:
        """Files that say for further threads that take part in a call how long they waited for a processor."""
        if not isinstance(self._server, BlockingServer) or self._server._state is None:
            return []
        gate = self._server._state.gate
        assert gate is not None
        return [f"/proc/self/task/{gate._thread.native_id}/schedstat"]

    @property
    def timeouts(self) -> int:
        """Deadlines of calls that somebody keeps."""
        if isinstance(self._server, AiohttpServer) or not self._server._state:
            return 0
        return len(self._server._state.wheel)

    def _connection(self, attacker: Attacker) -> ServerConnection | GuardedConnection | Connection | None:
        """The listener's end of the attacker's connection; None before it was accepted and after it ended."""
        return next((each for each in self._state.connected.connections if each._peer == attacker.address), None)

    def pending(self, attacker: Attacker) -> int:
        """Bytes of an incomplete message that the listener holds."""
        connection = self._connection(attacker)
        if isinstance(connection, GuardedConnection):
            return connection._cutter.pending_bytes
        return connection._codec.pending_bytes if connection is not None else 0

    def calls_of(self, attacker: Attacker) -> int:
        """Calls of the attacker in progress."""
        connection = self._connection(attacker)
        if isinstance(connection, GuardedConnection):
            return connection._state.runner.running_of(connection)
        if isinstance(connection, Connection):
            return int(connection._driver is not None)
        return len(connection._running or ()) if connection is not None else 0

    def unsent(self, attacker: Attacker) -> int:
        """Bytes that the listener has given to the transport and that the attacker has not taken."""
        connection = self._connection(attacker)
        if connection is None:
            return 0
        if isinstance(connection, Connection):
            return len(connection._out)
        transport = connection._wire if isinstance(connection, GuardedConnection) else connection._transport
        return transport.get_write_buffer_size() if transport is not None else 0

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits for something that must happen soon."""
        deadline = monotonic() + LIMIT_S
        while not condition():
            assert monotonic() < deadline, f"waited {LIMIT_S:g} s for {what}"
            await asyncio.sleep(0.001)


class Canary:
    """A client that behaves well, and measures what others do to it.

    Time in which a process was ready to run and got no processor is not the gateway's fault and is left out.
    """

    def __init__(self, port: int, *schedules: str, dialect: Dialect = DUBBO) -> None:
        """`schedules`: files that say for other processes that take part in a call how long they waited."""
        self._dialect = dialect
        self._port = port
        if not dialect.one_call:
            self._peer = Attacker(port, dialect=dialect)
        self._singing = False
        self._schedules = [os.open(each, os.O_RDONLY) for each in ("/proc/thread-self/schedstat", *schedules)]
        self.calls = 0
        self.slowest_s = 0.0

    def _queued_s(self) -> float:
        """How long those who take part waited for a processor so far (Linux: sched-stats, the second number)."""
        return sum(int(os.pread(each, 100, 0).split()[1]) for each in self._schedules) / 1e9

    async def call(self) -> None:
        self.calls += 1
        queued, started = self._queued_s(), monotonic()
        if self._dialect.one_call:
            peer = Attacker(self._port, dialect=self._dialect)
            await peer.send(self._dialect.count)
            peer.finish()
            reply = await peer.reply()
            await peer.refused()
            peer.close()
        else:
            await self._peer.send(self._dialect.count)
            reply = await self._peer.reply()
        took = monotonic() - started - (self._queued_s() - queued)
        assert self._dialect.is_count(reply), reply
        self.slowest_s = max(self.slowest_s, took)

    async def _sing(self) -> None:
        while self._singing:
            await self.call()
            await asyncio.sleep(0.002)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Calls all the time meanwhile; fails when a call did, or took long."""
        self._singing = True
        singing = asyncio.create_task(self._sing())
        try:
            yield
        finally:
            self._singing = False
            (failure,) = await asyncio.gather(singing, return_exceptions=True)
        assert failure is None, f"a call of others failed: {failure!r}"
        await self.call()
        assert self.slowest_s < _SLOWEST_CALL_S, f"a call of others took {self.slowest_s:.3f} s"

    def close(self) -> None:
        if not self._dialect.one_call:
            self._peer.close()
        for each in self._schedules:
            os.close(each)


class Leftovers:
    """What this process holds, and whether it holds more later."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        gc.collect()
        self._descriptors = len(os.listdir("/proc/self/fd"))
        self._tasks = len(asyncio.all_tasks())
        self._objects = self._count()
        reset_peak()
        self._resident = memory()[0]

    def _count(self) -> Counter[str]:
        """Objects of the gateway, by class."""
        kinds = (type(each) for each in gc.get_objects())
        named = Counter(f"{kind.__module__}.{kind.__name__}" for kind in kinds if kind.__name__ not in _REMEMBERED)
        return Counter({name: count for name, count in named.items() if name.startswith(_COUNTED_MODULES)})

    def check(self) -> None:
        """Fails where more is held than when this was made."""
        gateway = self._gateway
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) <= self._descriptors, "descriptors are left"
        assert len(asyncio.all_tasks()) <= self._tasks, "tasks are left"
        assert gateway.calls == 0
        assert gateway.timeouts == 0, "timeouts are left"
        assert sum(gateway.per_address.values()) == len(gateway.peers)
        grown = self._count() - self._objects
        left = {name: count for name, count in grown.items() if count >= _CHANCE}
        assert not left, f"objects are left: {left}"
        resident, peak = memory()
        assert resident - self._resident < MOST_GROWTH, f"{(resident - self._resident) / _MEBI:.1f} MiB are left"
        assert peak - self._resident < MOST_GROWTH, f"the peak was {(peak - self._resident) / _MEBI:.1f} MiB higher"


def memory() -> tuple[int, int]:
    """Resident bytes of this process: now, and the most since `reset_peak`."""
    with open("/proc/self/status", encoding="ascii") as status:
        found = dict(line.split(":", 1) for line in status)
    return int(found["VmRSS"].split()[0]) << 10, int(found["VmHWM"].split()[0]) << 10


def reset_peak() -> None:
    """Makes the present memory the highest so far (Linux: proc(5), clear_refs)."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as clear_refs:
        clear_refs.write("5")


class Abuse:
    """Runs attacks; see the module."""

    def __init__(self, gateway: Gateway, canary: Canary, records: list[logging.LogRecord]) -> None:
        self.gateway = gateway
        self.dialect = gateway.dialect
        self.canary = canary
        self.records = records
        self._addresses: set[str] = set()

    async def __call__(
        self,
        attack: Attack,
        *,
        reason: str | Mapping[str, int] | frozenset[str] | None,
        times: int = 0,
        at_once: int = 1,
        relayed: bool = False,
    ) -> None:
        """Runs `attack` `times` times (`usual_times` if 0), `at_once` at a time, each with a connection of its own.

        `reason`: what the listener must count and log, once or as often as said for each attack; None when nothing is
        refused; the same one of a set every time, whose empty text stands for none. `relayed`: the provider behind the
        gateway refuses, so that the peer it logs is the gateway, which counts and logs what became of the call as well.
        """
        times = times or self.usual_times
        refused: dict[str, int] = {}
        if isinstance(reason, str):
            refused = {reason: 1}
        elif isinstance(reason, Mapping):
            refused = dict(reason)
        before = Counter(self.gateway.refused)
        async with self.canary.watching():
            address = await self._attack(attack)
            await self.settled()
            if isinstance(reason, frozenset):
                refused = dict(Counter(self.gateway.refused) - before)
                assert (set(refused) or {""}) <= reason, refused
                assert sum(refused.values()) <= 1, refused
            elif relayed:
                refused = self._relayed(before, refused)
            self._check_counted(before, refused)
            if not relayed:
                assert not before, "lines that are not the first of their kind may be held back"
                self._check_log(refused, address)
            left = Leftovers(self.gateway)
            done = 1
            while done < times:
                together = min(at_once, times - done)
                await asyncio.gather(*(self._attack(attack) for _ in range(together)))
                done += together
            await self.settled()
            self._check_counted(before, {code: count * done for code, count in refused.items()})
            shown = [each.getMessage() for each in self.records]
            most = sum(len(str(count)) for count in self.gateway.refused.values())
            # The provider's log and the gateway's each have a first line of what was relayed.
            assert len(shown) <= most + 2 * relayed, shown[:10]
        left.check()

    @property
    def usual_times(self) -> int:
        """How often an attack is repeated that neither waits nor costs much."""
        return min(REPEATS, max(50, REPEATS // 4)) if self.dialect.another_driver else REPEATS

    async def _attack(self, attack: Attack) -> str:
        attacker = self.gateway.attacker()
        self._addresses.add(attacker.address)
        try:
            await attack(attacker)
        finally:
            attacker.close()
        return attacker.address

    async def settled(self) -> None:
        """Waits until no attacker has a connection or a call."""
        gateway = self.gateway
        await gateway.until(lambda: not gateway.peers & self._addresses, "connections to end")
        await gateway.until(lambda: gateway.calls <= 1, "calls to end")

    def _relayed(self, before: Mapping[str, int], refused: Mapping[str, int]) -> dict[str, int]:
        """What a refusal counts that may be the gateway's own, or the provider's and then the gateway's too."""
        found = Counter(self.gateway.refused) - Counter(before)
        assert all(refused.get(reason) in (count, count - 1) for reason, count in found.items()), found
        assert set(found) == set(refused), found
        return dict(found)

    def _check_counted(self, before: Mapping[str, int], refused: Mapping[str, int]) -> None:
        found = Counter(self.gateway.refused) - Counter(before)
        assert found == refused, found

    def _check_log(self, refused: Mapping[str, int], address: str) -> None:
        shown = [each.getMessage() for each in self.records]
        assert len(shown) == self.gateway.lines, shown
        for line, record in zip(shown, self.records, strict=True):
            fields = vars(record)
            if "outcome" in fields:
                # Of a call whose arguments could not be read.
                assert fields["outcome"] in refused, shown
                assert fields["peer"] == f"{self.dialect.protocol} {address}", shown
            else:
                assert fields["reason"] in refused, shown
                assert fields["peer"] == address, shown
                assert address in line
            assert line.isprintable(), shown
            assert len(line) < _LONGEST_LINE, shown


@contextlib.asynccontextmanager
async def abused(
    records: list[logging.LogRecord], dialect: Dialect = DUBBO, limits: str = "", *, forwarding: bool = False
) -> AsyncIterator[Abuse]:
    """A gateway as `hosted` describes it, ready to be abused, with a canary."""
    async with running(hosted(dialect, limits, forwarding=forwarding)) as app:
        gateway = Gateway(app, dialect)
        canary = Canary(gateway.port, *gateway.schedules, dialect=dialect)
        try:
            await canary.call()
            yield Abuse(gateway, canary, records)
        finally:
            canary.close()
