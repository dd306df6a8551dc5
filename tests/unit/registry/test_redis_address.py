"""Addresses of Redis servers, and names in Dubbo's layout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from registry.redis.address import Peer, PeerKind, parse_peers
from registry.redis.layout import Layout, decode, encode, is_lasting, parse_expiry


@pytest.mark.parametrize(
    ("text", "peers"),
    [
        ("redis://10.0.0.1", (Peer(PeerKind.SERVER, (("10.0.0.1", 6379),)),)),
        (
            "rediss://me:p%40ss@db:6380/3",
            (Peer(PeerKind.SERVER, (("db", 6380),), "me", "p@ss", 3, True),),
        ),
        (
            "redis://:a,b@one:1, redis://two:2",
            (Peer(PeerKind.SERVER, (("one", 1),), "", "a,b"), Peer(PeerKind.SERVER, (("two", 2),))),
        ),
        (
            "redis://one:1,two:2/5",
            (
                Peer(PeerKind.SERVER, (("one", 1),), database=5),
                Peer(PeerKind.SERVER, (("two", 2),), database=5),
            ),
        ),
        (
            "redis+sentinel://:pw@s1,[::1]:26380/mymaster/2",
            (Peer(PeerKind.SENTINEL, (("s1", 26379), ("::1", 26380)), "", "pw", 2, service="mymaster"),),
        ),
        ("redis+cluster://a:1,b:2", (Peer(PeerKind.CLUSTER, (("a", 1), ("b", 2))),)),
    ],
)
def test_addresses_are_read(text: str, peers: tuple[Peer, ...]) -> None:
    assert parse_peers(text) == peers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:6379",
        "http://localhost",
        "redis://",
        "redis://:hunter2@host:port",
        "redis://:hunter2@host/x",
        "redis://:hunter2@host?db=1",
        "redis+sentinel://:hunter2@host",
        "redis+cluster://:hunter2@host/1",
        "redis://a" + ",b" * 40,
    ],
)
def test_what_is_no_address_is_refused_without_the_password(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_peers(text)
    assert "hunter2" not in str(caught.value)


def test_addresses_are_shown_without_the_password() -> None:
    peers = parse_peers("rediss+sentinel://me:hunter2@s1,s2/main/1,redis://:hunter2@x")
    assert [str(each) for each in peers] == ["rediss+sentinel://s1:26379,s2:26379/main/1", "redis://x:6379"]
    assert "hunter2" not in repr(peers)


def test_keys_are_those_of_dubbo() -> None:
    layout = Layout("/dubbo/")
    assert layout.key("com.x.S", "providers") == "/dubbo/com.x.S/providers"
    assert layout.split("/dubbo/com.x.S/providers") == ("com.x.S", "providers")
    assert layout.split("/dubbo/providers") is layout.split("other") is None
    assert layout.pattern("a*b[c]?") == r"/dubbo/a\*b\[c\]\?/*"


@pytest.mark.parametrize(
    ("query", "lasting"),
    [("", False), ("?dynamic=true", False), ("?a=1&dynamic=false", True), ("?xdynamic=false", False)],
)
def test_entries_that_stay_say_so(query: str, lasting: bool) -> None:
    assert is_lasting(f"dubbo://h:1/x{query}") is lasting


@pytest.mark.parametrize(
    ("text", "value"),
    [("1700000000000", 1_700_000_000_000), ("", None), ("-1", None), ("1e3", None), ("٣", None), ("9" * 19, None)],
)
def test_the_end_of_a_lease_is_a_decimal_number(text: str, value: int | None) -> None:
    assert parse_expiry(text) == value


def test_bytes_that_are_no_text_survive() -> None:
    assert encode(decode(b"\xff\xfeabc")) == b"\xff\xfeabc"
    assert not decode(b"\xff").isprintable()


def test_without_the_package_the_message_names_what_to_install() -> None:
    program = (
        "import sys; sys.modules['redis'] = None\n"
        "from gateway.model.errors import RegistryError\n"
        "from registry.redis.plugin import PLUGIN\n"
        "try: PLUGIN.build({})\n"
        "except RegistryError as exc: print(exc)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "the registry redis needs the package redis: pip install 'polyport[redis]'\n"
