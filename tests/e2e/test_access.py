"""Lists of who may call what, on every wire: looked at before arguments are read, and changed while calls run."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway import connect
from gateway.config.load import load_text
from gateway.demo.catalog import Catalog
from gateway.model.errors import ConfigError, Forbidden
from gateway.plugins.catalog import Catalog as Catalogue
from gateway.runtime.app import App
from tests.support.abuse import Attacker
from tests.support.dialect import AIOHTTP, DIALECTS, DUBBO, HESSIAN, HTTP, MEMCACHED, REDIS, SOAP, THRIFT, Dialect
from tests.support.dubbo_bytes import INVOKE_TYPES, Reply, integer, request, text
from tests.support.hessian_bytes import FAULT, VALUE, hessian_call
from tests.support.memcached_bytes import MemcachedAnswer, run_call
from tests.support.redis_bytes import RedisAnswer
from tests.support.redis_bytes import command as redis_call
from tests.support.running import running
from tests.support.soap_bytes import soap_call, soap_request
from tests.support.thrift_bytes import STRING, ThriftAnswer
from tests.support.thrift_bytes import call as thrift_call
from tests.support.thrift_bytes import field as thrift_field
from tests.support.thrift_bytes import text as thrift_text

CONFIG = """
application: {{name: guarded, drain: 1s}}
listeners:
  main: {{protocol: {protocol}, port: 0, options: {options}, filters: [lists]}}
registries:
  local: {{type: embedded}}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [main]
  types:
    contract: gateway.demo.types:Types
    implementation: gateway.demo.types:DemoTypes
    listeners: [main]
    announce: [local]
{blind}
filters:
  lists:
    type: access
    options:
      deny: {{consumers: [mallory]}}
      rules:
        - methods: [search, find]
          allow: {{consumers: [shop], addresses: [127.0.0.0/8]}}
        - services: [demo.Types]
          methods: [echo_i32, echoI32]
          deny: {{addresses: ["::ffff:127.0.0.0/104"]}}
"""
BLIND = """
  blind:
    generic: true
    interface: demo.Types
    group: blind
    listeners: [main]
    remote: {{registries: [local], group: "", protocol: {protocol}}}
"""
GENERIC = {"generic": "true"}
WIRES = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


@pytest.fixture
async def app(dialect: Dialect) -> AsyncIterator[App]:
    protocol = dialect.protocol
    blind = BLIND.format(protocol=protocol) if dialect.generic else ""
    async with running(CONFIG.format(protocol=protocol, options=dialect.options, blind=blind)) as app:
        yield app


def client(app: App, dialect: Dialect, contract: Any, consumer: str) -> Any:
    return connect(f"{dialect.protocol}://{app.listening[0].address}", contract, consumer=consumer)


async def answer(app: App, dialect: Dialect, data: bytes) -> Any:
    attacker = Attacker(int(app.listening[0].address.rpartition(":")[2]), dialect=dialect)
    try:
        await attacker.send(data)
        return await attacker.reply()
    finally:
        attacker.close()


def is_forbidden(found: Any) -> bool:
    if isinstance(found, Reply):
        # No status: callers would repeat it. Callers without a name are older than the exception and get one.
        return b"[forbidden] " in found.body
    if isinstance(found, MemcachedAnswer):
        return found.line.startswith(b"SERVER_ERROR RPCERR forbidden ")
    if isinstance(found, RedisAnswer):
        return found.text.startswith("RPCERR forbidden ")
    if isinstance(found, ThriftAnswer):
        return found.text.startswith("[forbidden] ")
    if found.body.startswith(FAULT):
        return b"[forbidden] " in found.body
    if found.body.startswith(b"<?xml"):
        return b'code="forbidden"' in found.body
    return bool(found.status == 403 and found.json["type"] == "urn:polyport:error:forbidden")


@WIRES
async def test_consumers_may_call_what_the_lists_say(app: App, dialect: Dialect) -> None:
    async with (
        client(app, dialect, Catalog, "shop") as shop,
        client(app, dialect, Catalog, "billing") as billing,
        client(app, dialect, Catalog, "mallory") as mallory,
    ):
        assert await shop.count() == await billing.count() == 3
        assert await shop.search("desk")
        for who, what in ((billing, "billing"), (mallory, "mallory")):
            with pytest.raises(Forbidden, match=rf"demo\.Catalog\.search: not for {what} at 127\.0\.0\.1:"):
                await who.search("desk")
        with pytest.raises(Forbidden):
            await mallory.count()
    assert app.refusals() == {(dialect.protocol, "access"): 3}
    assert app.troubles() == {(dialect.protocol, "forbidden"): 3}


PROTOCOL_ERROR = 7
"""Of Thrift's TApplicationException (apache/thrift: doc/specs/thrift-rpc.md)."""
UNREADABLE = b"POST /demo.Catalog/search HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{not "


@WIRES
async def test_who_may_not_call_is_told_so_before_arguments_are_read(
    app: App, dialect: Dialect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "polyport")
    # A text where the method takes a number; what is no JSON at all; a boolean for a text, which is a fault, no status.
    data, status = {
        DUBBO: (request("find", "J", text("abc")), 40),
        HESSIAN: (hessian_call("search", b"T"), 200),
        SOAP: (soap_request(soap_call("search", "<limit>one</limit>")), 500),
        THRIFT: (thrift_call("demo.Catalog:search", thrift_field(STRING, 2, thrift_text("one"))), PROTOCOL_ERROR),
        MEMCACHED: (run_call("demo.Catalog.search", b"desk", b"one"), b"SERVER_ERROR RPCERR bad-request"),
        REDIS: (redis_call("demo.Catalog.search", "desk", "one"), "RPCERR bad-request"),
    }.get(dialect, (UNREADABLE, 400))
    assert is_forbidden(await answer(app, dialect, data))
    app.update_filter("lists", {})
    refused = await answer(app, dialect, data)
    assert not is_forbidden(refused)
    if isinstance(refused, MemcachedAnswer):
        assert refused.line.startswith(status)
    elif isinstance(refused, RedisAnswer):
        assert refused.text.startswith(status)
    else:
        assert (refused.error if isinstance(refused, ThriftAnswer) else refused.status) == status
    assert app.troubles() == {(dialect.protocol, "forbidden"): 1, (dialect.protocol, "bad-request"): 1}
    assert [vars(record)["outcome"] for record in caplog.records] == ["forbidden", "bad-request"]


