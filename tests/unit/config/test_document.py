"""YAML with positions, and the parts of YAML that are refused."""

from __future__ import annotations

import pytest

from gateway.config.document import (
    MAX_ALIAS_NODES,
    MAX_DEPTH,
    MAX_FILE_BYTES,
    Document,
    format_path,
    parse_document,
)
from gateway.config.scalar import Scalar
from gateway.model.errors import ConfigError


def read(text: str, **environ: str) -> Document:
    document, problems = parse_document(text, "f.yaml", environ)
    assert problems == []
    return document


def complaints(text: str, **environ: str) -> list[str]:
    """Everything reported about a file, whether reading went on or not."""
    try:
        return [str(each) for each in parse_document(text, "f.yaml", environ)[1]]
    except ConfigError as exc:
        return [str(each) for each in exc.problems]


def test_data_is_mappings_lists_and_scalars() -> None:
    data = read("a: 1\nb: [x, 'y z', {c: \"d\"}]\ne: |\n  two\n  lines\n").data

    assert data == {"a": "1", "b": ["x", "y z", {"c": "d"}], "e": "two\nlines\n"}


def test_scalars_know_whether_they_were_quoted() -> None:
    data = read("a: x\nb: 'x'\nc: \"x\"\nd: |\n  x\n").data

    assert [data[key].plain for key in "abcd"] == [True, False, False, False]
    assert all(isinstance(each, Scalar) for each in data.values())


def test_keys_are_text_as_written() -> None:
    assert list(read("1.10: a\nno: b\n'1': c\n2026-01-01: d").data) == ["1.10", "no", "1", "2026-01-01"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeff"])
def test_an_empty_file_is_an_empty_document(text: str) -> None:
    data = read(text).data

    assert data == {} or data.is_null


def test_positions_count_lines_and_characters_from_one() -> None:
    document = read("a: 1\nmößig:\n  - x\n  - {b: y, c: z}\n")

    def position(path: tuple[str | int, ...], at_key: bool = False) -> tuple[int, int]:
        problem = document.problem(path, "x", at_key=at_key)
        return problem.line, problem.column

    assert position(("a",)) == (1, 4)
    assert position(("a",), at_key=True) == (1, 1)
    assert position(("mößig", 0)) == (3, 5)
    assert position(("mößig", 1, "c")) == (4, 15)
    assert position(("mößig", 1, "c"), at_key=True) == (4, 12)
    # What is missing is reported where it should have been.
    assert position(("mößig", "d")) == (2, 1)
    assert position(("nope",)) == (1, 1)


def test_paths_read_well() -> None:
    assert format_path(("services", "demo.Catalog", "remote", "addresses", 0)) == (
        "services[demo.Catalog].remote.addresses[0]"
    )
    assert format_path(()) == ""


def test_parts_of_error_locations_that_are_not_in_the_file_are_dropped() -> None:
    document = read("a: {b: [x]}")

    assert document.resolvable(("a", "tag-of-a-union", "b", 0)) == ("a", "b", 0)
    assert document.resolvable(("a", "missing")) == ("a", "missing")


def test_duplicate_keys_are_refused_with_both_lines() -> None:
    assert complaints("a: 1\nb: {c: 1, c: 2}\n'a': 3\n") == [
        "f.yaml:2:11: b: duplicate key 'c', first written in line 2",
        "f.yaml:3:1: duplicate key 'a', first written in line 1",
    ]


def test_the_first_of_two_keys_is_kept_for_further_checks() -> None:
    document, _ = parse_document("a: 1\na: 2\n", "f.yaml", {})

    assert document.data == {"a": "1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !!int 5", "f.yaml:1:4: a: tag '!!int' is not supported"),
        ("a: !!python/object/apply:os.system [ls]", "f.yaml:1:4: a: tag '!!python/object/apply:os.system'"),
        ("!!str a: 1", "f.yaml:1:1: a: tag '!!str' is not supported"),
        ("a: !custom {b: 1}", "f.yaml:1:4: a: tag '!custom'"),
        ("<<: {a: 1}", "f.yaml:1:1: merge keys are not supported"),
        ("? [a]\n: b", "f.yaml:1:3: a key must be text"),
        ("? {a: b}\n: c", "f.yaml:1:3: a key must be text"),
        ("'': a", "f.yaml:1:1: an empty key"),
        ("a: &x 1\n*x : 2", "f.yaml:2:1: an alias cannot be a key"),
        ("&x a: 1", "f.yaml:1:1: a: a key cannot be anchored"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: a second document"),
        ("a: *x", "f.yaml:1:4: a: alias *x has no anchor &x before it"),
        ("a: &x [*x]", "f.yaml:1:8: a[0]: alias *x refers to what it is part of"),
        ("a: &x {b: {c: *x}}", "f.yaml:1:15: a.b.c: alias *x refers to what it is part of"),
        ("a: [", "f.yaml:2:1: not valid YAML: "),
        ("a: b: c", "f.yaml:1:5: not valid YAML: "),
        ("a:\n\t- b", "f.yaml:2:1: not valid YAML: "),
        ("a: @b", "f.yaml:1:4: not valid YAML: "),
        ("a: x\n é: \x01", "not valid YAML: "),
        ("ä: \x00", "f.yaml:1:4: not valid YAML: control characters"),
        ("ä: \ud800", "f.yaml:1:4: a lone surrogate"),
        ("%YAML 3.0\n---\na: 1", "not valid YAML: "),
    ],
)
def test_what_is_refused(text: str, expected: str) -> None:
    found = complaints(text)

    assert found
    assert expected in found[-1]


