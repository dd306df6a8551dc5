"""Class definitions and their cache."""

from __future__ import annotations

import pytest

from protocols.hessian.definition import DefinitionCache, decode_definition
from protocols.hessian.errors import HessianError
from protocols.hessian.java_types import definition_bytes
from protocols.reader import DEFAULT_LIMITS, Limits

POINT = definition_bytes("t.Point", ("x", "y"))


def test_a_definition_has_the_bytes_of_the_specification() -> None:
    assert POINT == b"C\x07t.Point\x92\x01x\x01y"


def test_a_definition_is_read() -> None:
    definition, end = decode_definition(POINT + b"rest", 1, DEFAULT_LIMITS)
    assert (definition.name, definition.fields, end) == ("t.Point", ("x", "y"), len(POINT))
    assert definition.raw == POINT[1:]


def test_the_cache_finds_a_definition_by_its_bytes() -> None:
    cache = DefinitionCache()
    first, _ = cache.decode(POINT, 1, DEFAULT_LIMITS)
    second, end = cache.decode(b"...." + POINT, 5, DEFAULT_LIMITS)
    assert second is first
    assert end == 4 + len(POINT)


def test_definitions_of_one_class_with_other_fields_are_held_apart() -> None:
    cache = DefinitionCache()
    longer = definition_bytes("t.Point", ("x", "y", "z"))
    first, _ = cache.decode(POINT, 1, DEFAULT_LIMITS)
    second, _ = cache.decode(longer, 1, DEFAULT_LIMITS)
    assert (first.fields, second.fields) == (("x", "y"), ("x", "y", "z"))
    assert cache.decode(longer, 1, DEFAULT_LIMITS)[0] is second
    assert cache.decode(POINT, 1, DEFAULT_LIMITS)[0] is first


def test_made_up_classes_do_not_fill_the_memory() -> None:
    cache = DefinitionCache(max_definitions=4)
    for number in range(100):
        cache.decode(definition_bytes(f"t.C{number}", ("x",)), 1, DEFAULT_LIMITS)
    assert sum(map(len, cache._by_name.values())) <= 4


def test_a_large_definition_is_read_but_not_kept() -> None:
    cache = DefinitionCache(max_bytes=64)
    large = definition_bytes("t.Large", tuple(f"field{number}" for number in range(100)))
    assert cache.decode(large, 1, DEFAULT_LIMITS)[0] is not cache.decode(large, 1, DEFAULT_LIMITS)[0]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("0178497fffffff", "expected fields within"),  # H1: 2^31-1 fields
        ("01788f", "expected fields within"),
        ("9078", "expected string"),
        ("0178e2", "expected int"),
    ],
)
def test_bad_definitions_are_refused(data: str, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        decode_definition(bytes.fromhex(data), 0, DEFAULT_LIMITS)


def test_a_name_beyond_the_limit_is_refused_and_shortened_in_the_message() -> None:
    data = definition_bytes("x" * 100_000, ())
    with pytest.raises(HessianError, match="class name of at most 1024 bytes") as caught:
        decode_definition(data, 1, DEFAULT_LIMITS)
    assert len(str(caught.value)) < 250
    data = definition_bytes("t.A", ("f" * 2_000,))
    with pytest.raises(HessianError, match="field name of at most 1024 bytes"):
        decode_definition(data, 1, DEFAULT_LIMITS)


def test_more_fields_than_elements_are_refused() -> None:
    data = definition_bytes("t.A", ("a", "b", "c"))
    with pytest.raises(HessianError, match="at most 2"):
        decode_definition(data, 1, Limits(max_elements=24))


def test_the_cache_is_bounded_by_bytes_too() -> None:
    cache = DefinitionCache(max_total_bytes=1_000)
    for number in range(100):
        cache.decode(definition_bytes(f"t.C{number}", ("field" * 10,)), 1, DEFAULT_LIMITS)
        kept = [definition for same in cache._by_name.values() for definition in same]
        assert sum(len(each.raw) for each in kept) < 1_000 + 100
    assert kept