@pytest.mark.parametrize("dialect", [HESSIAN], ids=lambda dialect: dialect.name)
async def test_questions_about_a_service_pass_the_lists_and_limits_of_calls(dialect: Dialect) -> None:
    config = CONFIG.format(protocol=dialect.protocol, options=dialect.options, blind="")
    slow = "rates: {type: rate_limit, options: {rate: 0.001, burst: 1}}"
    config = config.replace("filters:\n  lists:", f"filters:\n  {slow}\n  lists:")
    config = config.replace("DemoCatalog\n", "DemoCatalog\n    filters: [rates]\n")
    async with running(config) as app:
        attacker = Attacker(int(app.listening[0].address.rpartition(":")[2]), dialect=dialect)
        asked = text("java.api.class")

        async def answer(consumer: str) -> bytes:
            fields = (f"Polyport-Consumer: {consumer}",)
            await attacker.send(hessian_call("_hessian_getAttribute", asked, fields=fields))
            return bytes((await attacker.reply()).body)

        assert b"[forbidden]" in await answer("mallory")
        assert await answer("shop") == VALUE + text("demo.Catalog")
        assert b"[overloaded" in await answer("shop")
        assert app.troubles() == {("hessian", "forbidden"): 1, ("hessian", "overloaded"): 1}
        attacker.close()


@WIRES
async def test_lists_change_while_calls_run(app: App, dialect: Dialect) -> None:
    async with client(app, dialect, Catalog, "billing") as billing:
        assert await billing.count() == 3
        app.update_filter("lists", {"allow": {"addresses": ["10.0.0.0/8"]}})
        with pytest.raises(Forbidden):
            await billing.count()
        with pytest.raises(ValueError, match="bits beyond its prefix"):
            app.update_filter("lists", {"allow": {"addresses": ["127.0.0.1/8"]}})
        with pytest.raises(Forbidden):
            await billing.count()
        app.update_filter("lists", {"allow": {"addresses": ["127.0.0.0/8"]}})
        assert await billing.count() == 3


def invoke(name: str, group: str) -> bytes:
    """A `$invoke` with a text for its only value, and no names of types."""
    value = b"V" + text("[object") + integer(1) + text("abc")
    return request("$invoke", INVOKE_TYPES, text(name) + b"N" + value, path="demo.Types", group=group, more=GENERIC)


@pytest.mark.parametrize("group", ["", "blind"])
@pytest.mark.parametrize("dialect", [DUBBO], ids=["dubbo"])
async def test_a_generic_call_is_judged_by_the_method_it_names(app: App, dialect: Dialect, group: str) -> None:
    names = ["echoI32"] if group == "" else ["echoI32", " echoI32 ", "\techoI32"]
    for name in names:
        assert is_forbidden(await answer(app, dialect, invoke(name, group))), name
    assert not is_forbidden(await answer(app, dialect, invoke("echoString", group)))
    assert app.refusals() == {("dubbo", "access"): len(names)}


@pytest.mark.parametrize("dialect", [HTTP, AIOHTTP], ids=lambda dialect: dialect.name)
async def test_every_form_of_a_json_call_is_judged_by_its_method(app: App, dialect: Dialect) -> None:
    async def post(path: str, body: str) -> Any:
        data = body.encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        return await answer(app, dialect, head.encode() + data)

    for path, body in (
        ("/demo.Types/echo_i32", "[1]"),
        ("/demo.Types/echoI32", "[1]"),
        ("/demo.Types", '{"jsonrpc": "2.0", "id": 1, "method": "echo_i32", "params": [1]}'),
        ("/jsonrpc", '{"jsonrpc": "2.0", "id": 1, "method": "demo.Types.echo_i32", "params": ["no number"]}'),
        (
            "/demo.Types/generic",
            '{"jsonrpc": "2.0", "id": 1, "method": "$invoke", "params": ["echoI32", null, [1]]}',
        ),
        ("/blind/demo.Types/echo_i32", "[1]"),
        ("/blind/demo.Types/$invoke", '["echo_i32", null, [1]]'),
    ):
        found = await post(path, body)
        told = found.json.get("error", {}).get("data", {}).get("type") if found.status == 200 else found.json["type"]
        assert told == "urn:polyport:error:forbidden" or found.status == 404, (path, found)
    assert (await post("/demo.Types/echo_string", '["x"]')).json == "x"
    assert app.refusals()["http", "access"] >= 6


def test_a_range_that_is_none_is_reported_where_it_stands() -> None:
    text = CONFIG.format(protocol="dubbo", options="{}", blind="").replace("127.0.0.0/8", "127.0.0.1/8")
    with pytest.raises(ConfigError) as caught:
        load_text(text, "lists.yaml", Catalogue())
    (problem,) = caught.value.problems
    line = text.splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("127.0.0.1/8")
    assert problem.path == "filters.lists.options.rules[0].allow.addresses[0]"
    assert problem.message == "'127.0.0.1/8' has bits beyond its prefix, did you mean 127.0.0.0/8?"
