"""The same lines, sent to a real memcached and to us with demo.Store behind the keys: the same bytes come back.

Lines of one case go over one connection to each side, which is empty before. `#` stands for a version, which each
counts for itself; `{cas}` in a line is the one that was told last.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.memcached_server import memcached_server
from tests.support.running import running

pytestmark = pytest.mark.interop

CONFIG = """
application: {name: lines}
listeners:
  door: {protocol: memcached, port: 0, limits: {frame: 1048575B}}
services:
  demo.Store:
    contract: gateway.demo.store:Store
    implementation: gateway.demo.store:DemoStore
    listeners: [door]
    protocols:
      memcached:
        mounts:
          "s:":
            {get: get, gets: entry, set: set, add: add, replace: replace, cas: swap, append: append, prepend: prepend,
             delete: delete, incr: count NoNumber=number, expire: expire, ttl: ttl NotStored=miss, flush: clear}
"""
LONG = "s:" + "k" * 248
HI = "set s:a 0 0 2\r\nhi\r\n"
TEN = "set s:a 0 0 2\r\n10\r\n"
LARGE = "x" * 1_048_576
_FENCE = b"mg fence: k Ofence\r\n"
_FENCED = b"EN kfence: Ofence\r\n"

SAME = {
    "get": [
        HI, "get s:a\r\n", "get s:a \r\n", " get  s:a\r\n", "get s:b\r\n", "get\r\n", "gets\r\n", "GET s:a\r\n",
    ],
    "get of several": [
        HI, "set s:b 5 0 0\r\n\r\n", "get s:a s:c s:b s:a\r\n", "gets s:b s:a\r\n", "get s:c s:d\r\n",
    ],
    "bare line feeds": [
        "set s:a 0 0 2\nhi\r\n", "get s:a\n", "\n", "\r\n", "version\n",
    ],
    "keys": [
        f"get {LONG}\r\n", f"get {LONG}k\r\n", f"get s:a {LONG}k\r\n", f"set {LONG}k 0 0 2\r\nhi\r\n", "get s:é\r\n",
    ],
    "gat": [
        HI, "gat 0 s:a s:b\r\n", "gats 100 s:a\r\n", "gat\r\n", "gat 0\r\n", "gat x s:a\r\n", "gat -1 s:a\r\n",
        "get s:a\r\n",
    ],
    "touch": [
        HI, "touch s:a 0\r\n", "touch s:b 0\r\n", "touch s:a\r\n", "touch s:a x\r\n", "touch s:a 0 noreply\r\nmn\r\n",
        "touch s:a 0 extra\r\n", "touch s:a -1\r\n", "get s:a\r\n",
    ],
    "delete": [
        HI, "delete s:b\r\n", "delete s:b 0\r\n", "delete s:b 5\r\n", "delete\r\n", "delete a b c d\r\n",
        "delete s:b 5 noreply\r\nmn\r\n", "delete s:b 0 noreply\r\nmn\r\n", "delete s:a\r\n", "get s:a\r\n",
    ],
    "incr": [
        TEN, "incr s:a 5\r\n", "decr s:a 3\r\n", "incr s:b 1\r\n", "incr s:a x\r\n", "incr s:a -1\r\n",
        "incr s:a\r\n", "incr\r\n", "incr s:a 1 noreply\r\nmn\r\n", "incr s:a 1 2\r\n", "incr s:a 1 2 3\r\n",
        "incr s:a 18446744073709551616\r\n", "decr s:a 100\r\n",
    ],
    "no number": [HI, "incr s:a 1\r\n", "decr s:a 1 noreply\r\nmn\r\n", "ma s:a\r\n"],
    "set": [
        HI, "set s:a 7 0 3\r\nabc\r\n", "get s:a\r\n", "set s:a 0 0 2 noreply\r\nxy\r\nget s:a\r\n",
        "set s:a 0 0 2 x\r\nzz\r\n", "set s:a 0 0 2 noreply x\r\nzz\r\n", "set s:a 0 0\r\n", "set s:a 0 0 0\r\n\r\n",
        "get s:a\r\n",
    ],
    "sizes": [
        "set s:a 0 0 -1\r\n", "set s:a 0 0 abc\r\nabc\r\n", "set s:a 0 0 2147483648\r\n", "set s:a 0 0 1e3\r\n",
    ],
    "flags": [
        "set s:a -1 0 2\r\nhi\r\n", "set s:a 4294967295 0 2\r\nhi\r\nget s:a\r\n",
        "set s:a 4294967296 0 2\r\nhi\r\nget s:a\r\n", "set s:a x 0 2\r\nhi\r\n",
        "set s:a 65537 0 2\r\nhi\r\nget s:a\r\n",
    ],
    "expiry": [
        "set s:a 0 -1 2\r\nhi\r\n", "get s:a\r\n", "set s:a 0 100 2\r\nhi\r\nget s:a\r\n", "set s:a 0 x 2\r\nhi\r\n",
        "set s:a 0 1000000000 2\r\nhi\r\n", "get s:a\r\n",
    ],
    "blocks": [
        "set s:a 0 0 2\r\nabc\r\n", "set s:a 0 0 2\r\nhi\n\nmn\r\n", "set s:a 0 0 7\r\nmn\r\nmn\n\r\n", "get s:a\r\n",
    ],
    "too large": [
        f"set s:a 0 0 1048576\r\n{LARGE}\r\n", f"set s:a 0 0 1048576 noreply\r\n{LARGE}\r\nmn\r\n", "get s:a\r\n",
    ],
    "add and replace": [
        "replace s:a 0 0 1\r\na\r\n", "add s:a 0 0 1\r\nb\r\n", "add s:a 0 0 1\r\nc\r\n", "get s:a\r\n",
        "replace s:a 0 0 1\r\nd\r\n", "get s:a\r\n",
    ],
    "append and prepend": [
        "append s:a 0 0 1\r\na\r\n", "prepend s:a 0 0 1\r\na\r\n", HI, "append s:a 9 9 1\r\n!\r\n",
        "prepend s:a 9 9 1\r\n>\r\n", "append s:a 0 0 0\r\n\r\n", "get s:a\r\n",
    ],
    "cas": [
        HI, "gets s:a\r\n", "cas s:a 1 0 2 {cas}\r\nyo\r\n", "cas s:a 0 0 2 {cas}\r\nno\r\n",
        "cas s:b 0 0 2 1\r\nhi\r\n", "cas s:a 0 0 2\r\nhi\r\n", "cas s:a 0 0 2 x\r\nhi\r\n",
        "cas s:a 0 0 2 1 noreply\r\nhi\r\nmn\r\n", "cas s:a 0 0 2 1 2 3\r\nhi\r\n", "get s:a\r\n",
    ],
    "administration": [
        "version\r\n", "version noreply\r\n", "verbosity\r\n", "verbosity 1\r\n", "verbosity foo bar my\r\n",
        "verbosity noreply\r\nmn\r\n", "verbosity 1 noreply\r\nmn\r\n", "verbosity x\r\n", "shutdown\r\n",
        "nonsense\r\n", "a b c d e f\r\n", "slabs\r\n", "lru\r\n", "stats reset\r\n", "stats foo\r\n",
        "stats sizes\r\n", "stats noreply\r\n",
    ],
    "flush_all": [
        HI, "flush_all x\r\n", "flush_all noreply\r\nmn\r\n", "get s:a\r\n", "flush_all 0 x\r\n", "flush_all\r\n",
        "flush_all -5\r\n",
    ],
    "quit": [
        "version\r\nquit\r\nversion\r\n",
    ],
    "quit with more": [
        "quit now\r\n",
    ],
    "HTTP": [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    "HTTP behind commands": [
        "mn\r\n", "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    "mn": [
        "mn\r\n", "mn x\r\n",
    ],
    "mg": [
        "mg\r\n", "mg s:a\r\n", "mg s:a k Oabc\r\n", "mg s:a q\r\nmn\r\n", HI, "mg s:a\r\n", "mg s:a v\r\n",
        "mg s:a v f t s k c Oabc\r\n", "mg s:a s v q Oabc k\r\n", "mg s:a Z\r\n", "mg s:a v v\r\n",
        "mg s:a T100 t\r\n", "mg s:a Tx\r\n", "mg s:b h l\r\n", f"mg s:a O{'a' * 30}\r\n", f"mg s:a O{'a' * 32}\r\n",
        f"mg {LONG}k v\r\n",
    ],
    "what was read before": [HI, "mg s:a v t f l h\r\n"],
    "mg in base64": [
        "ms czph 2 b\r\nhi\r\n", "mg czph b k v\r\n", "mg czpi b k v\r\n", "mg czph b v\r\n", "mg !! b\r\n",
        "mg s:a k s b\r\n",
    ],
    "ms": [
        "ms\r\n", "ms s:a\r\n", "ms s:a 2\r\nhi\r\n", "ms s:a x\r\n", "ms s:a S2\r\nhi\r\n",
        "ms s:a 2 c k Oq1\r\nhi\r\n", "ms s:a 2 q\r\nhi\r\nmn\r\n", "ms s:a 2 F5 T0\r\nhi\r\nmg s:a f t v\r\n",
        "ms s:a 2 Fx\r\nhi\r\n", "ms s:a 2 Tx\r\nhi\r\n", "ms s:a -1\r\n", "ms s:a 2\r\nhih\r\n",
        "ms s:a 2 Z\r\nhi\r\n", "ms czph 2 b k s\r\nyo\r\n", "ms s:a 2 v\r\nhi\r\n", "get s:a\r\n",
    ],
    "modes of ms": [
        "ms s:a 2 MR\r\nhi\r\n", "ms s:a 2 MA\r\nhi\r\n", "ms s:a 2 MP\r\nhi\r\n", "ms s:a 2 ME\r\nhi\r\n",
        "ms s:a 2 ME\r\nhi\r\n", "ms s:a 1 MA\r\n!\r\n", "ms s:a 1 MP\r\n>\r\n", "ms s:a 2 MX\r\nhi\r\n",
        "ms s:a 2 Mset\r\nhi\r\n", "get s:a\r\n",
    ],
    "versions in ms": [
        HI, "gets s:a\r\n", "ms s:a 2 C{cas}\r\nyo\r\n", "ms s:a 2 C{cas}\r\nno\r\n", "ms s:b 2 C1\r\nhi\r\n",
        "ms s:a 2 Cx\r\nhi\r\n", "get s:a\r\n",
    ],
    "md": [
        "md\r\n", "md s:a\r\n", "md s:a k Oabc\r\n", "md s:a q k\r\nmn\r\n", HI, "md s:a k Ox\r\n", HI,
        "md s:a q\r\nmn\r\n", "get s:a\r\n",
    ],
    "ma that makes what is not there": [
        "ma s:n N0\r\n", "ma s:n v\r\n", "ma s:m N0 J13 v\r\n", "ma s:m N0 J13 D4 v\r\n", "ma s:o J5 v\r\n",
        "ma s:o N100 J5 D9 v t k Oabc\r\n", "ma s:p N-1 J5 v\r\n", "get s:p\r\n", "ma s:q N0 J7 MD D3 v\r\n",
        "ma s:q N0 J7 MD D3 v\r\n", "ma s:r Nx\r\n", "ma s:r N0 Jx\r\n", "ma s:r N0 J-1\r\n", "ma s:r N\r\n",
        "ma s:r N0 J\r\n", "ma s:r N0 N0\r\n", "gets s:q\r\n",
        "ma s:u N0 J18446744073709551616\r\n", HI, "ma s:a N0 J1\r\n",
    ],
    "ma": [
        "ma s:a\r\n", "ma s:a q\r\nmn\r\n", TEN, "ma s:a\r\n", "ma s:a v t c k Oabc\r\n", "ma s:a MD D3 v\r\n",
        "ma s:a M- v\r\n", "ma s:a M+ D10 v\r\n", "ma s:a Dx\r\n", "ma s:a MX\r\n", "ma s:a Z\r\n",
        "ma s:a q\r\nmn\r\n", "ma s:a f s v\r\n", "ma s:a v v\r\n",
        "ma s:a T100 v t\r\n", "ma s:b T100 v t\r\n", "ma s:b N50 T100 v t\r\n", "ma s:a Tx\r\n", "mg s:a t\r\n",
        "ma s:a v q\r\nmn\r\n",
    ],
    "me": [
        "me\r\n", "me s:a\r\n",
    ],
}  # fmt: skip
DIFFERENT = {
    # A sum is what the service adds.
    "beyond 63 bits": (
        ["set s:a 0 0 19\r\n9223372036854775807\r\n", "incr s:a 1\r\n"],
        b"STORED\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\n",
    ),
    "shorter number": ([TEN, "decr s:a 1\r\n", "get s:a\r\n"], b"STORED\r\n9\r\nVALUE s:a 0 1\r\n9\r\nEND\r\n"),
    # A moment behind the year 2038, which they take for one in the past.
    "far moment": (["set s:a 0 4000000000 2\r\nhi\r\n", "get s:a\r\n"], b"STORED\r\nVALUE s:a 0 2\r\nhi\r\nEND\r\n"),
    # Words of administration, and what a service does not know of its values.
    "cache_memlimit": (["cache_memlimit 64\r\n"], b"ERROR\r\n"),
    "read before": ([HI, "mg s:a h l v\r\n", "mg s:a h l\r\n"], b"STORED\r\nVA 2 h0 l0\r\nhi\r\nHD h0 l0\r\n"),
    "mg that makes": (["mg s:a N0 v\r\n"], b"CLIENT_ERROR invalid flag\r\n"),
    # A method that adds does not say whether there was something to add to.
    "quiet ma that makes": (["ma s:a N0 q\r\nmn\r\n"], b"MN\r\n"),
    "line without end": (["incr s:a " + "1" * 4_000], b"CLIENT_ERROR line too long\r\n"),
}
"""What is told apart on purpose: lines, and what we say; docs/memcached.md has the reasons."""


class Side:
    """One of the two servers."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, lines: list[str]) -> bytes:
        """Sends lines one after the other; gives everything that comes back until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self._port), 10) as connection:
            connection.sendall(b"flush_all\r\n")
            assert connection.recv(100) == b"OK\r\n"
            answers, cas = b"", "0"
            for line in lines:
                # What is behind a line that closes the connection is lost.
                marked = "quit" not in line and "HTTP" not in line and line.endswith("\n")
                connection.sendall(line.replace("{cas}", cas).encode() + (_FENCE if marked else b""))
                answer = self._receive(connection, marked)
                answers += answer
                if told := re.search(rb"VALUE \S+ \d+ \d+ (\d+)\r\n", answer):
                    cas = told[1].decode()
            return re.sub(rb"(VALUE \S+ \d+ \d+) \d+\r\n", rb"\1 #\r\n", re.sub(rb" c\d+\b", b" c#", answers))

    def _receive(self, connection: socket.socket, marked: bool) -> bytes:
        received = b""
        while not (marked and received.endswith(_FENCED)):
            more = connection.recv(1 << 16)
            if not more:
                return received + b"<closed>"
            received += more
        return received.removesuffix(_FENCED)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    with memcached_server(tmp_path_factory.mktemp("memcached")) as server:
        yield Side(server.port)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours() -> AsyncIterator[Side]:
    async with running(CONFIG) as app:
        yield Side(int(app.listening[0].address.rpartition(":")[2]))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", SAME)
async def test_the_same_lines_have_the_same_answers(theirs: Side, ours: Side, name: str) -> None:
    lines = SAME[name]
    expected = await asyncio.to_thread(theirs.ask, lines)
    assert await asyncio.to_thread(ours.ask, lines) == expected


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", DIFFERENT)
async def test_what_is_answered_in_another_way(theirs: Side, ours: Side, name: str) -> None:
    lines, expected = DIFFERENT[name]
    assert (await asyncio.to_thread(ours.ask, lines)).removesuffix(b"<closed>") == expected
    assert (await asyncio.to_thread(theirs.ask, lines)).removesuffix(b"<closed>") != expected
