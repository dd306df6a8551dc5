"""One connection to a memcached, on a thread: pymemcache's `Client`, and what each command is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from time import monotonic
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from pymemcache.client.base import Client
from pymemcache.exceptions import (
    MemcacheClientError,
    MemcacheServerError,
    MemcacheUnexpectedCloseError,
    MemcacheUnknownError,
)

from protocols.data.encoding import Stored
from protocols.data.memcached import expiration

__all__ = ["BYTES", "COMMANDS", "Login", "MemcachedConnection", "authenticate"]


class Login(NamedTuple):
    """Empty where there is no password."""

    username: str
    password: str


class _Bytes:
    """pymemcache's serializer for values that have their bytes and flags already."""

    def serialize(self, key: Any, value: Stored) -> tuple[bytes, int]:
        """Bytes and flags."""
        return value.data, value.flags

    def deserialize(self, key: Any, value: bytes, flags: int) -> Stored:
        """The inverse."""
        return Stored(value, flags)


BYTES: Final = _Bytes()


class MemcachedConnection(Client):  # type: ignore[misc]  # pymemcache has no types
    """Takes no value that is larger than `max_value_bytes`, or that goes on behind its end."""

    max_value_bytes = 0

    def _extract_value(
        self, expect_cas: bool, line: bytes, buf: bytes, remapped_keys: Mapping[bytes, Any], prefixed_keys: Any
    ) -> tuple[Any, Any, bytes]:
        _, key, flags, length, *version = line.split()
        size = int(length)
        if len(version) != expect_cas or size < 0:
            raise ValueError("a value without its version, or one of fewer bytes than none")
        if size > self.max_value_bytes:
            raise MemcacheClientError(
                f"a value of {size} bytes, and at most {self.max_value_bytes} are read (`payload`)"
            )
        asked = remapped_keys[key]
        data = bytearray(buf)
        while len(data) < size + 2:
            more = self.sock.recv(65_536)
            if not more:
                raise MemcacheUnexpectedCloseError
            data += more
        if data[size : size + 2] != b"\r\n":
            raise ValueError("a value that goes on behind its end")
        stored = Stored(bytes(data[:size]), int(flags))
        return asked, (stored, version[0]) if expect_cas else stored, bytes(data[size + 2 :])


def authenticate(client: Client, login: Login, until: float) -> None:
    """Shows the password (memcached: doc/protocol.txt, "Authentication"): the first command of a connection.

    `until`: monotonic. Raises `MemcacheClientError` where it is not taken, another error where nobody can say.
    """
    text = f"{login.username} {login.password}".encode()
    client.sock.sendall(b"set auth 0 0 %d\r\n%s\r\n" % (len(text), text))
    answer = b""
    while not answer.endswith(b"\r\n") and len(answer) < 1_024:
        client.sock.settimeout(max(0.001, until - monotonic()))
        data = client.sock.recv(1_024)
        if not data:
            raise MemcacheUnexpectedCloseError("it left")
        answer += data
    if answer.startswith((b"CLIENT_ERROR", b"ERROR")):
        raise MemcacheClientError("not authenticated")
    if answer != b"STORED\r\n":
        raise MemcacheServerError("it gave another answer")


def _expires(written: Mapping[str, Any]) -> int:
    return expiration(written.get("ttl"), time.time())


def _delta(written: Mapping[str, Any]) -> int:
    delta = written.get("delta")
    return 1 if delta is None else delta


def _gets(client: Client, written: Mapping[str, Any]) -> Any:
    stored, version = client.gets(written["key"])
    return None if stored is None else (stored, int(version))


def _gat(client: Client, written: Mapping[str, Any]) -> Any:
    # The client has no such method; the command is a get with a number in front of the key.
    key = written["key"]
    return client._fetch_cmd(b"gat %d" % _expires(written), [key], False).get(key)


def _mget(client: Client, written: Mapping[str, Any]) -> Any:
    found = client.get_many(list(dict.fromkeys(written["keys"])))
    return [found.get(each) for each in written["keys"]]


def _done(client: Client, name: bytes, written: Mapping[str, Any], more: bytes, yes: bytes) -> bool:
    # The client takes all answers but one for a no.
    (said,) = client._misc_cmd([b"%s %s%s\r\n" % (name, client.check_key(written["key"], b""), more)], name, False)
    if said not in (yes, b"NOT_FOUND"):
        raise MemcacheUnknownError(said[:32])
    return bool(said == yes)


COMMANDS: Final[Mapping[str, Callable[[Client, Mapping[str, Any]], Any]]] = MappingProxyType(
    {
        "get": lambda client, it: client.get(it["key"]),
        "gets": _gets,
        "gat": _gat,
        "mget": _mget,
        "set": lambda client, it: client.set(it["key"], it["value"], _expires(it), noreply=False),
        "add": lambda client, it: client.add(it["key"], it["value"], _expires(it), noreply=False),
        "replace": lambda client, it: client.replace(it["key"], it["value"], _expires(it), noreply=False),
        "cas": lambda client, it: client.cas(
            it["key"], it["value"], b"%d" % it["version"], _expires(it), noreply=False
        ),
        "append": lambda client, it: client.append(it["key"], it["value"], noreply=False),
        "prepend": lambda client, it: client.prepend(it["key"], it["value"], noreply=False),
        "delete": lambda client, it: _done(client, b"delete", it, b"", b"DELETED"),
        "touch": lambda client, it: _done(client, b"touch", it, b" %d" % _expires(it), b"TOUCHED"),
        "incr": lambda client, it: client.incr(it["key"], _delta(it), noreply=False),
        "decr": lambda client, it: client.decr(it["key"], _delta(it), noreply=False),
    }
)
"""Verb to `(connection, places)` to the answer as `protocols.data.answers` takes it."""
