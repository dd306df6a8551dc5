"""Calls that nobody answered, kept by a gateway or a client and delivered later."""

from __future__ import annotations

import asyncio
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench.ports import free_port
from gateway import App, connect, connect_sync
from gateway.config.load import load
from gateway.model.errors import ConnectFailed
from gateway.plugins.catalog import Catalog
from gateway.runtime.reference import MethodSettings
from gateway.spi.failback import CALL_ID, StoreError
from tests.support.ledger import Ledger, MemoryLedger
from tests.support.program import inside, serving
from tests.support.redis_server import redis_server
from tests.support.running import hosting, running

WIRES = ["dubbo", "http"]


@pytest.fixture(autouse=True)
async def ledger() -> None:
    MemoryLedger.reset()


@pytest.fixture
def port() -> int:
    """Where nobody listens yet."""
    return free_port()


def provider(port: int, wire: str = "dubbo") -> str:
    text = hosting("tests.support.ledger:Ledger", "tests.support.ledger:MemoryLedger", port=port)
    return text.replace("protocol: dubbo", f"protocol: {wire}")


def gateway_file(folder: Path, port: int, wire: str = "dubbo", failback: str = "", more: str = "") -> Path:
    """A gateway in front of the provider at `port`."""
    path = folder / "gateway.yaml"
    path.write_text(f"""
application: {{drain: 2s}}
listeners:
  way-in: {{protocol: {wire}, host: 127.0.0.1, port: 0}}
services:
  ledger:
    contract: tests.support.ledger:Ledger
    listeners: [way-in]
    remote:
      addresses: ["{wire}://127.0.0.1:{port}"]
      cluster: failback
failback: {{interval: 100ms, max_interval: 200ms, {failback}}}
{more}
""")
    return path


def listed(path: Path) -> list[dict[str, Any]]:
    # In a thread, because a command has an event loop of its own.
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(inside, "failback", "list", str(path), "--json").result()
    assert (done.code, done.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.out)["calls"]
    return found


@pytest.mark.parametrize("wire", WIRES)
async def test_calls_survive_the_gateway_and_are_delivered_by_its_successor(
    tmp_path: Path, port: int, wire: str
) -> None:
    path = gateway_file(tmp_path, port, wire)
    with serving(str(path)) as server:
        async with connect(server.url("way-in"), Ledger) as caller:
            for number in range(20):
                await caller.apply(number)
        assert len(listed(path)) == 20
        server.signal(signal.SIGKILL)
        server.wait()
    kept = {row["id"] for row in listed(path)}
    assert len(kept) == 20

    catalog = Catalog()
    async with running(provider(port, wire)), App(load(path, catalog), catalog):
        await MemoryLedger.until(20)
        assert set(MemoryLedger.applied) == kept
        assert sorted(MemoryLedger.applied.values()) == list(range(20))


async def test_several_gateways_share_what_waits_in_redis(tmp_path: Path, port: int) -> None:
    with redis_server(tmp_path, password="hunter2") as server:
        path = gateway_file(
            tmp_path,
            port,
            failback=f'store: redis, url: "{server.url}", credential: redis',
            more="credentials: {redis: {file: redis-password}}",
        )
        (tmp_path / "redis-password").write_text("hunter2\n")
        with serving(str(path)) as first:
            async with connect(first.url("way-in"), Ledger) as caller:
                for number in range(20):
                    await caller.apply(number)
            first.signal(signal.SIGKILL)
            first.wait()
        assert len(listed(path)) == 20
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(serving(str(path)))
            async with running(provider(port)):
                await MemoryLedger.until(20)
        assert sorted(MemoryLedger.applied.values()) == list(range(20))


async def test_the_id_goes_with_the_first_attempt_too(port: int, tmp_path: Path) -> None:
    async with running(provider(port)):
        async with connect(f"dubbo://127.0.0.1:{port}", Ledger, cluster="failback", failback=at(tmp_path)) as ledger:
            await ledger.apply(1)
            await ledger.apply(2)
        assert list(MemoryLedger.applied.values()) == [1, 2]
        assert set(MemoryLedger.seen.values()) == {1}


def at(folder: Path, **more: Any) -> dict[str, Any]:
    return {"path": str(folder / "calls.db"), "interval": 0.05, "max_interval": 0.1, **more}


async def test_a_client_keeps_calls_and_delivers_them(tmp_path: Path, port: int) -> None:
    client = connect(f"dubbo://127.0.0.1:{port}", Ledger, cluster="failback", failback=at(tmp_path))
    async with client as ledger:
        await asyncio.gather(*(ledger.apply(number) for number in range(10)))
        assert [row["method"] for row in listed(tmp_path / "calls.db")] == ["apply"] * 10
        async with running(provider(port)):
            await MemoryLedger.until(10)
    assert listed(tmp_path / "calls.db") == []
    counted = {reason: count for (_, reason), count in client.counters.snapshot().items()}
    assert (counted["failback-recorded"], counted["failback-delivered"]) == (10, 10)


