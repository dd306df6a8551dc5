"""What Python's own libraries can say of the corpus: http.client and json over http://, socket and pickle over rmi://.

Each value goes as an argument, which a provider behind the gateway is told, and comes back as a result.
"""

from __future__ import annotations

import asyncio
import io
import json
import pickle
import socket
import struct
from collections.abc import Callable
from enum import Enum
from http.client import HTTPConnection
from typing import Any, Final

import pytest

from gateway.jsonform.writer import Writers
from gateway.model.call import Ok
from gateway.model.errors import ValueMappingError
from gateway.model.generic import Long
from gateway.model.typeref import Kind, TypeRef
from gateway.plugins.catalog import Catalog
from protocols.testing import CONTRACT, CORPUS, Case, difference
from tests.matrix.bridge import Bridge, bridge

pytestmark = pytest.mark.interop

_PATIENCE_S: Final = 20.0
_HEAD: Final = struct.Struct(">4sBBBBIQ16s")
"""docs/rmi.md: magic, version, kind, bytes of the key id, reason, bytes of the payload, moment, nonce."""
_CALL: Final = 1


class HttpClient:
    """Calls by the paths of the OpenAPI document; values are compared as JSON."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
        self._writers = Writers(CONTRACT)

    def form(self, case: Case) -> Any:
        return json.loads(json.dumps(self._writers.compile(case.type)(case.value)))

    def call(self, case: Case, form: Any) -> Any:
        body = json.dumps({"value": form} if case.arguments else {})
        self._connection.request("POST", f"/demo.Types/{case.method}", body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        data = answer.read()
        assert answer.status in (200, 204), data
        return json.loads(data) if data else None

    def close(self) -> None:
        self._connection.close()

    def same(self, case: Case, form: Any, found: Any) -> bool:
        """Sets have no order, and JSON's texts tell 1 from 1.0 and from true."""
        return json.dumps(_in_order(form)) == json.dumps(_in_order(found))


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return sorted(map(_in_order, value), key=json.dumps) if isinstance(value, list) else value


class RmiClient:
    """One connection for each call, as in docs/rmi.md, without a signature."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)

    def form(self, case: Case) -> Any:
        return _plain(case.value, case.type)

    def call(self, case: Case, form: Any) -> Any:
        said = {"service": "demo.Types", "method": case.method, "args": [form] if case.arguments else []}
        payload = pickle.dumps(said, protocol=4)
        with socket.create_connection(self._address, _PATIENCE_S) as sock:
            sock.sendall(_HEAD.pack(b"PRMI", 1, _CALL, 0, 0, len(payload), 0, bytes(16)) + payload)
            sock.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: sock.recv(65_536), b""))
        answer = pickle.load(io.BytesIO(received[_HEAD.size :]))
        assert "ok" in answer, answer
        return answer["ok"]

    def close(self) -> None:
        pass

    def same(self, case: Case, form: Any, found: Any) -> bool:
        return difference(form, found) is None


def _plain(value: Any, ref: TypeRef) -> Any:
    """The column "written" of docs/rmi.md."""
    if value is None:
        return None
    match ref.kind:
        case Kind.STRUCT:
            fields = CONTRACT.struct(ref).fields
            own = {each.name: _plain(getattr(value, each.attribute), each.type) for each in fields}
            return {"__class__": ref.name, **own}
        case Kind.ENUM:
            return value.name
        case Kind.LIST:
            return [_plain(each, ref.args[0]) for each in value]
        case Kind.SET:
            return {_plain(each, ref.args[0]) for each in value}
        case Kind.MAP:
            key, item = ref.args
            pairs = [(_plain(each, key), _plain(value[each], item)) for each in value]
            return pairs if key.kind is Kind.STRUCT else dict(pairs)
        case Kind.ANY:
            return _plain_any(value)
    return value


def _plain_any(value: Any) -> Any:
    if isinstance(value, Enum | Long) or hasattr(value, "__dataclass_fields__"):
        raise ValueMappingError("plain values have no class that says so", "")
    return value


async def _differing(bridge: Bridge, client: Any) -> list[str]:
    """Names of values that did not arrive, or did not come back."""
    wrong = []
    for case in CORPUS:
        try:
            form = client.form(case)
        except ValueMappingError:
            # JSON has no lone surrogates.
            continue
        bridge.expect(Ok(case.value))
        try:
            found = await asyncio.to_thread(client.call, case, form)
        except Exception as error:
            wrong.append(f"{case.name}: {error!r:.200}")
            continue
        (received,) = bridge.received
        if difference(case.arguments, received.arguments()) is not None:
            wrong.append(f"{case.name}: {difference(case.arguments, received.arguments())}")
        elif not client.same(case, form, found):
            wrong.append(f"{case.name} came back as {found!r:.100}")
    return wrong


def _row(wire: str, client: Callable[[int], Any], peer: str, quick: bool) -> Any:
    mark = pytest.mark.direction("Python → us", wire=wire, peer=peer, quick=quick)
    return pytest.param(wire, client, id=wire, marks=mark)


@pytest.mark.parametrize(
    ("wire", "client"),
    [_row("http", HttpClient, "http.client", True), _row("rmi", RmiClient, "plain python", False)],
)
async def test_every_value_arrives_and_comes_back(wire: str, client: Callable[[int], Any]) -> None:
    async with bridge(wire, "redis", Catalog()) as started:
        calling = client(int(started.before.address.rpartition(":")[2]))
        try:
            assert await _differing(started, calling) == []
        finally:
            calling.close()
