"""The plain client: what it loads, and that it works where nothing of Polyport is but the files of the format."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.rmi_client import RmiClient, RmiError, RmiFault
from protocols.rmi.frame import Kind, Reason, frame_bytes, write_head
from protocols.rmi.pickle_writer import write_pickle
from protocols.rmi.signature import Seal, refusal
from tests.support.running import running

ROOT = Path(__file__).parents[3]
SECRET = "a secret of more than sixteen bytes"
FILES = (
    "adapters/__init__.py",
    "adapters/rmi_client.py",
    "protocols/__init__.py",
    "protocols/replay.py",
    *(f"protocols/rmi/{name}.py" for name in ("__init__", "frame", "signature", "reduction", "pickle_keys",
                                              "pickle_reader", "pickle_writer")),
)  # fmt: skip

CONFIG = """
application: {name: rmi-client}
listeners:
  open: {protocol: rmi, port: 0}
  signed: {protocol: rmi, port: 0, options: {secrets: [shop]}}
credentials:
  shop: {env: RMI_SECRET}
services:
  demo.Catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [open, signed]
  demo.Types:
    contract: gateway.demo.types:Types
    implementation: gateway.demo.types:DemoTypes
    listeners: [open, signed]
"""

PROGRAM = """
import sys
from adapters.rmi_client import RmiClient
port, secret = int(sys.argv[1]), sys.argv[2]
catalog = RmiClient("127.0.0.1", port, secret=secret, key="shop").service("demo.Catalog")
print(catalog.find(1)["name"], catalog.count(), catalog.find("Desk lamp")["id"])
print(sorted({each.partition(".")[0] for each in sys.modules} & {"asyncio", "gateway", "registry", "msgspec"}))
"""


def port_of(app: Any, name: str) -> int:
    (address,) = (each.address for each in app.listening if each.listener == name)
    return int(address.rpartition(":")[2])


@pytest.mark.parametrize("listener", ["open", "signed"])
async def test_works_alone_in_an_isolated_interpreter(
    listener: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RMI_SECRET", SECRET)
    for each in FILES:
        target = tmp_path / each
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / each, target)
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]\n{PROGRAM}"
    async with running(CONFIG) as app:
        secret = SECRET if listener == "signed" else ""
        # Isolated and without site packages: there is the standard library, and what was copied.
        command = [sys.executable, "-I", "-S", "-c", code, str(port_of(app, listener)), secret]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    name, modules = done.stdout.splitlines()
    assert name == "Desk lamp 3 1"
    assert modules == "[]"


async def test_faults_errors_and_what_goes_beside_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMI_SECRET", SECRET)

    def calls(port: int, signed: int) -> None:
        client = RmiClient("127.0.0.1", port)
        catalog = client.service("demo.Catalog")
        with pytest.raises(RmiFault) as fault:
            catalog.find(999_999)
        assert fault.value.type_name == "demo.ProductNotFound"
        assert fault.value.fields["product_id"] == 999_999
        for call, code in (
            (lambda: catalog.nothing(), "no-such-method"),
            (lambda: client.service("demo.Nothing").find(1), "no-such-service"),
            (lambda: catalog.find([]), "bad-request"),
            (lambda: catalog.search(), "bad-request"),
        ):
            with pytest.raises(RmiError) as error:
                call()
            assert error.value.code == code
        assert [each["name"] for each in catalog.search(text="lamp", limit=5)] == ["Desk lamp"]
        types = {"service": "demo.Types", "method": "echo_attachments", "args": ["user"]}
        assert client.request({**types, "attachments": {"user": "ann"}})["ok"] == "ann"
        assert client.request({"service": "demo.Catalog", "method": "touch", "args": [1], "oneway": True}) == {
            "ok": None
        }
        with pytest.raises(RmiError) as error:
            RmiClient("127.0.0.1", signed).call("demo.Catalog", "count")
        assert error.value.code == "unauthenticated"
        with pytest.raises(RmiError) as error:
            RmiClient("127.0.0.1", signed, secret="x" * 16, key="shop").call("demo.Catalog", "count")
        assert error.value.code == "unauthenticated"
        assert RmiClient("127.0.0.1", signed, secret=SECRET, key="shop").call("demo.Catalog", "count") == 3

    async with running(CONFIG) as app:
        await asyncio.to_thread(calls, port_of(app, "open"), port_of(app, "signed"))


def one_answer(answer: bytes) -> tuple[int, Callable[[], None]]:
    """A server that gives these bytes to one caller, whatever it asks; its port, and how it is waited for."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listening.accept()
        with sock, listening:
            while sock.recv(65_536):
                pass
            sock.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return listening.getsockname()[1], thread.join


def replying(payload: bytes) -> bytes:
    return frame_bytes(write_head(Kind.REPLY, len(payload)), b"", [payload])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "connection-lost"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "connection-lost"),
        (replying(write_pickle({"ok": 1}))[:-1], "connection-lost"),
        (replying(b"cos\nsystem\n(X\x04\0\0\0truetR."), "connection-lost"),
        (write_head(Kind.REPLY, 1 << 31), "connection-lost"),
        (replying(write_pickle([])), "provider-failed"),
        (replying(write_pickle({})), "provider-failed"),
        (replying(write_pickle({"error": "overloaded", "retry": "safe"})), "overloaded"),
        (refusal(Reason.UNAUTHENTICATED), "unauthenticated"),
        (refusal(Reason.NONE), "provider-failed"),
        (refusal(Reason.BUSY), "overloaded"),
    ],
)
def test_answers_of_bad_servers_are_errors(answer: bytes, code: str) -> None:
    port, join = one_answer(answer)
    with pytest.raises(RmiError) as error:
        RmiClient("127.0.0.1", port, timeout_s=5).call("s", "m")
    join()
    assert error.value.code == code


def test_a_reply_of_somebody_without_the_secret_is_refused() -> None:
    port, join = one_answer(Seal("default", b"another secret of some length").sealed(Kind.REPLY, [b"N."], 0, bytes(16)))
    with pytest.raises(RmiError, match="not signed by who has the key"):
        RmiClient("127.0.0.1", port, secret=SECRET, timeout_s=5).call("s", "m")
    join()


def test_a_call_that_is_played_back_is_no_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    port, join = one_answer(Seal("default", SECRET.encode()).sealed(Kind.CALL, [write_pickle({"ok": 1})], 0, bytes(16)))
    with pytest.raises(RmiError, match="a call where a reply is expected"):
        RmiClient("127.0.0.1", port, secret=SECRET, timeout_s=5).call("s", "m")
    join()


def test_a_server_that_says_nothing_costs_the_timeout() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    with pytest.raises(RmiError) as error:
        RmiClient("127.0.0.1", port, timeout_s=0.1).call("s", "m")
    listening.close()
    assert (error.value.code, error.value.retry) == ("deadline-exceeded", "if-idempotent")
    with pytest.raises(RmiError) as error:
        RmiClient("127.0.0.1", port, timeout_s=1).call("s", "m")
    assert (error.value.code, error.value.retry) == ("connect-failed", "safe")
