"""How options name commands, and what keys and times to live become."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gateway.model.errors import BadRequest, NoSuchMethod, ValueMappingError
from protocols.data.binding import DataBinding, DataOptions
from protocols.data.command import Argument, Command, parse_command
from protocols.data.encoding import EncodingOptions, values_of
from protocols.data.key import check_memcached_key, encode_memcached_key
from protocols.data.memcached import expiration
from protocols.data.redis import REDIS_VERBS, written_commands
from tests.support.data_shop import SHOP, Item

METHODS = {each.attribute: each for each in SHOP.methods}


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("get", Command("get")),
        (" get  Gone=miss ", Command("get", None, ("Gone",))),
        ("keys()", Command("keys", ())),
        ("set(a, ttl=60)", Command("set", (Argument("", "a"), Argument("ttl", constant=60)))),
        (
            """incr(key="a,(b)", field='c"d')""",
            Command("incr", (Argument("key", constant="a,(b)"), Argument("field", constant='c"d'))),
        ),
        ("get(key='x:{a}') a.Gone=miss", Command("get", (Argument("key", constant="x:{a}"),), ("a.Gone",))),
    ],
)
def test_commands_are_read(text: str, command: Command) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    "text", ["", "get(", "get(a b)", "get(a,)", "get(key=)", "GET", "get(a) miss", "get('a)", "get x"]
)
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not written like|is no parameter"):
        parse_command(text)


def written(method: str, command: str, arguments: tuple[Any, ...], **options: Any) -> list[list[Any]]:
    own = DataOptions(commands={method: parse_command(command)}, **options)
    binding = DataBinding(SHOP, own, REDIS_VERBS, values_of(SHOP, EncodingOptions()), bytes)
    assert binding.found == []
    bound = binding.method(method, METHODS[method])
    return written_commands(bound.verb, bound.write(arguments))


def test_places_are_filled_by_order_by_name_and_by_what_stands_for_itself() -> None:
    tea = Item("t", 1)
    text = b'{"name":"t","price":1,"colour":"RED","note":null}'

    assert written("lend", "set", ("a", tea, None)) == [["SET", b"a", text]]
    assert written("lend", "set(ttl=ttl, key=sku, value=item)", ("a", tea, dt.timedelta(milliseconds=1))) == [
        ["SET", b"a", text, "PX", 1]
    ]
    assert written("set", "set(key, value, ttl=2)", ("a", tea)) == [["SET", b"a", text, "PX", 2_000]]
    assert written("set", "set", ("a", tea), expiry_ms=5, prefix="p:") == [["SET", b"p:a", text, "PX", 5]]
    assert written("count", "incr('v:{page}/{region}', by)", ("a/b", "ü", 3)) == [["INCRBY", b"v:a%2Fb/%C3%BC", 3]]


def test_a_time_to_live_is_rounded_up_to_milliseconds() -> None:
    assert written("lend", "set", ("a", Item("t", 1), dt.timedelta(microseconds=1_001)))[0][-1] == 2
    with pytest.raises(BadRequest, match="lend: ttl: a time to live is more than 0 seconds"):
        written("lend", "set", ("a", Item("t", 1), dt.timedelta(-1)))


def test_what_has_no_place_must_be_what_it_is_by_default() -> None:
    assert written("count", "incr('v:{page}{region}')", ("a", "b", 1)) == [["INCRBY", b"v:ab", 1]]
    with pytest.raises(BadRequest, match="count: by: the command incr has no place for it"):
        written("count", "incr('v:{page}{region}')", ("a", "b", 2))


def test_several_commands_make_one_change_of_a_hash() -> None:
    assert written("save", "hmset", ("h", Item("t", 1))) == [
        ["HSET", b"h", b"name", b"t", b"price", b"1", b"colour", b"RED"],
        ["HDEL", b"h", b"note"],
    ]


def test_keys_of_memcached() -> None:
    assert check_memcached_key("é".encode() * 125) == "é".encode() * 125
    assert encode_memcached_key(b"a b%\x7f\xff") == b"a%20b%25%7F%FF"
    for bad in (b"", b"k" * 251, b"a b", b"\n"):
        with pytest.raises(ValueMappingError):
            check_memcached_key(bad)


@pytest.mark.parametrize(
    ("ttl_ms", "seconds"),
    # doc/protocol.txt: 0 is never, more than 30 days is a time of day.
    [(None, 0), (1, 1), (1_000, 1), (1_001, 2), (2_592_000_000, 2_592_000), (2_592_000_001, 1_000_000 + 2_592_001)],
)
def test_expiration_times_of_memcached(ttl_ms: int | None, seconds: int) -> None:
    assert expiration(ttl_ms, 1_000_000.9) == seconds


def test_a_method_that_has_a_command_by_its_name_can_be_without() -> None:
    own = DataOptions(commands={"get": parse_command("none"), "find": parse_command("get")})
    binding = DataBinding(SHOP, own, REDIS_VERBS, values_of(SHOP, EncodingOptions()), bytes)

    assert binding.found == []
    assert binding.method("find", METHODS["find"]).verb == "get"
    with pytest.raises(NoSuchMethod, match=r"shop.Items.get has no command here; delete, find, set have one"):
        binding.method("get", METHODS["get"])
