"""The compiler as a whole: the corpus, contracts that changed, values that describe themselves, hostile bytes."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import ValueMappingError
from gateway.model.generic import Long, Record
from gateway.model.typeref import Kind, TypeRef
from protocols.corpus.contract import EVERYTHING, FAILURE, MAKER, POINT, STATUS, TypesFailure, list_of, map_of, of
from protocols.hessian.definition import DefinitionCache
from protocols.hessian.errors import HessianError
from protocols.hessian.java_types import definition_bytes
from protocols.hessian.reader import Reader
from protocols.hessian.skip import skip
from protocols.hessian.typed import TypedCompiler, compile_reader, compile_writer
from protocols.hessian.writer import Writer
from protocols.testing import (
    CONTRACT,
    CORPUS,
    EVOLUTION,
    KEYS,
    MISFITS,
    REFUSED,
    Case,
    Everything,
    Evolution,
    Maker,
    Misfit,
    Point,
    Status,
    difference,
)

COMPILER = TypedCompiler(CONTRACT)
ANY = of(Kind.ANY)

DECLARED_REFUSALS = {"decimal/-0": "BigDecimal has no negative zero"}
"""What dubbo's Hessian cannot carry."""

CASES = [pytest.param(case, id=case.name) for case in (*CORPUS, *KEYS)]
SMALL = [case for case in (*CORPUS, *KEYS) if not case.large and case.name not in DECLARED_REFUSALS]


def write(ref: TypeRef, value: Any, compiler: TypedCompiler = COMPILER) -> bytes:
    writer = Writer()
    compiler.compile_writer(ref)(writer, value)
    return writer.finish()


def read(ref: TypeRef, data: bytes, compiler: TypedCompiler = COMPILER) -> Any:
    reader = Reader(data)
    value = compiler.compile_reader(ref)(reader)
    assert reader.at_end
    return value


@pytest.mark.parametrize("case", CASES)
def test_every_value_survives_or_is_a_declared_refusal(case: Case) -> None:
    if case.name in DECLARED_REFUSALS:
        with pytest.raises(ValueMappingError, match=DECLARED_REFUSALS[case.name]):
            write(case.type, case.value)
        return
    data = write(case.type, case.value)
    assert difference(case.value, read(case.type, data)) is None
    assert skip(data) == len(data)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in SMALL])
def test_a_value_cut_anywhere_is_refused(case: Case) -> None:
    data = write(case.type, case.value)
    for end in sorted({*range(min(len(data), 400)), *range(0, len(data), 97)}):
        with pytest.raises(HessianError):
            COMPILER.compile_reader(case.type)(Reader(data[:end]))


@pytest.mark.parametrize("misfit", [pytest.param(each, id=each.name) for each in MISFITS])
def test_a_misfit_is_refused(misfit: Misfit) -> None:
    with pytest.raises(ValueMappingError):
        write(misfit.type, misfit.value)


@pytest.mark.parametrize("change", [pytest.param(each, id=each.name) for each in EVOLUTION])
def test_peers_with_other_contracts_are_understood_or_refused(change: Evolution) -> None:
    data = write(change.type, change.value, TypedCompiler(change.sent_by))
    if change.expected is REFUSED:
        with pytest.raises(HessianError, match=change.culprit):
            read(change.type, data, TypedCompiler(change.read_by))
    else:
        assert difference(change.expected, read(change.type, data, TypedCompiler(change.read_by))) is None


def test_a_single_type_may_be_compiled_by_itself() -> None:
    writer = Writer()
    compile_writer(MAKER, CONTRACT)(writer, Maker("m"))
    assert compile_reader(MAKER, CONTRACT)(Reader(writer.finish())) == Maker("m")


def test_arguments_are_one_message() -> None:
    types = (MAKER, MAKER.optional(), STATUS, of(Kind.I32))
    writer, maker = Writer(), Maker("m")
    COMPILER.compile_arguments_writer(types)(writer, (maker, maker, Status.ACTIVE, 7))
    data = writer.finish()
    first, second, *rest = COMPILER.compile_arguments_reader(types)(Reader(data))
    assert first is second
    assert rest == [Status.ACTIVE, 7]
    assert COMPILER.compile_arguments_reader(())(Reader(b"")) == ()


