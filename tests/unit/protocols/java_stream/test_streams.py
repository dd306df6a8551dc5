"""Serialization streams as OpenJDK 17 writes them (`ObjectOutputStream.writeObject`), and those that are attacks."""

from __future__ import annotations

import datetime as dt
import struct
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol
from uuid import UUID

import pytest

from gateway.contracts import contract_of, service
from gateway.model.errors import LocalWireError, ValueMappingError
from gateway.model.generic import JavaDate, Long
from gateway.model.typeref import Kind, TypeRef
from protocols.java_stream.from_stream import FromStream
from protocols.java_stream.grammar import HEADER, JavaArray, JavaObject, StreamError
from protocols.java_stream.reader import StreamReader
from protocols.java_stream.text import decode_text, encode_text
from protocols.java_stream.to_stream import ToStream
from protocols.java_stream.writer import StreamWriter
from protocols.reader import Limits


class Mood(Enum):
    A = 1
    B = 2


@dataclass
class Node:
    name: str
    next: Node | None = None


@service("S")
class Holder(Protocol):
    async def put(self, mood: Mood, node: Node) -> None: ...


CONTRACT: Final = contract_of(Holder)
ANY: Final = TypeRef(Kind.ANY, nullable=True)
NODE: Final = TypeRef(Kind.STRUCT, name="Node")
WRITTEN: Final = {
    "Integer": (
        1,
        "aced0005737200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c61"
        "6e672e4e756d62657286ac951d0b94e08b020000787000000001",
    ),
    "Boolean": (True, "aced0005737200116a6176612e6c616e672e426f6f6c65616ecd207280d59cfaee0200015a000576616c7565787001"),
    "BigDecimal": (
        Decimal("1.50"),
        "aced0005737200146a6176612e6d6174682e426967446563696d616c54c71557f981284f0300024900057363616c654c0006696e745661"
        "6c7400164c6a6176612f6d6174682f426967496e74656765723b787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b02"
        "0000787000000002737200146a6176612e6d6174682e426967496e74656765728cfc9f1fa93bfb1d030006490008626974436f756e7449"
        "00096269744c656e67746849001366697273744e6f6e7a65726f427974654e756d49000c6c6f7765737453657442697449000673696"
        "76e756d5b00096d61676e69747564657400025b427871007e0002fffffffffffffffffffffffefffffffe00000001757200025b42acf31"
        "7f8060854e0020000787000000001967878",
    ),
    "Date": (
        JavaDate(1970, 1, 1, 0, 0, 0, 5_000, tzinfo=dt.UTC),
        "aced00057372000e6a6176612e7574696c2e44617465686a81014b59741903000078707708000000000000000578",
    ),
    "ArrayList": (
        ["a", 1],
        "aced0005737200136a6176612e7574696c2e41727261794c6973747881d21d99c7619d03000149000473697a6578700000000277040000"
        "000274000161737200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565787200106a61766"
        "12e6c616e672e4e756d62657286ac951d0b94e08b02000078700000000178",
    ),
    "HashMap": (
        {"k": Long(1)},
        "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726"
        "573686f6c6478703f4000000000000c770800000010000000017400016b7372000e6a6176612e6c616e672e4c6f6e673b8be490cc8f23df"
        "0200014a000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b0200007870000000000000000178",
    ),
    "HashSet": (
        {"x"},
        "aced0005737200116a6176612e7574696c2e48617368536574ba44859596b8b7340300007870770c000000103f40000000000001740001"
        "7878",
    ),
    "Instant": (
        dt.datetime(1970, 1, 1, 0, 0, 3, 4, tzinfo=dt.UTC),
        "aced00057372000d6a6176612e74696d652e536572955d84ba1b2248b20c00007870770d02000000000000000300000fa078",
    ),
    "LocalTime": (dt.time(1, 2), "aced00057372000d6a6176612e74696d652e536572955d84ba1b2248b20c0000787077030401fd78"),
    "LocalDateTime": (
        dt.datetime(2020, 1, 2, 3, 4, 5, 6),
        "aced00057372000d6a6176612e74696d652e536572955d84ba1b2248b20c00007870770e05000007e401020304050000177078",
    ),
    "UUID": (
        UUID(int=(1 << 64) + 2),
        "aced00057372000e6a6176612e7574696c2e55554944bc9903f7986d852f0200024a000c6c65617374536967426974734a000b6d6f737453"
        "696742697473787000000000000000020000000000000001",
    ),
    "byte[]": (b"\1\2", "aced0005757200025b42acf317f8060854e00200007870000000020102"),
}
"""What is written as Java does, byte by byte."""
READ: Final = {
    "List.of": (
        [1, 2, 3],
        "aced0005737200116a6176612e7574696c2e436f6c6c536572578eabb63a1ba811030001490003746167787000000001770400000003737"
        "200116a6176612e6c616e672e496e746567657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c616e672e4e756d"
        "62657286ac951d0b94e08b0200007870000000017371007e0002000000027371007e00020000000378",
    ),
    "TreeMap": (
        {"k": 1},
        "aced0005737200116a6176612e7574696c2e547265654d61700cc1f63e2d256ae60300014c000a636f6d70617261746f727400164c6a617"
        "6612f7574696c2f436f6d70617261746f723b7870707704000000017400016b7372000e6a6176612e6c616e672e4c6f6e673b8be490cc8f"
        "23df0200014a000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b0200007870000000000000000178",
    ),
    "LinkedHashMap": (
        {"k": 1},
        "aced0005737200176a6176612e7574696c2e4c696e6b6564486173684d617034c04e5c106cc0fb0200015a000b6163636573734f7264657"
        "2787200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f"
        "6c6478703f40000000000001770800000002000000017400016b7372000e6a6176612e6c616e672e4c6f6e673b8be490cc8f23df0200014"
        "a000576616c7565787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b02000078700000000000000001"
        "7800",
    ),
    "Arrays.asList": (
        ["q", "r"],
        "aced00057372001a6a6176612e7574696c2e4172726179732441727261794c697374d9a43cbecd8806d20200015b0001617400135b4c6a61"
        "76612f6c616e672f4f626a6563743b7870757200135b4c6a6176612e6c616e672e537472696e673badd256e7e91d7b470200007870000000"
        "027400017174000172",
    ),
    "unmodifiableList": (
        ["q"],
        "aced0005737200266a6176612e7574696c2e436f6c6c656374696f6e7324556e6d6f6469666961626c654c697374fc0f2531b5ec8e100200"
        "014c00046c6973747400104c6a6176612f7574696c2f4c6973743b7872002c6a6176612e7574696c2e436f6c6c656374696f6e7324556e6d"
        "6f6469666961626c65436f6c6c656374696f6e19420080cb5ef71e0200014c0001637400164c6a6176612f7574696c2f436f6c6c65637469"
        "6f6e3b7870737200136a6176612e7574696c2e41727261794c6973747881d21d99c7619d03000149000473697a6578700000000177040000"
        "000174000171787100"
        "7e0006",
    ),
    "long[]": ([1], "aced0005757200025b4a782004b512b175930200007870000000010000000000000001"),
    "char": (
        "x",
        "aced0005737200136a6176612e6c616e672e436861726163746572348b47d96b1a267802000143000576616c756578700078",
    ),
}
ITEMS: Final = JavaArray("[Ljava.lang.Object;", ["a"])


