"""Files and texts become configurations."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.config import GatewayConfig, examine, examine_text, load, load_text
from gateway.model.errors import ConfigError
from tests.support.fake_plugins import FakePlugins

SERVICE = "{contract: tests.support.greeting:Greeting, implementation: tests.support.greeting:Greeter, listeners: [a]}"


def test_a_file_becomes_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(f"listeners: {{a: {{protocol: pipe, port: '${{env:PORT:-5}}'}}}}\nservices: {{s: {SERVICE}}}\n")

    assert load(path, FakePlugins(), {}).listeners["a"].port == 5
    assert load(str(path), FakePlugins(), {"PORT": "6"}).listeners["a"].port == 6


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_bytes("\ufeffapplication: {name: x}\n".encode())

    assert load(path, FakePlugins()).application.name == "x"


def test_all_problems_are_raised_together_in_the_order_of_the_file() -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(
            "telemetry: {access_log: 1}\na: !x 1\nservices: {s: {}}\nlisteners: {l: {protocol: x}}\n",
            "f.yaml",
            FakePlugins(),
        )

    assert [each.line for each in caught.value.problems] == sorted(each.line for each in caught.value.problems)
    assert {each.line for each in caught.value.problems} == {1, 2, 3, 4}
    assert str(caught.value).startswith("f.yaml:1:25: telemetry.access_log: expected true or false, found '1'\n")


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    for path in (tmp_path / "nope.yaml", tmp_path):
        (problem,) = examine(path, FakePlugins()).problems
        assert str(problem).startswith(f"{path}: cannot be read: ")


def test_a_file_that_is_not_utf8_is_a_problem_with_position(tmp_path: Path) -> None:
    path = tmp_path / "latin1.yaml"
    path.write_bytes(b"application:\n  name: caf\xe9\n")

    (problem,) = examine(path, FakePlugins()).problems
    assert str(problem) == f"{path}:2:12: is not UTF-8 text"


def test_warnings_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "polyport.config"):
        load_text("listeners: {a: {protocol: pipe}}", "f.yaml", FakePlugins())

    assert "f.yaml:1:13: listeners.a: no service is shown here" in caplog.messages


def test_what_is_aliased_is_checked_wherever_it_stands() -> None:
    with pytest.raises(ConfigError) as caught:
        load_text("listeners:\n  a: &x {protocol: pipe, port: y}\n  b: *x\n", "f.yaml", FakePlugins())

    assert [(each.line, each.column, each.path) for each in caught.value.problems] == [
        (2, 32, "listeners.a.port"),
        (2, 32, "listeners.b.port"),
    ]


def test_configurations_are_immutable_and_closed() -> None:
    config = load_text("listeners: {a: {protocol: pipe}}", "f.yaml", FakePlugins())

    with pytest.raises(ValidationError):
        config.listeners = {}
    with pytest.raises(ValidationError):
        config.listeners["a"].port = 5
    with pytest.raises(ValidationError):
        GatewayConfig(listener={})  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "text",
    ["services: {s: {remote: {methods: [1]}}}", "services: [[]]", "5", "'", "- - -", "{a: {b: {c", "\x00", "&a *a"],
)
def test_garbage_is_a_list_of_problems(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "f.yaml", FakePlugins(), {})

    assert caught.value.problems


_TEXT = """
    application listeners registries services consumers credentials filters telemetry protocol pipe drum host port
    limits frame idle options heartbeat token type list limit note contract implementation remote addresses methods
    group version announce weight protocols fallback false keys routes greet generic interface env file logs format
    level name drain a b 5 3s 8MiB true null ~
    1.10 [] {} '' pipe://h:1 tests.support.greeting:Greeting ${env:X} ${ &a *a << !x |
"""
_WORDS = st.sampled_from(_TEXT.split())
_VALUES = st.recursive(
    _WORDS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(_WORDS, inner), max_size=5).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=20,
)


@given(st.lists(st.tuples(_WORDS, _VALUES), max_size=8), st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_whatever_a_file_says_there_is_a_configuration_or_a_list_of_problems(
    pairs: list[tuple[str, str]], rubbish: str
) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in pairs)
    for each in (text, text + rubbish, rubbish):
        found = examine_text(each, "f.yaml", FakePlugins(), {"X": "1"})
        assert (found.config is None) == bool(found.problems)
        assert all(problem.line >= 0 and problem.message for problem in found.problems)
