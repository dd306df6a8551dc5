"""Rows H1 to H9: hostile Hessian 2 inside requests. What is owed for each stands in README.md.

Refused values are sent to a hosted service, to one that is forwarded with its contract and to one that is forwarded
without: wherever the bytes are read at last, the caller gets the same error.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from gateway.jsonform.generic import show_generic
from gateway.model.errors import ValueMappingError
from gateway.model.generic import Pairs
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer
from tests.support.abuse import REPEATS, Abuse, Attacker
from tests.support.dubbo_bytes import BAD_REQUEST, OK, definition, echo_any, integer, invoke, request, text

FEW = max(3, REPEATS // 50)
"""Repeats of attacks that send much, or that others repeat."""

COUNT = request(id=9)
GROUPS = pytest.mark.parametrize("group", ["", "bridged", "blind"], ids=["hosted", "bridged", "blind"])
MAKER, POINT = "Ldemo/Maker;", "Ldemo/Point;"
MOST = integer(0x7FFFFFFF)
DEEP = 100_000
MAKER_CLASS = definition("demo.Maker", "name", "country", "parent")


@dataclass(frozen=True)
class Bad:
    """A value that is refused. `said`: what the error says."""

    value: bytes
    said: str
    method: str = "echoAny"
    types: str = "Ljava/lang/Object;"

    def request(self, group: str) -> bytes:
        return request(self.method, self.types, self.value, group=group)


REFUSED = {
    # A class definition with 2^31-1 fields, and other ways to ask for much with little.
    "h1 fields": Bad(b"\x43\x01\x78\x49\x7f\xff\xff\xff", "expected fields within"),
    "h1 fields, typed": Bad(b"\x43\x01\x78\x49\x7f\xff\xff\xff", "expected fields within", "echoStruct", MAKER),
    "h1 negative fields": Bad(b"\x43\x01\x78\x49\xff\xff\xff\xff", "expected fields within"),
    "h1 300,000 definitions": Bad(b"C\x01a\x90" * 300_000 + b"N", "expected at most 1000000 elements"),
    "h1 no such class": Bad(b"O" + MOST, "expected the index of one of 0 classes"),
    # Lengths without data.
    "h2 list": Bad(b"X" + MOST, "expected elements within"),
    "h2 negative list": Bad(b"X" + integer(-1), "expected elements within"),
    "h2 typed list": Bad(b"V\x04[int" + MOST, "expected elements within"),
    "h2 list of ints": Bad(b"X" + MOST, "expected elements within", "echoIntList", "Ljava/util/List;"),
    "h2 string": Bad(b"S\xff\xff", "end of the data|expected attachments|longer", "echoString", "Ljava/lang/String;"),
    "h2 chunk of a string": Bad(b"R\xff\xff", "end of the data"),
    "h2 binary": Bad(b"B\xff\xff", "end of the data", "echoBytes", "[B"),
    "h2 chunk of a binary": Bad(b"A\xff\xff", "end of the data"),
    "h2 300,000 chunks": Bad(b"R\x00\x01a" * 300_000 + b"\x00", "expected at most 1000000 elements"),
    # Depth.
    "h3 lists": Bad(b"\x79" * DEEP + b"\x90", "expected at most 64 levels"),
    "h3 open lists": Bad(b"W" * DEEP + b"Z" * DEEP, "expected at most 64 levels"),
    "h3 typed lists": Bad(b"\x71\x01a" + b"\x71\x90" * DEEP + b"\x90", "expected at most 64 levels"),
    "h3 maps": Bad(b"H\x01a" * DEEP + b"N" + b"Z" * DEEP, "expected at most 64 levels"),
    "h3 maps in keys": Bad(b"H" * DEEP, "expected at most 64 levels"),
    "h3 objects": Bad(definition("a", "b") + b"\x60" * DEEP + b"N", "expected at most 64 levels"),
    "h3 objects of a contract": Bad(
        MAKER_CLASS + b"\x60\x00N" * DEEP + b"N", "expected at most 64 levels", "echoStruct", MAKER
    ),
    # References.
    "h4 to nothing": Bad(b"Q\x90", "expected a reference to one of 0 values"),
    "h4 forward": Bad(b"\x79Q\x95", "expected a reference to one of 1 values"),
    "h4 out of range": Bad(b"\x79Q" + MOST, "expected a reference to one of 1 values"),
    "h4 negative": Bad(b"\x79Q" + integer(-1), "expected a reference to one of 1 values"),
    "h4 list in itself, typed": Bad(
        b"\x79Q\x90", "reference to a value of another type", "echoNestedList", "Ljava/util/List;"
    ),
    "h4 set in itself": Bad(b"\x79Q\x90", "expected string", "echoStringSet", "Ljava/util/Set;"),
    "h4 decimal in itself": Bad(
        definition("java.math.BigDecimal", "value") + b"\x60Q\x90", "expected", "echoDecimal", "Ljava/math/BigDecimal;"
    ),
    # Elements of another type than the list says.
    "h5 text in int[]": Bad(b"\x71\x04[int\x01a", r"args\[0\]\[0\]: expected i32", "echoIntArray", "[I"),
    "h5 ints in String[]": Bad(
        b"\x71\x07[string\x91", r"\[0\]: expected string", "echoStringArray", "[Ljava/lang/String;"
    ),
    "h5 lists in long[]": Bad(b"\x71\x05[long\x78", r"\[0\]: expected i64", "echoLongArray", "[J"),
    "h5 null in double[]": Bad(b"\x71\x07[doubleN", r"\[0\]: expected f64, found null", "echoDoubleArray", "[D"),
    "h5 ints beyond the range": Bad(
        b"\x71\x04[int\x4c" + bytes((127,)) * 8, r"\[0\]: expected i32, found an integer", "echoIntArray", "[I"
    ),
    "h5 other objects in Maker[]": Bad(
        b"\x71\x0b[demo.Maker" + definition("demo.Point", "x", "y") + b"\x60\x91\x91",
        r"expected demo\.Maker, found an object of demo\.Point",
        "echoMakerArray",
        "[Ldemo/Maker;",
    ),
    # Classes that broke others, and names that break logs.
    "h6 gadget": Bad(
        definition("com.sun.rowset.JdbcRowSetImpl", "dataSource", "strMatchColumns") + b"\x60\x03ldaN",
        r"expected demo\.Maker, found an object of com\.sun\.rowset\.JdbcRowSetImpl",
        "echoStruct",
        MAKER,
    ),
    "h6 gadget as a map": Bad(
        b"M" + text("com.rometools.rome.feed.impl.EqualsBean") + b"\x01a\x91Z",
        r"expected demo\.Maker, found a map of type com\.rometools",
        "echoStruct",
        MAKER,
    ),
    "h6 name with control characters": Bad(
        b"C\x10a\n\x1b[31m\r\x00\x7fERROR \x90\x60",
        r"found an object of a\\n\\x1b\[31m\\r\\x00\\x7fERROR",
        "echoStruct",
        MAKER,
    ),
    "h6 name of 60,000 characters": Bad(
        b"C" + text("x" * 60_000) + b"\x90\x60", "class name of at most 1024 bytes, found 600", "echoStruct", MAKER
    ),
    "h6 name of 1 MiB": Bad(
        b"C" + (b"R\x80\x00" + b"x" * 32_768) * 32 + b"\x00\x90\x60", "class name of at most 1024 bytes, found chunks"
    ),
    "h6 type name of 1 MiB": Bad(
        b"V" + (b"R\x80\x00" + b"x" * 32_768) * 32 + b"\x00\x91\x90", "type name .*found chunks"
    ),
    # Classes that exist nowhere.
    "h7 unknown class": Bad(
        definition("demo.Missing", "name") + b"\x60\x01a",
        r"echoStruct: args\[0\]: expected demo\.Maker, found an object of demo\.Missing",
        "echoStruct",
        MAKER,
    ),
    "h7 unknown class in a field": Bad(
        MAKER_CLASS + b"\x60\x01aN" + definition("demo.Missing") + b"\x61",
        r"args\[0\]\.parent: expected demo\.Maker, found an object of demo\.Missing",
        "echoStruct",
        MAKER,
    ),
    "h7 unknown enum": Bad(
        definition("demo.Missing", "name") + b"\x60\x06ACTIVE",
        r"expected demo\.Status, found an object of demo\.Missing",
        "echoEnum",
        "Ldemo/Status;",
    ),
    "h7 unknown constant": Bad(
        definition("demo.Status", "name") + b"\x60\x04GONE",
        r"expected a constant of demo\.Status, found GONE",
        "echoEnum",
        "Ldemo/Status;",
    ),
    "h7 text for a struct": Bad(b"\x01a", r"expected demo\.Maker, found 0x01 \(string\)", "echoStruct", MAKER),
    # Keys.
    "h8 lists as keys": Bad(b"H\x78\x91Z", "expected string", "echoStringMap", "Ljava/util/Map;"),
    "h8 maps as keys": Bad(b"HHZ\x91Z", "expected i32", "echoIntMap", "Ljava/util/Map;"),
    "h8 struct that contains itself as key": Bad(
        b"H" + definition("demo.Point", "x", "y") + b"\x60Q\x91\x91\x01aZ",
        "expected i32",
        "echoStructMap",
        "Ljava/util/Map;",
    ),
    "h8 keys equal in Python": Bad(b"H\x01a\xe1\x01a\xe2Z", "keys that are equal", "echoStringMap", "Ljava/util/Map;"),
    # Text.
    "h9 bad UTF-8": Bad(b"\x02\xff\xfe", "expected", "echoString", "Ljava/lang/String;"),
    "h9 bad continuation": Bad(b"\x02\xc3\x28\x28", "expected", "echoString", "Ljava/lang/String;"),
    "h9 four bytes": Bad(b"\x02\xf0\x9f\x8c\xbf", "expected", "echoString", "Ljava/lang/String;"),
    "h9 overlong": Bad(b"\x01\xc0\xaf", "expected", "echoString", "Ljava/lang/String;"),
    "h9 chunk cut inside a character": Bad(b"R\x00\x01\xc3\x01\xa9", "expected", "echoString", "Ljava/lang/String;"),
    "h9 bad UTF-8 without a contract": Bad(b"\x02\xff\xfe", "expected"),
}


def _loaded() -> set[str]:
    """Modules imported so far, but for Python's own for encodings."""
    return {name for name in sys.modules if not name.startswith("encodings.")}


