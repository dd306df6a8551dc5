"""Arguments as they are typed on a command line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.cli.argument import Argument, bind, generic_values, parse_argument
from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.demo.types import Types
from gateway.model.errors import BadRequest, ValueMappingError

CATALOG = contract_of(Catalog)
TYPES = contract_of(Types)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", Argument("", "7", 7)),
        ("-7", Argument("", "-7", -7)),
        ("1.10", Argument("", "1.10", Decimal("1.10"))),
        ("true", Argument("", "true", True)),
        ("null", Argument("", "null", None)),
        ('"a=b"', Argument("", '"a=b"', "a=b")),
        ("[1]", Argument("", "[1]", [1])),
        ("lamp", Argument("", "lamp", "lamp")),
        ("", Argument("", "", "")),
        ("Desk lamp", Argument("", "Desk lamp", "Desk lamp")),
        ("id=7", Argument("id", "7", 7)),
        ("text=", Argument("text", "", "")),
        ("text=a=b", Argument("text", "a=b", "a=b")),
        ('tags=["x"]', Argument("tags", '["x"]', ["x"])),
        ("1=2", Argument("", "1=2", "1=2")),
        ("http://a/?b=c", Argument("", "http://a/?b=c", "http://a/?b=c")),
        ("a=x\ny", Argument("a", "x\ny", "x\ny")),
    ],
)
def test_arguments_are_json_named_or_bare(text: str, expected: Argument) -> None:
    assert parse_argument(text) == expected


@pytest.mark.parametrize("text", ["[1,", '{"a": 1', '"open', "x=[", '{"a": 1, "a": 2}'])
def test_what_begins_like_json_must_be_json(text: str) -> None:
    with pytest.raises(ValueMappingError):
        parse_argument(text)


def bound(name: str, *texts: str) -> tuple[str, tuple[object, ...]]:
    contract = TYPES if name.startswith("echo") else CATALOG
    method, values = bind(contract.overloads(name), [parse_argument(text) for text in texts], contract)
    return method.attribute, values


def test_overloads_are_picked_by_what_the_arguments_are() -> None:
    assert bound("find", "1") == ("find", (1,))
    assert bound("find", "lamp") == ("find_by_name", ("lamp",))
    assert bound("find", '"1"') == ("find_by_name", ("1",))
    assert bound("find", "name=lamp") == ("find_by_name", ("lamp",))


def test_text_parameters_take_bare_words_that_look_like_json() -> None:
    assert bound("find", "name=42") == ("find_by_name", ("42",))
    assert bound("echo_string", "true") == ("echo_string", ("true",))
    assert bound("echo_string", "1.10") == ("echo_string", ("1.10",))


def test_names_and_positions_mix_and_defaults_are_filled_in() -> None:
    method = CATALOG.overloads("search")[0]
    defaults = tuple(param.default for param in method.params)

    assert bound("search", "lamp", "limit=5") == ("search", ("lamp", 5, defaults[2]))


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("find", []),
        ("find", ["1", "2"]),
        ("search", ["text=a", "text=b"]),
        ("search", ["a", "text=b"]),
        ("count", ["nope=1"]),
        ("echo_i8", ["128"]),
        ("echo_i32", ["1.5"]),
        ("echo_int_list", ["7"]),
    ],
)
def test_what_does_not_fit_is_refused(name: str, texts: list[str]) -> None:
    with pytest.raises((BadRequest, ValueMappingError)):
        bound(name, *texts)


def test_without_a_contract_named_arguments_become_a_map() -> None:
    arguments = [parse_argument(text) for text in ("1", "id=7", "name=lamp")]

    assert generic_values(arguments) == [1, {"id": 7, "name": "lamp"}]
    assert generic_values([]) == []
