"""Structs and exceptions of declared types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.model.contract import Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.fault import ServiceError
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.definition import DefinitionCache
from protocols.hessian.errors import HessianError
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.typed_struct import _MAX_GENERATED
from protocols.hessian.writer import Writer
from protocols.reader import Limits
from protocols.testing import difference


@dataclass(frozen=True, slots=True)
class Node:
    """Frozen, with slots, and may contain itself."""

    name: str
    node_size: int = 5
    tags: list[str] = field(default_factory=list)
    next_node: Node | None = None


@dataclass
class Plain:
    x: int


class Guarded:
    """Counts what runs when it is built or filled."""

    built = 0

    def __init__(self) -> None:
        type(self).built += 1

    def __setattr__(self, name: str, value: Any) -> None:
        raise AssertionError("decoders set attributes past this")


class Computed:
    """Its field is made anew each time it is asked for."""

    @property
    def items(self) -> list[list[int]]:
        return [[1], [2]]


class Failure(ServiceError):
    code: int
    node: Node | None = None


STRING, I32 = TypeRef(Kind.STRING), TypeRef(Kind.I32)
NODE = TypeRef(Kind.STRUCT, name="t.Node")
PLAIN = TypeRef(Kind.STRUCT, name="t.Plain")
GUARDED = TypeRef(Kind.STRUCT, name="t.Guarded")
COMPUTED = TypeRef(Kind.STRUCT, name="t.Computed")
FAILURE = TypeRef(Kind.EXCEPTION, name="t.Failure")
NESTED = TypeRef(Kind.LIST, (TypeRef(Kind.LIST, (I32,)),))
STRUCTS = (
    StructType(
        "t.Node",
        Node,
        (
            Field("name", STRING, "name"),
            Field("node_size", I32, "node_size", default=5),
            Field("tags", TypeRef(Kind.LIST, (STRING,)), "tags", default_factory=list),
            Field("next_node", NODE.optional(), "next_node"),
        ),
    ),
    StructType("t.Plain", Plain, (Field("x", I32, "x"),), names={"java": "com.acme.Plain"}),
    StructType("t.Guarded", Guarded, (Field("x", I32, "x"),)),
    StructType("t.Computed", Computed, (Field("items", NESTED, "items"),)),
    StructType(
        "t.Failure",
        Failure,
        (Field("code", I32, "code"), Field("node", NODE.optional(), "node")),
        is_exception=True,
    ),
)
CONTRACT = ServiceContract("t.Service", (), {each.name: each for each in STRUCTS})
COMPILER = TypedCompiler(CONTRACT)


def read(ref: TypeRef, data: bytes, **options: Any) -> Any:
    reader = Reader(data, **options)
    value = COMPILER.compile_reader(ref)(reader)
    assert reader.at_end
    return value


def write(ref: TypeRef, value: Any) -> bytes:
    writer = Writer()
    COMPILER.compile_writer(ref)(writer, value)
    return writer.finish()


def java(name: str, *fields: tuple[str, bytes]) -> bytes:
    return definition_bytes(name, tuple(field for field, _ in fields)) + b"\x60" + b"".join(data for _, data in fields)


NAME, SIZE, TAGS, NEXT = ("name", b"\x01n"), ("nodeSize", b"\x97"), ("tags", b"\x79\x01t"), ("nextNode", b"N")
WHOLE = java("t.Node", NAME, SIZE, TAGS, NEXT)


def test_a_struct_is_an_object_of_its_java_class() -> None:
    node = Node("n", 7, ["t"])
    assert write(NODE, node) == WHOLE
    assert read(NODE, WHOLE) == node
    assert write(PLAIN, Plain(1)) == java("com.acme.Plain", ("x", b"\x91"))


def test_fields_are_found_by_name_in_any_order() -> None:
    assert read(NODE, java("t.Node", NEXT, TAGS, NAME, SIZE)) == Node("n", 7, ["t"])


def test_unknown_fields_are_dropped_with_their_tables() -> None:
    # The dropped list takes slot 1, its type index 0; what follows counts on both.
    extra = ("extra", b"\x71\x04list\x79\x91")
    data = java("t.Node", extra, NAME, SIZE, ("tags", b"\x71\x90\x01t"), ("nextNode", b"\x51\x90"))
    node = read(NODE, data)
    assert (node.tags, node.next_node is node) == (["t"], True)


def test_absent_fields_get_their_default() -> None:
    first, second = read(NODE, java("t.Node", NAME)), read(NODE, java("t.Node", NAME))
    assert first == Node("n")
    assert first.tags is not second.tags


def test_a_required_field_must_be_there() -> None:
    with pytest.raises(HessianError, match="expected string, found no such field") as caught:
        read(NODE, java("t.Node", SIZE))
    assert caught.value.path == "name"


def test_null_is_refused_where_the_field_is_not_nullable() -> None:
    with pytest.raises(HessianError, match="expected string, found null") as caught:
        read(NODE, java("t.Node", ("name", b"N")))
    assert caught.value.path == "name"
    with pytest.raises(ValueMappingError, match="expected string, found null") as refused:
        write(NODE, Node(None))  # type: ignore[arg-type]
    assert refused.value.path == "name"


def test_the_last_of_two_fields_of_one_name_counts() -> None:
    assert read(NODE, java("t.Node", ("name", b"\x01u"), NAME)).name == "n"


def test_no_code_of_the_class_runs() -> None:
    found = read(GUARDED, java("t.Guarded", ("x", b"\x91")))
    assert (type(found), found.x, Guarded.built) == (Guarded, 1, 0)


def test_a_struct_that_contains_itself_comes_back() -> None:
    node = Node("n", 7, ["t"])
    object.__setattr__(node, "next_node", node)
    data = write(NODE, node)
    assert data == WHOLE[:-1] + b"\x51\x90"
    found = read(NODE, data)
    assert found.next_node is found


def test_a_shared_struct_arrives_shared() -> None:
    shared, pair = Node("s"), TypeRef(Kind.LIST, (NODE,))
    found = read(pair, write(pair, [shared, shared, Node("s")]))
    assert found[0] is found[1]
    assert found[0] == found[2]
    assert found[0] is not found[2]


@pytest.mark.parametrize(
    "data",
    [
        b"H\x04name\x01n\x08nodeSize\x97\x04tags\x79\x01tZ",
        b"M\x06t.Node\x04name\x01n\x08nodeSize\x97\x04tags\x79\x01tZ",
        b"M\x11java.util.HashMap\x04name\x01n\x08nodeSize\x97\x04tags\x79\x01t\x05class\x06t.NodeZ",
        b"H\x04more\x79\x91\x04name\x01n\x08nodeSize\x97\x04tags\x79\x01t\x08nextNodeNZ",
    ],
)
def test_a_map_of_field_names_stands_for_a_struct(data: bytes) -> None:
    assert read(NODE, data) == Node("n", 7, ["t"])


def test_a_map_may_contain_itself() -> None:
    node = read(NODE, b"H\x04name\x01n\x08nextNode\x51\x90Z")
    assert node.next_node is node


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (java("t.Other", NAME), "expected t.Node, found an object of t.Other"),
        (java("com.acme.Plain", ("x", b"\x91")), "expected t.Node, found an object of com.acme.Plain"),
        (java("x" * 900 + "\n", NAME), r"expected t.Node, found an object of x{80}…"),
        (b"M\x07t.Other\x04name\x01nZ", "expected t.Node, found a map of type t.Other"),
        (b"H\x05class\x07t.Other\x04name\x01nZ", "expected t.Node, found a map of class t.Other"),
        (b"H\x05class\x91\x04name\x01nZ", "expected t.Node, found a map of class no name"),
        (b"H\x91\x01nZ", "expected string, found 0x91"),
        (b"H\x04name", "end of the data"),
        (b"\x04name", r"expected t.Node, found 0x04 \(string\)"),
        (b"\x79\x01n", r"expected t.Node, found 0x79 \(list\)"),
        (b"N", "expected t.Node, found null"),
        (b"\x60", r"expected the index of one of 0 classes"),
        (b"\x51\x90", "expected a reference to one of 0 values"),
        (java("t.Node", ("name", b"\x91")), "name: expected string, found 0x91"),
        (java("t.Node", ("tags", b"\x7a\x01a\x91")), r"tags\[1\]: expected string"),
        (java("t.Node", NAME, ("nextNode", b"\x60\x91")), r"nextNode|next_node\.name: expected string"),
        (java("t.Node", ("later", b"\x60"), NAME), "later"),
    ],
)
def test_what_is_no_such_struct_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        read(NODE, data)


def test_every_cut_of_a_struct_is_refused() -> None:
    data = write(NODE, Node("n", 7_000, ["t", "\U0001f600"], Node("m")))
    for end in range(len(data)):
        with pytest.raises(HessianError):
            read(NODE, data[:end])


def test_an_earlier_definition_is_used_again() -> None:
    pair = TypeRef(Kind.LIST, (NODE,))
    assert (
        read(pair, b"\x7b" + WHOLE + b"\x60" + WHOLE.partition(b"\x60")[2] + b"O\x90" + WHOLE.partition(b"\x60")[2])
        == [Node("n", 7, ["t"])] * 3
    )


def test_definitions_of_several_messages_and_orders_are_held_apart() -> None:
    cache = DefinitionCache()
    other = java("t.Node", NEXT, NAME, TAGS, SIZE)
    for data in (WHOLE, WHOLE, other, WHOLE, other, other):
        assert read(NODE, data, definitions=cache) == Node("n", 7, ["t"])
        assert read(NODE, data) == Node("n", 7, ["t"])


def test_a_peer_that_makes_up_orders_gets_no_code_generated() -> None:
    for number in range(3 * _MAX_GENERATED):
        fields = [("nodeSize", b"\x97"), NAME, *((f"extra{each}", b"N") for each in range(number))]
        assert read(NODE, java("t.Node", *fields)) == Node("n", 7)
        with pytest.raises(HessianError, match="no such field"):
            read(NODE, java("t.Node", *fields[2:]))
        with pytest.raises(HessianError, match=r"node_size: expected i32"):
            read(NODE, java("t.Node", ("nodeSize", b"\x01x"), *fields[1:]))


def test_structs_inside_each_other_are_limited() -> None:
    depth = 40
    node = Node("last")
    for number in range(depth):
        node = Node(str(number), next_node=node)
    data = write(NODE, node)
    assert read(NODE, data) == node
    with pytest.raises(HessianError, match="at most 30 levels"):
        read(NODE, data, limits=Limits(max_depth=30))
    writer = Writer(Limits(max_depth=30))
    with pytest.raises(ValueMappingError, match="deeper than 30"):
        COMPILER.compile_writer(NODE)(writer, node)
    with pytest.raises(HessianError, match="at most 100 elements"):
        read(NODE, data, limits=Limits(max_elements=100))


def test_only_instances_of_exactly_the_class_are_written() -> None:
    @dataclass(frozen=True)
    class Special(Node):
        pass

    for value in (Special("n"), Plain(1), {"name": "n"}, None, "n"):
        with pytest.raises(ValueMappingError, match=r"expected t\.Node, found"):
            write(NODE, value)


def test_an_unset_attribute_is_refused() -> None:
    with pytest.raises(ValueMappingError, match="found it unset") as caught:
        write(NODE, Node.__new__(Node))
    assert caught.value.path == "name"


def test_what_a_property_returns_is_kept_while_it_is_identified() -> None:
    computed = TypeRef(Kind.LIST, (COMPUTED,))
    data = write(computed, [Computed() for _ in range(50)])
    assert b"\x51" not in data


FAILURE_DATA = (
    definition_bytes(
        "t.Failure", ("suppressedExceptions", "stackTrace", "cause", "detailMessage", "code", "node")
    )
    + b"\x60\x70\x1fjava.util.Collections$EmptyList\x70\x1c[java.lang.StackTraceElement\x51\x90\x04boom\x92N"
)  # fmt: skip


def test_an_exception_is_a_throwable_without_stack_that_causes_itself() -> None:
    assert write(FAILURE, Failure("boom", code=2)) == FAILURE_DATA
    assert difference(Failure("boom", code=2), read(FAILURE, FAILURE_DATA)) is None


def test_an_exception_without_text_has_none_on_the_other_side() -> None:
    found = read(FAILURE, write(FAILURE, Failure(code=2)))
    assert (found.args, found.message, str(found)) == ((), None, "")


def test_a_java_exception_is_read_with_whatever_throwable_has() -> None:
    stack = b"\x71\x1c[java.lang.StackTraceElement" + definition_bytes(
        "java.lang.StackTraceElement", ("lineNumber", "fileName")
    )
    data = (
        definition_bytes("t.Failure", ("stackTrace", "detailMessage", "code", "cause", "suppressedExceptions"))
        + b"\x60"
        + stack
        + b"\x61\x97\x06A.java\x04boom\x92"
        + definition_bytes("java.lang.IllegalStateException", ("cause",))
        + b"\x62\x51\x93\x78"
    )
    found = read(FAILURE, data)
    assert (str(found), found.code, found.node) == ("boom", 2, None)


def test_an_exception_with_a_bad_field_is_refused() -> None:
    with pytest.raises(HessianError, match=r"code: expected i32"):
        read(FAILURE, java("t.Failure", ("code", b"\x01x")))
    with pytest.raises(HessianError, match=r"detailMessage: expected string"):
        read(FAILURE, java("t.Failure", ("detailMessage", b"\x91")))
    with pytest.raises(ValueMappingError) as caught:
        write(FAILURE, Failure("boom", code=2, node=Node("n", tags=["a", 1])))  # type: ignore[list-item]
    assert caught.value.path == "node.tags[1]"
