"""redis:// beside a real Redis: the same bytes to both, the same bytes back."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from gateway.model.call import Peer
from protocols.contract import Send
from protocols.reader import Limits
from protocols.redis.server import RedisServerWire
from tests.support.redis_server import redis_server

PASSWORD = "a password"
MARK = b"mark-of-the-end"
VERSION = re.compile(rb"\$\d+\r\n7\.\d+\.\d+\r\n")
NUMBER = re.compile(rb"(\bid\r\n):\d+\r\n")
KIB = 1024


def command(*words: bytes | str) -> bytes:
    """As clients write it."""
    given = [each.encode() if isinstance(each, str) else each for each in words]
    return b"*%d\r\n%b" % (len(given), b"".join(b"$%d\r\n%b\r\n" % (len(each), each) for each in given))


ASKED = command("echo", MARK)


class Real(NamedTuple):
    """A server of Redis. `password`: that it asks for."""

    url: str
    password: str


@pytest.fixture(scope="module", params=["", PASSWORD], ids=["open", "password"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """A real one."""
    with redis_server(tmp_path_factory.mktemp("redis"), append=False, password=request.param) as made:
        yield Real(made.url, request.param)


def asked_for_real(server: Real, data: bytes) -> bytes:
    """What Redis sends back, up to the answer to the mark or the end."""
    parts = urlsplit(server.url)
    got = b""
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(data)
        try:
            while not got.endswith(MARK + b"\r\n") and (more := connection.recv(65_536)):
                got += more
        except ConnectionResetError:
            pass
    return got


def asked_here(data: bytes, password: str) -> bytes:
    """The same of ours, whose codec says everything that is asked here by itself."""
    wire = RedisServerWire((), Limits(), {"default": password} if password else {}, lambda: 0.0)
    codec = wire.accept(Peer("redis", "test"))
    events = codec.receive(data, 0.0)
    said = b"".join([each.data for each in events if isinstance(each, Send)])
    assert all(isinstance(each, Send) for each in events)
    if codec.broken is not None:
        said += codec.broken.farewell
    if ASKED in data:
        assert (MARK in said) != (codec.broken is not None or codec.finished)
    return said


def plain(said: bytes) -> bytes:
    """Without what is another one each time."""
    return NUMBER.sub(rb"\1:N\r\n", VERSION.sub(b"$5\r\n7.x.x\r\n", said))


PROTOCOL_ERRORS = {
    "bulk -2": b"*1\r\n$-2\r\n",
    "bulk -10": b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n",
    "bulk abc": b"*1\r\n$abc\r\n",
    "bulk too big": b"*1\r\n$2000000000\r\n",
    "bulk 01": b"*1\r\n$01\r\nx\r\n",
    "bulk +1": b"*1\r\n$+1\r\nx\r\n",
    "bulk empty": b"*1\r\n$\r\n",
    "bulk beyond 64 bits": b"*1\r\n$99999999999999999999\r\n",
    "multibulk -10": b"*-10\r\n",
    "multibulk 0": b"*0\r\n",
    "multibulk -1": b"*-1\r\n",
    "multibulk 3000000000": b"*3000000000\r\n",
    "multibulk abc": b"*abc\r\n",
    "multibulk 01": b"*01\r\n",
    "multibulk nothing": b"*\r\n",
    "fooz": b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n",
    "foo": b"*1\r\nfoo\r\n",
    "colon": b"*1\r\n:1\r\n",
    "star": b"*1\r\n*1\r\n",
    "high byte": b"*1\r\n\xff\r\n",
    "quotes": b'ping "unbalanced\r\n',
    "quote inside": b'"a"b\r\n',
    "apostrophe": b"ping 'x\r\n",
    "eleven words": command(*["echo"] * 11),
    "ten words": command(*["echo"] * 10),
    "16 KiB and one": command("echo", b"x" * (16 * KIB + 1)),
    "16 KiB": command("echo", b"x" * (16 * KIB)),
    "POST": b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
    "post": command("post", "x"),
    "Host:": b"Host: example.com\r\n",
}

ENDLESS = {
    "long inline": b"A" * (64 * KIB + 1),
    "long inline later": command("ping") + b"A" * (64 * KIB + 1),
    "long count": b"*" + b"1" * (64 * KIB + 1),
    "long size": b"*1\r\n$" + b"1" * (64 * KIB + 1),
}

COMMANDS = {
    "ping": [("ping",)],
    "Ping": [("pInG",)],
    "ping text": [("ping", "hello")],
    "ping two": [("ping", "a", "b")],
    "echo": [("echo", "a\r\nb")],
    "echo none": [("echo",)],
    "echo two": [("echo", "a", "b")],
    "unknown": [("nope", "a", "b")],
    "unknown alone": [("nope",)],
    "unknown long": [("n" * 300, "a" * 100, "b" * 100, "c" * 100)],
    "unknown lines": [("no\r\npe", "a\nb")],
    "unknown NUL": [("no\0pe", "a\0b", "c")],
    "unknown high": [(b"\xff\xfe", b"\x80")],
    "empty": [("",)],
    "auth": [("auth", PASSWORD)],
    "auth user": [("auth", "default", PASSWORD)],
    "auth wrong": [("auth", "wrong")],
    "auth wrong user": [("auth", "somebody", PASSWORD)],
    "auth three": [("auth", "a", "b", "c")],
    "auth none": [("auth",)],
    "hello": [("auth", PASSWORD), ("hello",)],
    "hello stranger": [("hello",)],
    "hello 3 stranger": [("hello", "3"), ("ping",)],
    "hello 2": [("auth", PASSWORD), ("hello", "2")],
    "hello 3": [("auth", PASSWORD), ("hello", "3"), ("client", "getname")],
    "hello auth": [("hello", "3", "auth", "default", PASSWORD), ("ping",)],
    "hello auth setname": [("hello", "3", "AUTH", "default", PASSWORD, "SETNAME", "me"), ("client", "getname")],
    "hello wrong": [("hello", "3", "auth", "default", "wrong"), ("ping",)],
    "hello 4": [("hello", "4")],
    "hello 1": [("hello", "1")],
    "hello x": [("hello", "x")],
    "hello 3x": [("hello", "3x")],
    "hello huge": [("hello", "99999999999999999999")],
    "hello option": [("auth", PASSWORD), ("hello", "3", "what")],
    "hello option short": [("auth", PASSWORD), ("hello", "3", "auth", "default")],
    "hello setname short": [("auth", PASSWORD), ("hello", "3", "setname")],
    "hello bad name": [("auth", PASSWORD), ("hello", "3", "setname", "a b"), ("client", "getname")],
    "select": [("auth", PASSWORD), ("select", "0"), ("select", "15")],
    "select 16": [("auth", PASSWORD), ("select", "16")],
    "select -1": [("auth", PASSWORD), ("select", "-1")],
    "select x": [("auth", PASSWORD), ("select", "x")],
    "select none": [("auth", PASSWORD), ("select",)],
    "select huge": [("auth", PASSWORD), ("select", "99999999999")],
    "reset": [("auth", PASSWORD), ("hello", "3"), ("reset",), ("client", "getname")],
    "reset more": [("reset", "x")],
    "quit": [("quit",)],
    "quit more": [("auth", PASSWORD), ("quit", "x"), ("ping",)],
    "client": [("auth", PASSWORD), ("client",)],
    "client unknown": [("auth", PASSWORD), ("client", "nope", "x")],
    "client Unknown": [("auth", PASSWORD), ("CLIENT", "NoPe")],
    "client id more": [("auth", PASSWORD), ("client", "id", "x")],
    "client setname": [("auth", PASSWORD), ("client", "setname", "me"), ("client", "getname")],
    "client setname none": [("auth", PASSWORD), ("client", "setname")],
    "client setname blank": [("auth", PASSWORD), ("client", "setname", "a b")],
    "client setname lines": [("auth", PASSWORD), ("client", "setname", "a\nb")],
    "client setname empty": [("auth", PASSWORD), ("client", "setname", "me"), ("client", "setname", ""),
                             ("client", "getname")],
    "client getname none": [("auth", PASSWORD), ("client", "getname")],
    "client no-evict": [("auth", PASSWORD), ("client", "no-evict", "on"), ("client", "no-evict", "x")],
    "client reply": [("auth", PASSWORD), ("client", "reply", "off"), ("ping",), ("client", "reply", "on"), ("ping",)],
    "client reply skip": [("auth", PASSWORD), ("client", "reply", "skip"), ("ping",), ("ping",)],
    "client reply skip twice": [("auth", PASSWORD), ("client", "reply", "skip"), ("client", "reply", "skip"),
                                ("ping",), ("ping",)],
    "client reply off skip": [("auth", PASSWORD), ("client", "reply", "off"), ("client", "reply", "skip"), ("ping",),
                              ("client", "reply", "on")],
    "client reply skip unknown": [("auth", PASSWORD), ("client", "reply", "skip"), ("nope",), ("ping",)],
    "client reply x": [("auth", PASSWORD), ("client", "reply", "x")],
    "client getredir": [("auth", PASSWORD), ("client", "getredir")],
    "multi": [("auth", PASSWORD), ("multi",), ("ping",), ("echo", "x"), ("exec",)],
    "multi empty": [("auth", PASSWORD), ("multi",), ("exec",)],
    "multi nested": [("auth", PASSWORD), ("multi",), ("multi",), ("ping",), ("exec",)],
    "multi unknown": [("auth", PASSWORD), ("multi",), ("nope",), ("ping",), ("exec",), ("ping",)],
    "multi count": [("auth", PASSWORD), ("multi",), ("echo",), ("exec",)],
    "multi error inside": [("auth", PASSWORD), ("multi",), ("select", "99"), ("ping",), ("exec",)],
    "multi discard": [("auth", PASSWORD), ("multi",), ("ping",), ("discard",), ("exec",)],
    "multi watch": [("auth", PASSWORD), ("multi",), ("watch", "x"), ("ping",), ("exec",)],
    "multi hello": [("auth", PASSWORD), ("multi",), ("hello", "3"), ("exec",)],
    "multi reset": [("auth", PASSWORD), ("multi",), ("ping",), ("reset",), ("exec",)],
    "multi quit": [("auth", PASSWORD), ("multi",), ("quit",), ("exec",)],
    "multi resp 3": [("auth", PASSWORD), ("hello", "3"), ("multi",), ("client", "getname"), ("exec",)],
    "exec alone": [("auth", PASSWORD), ("exec",)],
    "discard alone": [("auth", PASSWORD), ("discard",)],
    "multi more": [("auth", PASSWORD), ("multi", "x")],
    "unwatch": [("auth", PASSWORD), ("unwatch",)],
    "set nothing": [("auth", PASSWORD), ("set", "x")],
    "get none": [("auth", PASSWORD), ("get",)],
    "GET more": [("auth", PASSWORD), ("GET", "a", "b")],
    "setex zero": [("auth", PASSWORD), ("setex", "x", "0", "v")],
    "mset odd": [("auth", PASSWORD), ("mset", "a", "b", "c")],
    "incrby none": [("auth", PASSWORD), ("incrby", "a")],
    "scan cursor": [("auth", PASSWORD), ("scan", "x")],
    "scan": [("auth", PASSWORD), ("scan", "0")],
    "scan syntax": [("auth", PASSWORD), ("scan", "0", "match")],
    "keys": [("auth", PASSWORD), ("keys", "*")],
    "dbsize": [("auth", PASSWORD), ("dbsize",)],
    "config": [("auth", PASSWORD), ("config",)],
    "config unknown": [("auth", PASSWORD), ("config", "nope")],
    "config get nothing": [("auth", PASSWORD), ("config", "get", "nothing-like-it")],
    "config get save": [("auth", PASSWORD), ("config", "get", "appendonly"), ("config", "get", "save")],
    "config get resp 3": [("auth", PASSWORD), ("hello", "3"), ("config", "get", "appendonly")],
    "command info none": [("auth", PASSWORD), ("command", "info", "nope")],
    "command unknown": [("auth", PASSWORD), ("command", "nope")],
    "command count more": [("auth", PASSWORD), ("command", "count", "x")],
    "command docs none": [("auth", PASSWORD), ("command", "docs", "nope")],
    "command getkeys": [("auth", PASSWORD), ("command", "getkeys", "mset", "a", "b", "c", "d")],
    "command getkeys get": [("auth", PASSWORD), ("command", "getkeys", "get", "a")],
    "command getkeys none": [("auth", PASSWORD), ("command", "getkeys", "ping", "x")],
    "command getkeys short": [("auth", PASSWORD), ("command", "getkeys", "ping")],
    "command getkeys unknown": [("auth", PASSWORD), ("command", "getkeys", "nope", "a")],
    "command getkeys count": [("auth", PASSWORD), ("command", "getkeys", "set", "a")],
    "time more": [("auth", PASSWORD), ("time", "x")],
    "stranger": [("keys", "x"), ("nope",), ("echo",), ("exec",)],
    "exec more": [("auth", PASSWORD), ("multi",), ("exec", "x"), ("exec",)],
    "client reply skip on": [("auth", PASSWORD), ("client", "reply", "skip"), ("client", "reply", "on"), ("ping",)],
    "client tracking": [("auth", PASSWORD), ("client", "tracking", "off"), ("client", "tracking", "x")],
    "set expire": [("auth", PASSWORD), ("set", "a", "b", "ex", "0"), ("set", "a", "b", "ex", "x")],
    "set syntax": [("auth", PASSWORD), ("set", "a", "b", "what"), ("set", "a", "b", "ex"),
                   ("set", "a", "b", "px", "1", "ex", "1"), ("set", "a", "b", "nx", "xx")],
    "numbers": [("auth", PASSWORD), ("expire", "a", "x"), ("incrby", "a", "x"),
                ("decrby", "a", "-9223372036854775808"), ("psetex", "a", "0", "b"), ("decrby", "a", "1.5")],
    "scan numbers": [("auth", PASSWORD), ("scan", "0", "count", "0"), ("scan", "0", "count", "x"),
                     ("scan", "0", "foo", "x")],
    "syntax": [("auth", PASSWORD), ("flushall", "x"), ("command", "list", "x"), ("config", "get", "x", "y")],
}  # fmt: skip

LINES = {
    "ping": b"PING\r\n",
    "without return": b"ping\n",
    "empty lines": b"\r\n\n\r\nping\r\n",
    "blanks": b"   echo    a  \r\n",
    "tabs": b"echo\ta\r\n",
    "quotes": b'echo "a b\\n\\x41\\"c"\r\n',
    "apostrophes": b"echo 'a \\'b\\n'\r\n",
    "empty quotes": b'echo ""\r\n',
    "escape": b'echo "\\a\\b\\t\\r\\q\\xzz"\r\n',
    "several": b"ping\r\nping\r\n*1\r\n$4\r\nping\r\nping\r\n",
    "nope": b"nope a b\r\n",
    "http without version": b"GET\r\n",
}


def same(server: Real, data: bytes) -> None:
    """Both say the same."""
    assert plain(asked_here(data, server.password)) == plain(asked_for_real(server, data))


@pytest.mark.parametrize("name", PROTOCOL_ERRORS)
def test_what_is_no_command_is_answered_as_by_redis(server: Real, name: str) -> None:
    end = command("auth", PASSWORD) if server.password else b""
    same(server, PROTOCOL_ERRORS[name] + end + ASKED)


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_answered_as_by_redis(server: Real, name: str) -> None:
    same(server, ENDLESS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_about_the_connection_are_answered_as_by_redis(server: Real, name: str) -> None:
    end = command("auth", PASSWORD) if server.password else b""
    same(server, b"".join([command(*words) for words in COMMANDS[name]]) + end + ASKED)


@pytest.mark.parametrize("name", LINES)
def test_lines_of_text_are_answered_as_by_redis(server: Real, name: str) -> None:
    begin = command("auth", PASSWORD) if server.password else b""
    same(server, begin + LINES[name] + ASKED)