def test_a_blocking_client_keeps_calls_in_the_state_directory_of_its_user(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with connect_sync(f"dubbo://127.0.0.1:{port}", Ledger, cluster="failback", application="my/shop") as ledger:
        ledger.apply(1)
    (row,) = listed(tmp_path / "polyport" / "my%2Fshop.failback.db")
    assert row["service"] == f"test.Ledger@dubbo://127.0.0.1:{port}"


async def test_what_waits_for_other_addresses_is_left_alone(tmp_path: Path, port: int) -> None:
    async with connect(f"dubbo://127.0.0.1:{port}", Ledger, cluster="failback", failback=at(tmp_path)) as ledger:
        await ledger.apply(1)
    async with running(provider(free_port())) as app:
        address = app.listening[0].address
        async with connect(f"dubbo://{address}", Ledger, cluster="failback", failback=at(tmp_path)) as other:
            await other.apply(2)
    assert list(MemoryLedger.applied.values()) == [2]
    assert len(listed(tmp_path / "calls.db")) == 1


async def test_what_cannot_be_kept_ends_with_the_error_of_the_call(tmp_path: Path, port: int) -> None:
    (tmp_path / "calls.db").write_text("something else entirely, and long enough to look at\n" * 10)
    with pytest.raises(StoreError, match=r"calls\.db cannot be used: file is not a database"):
        await connect(f"dubbo://127.0.0.1:{port}", Ledger, cluster="failback", failback=at(tmp_path)).open()

    folder = tmp_path / "gone"
    client = connect(f"dubbo://127.0.0.1:{port}", Ledger, cluster="failback", failback=at(folder))
    async with client as ledger:
        await ledger.apply(1)
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()
        folder.write_text("in the way")
        with pytest.raises(ConnectFailed) as caught:
            await ledger.apply(2)
        assert isinstance(caught.value.__cause__, StoreError)
        folder.unlink()
        await ledger.apply(3)
    counted = {reason: count for (_, reason), count in client.counters.snapshot().items()}
    assert (counted["failback-recorded"], counted["failback-refused"]) == (2, 1)


async def test_a_generic_call_is_kept_too(tmp_path: Path, port: int) -> None:
    url = f"dubbo://127.0.0.1:{port}/test.Ledger"
    async with connect(url, cluster="failback", failback=at(tmp_path)) as ledger:
        assert await ledger.invoke("apply", 7, types=("long",)) is None
        async with running(provider(port)):
            await MemoryLedger.until(1)
    assert list(MemoryLedger.applied.values()) == [7]


async def test_a_method_alone_can_have_the_mode(tmp_path: Path, port: int) -> None:
    methods = {"apply": MethodSettings(cluster={"type": "failback", "options": {"expires": 60.0}})}
    async with connect(f"dubbo://127.0.0.1:{port}", Ledger, methods=methods, failback=at(tmp_path)) as ledger:
        await ledger.apply(1)
    (row,) = listed(tmp_path / "calls.db")
    assert row["expires"] > row["created"]


@pytest.fixture
def waiting(tmp_path: Path, port: int) -> Path:
    """A configuration whose gateway has kept three calls."""
    path = gateway_file(tmp_path, port)

    async def keep() -> None:
        catalog = Catalog()
        async with App(load(path, catalog), catalog) as app:
            ledger = app.reference("ledger", Ledger)
            for number in range(3):
                await ledger.apply(number)

    asyncio.run(keep())
    return path


def test_calls_that_wait_are_listed_and_shown(waiting: Path) -> None:
    rows = listed(waiting)
    assert [(row["service"], row["method"], row["state"]) for row in rows] == [("ledger", "apply", "waiting")] * 3
    assert {row["error"].partition(":")[0] for row in rows} == {"connect-failed"}
    table = inside("failback", "list", str(waiting)).out.splitlines()
    assert table[0].split()[:4] == ["ID", "SERVICE", "METHOD", "STATE"]
    assert len(table) == 5
    assert table[-1].startswith("ledger: 3 waiting, 0 dead, ")
    assert len(json.loads(inside("failback", "list", str(waiting), "--limit", "2", "--json").out)["calls"]) == 2
    assert json.loads(inside("failback", "list", str(waiting), "--service", "x", "--json").out)["calls"] == []

    shown = json.loads(inside("failback", "show", str(waiting), rows[1]["id"]).out)
    assert (shown["call"]["method"], shown["call"]["arguments"]) == ("apply", [1])
    gone = inside("failback", "show", str(waiting), "x")
    assert (gone.code, gone.err) == (2, "error: no call x waits\n")


def test_calls_that_wait_are_cleared_by_id_or_all(waiting: Path) -> None:
    first = listed(waiting)[0]["id"]
    assert inside("failback", "clear", str(waiting)).err == "error: name calls by their ids, or say --all\n"
    assert inside("failback", "clear", str(waiting), first).out == "1 call forgotten\n"
    again = inside("failback", "clear", str(waiting), first)
    assert (again.code, again.err) == (2, "error: 1 of 1 ids are of no call that waits\n")
    assert inside("failback", "clear", str(waiting), "--dead").out == "0 calls forgotten\n"
    assert inside("failback", "clear", str(waiting), "--all", "--json").out == '{"calls": 2}\n'
    assert inside("failback", "list", str(waiting)).out == "no calls wait\n"


def test_calls_can_be_sent_again_at_once(waiting: Path) -> None:
    assert inside("failback", "retry", str(waiting), "--all").out == "3 calls due now\n"


def test_nothing_is_made_where_nothing_was_kept(tmp_path: Path, port: int) -> None:
    path = gateway_file(tmp_path, port)
    for command in (("list",), ("retry", "--all"), ("clear", "--all")):
        assert inside("failback", command[0], str(path), *command[1:]).code == 0
    assert [each.name for each in tmp_path.iterdir()] == ["gateway.yaml"]


async def test_a_running_gateway_notices_what_was_changed_from_outside(tmp_path: Path, port: int) -> None:
    path = gateway_file(tmp_path, port)
    path.write_text(path.read_text().replace("max_interval: 200ms", "max_interval: 1h").replace("100ms", "200ms"))
    catalog = Catalog()
    async with App(load(path, catalog), catalog) as app:
        await app.reference("ledger", Ledger).apply(5)
        async with running(provider(port)):
            done = await asyncio.to_thread(inside, "failback", "retry", str(path), "--all")
            assert done.out.endswith("due now\n")
            await MemoryLedger.until(1)
    assert CALL_ID == "polyport-call-id"
