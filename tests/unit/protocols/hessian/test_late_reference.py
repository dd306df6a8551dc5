"""References after a UUID: only to what hessian-lite 3 and 4 number alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.model.contract import Field, ServiceContract, StructType
from gateway.model.errors import LocalWireError, ValueMappingError
from gateway.model.fault import ServiceError
from gateway.model.generic import Record, TypedMap
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.attachments import write_attachments
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer
from protocols.reader import Limits

ONE = UUID(int=1)
DEFINITION = definition_bytes("java.util.UUID", ("value",))
UUID_OBJECT = b"\x60\x30\x24" + str(ONE).encode()


@dataclass
class Node:
    ident: UUID | None = None
    others: list[Node] = field(default_factory=list)
    other: Node | None = None


class Failure(ServiceError):
    pass


NODE = TypeRef(Kind.STRUCT, name="t.Node")
NODES = TypeRef(Kind.LIST, (NODE,))
FAILURE = TypeRef(Kind.EXCEPTION, name="t.Failure")
COMPILER = TypedCompiler(
    ServiceContract(
        "t.Service",
        (),
        {
            "t.Node": StructType(
                "t.Node",
                Node,
                (
                    Field("ident", TypeRef(Kind.UUID, nullable=True), "ident"),
                    Field("others", NODES, "others"),
                    Field("other", NODE.optional(), "other"),
                ),
            ),
            "t.Failure": StructType("t.Failure", Failure, (), is_exception=True),
        },
    )
)


def write(*values: Any) -> bytes:
    writer = Writer()
    for value in values:
        writer.write(value)
    return writer.finish()


def write_typed(types: list[TypeRef], *values: Any) -> bytes:
    writer = Writer()
    COMPILER.compile_arguments_writer(types)(writer, values)
    return writer.finish()


def test_what_stands_before_a_uuid_is_referred_to_after_it() -> None:
    early = ["e"]
    assert write(early, ONE, early) == b"\x79\x01e" + DEFINITION + UUID_OBJECT + b"\x51\x90"


@pytest.mark.parametrize(
    "value",
    [["v"], {"k": "v"}, TypedMap("t", {}), Record("t.V", {"x": 1}), Decimal("1.5"), date(2024, 1, 2), ONE],
    ids=lambda value: type(value).__name__,
)
def test_what_comes_after_a_uuid_is_written_again(value: Any) -> None:
    data = write(ONE, value, value)
    assert b"\x51" not in data
    reader = Reader(data)
    assert [reader.read() for _ in range(3)] == [ONE, value, value]
    assert reader.at_end


def test_a_container_that_holds_a_uuid_has_a_slot_before_it() -> None:
    holder = [ONE]
    assert write(holder, holder) == b"\x79" + DEFINITION + UUID_OBJECT + b"\x51\x90"
    ring: list[Any] = [ONE]
    ring.append(ring)
    assert write(ring).endswith(UUID_OBJECT + b"\x51\x90")


def test_a_uuid_that_is_a_record_counts_as_well() -> None:
    late = ["l"]
    raw = Record("java.util.UUID", {"value": str(ONE)})
    assert write(raw, raw, late, late) == DEFINITION + UUID_OBJECT * 2 + b"\x79\x01l" * 2


def test_a_cycle_that_begins_after_a_uuid_is_refused_where_it_closes() -> None:
    ring: dict[str, Any] = {"inner": [1]}
    ring["inner"].append(ring)
    with pytest.raises(ValueMappingError, match="after a UUID") as caught:
        write([ONE, ring])
    assert caught.value.path == "[1][value 0][1]"


def test_siblings_at_every_depth_are_no_cycle() -> None:
    leaf = ["leaf"]
    pair = [leaf, [leaf], leaf]
    data = write(ONE, [pair, leaf, [pair], {"pair": pair, "leaf": leaf}])
    reader = Reader(data)
    assert reader.read() == ONE
    assert reader.read() == [pair, leaf, [pair], {"pair": pair, "leaf": leaf}]


def test_structs_follow_the_same_rule() -> None:
    parent, shared = Node(), Node()
    # The first child's UUID stands before the second child, but after the parent and the list.
    parent.others = [Node(ONE, other=parent), Node(other=shared), Node(other=shared)]
    data = write_typed([NODE], parent)
    assert data.count(b"\x51") == 1
    reader = Reader(data)
    found = COMPILER.compile_reader(NODE)(reader)
    assert reader.at_end
    assert found.others[0].other is found
    assert found.others[1].other == found.others[2].other == Node()


def test_a_cycle_of_structs_is_refused_where_it_closes() -> None:
    child = Node(ONE)
    child.others = [Node(other=child)]
    assert write_typed([NODE], child).endswith(b"y`Nx\x51\x90N")
    with pytest.raises(ValueMappingError, match="contains itself") as caught:
        write_typed([NODES], [Node(ONE), child])
    assert caught.value.path == "args[0][1].others[0].other"


def test_values_that_double_at_every_level_stop_at_the_limit_of_the_message() -> None:
    node = Node()
    for _ in range(40):
        node = Node(others=[node], other=node)
    writer = Writer(Limits(max_frame_bytes=10_000, max_depth=200))
    write_uuid = COMPILER.compile_writer(TypeRef(Kind.UUID))
    write_uuid(writer, ONE)
    with pytest.raises(LocalWireError, match="10000 bytes"):
        COMPILER.compile_writer(NODE)(writer, node)


def test_an_exception_after_a_uuid_has_null_for_the_cause_it_cannot_refer_to() -> None:
    data = write_typed([TypeRef(Kind.UUID), FAILURE], ONE, Failure("boom"))
    assert data.endswith(b"\x1c[java.lang.StackTraceElementN\x04boom")
    early = write_typed([FAILURE, TypeRef(Kind.UUID)], Failure("boom"), ONE)
    assert b"\x1c[java.lang.StackTraceElement\x51\x90\x04boom" in early


def test_rewritten_attachments_know_of_a_uuid_before_them() -> None:
    shared = ["s"]
    reader = Reader(write(ONE))
    reader.read()
    assert write_attachments({"a": shared, "b": shared}, reader) == b"H\x01a\x79\x01s\x01b\x79\x01sZ"
    assert write_attachments({"a": shared, "b": shared}) == b"H\x01a\x79\x01s\x01b\x51\x91Z"