def read(data: bytes, ref: TypeRef = ANY, limits: Limits | None = None) -> Any:
    stream = StreamReader(data) if limits is None else StreamReader(data, limits)
    node = stream.read()
    stream.expect_end()
    return FromStream(CONTRACT).compile(ref)(node)


def write(value: Any, ref: TypeRef = ANY, uids: Any = None) -> bytes:
    out = StreamWriter(1 << 20)
    ToStream(CONTRACT, uids or {}).compile(ref)(value, out)
    return out.data


@pytest.mark.parametrize(("value", "text"), WRITTEN.values(), ids=WRITTEN)
def test_what_java_writes_is_read_and_written(value: Any, text: str) -> None:
    found = read(bytes.fromhex(text))

    assert found == value
    assert type(found) is type(value)
    assert write(value).hex() == text


@pytest.mark.parametrize(("value", "text"), READ.values(), ids=READ)
def test_other_classes_of_the_library_are_read(value: Any, text: str) -> None:
    assert read(bytes.fromhex(text)) == value


@pytest.mark.parametrize(("value", "text"), [*WRITTEN.values(), *READ.values()], ids=[*WRITTEN, *READ])
def test_a_stream_that_is_cut_off_or_goes_on_is_refused(value: Any, text: str) -> None:
    data = bytes.fromhex(text)
    for end in range(len(data)):
        with pytest.raises((StreamError, ValueMappingError)):
            read(data[:end])
    with pytest.raises(StreamError, match="1 bytes more than one value"):
        read(data + b"p")


