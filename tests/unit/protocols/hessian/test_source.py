"""Functions built from source text."""

from __future__ import annotations

import traceback

import pytest

from protocols.hessian.source import Source


def test_a_function_is_built_of_its_lines_and_objects() -> None:
    source = Source("add(value)")
    name = source.bind("amount", 2)
    source.add(1, f"total = value\nfor _ in range(2):\n    total += {name}\nreturn total")
    assert source.build("adder")(1) == 5
    assert source.text.startswith("def add(value):\n    total = value\n    for _ in range(2):\n        total += amount")


def test_two_objects_never_share_a_name() -> None:
    source = Source("pair()")
    first, second = source.bind("item", []), source.bind("item", {})
    assert first != second
    source.add(1, f"return {first}, {second}")
    assert source.build("pair")() == ([], {})


def test_no_object_takes_the_name_of_the_function() -> None:
    source = Source("call(value)")
    name = source.bind("call", len)
    source.add(1, f"return {name}(value)")
    assert source.build("call")("abc") == 3


def test_one_object_has_one_name() -> None:
    source, item = Source("same()"), object()
    assert source.bind("item", item) == source.bind("item", item)


def test_a_traceback_says_what_was_built() -> None:
    source = Source("fail()")
    source.add(1, "raise ValueError()")
    with pytest.raises(ValueError, match=r"^$") as caught:
        source.build("writer of demo.Maker")()
    assert "<hessian writer of demo.Maker>" in "".join(traceback.format_tb(caught.value.__traceback__))
