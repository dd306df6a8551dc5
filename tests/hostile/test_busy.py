"""Row P1: whatever is full, a caller hears so at once, in its own protocol, and is never left without an answer."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest

from gateway.runtime.app import App
from tests.support.abuse import Attacker
from tests.support.dialect import DIALECTS, Dialect
from tests.support.dubbo_bytes import Reply
from tests.support.hessian_bytes import FAULT
from tests.support.memcached_bytes import MemcachedAnswer
from tests.support.redis_bytes import RedisAnswer
from tests.support.running import running
from tests.support.thrift_bytes import ThriftAnswer

THREADPOOL_EXHAUSTED = 100
"""Dubbo's word for busy: apache/dubbo: dubbo-remoting/dubbo-remoting-api/.../exchange/Response.java."""
INTERNAL_ERROR = 6
"""Thrift has no word of its own for busy: apache/thrift: doc/specs/thrift-rpc.md."""
MOST_S = 0.25
CALLS = 50

CONFIG = """
application: {{name: busy, drain: 0s}}
listeners:
  attacked: {{protocol: {protocol}, port: 0, options: {options}, limits: {{{limits}}}, filters: [{of_listener}]}}
services:
  catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [attacked]
    filters: [{of_service}]
  types:
    contract: gateway.demo.types:Types
    implementation: gateway.demo.types:DemoTypes
    listeners: [attacked]
filters:
  narrow: {{type: concurrency, options: {{limit: 1}}}}
  narrow_each: {{type: concurrency, options: {{limit: 1, per: consumer}}}}
  narrow_found: {{type: adaptive_concurrency, options: {{initial: 1, min_limit: 1, max_limit: 1}}}}
  once_an_hour: {{type: rate_limit, options: {{rate: 0.001, burst: 1}}}}
"""
FULL = {
    "calls of the listener": {"limits": "calls: 1"},
    "concurrency of the listener": {"of_listener": "narrow"},
    "concurrency of the service": {"of_service": "narrow"},
    "concurrency of a consumer": {"of_service": "narrow_each"},
    "adaptive concurrency": {"of_service": "narrow_found"},
    "rate": {"of_service": "once_an_hour"},
}
REASON = {"narrow": "concurrency", "narrow_each": "concurrency", "narrow_found": "adaptive-concurrency"}


def assert_busy(answer: Any, retry_after: str = "1") -> None:
    """The answer is the protocol's own word for busy, and says that nothing was begun."""
    if isinstance(answer, Reply):
        assert answer.status == THREADPOOL_EXHAUSTED
        assert "[overloaded] " in answer.text
        return
    if isinstance(answer, MemcachedAnswer):
        assert answer.line.startswith(b"SERVER_ERROR RPCERR overloaded ")
        return
    if isinstance(answer, ThriftAnswer):
        assert (answer.error, answer.text[:13]) == (INTERNAL_ERROR, "[overloaded] ")
        return
    if isinstance(answer, RedisAnswer):
        assert answer.text.startswith("RPCERR overloaded ")
        return
    if answer.body.startswith(FAULT):
        # With any other status Caucho's client would say that the connection broke.
        assert answer.status == 200
        assert b"[overloaded] " in answer.body
        return
    if answer.body.startswith(b"<?xml"):
        # SOAP 1.1, section 6.2: every fault has this status.
        assert answer.status == 500
        assert b'code="overloaded" retry="safe"' in answer.body
        return
    assert answer.status == 503
    assert answer.fields["retry-after"] == retry_after
    assert answer.json["type"] == "urn:polyport:error:overloaded"
    assert answer.json["retry"] == "safe"


@contextlib.asynccontextmanager
async def two_peers(app: App, dialect: Dialect) -> AsyncIterator[tuple[Attacker, Attacker]]:
    port = int(app.listening[0].address.rpartition(":")[2])
    peers = Attacker(port, dialect=dialect), Attacker(port, dialect=dialect)
    try:
        yield peers
    finally:
        for each in peers:
            each.close()


@pytest.mark.parametrize("full", FULL)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_p1_what_is_full_says_so_at_once_and_others_are_served(
    dialect: Dialect, full: str, caplog: pytest.LogCaptureFixture
) -> None:
    where = {"limits": "", "of_listener": "", "of_service": "", **FULL[full]}
    text = CONFIG.format(protocol=dialect.protocol, options=dialect.options, **where)
    async with running(text) as app, two_peers(app, dialect) as (first, second):
        caplog.set_level(logging.WARNING, "polyport")
        caplog.clear()
        await first.send(dialect.forever)
        # An answer to another call says that the one before it was begun.
        await second.send(dialect.echo("begun"))
        begun = await second.reply()
        assert dialect.is_ok(begun) is ("listener" not in full)
        started = monotonic()
        for _ in range(CALLS):
            await second.send(dialect.count)
            assert_busy(await second.reply(), "1000" if full == "rate" else "1")
        assert monotonic() - started < MOST_S * CALLS
        if dialect.is_ok(begun):
            await second.send(dialect.echo("still here"))
            assert dialect.is_echo(await second.reply(), "still here")
        refused = CALLS + (not dialect.is_ok(begun))
        if full == "calls of the listener":
            # By the listener itself, which logs the first, tenth, hundredth.
            assert [record.name for record in caplog.records] == ["polyport.listener"] * 2
            assert app.refusals() == {}
        else:
            lines = [vars(record) for record in caplog.records]
            # One line for each service that was called.
            assert [line["outcome"] for line in lines] == ["overloaded"] * (1 + (refused > CALLS))
            assert lines[0]["peer"] == f"{dialect.protocol} {second.address}"
            reason = REASON.get(where["of_service"] or where["of_listener"], "rate-limit")
            assert app.refusals() == {(dialect.protocol, reason): refused}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
async def test_p1_the_place_of_a_call_whose_caller_went_away_is_free_again(dialect: Dialect) -> None:
    text = CONFIG.format(
        protocol=dialect.protocol, options=dialect.options, limits="", of_listener="", of_service="narrow"
    )
    async with running(text) as app, two_peers(app, dialect) as (first, second):
        await first.send(dialect.forever)
        await second.send(dialect.echo("begun"))
        await second.reply()
        await second.send(dialect.count)
        assert_busy(await second.reply())
        first.reset()
        deadline = monotonic() + 5
        while True:
            await second.send(dialect.count)
            if dialect.is_count(await second.reply()):
                break
            assert monotonic() < deadline