def test_structs_are_objects_of_their_class() -> None:
    node = Node("a", Node("b"))

    data = write(node, NODE, {"Node": 42})
    assert data.startswith(HEADER + b"sr\0\x04Node" + struct.pack(">qBH", 42, 2, 2) + b"L\0\x04name")
    assert read(data, NODE) == node
    with pytest.raises(ValueMappingError, match="serialVersionUID of Node"):
        write(node, NODE)


def test_classes_that_the_contract_does_not_know_are_refused() -> None:
    stranger = write(Node("a"), NODE, {"Node": 42}).replace(b"Node", b"Evil")
    for ref, told in ((NODE, "expected an object of Node, found Evil"), (ANY, "found Evil")):
        with pytest.raises(ValueMappingError, match=told):
            read(stranger, ref)
    proxy = HEADER + b"s}\0\0\0\1\0\1Ax"
    with pytest.raises(StreamError, match="0x7d where a class is expected"):
        read(proxy)


@pytest.mark.parametrize(
    ("value", "ref"),
    [
        ("1", TypeRef(Kind.I32)),
        (2**40, TypeRef(Kind.I32)),
        (1, TypeRef(Kind.F64)),
        (1, TypeRef(Kind.BOOL)),
        (True, TypeRef(Kind.I32)),
        (0.1, TypeRef(Kind.F32)),
        (["a"], TypeRef(Kind.SET, (ANY,))),
        ({"a"}, TypeRef(Kind.LIST, (ANY,))),
        (None, TypeRef(Kind.STRING)),
    ],
)
def test_values_of_other_types_are_refused(value: Any, ref: TypeRef) -> None:
    with pytest.raises(ValueMappingError):
        read(write(value), ref)


def nested(depth: int) -> bytes:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return write(value)


def test_depth_size_and_sharing_are_bounded() -> None:
    assert read(nested(20)) is not None
    with pytest.raises(ValueMappingError, match="nested deeper"):
        nested(70)
    # A list in a list … of itself: by reference, so that it takes few bytes.
    inner = bytes.fromhex(WRITTEN["ArrayList"][1])
    head = inner[: inner.index(b"t\0\1a")]
    itself = head.replace(b"\0\0\0\2", b"\0\0\0\1") + b"q\0\x7e\0\1x"
    with pytest.raises(ValueMappingError, match="nested deeper"):
        read(itself)
    with pytest.raises(StreamError, match="elements in"):
        read(bytes.fromhex(WRITTEN["byte[]"][1])[:-6] + b"\x7f\xff\xff\xff\1\2")
    with pytest.raises(StreamError, match="more than 50 elements"):
        read(write(list(range(60))), limits=Limits(max_elements=50))
    # Texts take the time of several elements of other formats.
    with pytest.raises(StreamError, match="more than 50 elements"):
        read(write(["x"] * 20), limits=Limits(max_elements=50))
    with pytest.raises(StreamError, match="at most 10"):
        read(write("0123456789"), limits=Limits(max_frame_bytes=10))
    to_stream, out = ToStream(CONTRACT, {}).compile(ANY), StreamWriter(20)
    with pytest.raises(LocalWireError, match="more than 20 bytes"):
        to_stream("0123456789" * 3, out)


