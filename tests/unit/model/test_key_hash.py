"""Keys made to have one hash: noticed before they cost time, whatever container they are for."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.model.errors import ValueMappingError
from gateway.model.generic import Pairs, TypedList
from gateway.model.key_hash import KeyHashes, has_common_hashes, may_collide
from gateway.model.typeref import Kind
from protocols.corpus.contract import POINT, list_of, map_of, of, set_of
from protocols.dubbo.realize import realize
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.typed import compile_reader
from protocols.hessian.writer import Writer
from protocols.testing import CONTRACT

MODULUS = sys.hash_info.modulus
MANY = 40
ALIKE: dict[Kind, list[Hashable]] = {
    Kind.UUID: [UUID(int=number * MODULUS) for number in range(MANY)],
    Kind.BIGINT: [(1 << 70) * MODULUS * number for number in range(1, MANY + 1)],
    Kind.DECIMAL: [Decimal(number * MODULUS) for number in range(MANY)],
}


@pytest.mark.parametrize("kind", ALIKE, ids=lambda kind: kind.value)
def test_the_keys_of_this_test_have_one_hash(kind: Kind) -> None:
    assert len(set(map(hash, ALIKE[kind]))) == 1
    assert len(set(ALIKE[kind])) == MANY


def test_a_few_common_hashes_are_chance_and_many_are_not() -> None:
    alike = ALIKE[Kind.UUID]
    assert not has_common_hashes([*alike[:33], *range(1, 10_000)])
    assert has_common_hashes([*alike[:34], *range(1, 10_000)])
    hashes = KeyHashes()
    assert [hashes.admit(key) for key in alike[:34]] == [True] * 33 + [False]


def test_text_and_narrow_integers_need_no_guard() -> None:
    hashes = KeyHashes()
    assert all(hashes.admit(key) for key in (*map(str, range(1_000)), *range(-1_000, 1_000), True, 2**63 - 1))
    assert not any(may_collide(of(kind)) for kind in (Kind.STRING, Kind.I64, Kind.DATETIME))
    assert all(may_collide(ref) for ref in (of(Kind.UUID), of(Kind.ANY), POINT, list_of(of(Kind.I64))))


@pytest.mark.parametrize("kind", ALIKE, ids=lambda kind: kind.value)
def test_a_typed_map_or_set_with_such_keys_is_refused(kind: Kind) -> None:
    keys = _encoded(ALIKE[kind])
    for ref, data in (
        (map_of(of(kind), of(Kind.I32)), _map(ALIKE[kind])),
        (set_of(of(kind)), keys),
        (map_of(of(Kind.ANY), of(Kind.I32)), _map(ALIKE[kind])),
    ):
        with pytest.raises(HessianError, match=r"same hash|different hashes"):
            compile_reader(ref, CONTRACT)(Reader(data))
    assert compile_reader(list_of(of(kind)), CONTRACT)(Reader(keys)) == ALIKE[kind]


@pytest.mark.parametrize("kind", ALIKE, ids=lambda kind: kind.value)
def test_a_map_without_a_contract_keeps_pairs(kind: Kind) -> None:
    found = Reader(_map(ALIKE[kind])).read()
    assert isinstance(found, Pairs)
    assert [key for key, _ in found] == ALIKE[kind]


@pytest.mark.parametrize("kind", ALIKE, ids=lambda kind: kind.value)
def test_generic_calls_refuse_them_too(kind: Kind) -> None:
    texts: list[Any] = [str(key) for key in ALIKE[kind]]
    with pytest.raises(ValueMappingError, match="different hashes"):
        realize(TypedList("java.util.HashSet", texts), set_of(of(kind)), CONTRACT)
    with pytest.raises(ValueMappingError, match="different hashes"):
        realize(dict.fromkeys(texts, 1), map_of(of(kind), of(Kind.I32)), CONTRACT)


def test_an_integer_too_large_to_compare_stays_an_object_without_a_contract() -> None:
    for bits, stays in ((16_384, False), (16_385, True)):
        writer = Writer()
        writer.write((1 << bits) - 1)
        data = writer.finish()
        found = Reader(data).read()
        assert isinstance(found, dict) is stays
        again = Writer()
        again.write(found)
        assert again.finish() == data
        assert compile_reader(of(Kind.BIGINT), CONTRACT)(Reader(data)) == (1 << bits) - 1


def _encoded(values: Any) -> bytes:
    writer = Writer()
    writer.write(list(values))
    return writer.finish()


def _map(keys: Any) -> bytes:
    writer = Writer()
    writer.write(Pairs((key, 1) for key in keys))
    return writer.finish()