async def _refused(abuse: Abuse, bad: Bad, group: str = "") -> None:
    data = bad.request(group)
    loaded = _loaded()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        reply = await attacker.reply()
        assert (reply.status, reply.id) == (BAD_REQUEST, 7)
        assert re.search(bad.said, reply.text), reply.text
        assert reply.text.isprintable() or "\x00" not in reply.text
        assert len(reply.body) < 2_500
        await attacker.send(COUNT)
        assert (await attacker.reply()).status == OK

    # A gateway finds out where a value ends without reading it, so either it or the provider may be who refuses.
    times = FEW if group or len(data) > 10_000 else REPEATS
    await abuse(attack, reason="bad-request", times=times, relayed=bool(group))
    assert _loaded() == loaded


def _inputs(row: str) -> Any:
    chosen = {name.removeprefix(f"{row} "): bad for name, bad in REFUSED.items() if name.startswith(f"{row} ")}
    return pytest.mark.parametrize("bad", chosen.values(), ids=chosen)


@_inputs("h1")
async def test_h1_definitions(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@_inputs("h2")
async def test_h2_declared_lengths(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@_inputs("h3")
async def test_h3_depth(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@_inputs("h4")
async def test_h4_references(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@_inputs("h5")
async def test_h5_elements_of_another_type(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@_inputs("h6")
async def test_h6_class_names(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@_inputs("h7")
async def test_h7_unknown_classes(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@_inputs("h8")
async def test_h8_keys(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@_inputs("h9")
async def test_h9_text(abuse: Abuse, bad: Bad) -> None:
    await _refused(abuse, bad)


@pytest.mark.parametrize("group", ["bridged", "blind"])
@pytest.mark.parametrize("row", [f"h{number}" for number in range(1, 10)])
async def test_h1_to_h9_the_same_behind_a_gateway(abuse: Abuse, row: str, group: str) -> None:
    for name, bad in REFUSED.items():
        if name.startswith(row):
            await _refused(abuse, bad, group)


HALF = b"\xed\xa0\xbd"
"""The first half of U+1F33F in CESU-8."""
REST = b"\xed\xb8\x80"


def _slot(number: int) -> bytes:
    """A reference to a list, map or object of the message, counted from 0."""
    return b"Q" + integer(number)


def _doubled(first: int, levels: int = 40) -> bytes:
    """A list of twice a list of twice a list …: 2^40 elements for whoever does not notice that they are the same."""
    # Slots are counted from the outside in, so the innermost list is the last one.
    inner = b"\x7a" * levels + b"\x79\x91"
    return inner + b"".join(_slot(first + level) for level in range(levels, 0, -1))


TAKEN: dict[str, Callable[[int], bytes]] = {
    "h4 list in itself": lambda slot: b"\x79" + _slot(slot),
    "h4 map in itself": lambda slot: b"H\x01a" + _slot(slot) + b"Z",
    "h4 object in itself": lambda slot: definition("a", "b") + b"\x60" + _slot(slot),
    "h4 doubled 40 times": _doubled,
    "h6 gadget": lambda _: definition("com.sun.rowset.JdbcRowSetImpl", "dataSource") + b"\x60\x03lda",
    "h6 name with control characters": lambda _: b"C\x04a\n\x1b\x00\x90\x60",
    "h8 lists as keys": lambda _: b"H\x79\x90\x91Z",
    "h8 maps as keys": lambda _: b"HH\x90\x91Z\x92Z",
    "h8 objects as keys": lambda _: b"H" + definition("java.net.URL", "host") + b"\x60\x04evil\x91Z",
    "h9 lone half of a pair": lambda _: b"\x01" + HALF,
    "h9 pair cut by a chunk": lambda _: b"R\x00\x01" + HALF + b"\x01" + REST,
    "h9 zero": lambda _: b"\x01\x00",
}
"""Values without a contract that are odd but legal, by the slot that their first list, map or object gets."""


async def _given_back(abuse: Abuse, data: bytes, value: bytes) -> None:
    """Nobody looks for a class, and what is referred to twice is not unfolded."""
    bodies: set[bytes] = set()
    loaded = _loaded()

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        reply = await attacker.reply()
        assert reply.status == OK
        assert reply.body[:1] == b"\x94"
        bodies.add(reply.body)

    await abuse(attack, reason=None)
    assert _loaded() == loaded
    # Read when nobody is measured any more: it holds up the loop that others call from.
    expected = _written(Reader(value).read())
    assert [_written(Reader(each, 1).read()) for each in bodies] == [expected] * len(bodies)


def _written(value: Any) -> bytes:
    writer = Writer()
    writer.write(value)
    return writer.finish()


@GROUPS
@pytest.mark.parametrize("name", TAKEN)
async def test_h4_h6_h8_h9_what_is_odd_but_legal_comes_back_as_it_was(abuse: Abuse, name: str, group: str) -> None:
    value = TAKEN[name](0)
    await _given_back(abuse, echo_any(value, group=group), value)


OBJECTS = ["h4 object in itself", "h6 gadget", "h6 name with control characters", "h8 objects as keys"]


@pytest.mark.parametrize("name", [name for name in TAKEN if name not in OBJECTS])
async def test_h4_h8_h9_the_same_in_a_generic_call(abuse: Abuse, name: str) -> None:
    # The lists of types and of arguments take the first two slots.
    await _given_back(abuse, invoke("echoAny", ["java.lang.Object"], TAKEN[name](2)), TAKEN[name](0))


@pytest.mark.parametrize("name", OBJECTS)
async def test_h4_h6_h8_objects_in_a_generic_call_become_maps(abuse: Abuse, name: str) -> None:
    async def attack(attacker: Attacker) -> None:
        await attacker.send(invoke("echoAny", ["java.lang.Object"], TAKEN[name](2)))
        assert (await attacker.reply()).status == OK

    loaded = _loaded()
    await abuse(attack, reason=None)
    assert _loaded() == loaded


@pytest.mark.parametrize("name", [name for name in TAKEN if name.startswith("h4")])
def test_h4_json_comes_to_an_end(name: str) -> None:
    value = Reader(TAKEN[name](0)).read()
    if "doubled" in name:
        with pytest.raises(ValueMappingError, match="more than 1000000 lists, maps and objects"):
            show_generic(value)
    else:
        assert "$ref" in json.dumps(show_generic(value))


async def test_h1_fifty_thousand_unknown_fields(abuse: Abuse) -> None:
    """They are dropped, as Java does; nothing is compiled for them."""
    names = [f"f{number}" for number in range(50_000)]
    data = request("echoStruct", MAKER, definition("demo.Maker", "name", *names) + b"\x60\x01a" + b"N" * len(names))

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        assert (await attacker.reply()).status == OK

    await abuse(attack, reason=None, times=FEW)


@GROUPS
async def test_h3_depth_in_attachments(abuse: Abuse, group: str) -> None:
    start = b"".join(text(part) for part in ("path", "demo.Types", "interface", "demo.Types", "group", group))
    data = request("echoI32", "I", b"\x91", attachments=b"H" + start + b"\x01a" + b"\x79" * DEEP + b"NZ")

    async def attack(attacker: Attacker) -> None:
        await attacker.send(data)
        reply = await attacker.reply()
        assert (reply.status, reply.id) == (BAD_REQUEST, 7)
        assert "expected at most 64 levels" in reply.text

    await abuse(attack, reason="bad-request", times=FEW)


UUIDS = 20_000
SAME_HASH = [str(UUID(int=number * sys.hash_info.modulus)) for number in range(UUIDS)]
UUID_KEYS = (
    b"H"
    + definition("java.util.UUID", "value")
    + b"".join(b"\x60\x30\x24" + each.encode() + b"\x91" for each in SAME_HASH)
    + b"Z"
)


@GROUPS
async def test_h8_keys_with_one_hash(abuse: Abuse, group: str) -> None:
    bodies: list[bytes] = []

    async def attack(attacker: Attacker) -> None:
        await attacker.send(echo_any(UUID_KEYS, group=group))
        reply = await attacker.reply()
        assert reply.status == OK
        bodies.append(reply.body)

    await abuse(attack, reason=None, times=1)
    # Read when nobody is measured any more: it holds up the loop that others call from.
    (body,) = bodies
    found = Reader(body, 1).read()
    assert isinstance(found, Pairs)
    assert len(found) == UUIDS