def test_several_mistakes_are_reported_together() -> None:
    assert len(complaints("a: !x 1\na: 2\nb: ${env:NOPE}\n<<: {}\n")) == 4


def test_environment_variables_are_filled_in_and_messages_show_their_names() -> None:
    document = read("a: ${env:PASSWORD}\nb: '${env:PORT:-1}'", PASSWORD="hunter2")

    assert document.data == {"a": "hunter2", "b": "1"}
    assert document.shown(("a",)) == "'${env:PASSWORD}'"
    assert complaints("a:\n  - x\n  - ${env:NOPE}") == [
        "f.yaml:3:5: a[1]: environment variable NOPE is not set, and ${env:NOPE} gives no default"
    ]


def test_a_variable_cannot_add_keys() -> None:
    assert read("a: ${env:X}", X="1\nb: 2").data == {"a": "1\nb: 2"}


def test_aliases_share_their_value() -> None:
    data = read("a: &x {b: [1]}\nc: *x\nd: *x").data

    assert data["c"] is data["a"]
    assert data["d"] == {"b": ["1"]}


def test_an_anchor_may_be_used_again() -> None:
    assert read("a: &x 1\nb: *x\nc: &x 2\nd: *x").data == {"a": "1", "b": "1", "c": "2", "d": "2"}


def test_alias_bombs_are_refused() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"

    assert f"more than {MAX_ALIAS_NODES} values" in complaints(bomb)[-1]


def test_many_small_aliases_are_bounded_too() -> None:
    text = "a: &a [" + ", ".join("x" * 1000) + "]\nb: [" + ", ".join(["*a"] * 101) + "]"

    assert f"more than {MAX_ALIAS_NODES} values" in complaints(text)[-1]


@pytest.mark.parametrize("text", ["[" * 65 + "]" * 65, "{a: " * 65 + "x" + "}" * 65, "- " * 65 + "x"])
def test_deep_nesting_is_refused(text: str) -> None:
    assert f"more than {MAX_DEPTH} levels" in complaints(text)[-1]


def test_nesting_up_to_the_limit_is_read() -> None:
    read("[" * 64 + "]" * 64)


def test_aliases_do_not_get_deeper_than_the_limit() -> None:
    text = f"a: &a {'[' * 40 + ']' * 40}\nb: {'[' * 40}*a{']' * 40}"

    assert f"more than {MAX_DEPTH} levels" in complaints(text)[-1]


def test_a_very_deep_file_does_not_exhaust_the_stack() -> None:
    assert complaints("[" * 500_000)


def test_large_files_are_refused_before_they_are_parsed() -> None:
    assert "larger than 10 MiB" in complaints("# " + "x" * MAX_FILE_BYTES)[0]


def test_a_file_with_thousands_of_services_is_read_in_linear_time() -> None:
    text = "services:\n" + "".join(f"  s{n}: {{a: 1, b: [x, y]}}\n" for n in range(5_000))

    assert len(read(text).data["services"]) == 5_000
