"""What stock clients of Redis and memcached can say of the corpus: each value, there and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, Final
from urllib.parse import quote

import pytest
from pymemcache.client.base import Client
from redis import ConnectionPool, Redis
from redis._parsers import _HiredisParser, _RESP3Parser

from gateway.jsonform.writer import Writers
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.testing import CONTRACT, CORPUS, Case
from tests.support.cache_gateway import cache_gateway

pytestmark = pytest.mark.interop

_INTEGERS: Final = {Kind.I8, Kind.I16, Kind.I32, Kind.I64, Kind.BIGINT}
_KEY_BYTES: Final = 250


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


_RAW: Final[Mapping[Kind, Callable[[Any], bytes]]] = {Kind.STRING: _utf8, Kind.CHAR: _utf8, Kind.BYTES: bytes}


def native(value: Any, ref: TypeRef, writers: Writers) -> Any:
    """A value as RESP3 has it, and a client with Python's own types: what `protocols.redis.mapping` says."""
    kind = ref.kind
    if value is None:
        return b"OK" if kind is Kind.NULL else None
    if kind in _INTEGERS or kind in (Kind.BOOL, Kind.F32, Kind.F64):
        return value
    if kind in _RAW:
        return _RAW[kind](value)
    if kind is Kind.LIST:
        return [native(each, ref.args[0], writers) for each in value]
    if kind is Kind.SET:
        return {native(each, ref.args[0], writers) for each in value}
    if kind is Kind.MAP:
        key, item = ref.args
        return {native(each, key, writers): native(value[each], item, writers) for each in value}
    if kind is Kind.STRUCT:
        fields = CONTRACT.struct(ref).fields
        return {each.name.encode(): native(getattr(value, each.attribute), each.type, writers) for each in fields}
    return str(writers.compile(ref)(value)).encode()


def difference(expected: Any, found: Any, at: str = "") -> Iterator[str]:
    """Where they differ, in type, in sign or in value. A client may give a set as a list."""
    match expected:
        case dict() if isinstance(found, dict) and expected.keys() == found.keys():
            for key in expected:
                yield from difference(expected[key], found[key], f"{at}[{key!r}]")
        case list() if isinstance(found, list) and len(expected) == len(found):
            for index, each in enumerate(expected):
                yield from difference(each, found[index], f"{at}[{index}]")
        case set() if isinstance(found, list | set) and len(expected) == len(found) and expected == set(found):
            pass
        case _ if type(expected) is not type(found) or repr(expected) != repr(found):
            yield f"{at}: {expected!r:.80} became {found!r:.80}"


def holds(ref: TypeRef, wanted: Callable[[TypeRef], bool]) -> bool:
    """Whether a type is, or is made of, what is wanted."""
    if wanted(ref) or any(holds(each, wanted) for each in ref.args):
        return True
    return ref.kind is Kind.STRUCT and any(
        wanted(each.type) or (each.type.kind is not Kind.STRUCT and holds(each.type, wanted))
        for each in CONTRACT.struct(ref).fields
    )


def is_told(case: Case) -> bool:
    """Whether a client with Python's own types can tell its value: not where anything may stand, and not where a map or
    set has keys that have no hash in Python."""
    return not holds(
        case.type,
        lambda ref: (
            ref.kind is Kind.ANY
            or (ref.kind in (Kind.MAP, Kind.SET) and ref.args[0].kind in (Kind.LIST, Kind.SET, Kind.MAP, Kind.STRUCT))
        ),
    )


def in_order(value: Any) -> Any:
    """JSON with its arrays sorted: some of them are sets."""
    if isinstance(value, dict):
        return {key: in_order(each) for key, each in value.items()}
    return sorted(map(in_order, value), key=json.dumps) if isinstance(value, list) else value


TOLD: Final = [case for case in CORPUS if is_told(case)]


def redis_client(parser: Any, *, digits: bool = False) -> Callable[[int], Iterator[str]]:
    """`digits`: whether the parser gives those of big numbers, as hiredis does."""

    def run(port: int) -> Iterator[str]:
        writers = Writers(CONTRACT)
        names = {each.attribute: each.name for each in CONTRACT.methods}
        pool = ConnectionPool(host="127.0.0.1", port=port, protocol=3, parser_class=parser, socket_timeout=20)
        with closing(pool):
            client = Redis(connection_pool=pool)
            for case in TOLD:
                name = f"demo.Types.{names[case.method]}"
                if case.type.kind in _RAW and case.value is not None:
                    found = client.execute_command(name, _RAW[case.type.kind](case.value))
                else:
                    if any("surrogate" in part for part in case.name.split("/")):
                        continue  # in JSON there are none
                    arguments = [json.dumps(writers.compile(case.type)(each)) for each in case.arguments]
                    found = client.execute_command("CALL", "demo.Types", names[case.method], *arguments)
                if case.type.kind is Kind.BIGINT and digits:
                    found = int(found)
                yield from difference(native(case.value, case.type, writers), found, case.name)

    return run


def memcached_client(port: int) -> Iterator[str]:
    """Arguments and answers in JSON; texts and bytes are told as they are."""
    writers = Writers(CONTRACT)
    names = {each.attribute: each.name for each in CONTRACT.methods}
    with closing(Client(("127.0.0.1", port), timeout=20, default_noreply=False)) as client:
        for number, case in enumerate(CORPUS):
            method = f"demo.Types.{names[case.method]}"
            try:
                form = writers.compile(case.type)(case.value)
            except ValueMappingError:
                continue  # half a surrogate pair, which JSON has not
            text = json.dumps([form] if case.arguments else [])
            key = f"{method}({quote(text[1:-1], safe='')})"
            if len(key) > _KEY_BYTES:
                key = f"{method}#{number}"
                assert client.set(key, f'{{"args": {text}}}')
            found = client.get(key)
            if case.type.kind in _RAW and case.value is not None:
                expected: Any = _RAW[case.type.kind](case.value)
            elif isinstance(form, str) and not found.startswith(b'"'):
                expected, found = form, found.decode()
            else:
                expected, found = form, json.loads(found)
            if holds(case.type, lambda ref: ref.kind is Kind.SET):
                expected, found = in_order(expected), in_order(found)
            yield from difference(expected, found, case.name)


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(client, id=name, marks=pytest.mark.direction("Python → us", wire=wire, peer=peer))
        for name, wire, peer, client in (
            ("redis-py", "redis", "redis-py", redis_client(_RESP3Parser)),
            ("redis-py-hiredis", "redis", "redis-py", redis_client(_HiredisParser, digits=True)),
            ("pymemcache", "memcached", "pymemcache", memcached_client),
        )
    ],
)
async def test_every_value_comes_back(client: Callable[[int], Iterator[str]]) -> None:
    assert len(TOLD) > 250
    async with cache_gateway() as here:
        port = here.memcached if client is memcached_client else here.redis
        differences = await asyncio.to_thread(lambda: list(client(port)))
    assert differences == []
