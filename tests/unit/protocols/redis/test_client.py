"""The client's half of a connection: what it says first, whose answer is whose, and what a provider may say unasked."""

from __future__ import annotations

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import NoSuchMethod, ProviderFailed, Retry, RpcError, Unauthenticated, ValueMappingError
from protocols.contract import Drain, ReplyReceived
from protocols.reader import Limits
from protocols.redis.client import RedisClientCodec, RedisClientWire, RedisStyle
from tests.support.redis_bytes import command

KEY = ServiceKey("demo.Catalog", "a\r\nb", "1.0")
CONTRACT = contract_of(Catalog)
METHODS = {each.attribute: each for each in CONTRACT.methods}
GREETED = b"%1\r\n$5\r\nproto\r\n:3\r\n+OK\r\n"
HELLO = command("HELLO", "3") + command("CLIENT", "CAPA", "polyport")
BESIDE = ("WITH", "consumer", "shop")


class Caller:
    """A connection. `wire`: what it is of."""

    def __init__(self, style: RedisStyle | None = None) -> None:
        wire = RedisClientWire(Limits(), style or RedisStyle())
        self.codec: RedisClientCodec = wire.connect()
        self.binding = wire.bind(KEY, CONTRACT, "", "shop")

    def call(self, method: str = "count", *arguments: object, **more: object) -> tuple[int, bytes]:
        signature = METHODS[method]
        invocation = Invocation(KEY, signature.name, arguments, signature=signature, **more)  # type: ignore[arg-type]
        return self.codec.call(self.binding, invocation, None)

    def outcomes(self, data: bytes) -> list[tuple[int, object]]:
        found = []
        for event in self.codec.receive(data):
            assert isinstance(event, ReplyReceived)
            found.append((event.call_id, event.outcome.value if isinstance(event.outcome, Ok) else event.outcome))
        return found


def test_the_first_call_is_preceded_by_a_greeting() -> None:
    caller = Caller()
    count = command(*BESIDE, "--", "a\r\nb/demo.Catalog:1.0.count")
    assert caller.call() == (1, HELLO + count)
    assert caller.call() == (2, count)
    assert caller.outcomes(GREETED + b":3\r\n:4\r\n") == [(1, 3), (2, 4)]


def test_credentials_are_shown_first() -> None:
    _, data = Caller(RedisStyle("cache", "secret")).call()
    assert data.startswith(command("HELLO", "3", "AUTH", "cache", "secret"))


def test_what_stands_in_arguments_and_attachments_is_never_a_command() -> None:
    _, data = Caller().call("find_by_name", "a\r\nFLUSHALL\r\n", attachments={"k\r\n": "v\r\n*1\r\n"})
    words = (*BESIDE, "@k\r\n", "v\r\n*1\r\n", "--", "a\r\nb/demo.Catalog:1.0.find_by_name", "a\r\nFLUSHALL\r\n")
    assert data == HELLO + command(*words)


def test_an_answer_that_nobody_waits_for_goes_to_nobody() -> None:
    caller = Caller()
    first, _ = caller.call()
    second, _ = caller.call()
    caller.codec.abandon(first)
    (one, late), (two, value) = caller.outcomes(GREETED + b":1\r\n:2\r\n")
    assert (one, two, value) == (first, second, 2)
    assert isinstance(late, ProviderFailed)


def test_a_call_without_an_answer_still_has_its_place() -> None:
    caller = Caller()
    assert caller.call(oneway=True)[0] == -1
    second, data = caller.call()
    assert b"oneway" not in data
    assert caller.outcomes(GREETED + b"+OK\r\n:2\r\n") == [(second, 2)]


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        (b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", Unauthenticated),
        (b"-NOAUTH HELLO must be called\r\n", Unauthenticated),
    ],
)
def test_who_is_not_let_in_is_told_so_by_every_call(greeting: bytes, expected: type[RpcError]) -> None:
    caller = Caller()
    caller.call()
    noauth = b"-NOAUTH Authentication required.\r\n"
    ((_, outcome),) = caller.outcomes(greeting + noauth + noauth)
    assert isinstance(outcome, expected)


def test_a_provider_without_resp_3_is_none() -> None:
    caller = Caller()
    caller.call()
    assert caller.outcomes(b"-ERR unknown command 'HELLO', with args beginning with: '3' \r\n") == []
    assert caller.codec.broken is not None


@pytest.mark.parametrize(
    ("reply", "kind", "retry"),
    [
        (b"-ERR unknown command 'x', with args beginning with: \r\n", NoSuchMethod, Retry.NEVER),
        (b"-LOADING Redis is loading the dataset in memory\r\n", ProviderFailed, Retry.NEVER),
        (b"-RPCERR no-such-thing/safe text\r\n", ProviderFailed, Retry.NEVER),
        (b"-RPCERR provider-failed/safe/exhausted text\r\n", ProviderFailed, Retry.SAFE),
        (b"$1\r\nx\r\n", ProviderFailed, Retry.NEVER),
        (b":9223372036854775808\r\n", ProviderFailed, Retry.NEVER),
    ],
)
def test_what_is_no_answer_is_an_error(reply: bytes, kind: type[RpcError], retry: Retry) -> None:
    caller = Caller()
    caller.call()
    ((_, outcome),) = caller.outcomes(GREETED + reply)
    assert isinstance(outcome, kind)
    assert outcome.retry is retry


def test_the_end_of_a_listener_may_be_said_between_answers() -> None:
    caller = Caller()
    caller.call()
    events = caller.codec.receive(GREETED + b">1\r\n+polyport-drain\r\n>2\r\n+other\r\n:1\r\n:3\r\n")
    assert isinstance(events[0], Drain)
    assert (events[0].active, events[0].leave) == (True, True)
    assert isinstance(events[1], ReplyReceived)
    assert len(events) == 2


def test_an_answer_to_nothing_ends_the_connection() -> None:
    caller = Caller()
    assert caller.outcomes(b":1\r\n") == []
    assert caller.codec.broken is not None


def test_a_heartbeat_is_sent_where_nothing_is_waited_for() -> None:
    caller = Caller()
    assert caller.codec.ping() == b""
    caller.call()
    assert caller.codec.ping() == b""
    caller.outcomes(GREETED + b":1\r\n")
    assert caller.codec.ping() == command("PING")
    second, _ = caller.call()
    assert caller.outcomes(b"+PONG\r\n:2\r\n") == [(second, 2)]


def test_what_has_no_form_is_refused_before_it_is_sent() -> None:
    caller = Caller()
    with pytest.raises(ValueMappingError, match=r"args\[0\]: expected string, found int"):
        caller.call("find_by_name", 5)
    with pytest.raises(ValueMappingError, match=r"attachments\['a'\]: .*texts, not int"):
        caller.call(attachments={"a": 1})
    assert caller.call()[0] == 1