def test_shared_lists_are_counted_each_time() -> None:
    # list0 = [], list1 = [list0, list0], … each one written inside the next, and referred to a second time.
    desc = bytes.fromhex(WRITTEN["ArrayList"][1])
    head = desc[len(HEADER) : desc.index(b"\0\0\0\2w")]
    data = HEADER + head + b"\0\0\0\2w\4\0\0\0\2"
    levels = 30
    for _ in range(levels):
        data += b"sq\0\x7e\0\0\0\0\0\2w\4\0\0\0\2"
    data += b"ppx"
    for level in range(levels, 0, -1):
        data += b"q" + struct.pack(">i", 0x7E0000 + 1 + level) + b"x"
    node = StreamReader(data).read()
    with pytest.raises(ValueMappingError, match="more than"):
        FromStream(CONTRACT, 10_000).compile(ANY)(node)


def class_named(name: bytes, annotated: bytes = b"", parent: bytes = b"p") -> bytes:
    return b"r" + struct.pack(">H", len(name)) + name + struct.pack(">qBH", 0, 2, 0) + annotated + b"x" + parent


def test_classes_above_each_other_are_bounded_however_they_are_written() -> None:
    chain = b"s" + class_named(b"A0")
    for number in range(1, 40):
        # Each names the class of the object before as its superclass, so none begins inside of another.
        above = b"q" + struct.pack(">i", 0x7E0000 + 2 * number)
        chain += b"s" + class_named(b"A%d" % number, parent=above)
    array = HEADER + b"u" + class_named(b"[LA;") + struct.pack(">i", 40)
    with pytest.raises(StreamError, match="32 superclasses"):
        StreamReader(array + chain).read()


@pytest.mark.parametrize(
    "node",
    [
        JavaObject("java.util.Vector", {"elementData": ITEMS, "elementCount": "1"}, {}),
        JavaObject("java.util.Vector", {"elementData": ITEMS, "elementCount": -1}, {}),
        JavaObject("java.util.Vector", {"elementData": ITEMS, "elementCount": 2}, {}),
        JavaObject("java.lang.Long", {"value": "1"}, {}),
        JavaObject("java.lang.Boolean", {}, {}),
        JavaObject(
            "java.math.BigDecimal",
            {
                "intVal": JavaObject("java.math.BigInteger", {"signum": 1, "magnitude": JavaArray("[B", b"\5")}, {}),
                "scale": -(1 << 63),
            },
            {},
        ),
    ],
    ids=lambda node: node.type_name,
)
def test_objects_of_the_library_with_fields_of_other_types_are_refused(node: JavaObject) -> None:
    with pytest.raises(ValueMappingError):
        FromStream(CONTRACT).compile(ANY)(node)


def test_what_is_nested_in_classes_counts_with_them() -> None:
    # The annotations of a class with superclasses hold an object of another such class, and so on.
    begun = class_named(b"A")[:-2]
    with pytest.raises(StreamError, match="nested deeper"):
        StreamReader(HEADER + (b"s" + (begun + b"x") * 29 + begun) * 60).read()


@pytest.mark.parametrize("text", ["", "a", "\0", "é茶", "😀", "\ud800", "a\udc00\ud800b"])
def test_modified_utf_8(text: str) -> None:
    data = encode_text(text)

    assert b"\0" not in data
    assert decode_text(data) == text


def test_modified_utf_8_is_that_of_data_output() -> None:
    # java.io.DataOutputStream.writeUTF("\0é😀"), without its length.
    assert encode_text("\0é😀").hex() == "c080c3a9eda0bdedb880"


def test_a_boxed_value_is_one_of_its_class() -> None:
    number = bytes.fromhex(WRITTEN["Integer"][1])
    # Integer with a long in it, which Java would not take either.
    wrong = number.replace(b"I\0\5value", b"J\0\5value") + bytes(4)
    with pytest.raises(ValueMappingError, match=r"a java.lang.Integer that holds something else"):
        read(wrong)
