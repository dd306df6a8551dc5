"""First bytes of connections, each as the specification of its wire has it, and which wire knows them for its own."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from gateway.model.recognition import Recognition, Recognizer, beginning_with
from gateway.plugins.catalog import Catalog

NO, MORE, MAYBE, YES = Recognition.NO, Recognition.MORE, Recognition.MAYBE, Recognition.YES
CATALOG = Catalog([])
HTTP = ("hessian", "http", "webservice")
WIRES = {name: recognize for name in CATALOG.names("protocol") if (recognize := CATALOG.protocol(name).recognize)}

# The longer a beginning is, the more it must be of one wire alone; so each is tried with all its shorter forms.
CERTAIN: list[tuple[str, tuple[str, ...], bytes]] = [
    ("dubbo request", ("dubbo",), bytes.fromhex("dabbc200 0000000000000001 00000010")),
    ("GET", HTTP, b"GET /demo.Catalog/find?product_id=1 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("POST", HTTP, b"POST /jsonrpc HTTP/1.0\r\n\r\n"),
    ("empty line before a request", HTTP, b"\r\nGET / HTTP/1.1\r\n"),
    ("OPTIONS of all", HTTP, b"OPTIONS * HTTP/1.1\r\n"),
    ("absolute form", HTTP, b"GET http://shop.example/ HTTP/1.1\r\n"),
    ("CONNECT", HTTP, b"CONNECT shop.example:443 HTTP/1.1\r\n"),
    ("a method that is not served", HTTP, b"PROPFIND /x HTTP/1.1\r\n"),
    ("a method nobody knows", HTTP, b"M-SEARCH * HTTP/1.1\r\n"),
    ("rmi call", ("rmi",), b"PRMI\x01\x01\x00\x00\x00\x00\x00\x10"),
    ("Thrift binary", ("thrift",), bytes.fromhex("80010001 00000005") + b"count"),
    ("Thrift binary, oneway", ("thrift",), bytes.fromhex("80010004 00000004") + b"note"),
    ("Thrift compact", ("thrift",), bytes.fromhex("8221 01 05") + b"count"),
    ("Thrift JSON", ("thrift",), b'[1,"count",1,1,{}]'),
    ("Thrift binary, framed", ("thrift",), bytes.fromhex("00000015 80010001 00000005") + b"count"),
    ("Thrift compact, framed", ("thrift",), bytes.fromhex("0000000c 8221 01 05") + b"count"),
    ("Thrift JSON, framed", ("thrift",), bytes.fromhex("00000012") + b'[1,"count",1,1,{}]'),
    ("Thrift header", ("thrift",), bytes.fromhex("0000003a 0fff 0000 00000001")),
    ("Thrift binary without a version", ("thrift",), bytes.fromhex("00000005") + b"count\x01"),
    ("the same, framed", ("thrift",), bytes.fromhex("00000011 00000005") + b"count\x01"),
    ("Dubbo's thrift", ("thrift",), bytes.fromhex("00000040 dabc 00000060")),
    ("RESP", ("redis",), b"*1\r\n$4\r\nPING\r\n"),
    ("RESP of no arguments", ("redis",), b"*-1\r\n"),
    ("gets", ("memcached",), b"gets k\r\n"),
    ("get of two keys", ("memcached",), b"get a b\r\n"),
    ("set", ("memcached",), b"set k 0 0 5\r\nhello\r\n"),
    ("set, noreply", ("memcached",), b"set k 0 -1 5 noreply\r\nhello\r\n"),
    ("append", ("memcached",), b"append k 0 0 1\r\n!\r\n"),
    ("incr", ("memcached",), b"incr k 5\r\n"),
    ("stats", ("memcached",), b"stats settings\r\n"),
    ("version", ("memcached",), b"version\r\n"),
    ("meta get", ("memcached",), b"mg k v t\r\n"),
    ("meta no-op", ("memcached",), b"mn\r\n"),
]
ONE_TEXT = [
    b"PING\r\n",
    b"GET k\r\n",
    b"get\r\n",
    b"set k v\r\n",
    b"set k v EX 10\r\n",
    b"append k v\r\n",
    b"incr k\r\n",
    b"touch k\r\n",
    b"touch a b\r\n",
    b"hello 3\r\n",
    b"demo.Catalog.find 42\r\n",
    b"VERSION\r\n",
    b"get " + b"k" * 251 + b"\r\n",
]
"""Lines of Redis that memcached does not have."""
TWO_TEXTS = [b"get k\r\n", b"get k\n", b"quit\r\n", b"touch k 60\r\n", b"shutdown\r\n"]
NOBODY = [
    ("TLS 1.0 to 1.3", bytes.fromhex("16030100f4010000f00303")),
    ("TLS, an odd length", bytes.fromhex("1603010200010001fc0303")),
    ("TLS 1.2 record", bytes.fromhex("16030300f4010000f00303")),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("Java RMI", b"JRMI\x00\x02K"),
    ("Java serialization", bytes.fromhex("aced0005")),
    ("SSH", b"SSH-2.0-OpenSSH_9.6\r\n"),
    # haproxy: doc/proxy-protocol.txt, sections 2.1 and 2.2.
    ("PROXY header", b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"),
    ("PROXY header, binary", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"),
    ("memcached binary get", bytes.fromhex("80000001 00000000 00000001 00000000 0000000000000000") + b"k"),
    ("memcached binary set of a key of one byte", bytes.fromhex("80010001 08000000 0000000a 00000000")),
    ("zeros", bytes(16)),
    ("ones", b"\xff" * 16),
    ("control characters behind a letter", b"dT\x01\x02\r\n"),
    ("an XML declaration", b"<?xml version='1.0'?>"),
    ("a JSON object", b'{"jsonrpc": "2.0"}'),
]


def found(data: bytes) -> dict[str, Recognition]:
    return {name: recognize(data) for name, recognize in WIRES.items()}


def test_every_wire_that_ships_can_be_recognised() -> None:
    assert sorted(WIRES) == sorted(CATALOG.names("protocol"))


@pytest.mark.parametrize(("wires", "data"), [each[1:] for each in CERTAIN], ids=[each[0] for each in CERTAIN])
def test_a_beginning_is_of_one_wire_and_no_shorter_one_is_of_another(wires: tuple[str, ...], data: bytes) -> None:
    assert {name for name, said in found(data).items() if said is YES} == set(wires)
    for end in range(1, len(data)):
        for name, said in found(data[:end]).items():
            if name in wires:
                assert said in (MORE, MAYBE, YES), (name, end)
            else:
                assert said is not YES, (name, end)


@pytest.mark.parametrize("data", ONE_TEXT)
def test_lines_that_memcached_does_not_have_are_for_redis(data: bytes) -> None:
    assert {name for name, said in found(data).items() if said is not NO} == {"redis"}
    assert WIRES["redis"](data) is MAYBE


@pytest.mark.parametrize("data", TWO_TEXTS)
def test_lines_that_both_have_are_said_to_be_so(data: bytes) -> None:
    assert {name for name, said in found(data).items() if said is MAYBE} == {"memcached", "redis"}
    assert {name for name, said in found(data).items() if said is YES} == set()
    assert WIRES["memcached"](data[:3]) is MORE


@pytest.mark.parametrize("verb", [b"set ", b"append "])
def test_a_line_that_may_have_data_behind_it_is_not_for_redis_alone(verb: bytes) -> None:
    # The data would be run as commands. As much as a port looks at, of a line that goes on.
    assert found((verb + b"k" * 600)[:512])["memcached"] is MAYBE


@pytest.mark.parametrize("data", [each[1] for each in NOBODY], ids=[each[0] for each in NOBODY])
def test_what_nobody_speaks_is_recognised_by_nobody(data: bytes) -> None:
    assert set(found(data).values()) == {NO}


def test_a_request_of_http_is_no_line_of_text_even_where_nobody_serves_it() -> None:
    for data in (b"GET /x\r\n", b"POST / HTTP/1.1\r\n", b"GET x HTTP/1.1\r\n"):
        assert WIRES["redis"](data) is NO
        assert WIRES["memcached"](data) is NO


def test_a_no_and_a_yes_are_never_taken_back() -> None:
    for data in [each[2] for each in CERTAIN] + ONE_TEXT + TWO_TEXTS + [each[1] for each in NOBODY]:
        for name, recognize in WIRES.items():
            said = [recognize(data[:end]) for end in range(1, len(data) + 1)]
            for before, after in pairwise(said):
                assert before not in (NO, YES) or after is before, (name, data, said)


def test_a_prefix_waits_only_for_what_it_lacks() -> None:
    recognize: Recognizer = beginning_with(b"COO ", b"CAW")

    assert [recognize(each) for each in (b"C", b"CO", b"COO", b"COO ", b"COO x", b"CA", b"CAW", b"CU", b"x")] == [
        MORE, MORE, MORE, YES, YES, MORE, YES, NO, NO,
    ]  # fmt: skip


def test_no_bytes_make_a_recogniser_raise_or_say_two_things() -> None:
    seeded = random.Random(1)
    beginnings = [each[2] for each in CERTAIN] + ONE_TEXT + TWO_TEXTS + [each[1] for each in NOBODY]
    for _ in range(3_000):
        data = bytearray(seeded.choice(beginnings)[: seeded.randrange(1, 24)] + seeded.randbytes(seeded.randrange(8)))
        data[seeded.randrange(len(data))] = seeded.randrange(256)
        said = found(bytes(data))
        # Those over HTTP are one here.
        assert len({"http" if name in HTTP else name for name, each in said.items() if each is YES}) <= 1, data