def test_an_error_names_the_argument_and_the_path_in_it() -> None:
    types = (of(Kind.I32), map_of(of(Kind.STRING), list_of(MAKER)))
    with pytest.raises(ValueMappingError) as refused:
        COMPILER.compile_arguments_writer(types)(
            Writer(), (1, {"a": [], "b": [Maker("m"), Maker("n", parent=Maker(7))]})
        )  # type: ignore[arg-type]
    assert str(refused.value) == "args[1][value 1][1].parent.name: expected string, found int"
    writer = Writer()
    writer.write(1)
    writer.write({"a": [Record("demo.Maker", {"name": "m", "parent": Record("demo.Maker", {"name": 7})})]})
    with pytest.raises(HessianError) as caught:
        COMPILER.compile_arguments_reader(types)(Reader(writer.finish()))
    assert str(caught.value).startswith("args[1][value 0][0].parent.name: expected string, found 0x97 (int) at offset ")
    with pytest.raises(HessianError, match=r"^args\[1\]: expected more bytes, found the end of the data at offset 1"):
        COMPILER.compile_arguments_reader(types)(Reader(b"\x91"))


def test_any_gives_typed_objects_where_the_contract_knows_the_class() -> None:
    value = [Maker("m", None, Maker("n")), Status.PREORDER, Point(1, 2), {"a": Maker("o")}, Long(7)]
    assert difference(value, read(ANY, write(ANY, value))) is None
    failure = TypesFailure("boom", code=1, culprit=Maker("m"))
    assert difference(failure, read(ANY, write(ANY, failure))) is None
    assert read(ANY, b"M\x0ademo.Maker\x04name\x01mZ") == Maker("m")


def test_any_keeps_what_no_contract_knows() -> None:
    other = Record("demo.Other", {"x": 1})
    assert read(ANY, write(ANY, other)) == other


def test_an_enum_constant_in_a_map_is_refused() -> None:
    with pytest.raises(HessianError, match=r"expected demo\.Status, found a map"):
        read(ANY, b"M\x0bdemo.Status\x04name\x06ACTIVEZ")


def test_a_typed_value_and_a_generic_one_may_be_shared() -> None:
    types = (MAKER, ANY, list_of(MAKER))
    writer, maker = Writer(), Maker("m")
    COMPILER.compile_arguments_writer(types)(writer, (maker, maker, [maker]))
    first, second, third = COMPILER.compile_arguments_reader(types)(Reader(writer.finish()))
    assert first is second is third[0]


def test_h7_another_class_names_both() -> None:
    data = definition_bytes("demo.Crafted", ("name",)) + b"\x60\x01x"
    with pytest.raises(HessianError, match=r"expected demo\.Maker, found an object of demo\.Crafted"):
        read(MAKER, data)


def test_a_field_named_like_python_syntax_is_only_a_name() -> None:
    # Names that peers send never reach generated code as text.
    for name in ("__class__", "x'\nimport os", "at", "reader", "instance", "pos"):
        data = definition_bytes("demo.Point", ("x", name, "y")) + b"\x60\x91\x93\x92"
        assert read(POINT, data) == Point(1, 2)


def test_definitions_are_recognised_across_messages() -> None:
    cache, data = DefinitionCache(), write(EVERYTHING, Everything(struct=Maker("m"), enumeration=Status.ACTIVE))
    read_everything = COMPILER.compile_reader(EVERYTHING)
    found = [read_everything(Reader(data, definitions=cache)) for _ in range(3)]
    assert found[0] == found[1] == found[2]


@functools.cache
def encoded_corpus() -> list[tuple[TypeRef, bytes]]:
    return [(case.type, write(case.type, case.value)) for case in SMALL]


@settings(max_examples=500)
@given(st.data())
def test_mutated_bytes_are_read_or_refused(data: st.DataObject) -> None:
    ref, original = data.draw(st.sampled_from(encoded_corpus()))
    mutated = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(mutated) - 1, 0)))
        match data.draw(st.integers(0, 3)):
            case 0 if mutated:
                mutated[at] = data.draw(st.integers(0, 255))
            case 1:
                mutated[at:at] = data.draw(st.binary(min_size=1, max_size=4))
            case 2:
                del mutated[at : at + data.draw(st.integers(1, 8))]
            case _:
                mutated[at:at] = mutated[: data.draw(st.integers(0, 40))]
    messages = []
    for decode in (COMPILER.compile_reader(ref), COMPILER.compile_reader(FAILURE), Reader.read):
        try:
            decode(Reader(bytes(mutated)))
        except HessianError as exc:
            messages.append(str(exc))
    assert all(len(message) < 1_000 for message in messages)


@settings(max_examples=300)
@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for ref in (ANY, EVERYTHING, MAKER, list_of(of(Kind.STRING)), map_of(POINT, of(Kind.STRING))):
        reader = Reader(data)
        try:
            COMPILER.compile_reader(ref)(reader)
        except HessianError:
            continue
        assert reader.pos <= len(data)
