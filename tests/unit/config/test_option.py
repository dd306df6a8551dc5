"""Options of plug-ins: lists and mappings, texts that a plug-in reads itself, and what a program gives."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.config.option import parse_options
from gateway.config.secret import Secret
from gateway.spi.plugin import Option, OptionKind
from tests.support.config_text import problems, usable

CREDENTIALS = "credentials: {one: {env: ONE}, two: {env: TWO}}\n"
ENVIRON = {"ONE": "first secret", "TWO": "second secret"}


def at(option: str) -> list[str]:
    """What is wrong with one option of a listener; it stands in line 4, from column 5."""
    text = f"listeners:\n  a: {{protocol: pipe, options: {{\n    # the option\n    {option}}}}}\n{CREDENTIALS}"
    return [each.split(": ", 1)[0] + " " + each.split(": ", 2)[2] for each in problems(text, ENVIRON)]


def test_credentials_become_secrets_by_name() -> None:
    config = usable(f"listeners: {{a: {{protocol: pipe, options: {{keys: [two, one]}}}}}}\n{CREDENTIALS}", ENVIRON)

    assert config.listeners["a"].options == {"keys": {"two": Secret("second secret"), "one": Secret("first secret")}}
    assert "secret" not in repr(config).lower().replace("secret(***)", "")
    told = config.listeners["a"].listener_options("a", "me", 7000).options
    assert told == {"keys": {"two": "second secret", "one": "first secret"}}


def test_texts_become_what_the_plug_in_reads() -> None:
    config = usable(
        "listeners: {a: {protocol: pipe, options: {origins: [4, '2']}}}\n"
        "services:\n  s:\n    contract: tests.support.greeting:Greeting\n"
        "    implementation: tests.support.greeting:Greeter\n"
        "    listeners: [a]\n    protocols: {pipe: {routes: {greet: 8, count: 10}}}\n"
    )

    assert config.listeners["a"].options == {"origins": (4, 2)}
    assert config.services["s"].protocols == {"pipe": {"routes": {"greet": 8, "count": 10}}}


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("keys: one", ["4:11 expected a list, found 'one'"]),
        ("keys: [one, thre, [x]]", ["4:17 there is no credential 'thre' (there are: one, two)",
                                    "4:23 expected text, found a list"]),
        ("keys: [one, two, one]", ["4:22 'one' is listed twice"]),
        ("origins: {a: 2}", ["4:14 expected a list, found a mapping"]),
        ("origins: [2, 3, 4, five]", ["4:18 '3' is not an even number", "4:24 'five' is not an even number"]),
        ("origins: [~]", ["4:15 expected text, found nothing"]),
    ],
)  # fmt: skip
def test_each_wrong_item_is_reported_where_it_stands(option: str, expected: list[str]) -> None:
    assert at(option) == expected


def test_texts_by_name_are_a_mapping() -> None:
    base = (
        "listeners: {a: {protocol: pipe}}\nservices:\n  s:\n    contract: tests.support.greeting:Greeting\n"
        "    implementation: tests.support.greeting:Greeter\n    listeners: [a]\n    protocols:\n      pipe:\n"
    )

    assert problems(f"{base}        routes: [2]\n") == [
        "9:17: services.s.protocols.pipe.routes: expected a mapping, found a list"
    ]
    assert problems(f"{base}        routes:\n          greet: 2\n          count: 7\n") == [
        "11:18: services.s.protocols.pipe.routes.count: '7' is not an even number"
    ]


def test_tables_are_mappings_of_mappings() -> None:
    base = "services: {}\nlisteners:\n  a:\n    protocol: pipe\n    options:\n"

    assert problems(f"{base}      tables: 2\n") == ["6:15: listeners.a.options.tables: expected a mapping, found '2'"]
    assert problems(f"{base}      tables:\n        x: {{a: 2}}\n        y: 3\n        z: {{b: 4, c: 5}}\n") == [
        "8:12: listeners.a.options.tables.y: expected a mapping, found '3'",
        "9:22: listeners.a.options.tables.z.c: '5' is not an even number",
    ]


def parse(text: str) -> int:
    return int(text)


KNOWN = {
    "each": Option(OptionKind.TEXTS, "numbers", parse=parse),
    "named": Option(OptionKind.TEXTS, "numbers", named=True, parse=parse),
    "tables": Option(OptionKind.TABLES, "numbers", parse=parse),
    "one": Option(OptionKind.TEXT, "a number", parse=parse),
    "plain": Option(OptionKind.TEXT, "text"),
    "style": Option(OptionKind.TEXT, "text", choices=("rest", "jsonrpc")),
    "wait": Option(OptionKind.DURATION, "seconds", minimum=0.1),
    "most": Option(OptionKind.COUNT, "number", maximum=10),
    "flag": Option(OptionKind.FLAG, "flag"),
    "secret": Option(OptionKind.CREDENTIAL, "secret"),
}


def test_a_program_may_give_texts_or_what_they_mean() -> None:
    given: dict[str, Any] = {
        "each": ["1", 2], "named": {"a": "3"}, "tables": {"t": {"a": "6"}}, "one": "4", "plain": "5"
    }  # fmt: skip

    assert parse_options(given, KNOWN) == {
        "each": (1, 2), "named": {"a": 3}, "tables": {"t": {"a": 6}}, "one": 4, "plain": "5"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"plane": "x"}, "unknown option 'plane', did you mean 'plain'?"),
        ({"named": {"a": "x"}}, "named['a']: invalid literal for int() with base 10: 'x'"),
        ({"each": ["1", "x"]}, "each[1]: invalid literal for int() with base 10: 'x'"),
        ({"each": "1"}, "each: expected texts, found str"),
        ({"tables": {"t": {"a": "x"}}}, "tables['t']['a']: invalid literal for int() with base 10: 'x'"),
        ({"tables": ["1"]}, "tables: expected mappings of texts by name, found list"),
        ({"plain": 5}, "plain: expected a text, found int"),
        ({"style": "rst"}, "style: 'rst' is not one of rest, jsonrpc, did you mean 'rest'?"),
        ({"wait": "3s"}, "wait: expected seconds, found str"),
        ({"wait": 0.01}, "wait: 0.01 must be at least 100ms"),
        ({"most": 1.5}, "most: expected a whole number, found float"),
        ({"most": True}, "most: expected a whole number, found bool"),
        ({"most": 11}, "most: 11 must be at most 10"),
        ({"flag": 1}, "flag: expected true or false, found int"),
        ({"secret": 12345}, "secret: expected a secret, found int"),
    ],
)
def test_what_a_program_gives_wrong_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_options(given, KNOWN)
