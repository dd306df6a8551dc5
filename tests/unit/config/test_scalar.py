"""Scalars: what stays text, what the few guesses are, and what the field types accept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.scalar import Count, Flag, Name, Number, Port, Scalar, Target, Text, Word, describe, one_of, resolve


def plain(text: str) -> Scalar:
    return Scalar(text, plain=True)


def quoted(text: str) -> Scalar:
    return Scalar(text, plain=False)


# The left column is where YAML 1.1 and the 1.2 core schema disagree (yaml.org/type/, YAML 1.2.2 §10.3.2).
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("True", "True"),
        ("12:30:45", "12:30:45"),
        ("0755", "0755"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        (".inf", ".inf"),
        ("1.2.3", "1.2.3"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-17", -17),
        ("9223372036854775807", 2**63 - 1),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        ("-0.5", -0.5),
    ],
)
def test_untyped_values_are_guessed_by_few_rules(text: str, expected: object) -> None:
    found = resolve(plain(text))

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("text", ["true", "null", "", "17", "1.5"])
def test_quotes_make_text(text: str) -> None:
    found = resolve(quoted(text))

    assert found == text
    assert type(found) is str


def test_containers_are_resolved_inside() -> None:
    assert resolve({"a": [plain("1"), {"b": quoted("1")}]}) == {"a": [1, {"b": "1"}]}


def check(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        check(kind, value)
    return "; ".join(each["msg"] for each in caught.value.errors())


def test_text_keeps_the_spelling_of_numbers_and_booleans() -> None:
    assert check(Text, plain("1.10")) == "1.10"
    assert check(Text, plain("no")) == "no"
    assert check(Text, quoted("")) == ""
    assert type(check(Text, plain("a"))) is str


@pytest.mark.parametrize("value", [plain(""), plain("null"), 5, True, None, {}, []])
def test_text_refuses_what_is_none(value: object) -> None:
    assert "expected text" in refusal(Text, value)


def test_flags_are_true_and_false_alone() -> None:
    assert check(Flag, plain("true")) is True
    assert check(Flag, quoted("false")) is False
    assert check(Flag, True) is True
    for wrong in (plain("yes"), plain("True"), plain("1"), plain("on"), 1):
        assert "expected true or false" in refusal(Flag, wrong)


def test_counts_are_decimal_whole_numbers() -> None:
    assert check(Count, plain("20880")) == 20880
    assert check(Count, quoted("-5")) == -5
    assert check(Count, 7) == 7
    for wrong in (plain("1.5"), plain("1e3"), plain("0x10"), plain("٣"), True, 1.0, plain("1" * 5000)):
        assert "expected a whole number" in refusal(Count, wrong)


def test_counts_written_otherwise_get_a_hint() -> None:
    assert "write 755" in refusal(Count, plain("0755"))
    assert "write 10000" in refusal(Count, plain("10_000"))


def test_ports_are_bounded() -> None:
    assert check(Port, plain("0")) == 0
    assert check(Port, plain("65535")) == 65535
    refusal(Port, plain("65536"))
    refusal(Port, plain("-1"))


@pytest.mark.parametrize("name", ["demo.Catalog", "a", "_x", "orders-token", "com.acme.Outer$Inner", "4th"])
def test_names(name: str) -> None:
    assert check(Name, plain(name)) == name


@pytest.mark.parametrize("name", ["a b", "-a", "a/b", "", "a\n", "é", "a" * 201])
def test_other_texts_are_no_names(name: str) -> None:
    refusal(Name, quoted(name))


@pytest.mark.parametrize("target", ["a:B", "shop.contracts:Orders", "a.b:C.D", "_a:_b"])
def test_targets(target: str) -> None:
    assert check(Target, plain(target)) == target


@pytest.mark.parametrize("target", ["a", "a:", ":B", "a.:B", "a:B C", "a:B:C", "1a:B", "a:B()", "../a:B", "a:B\n"])
def test_other_texts_are_no_targets(target: str) -> None:
    assert "package.module:Name" in refusal(Target, quoted(target))


def test_words_are_not_empty() -> None:
    assert check(Word, quoted("0.0.0.0")) == "0.0.0.0"
    assert "must not be empty" in refusal(Word, quoted(""))


def test_choices_say_what_was_meant() -> None:
    kind = Annotated[Literal["text", "json"], one_of("text", "json")]

    assert check(kind, plain("json")) == "json"
    assert "is not one of text, json, did you mean 'json'?" in refusal(kind, plain("jsn"))


def test_messages_show_what_was_written_and_not_what_the_environment_holds() -> None:
    secret = Scalar("hunter2", plain=True, source="${env:PASSWORD}")

    assert describe(secret) == "'${env:PASSWORD}'"
    for kind in (Flag, Count, Port):
        assert "hunter2" not in refusal(kind, secret)
    assert "12345" not in refusal(Count, Scalar("012345", plain=True, source="${env:PIN}"))


def test_descriptions_are_short() -> None:
    assert describe("x" * 1000) == repr("x" * 60 + "…")
    assert describe({}) == "a mapping"
    assert describe([]) == "a list"
    assert describe(plain("")) == "nothing"
    assert describe(None) == "nothing"
    assert describe(5) == "5"


@pytest.mark.parametrize(("text", "value"), [("2", 2.0), ("0.5", 0.5), ("0", 0.0), ("1000000", 1e6)])
def test_numbers(text: str, value: float) -> None:
    assert check(Number, plain(text)) == value
    assert check(Number, value) == value


@pytest.mark.parametrize("text", ["", "-1", "1e3", "0x1", ".5", "1.", "1_000", "nan", "inf", "half", "true"])
def test_other_texts_are_no_numbers(text: str) -> None:
    assert "expected a number such as 2 or 0.5" in refusal(Number, plain(text))


def test_truth_is_no_number() -> None:
    assert "expected a number" in refusal(Number, True)
