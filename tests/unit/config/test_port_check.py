"""Checks of ports that several listeners share."""

from __future__ import annotations

import pytest

from gateway.model.recognition import Recognition, Recognizer, beginning_with
from gateway.spi.plugin import Misfit, Sharing
from tests.support.config_text import examined, problems
from tests.support.fake_plugins import FakePlugins

HOSTED = "contract: tests.support.greeting:Greeting, implementation: tests.support.greeting:Greeter"


def _texts(data: bytes) -> Recognition:
    return Recognition.MAYBE if data[:1].isalpha() else Recognition.NO


PIPE = beginning_with(b"pipe")
DRUM = beginning_with(b"drum")


def plugins(pipe: Recognizer | None = PIPE, drum: Recognizer | None = DRUM) -> FakePlugins:
    made = FakePlugins()
    made.change("protocol", "pipe", recognize=pipe)
    made.change("protocol", "drum", recognize=drum)
    return made


def text(port: str, listeners: str = "pipe: {protocol: pipe}\n  drum: {protocol: drum}") -> str:
    return f"""ports:
  one: {{{port}}}
listeners:
  {listeners}
services:
  here: {{{HOSTED}, listeners: [pipe, drum]}}
"""


def test_listeners_behind_a_port_have_none_of_their_own_unless_they_write_one() -> None:
    known = plugins()
    found = examined(
        text("port: 7000, listeners: [pipe, drum]", "pipe: {protocol: pipe}\n  drum: {protocol: drum, port: 7001}"),
        plugins=known,
    )

    assert (found.problems, found.warnings) == ((), ())
    assert found.config is not None
    # 7000 is what pipe would have otherwise.
    assert found.config.place("pipe", known.load("protocol", "pipe")) == ("127.0.0.1", 7000)
    assert found.config.place("drum", known.load("protocol", "drum")) == ("127.0.0.1", 7001)


@pytest.mark.parametrize(
    ("port", "listeners", "expected"),
    [
        ("port: 1, listeners: [pipe, drun]", None,
         "2:36: ports.one.listeners[1]: there is no listener 'drun', did you mean 'drum'?"),
        ("port: 1, listeners: [pipe, one]", None,
         "2:36: ports.one.listeners[1]: 'one' is a port itself; a port leads to listeners"),
        ("port: 1, listeners: [pipe, pipe]", None, "2:36: ports.one.listeners[1]: 'pipe' is listed twice"),
        ("port: 1, listeners: []", None, "ports.one.listeners"),
        ("listeners: [pipe, drum]", None, "2:3: ports.one.port: is required"),
        ("port: 1, listeners: [pipe, drum]", "pipe: {protocol: pipe}\n  drum: {protocol: pipe}",
         "2:36: ports.one.listeners[1]: 'drum' and 'pipe' both speak pipe; a port can tell wires apart only"),
        ("port: 1, listeners: [pipe], text: drum", None, "2:43: ports.one.text: there is no listener here 'drum'"),
        ("port: 1, listeners: [pipe, drum], text: drum", None, "2:49: ports.one.text: 'drum' takes no lines of text"),
        ("port: 1, listeners: [pipe, drum]", "pipe: {protocol: pipe}\n  drum: {protocol: drum, host: 0.0.0.0}",
         "5:26: listeners.drum.host: has no address of its own behind port 'one'"),
        ("port: 7001, listeners: [pipe, drum]", "pipe: {protocol: pipe}\n  drum: {protocol: drum, port: 7001}",
         "2:15: ports.one.port: 127.0.0.1:7001 is taken by listener 'drum'"),
        ("port: 1, listeners: [pipe, drum]}\n  two: {port: 2, listeners: [drum]", None,
         "3:30: ports.two.listeners[0]: 'drum' is behind port 'one' already"),
        ("port: 1, listeners: [pipe]}\n  two: {port: 1, host: 0.0.0.0, listeners: [drum]", None,
         "3:15: ports.two.port: 0.0.0.0:1 is taken by port 'one' on 127.0.0.1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_port_is_said_at_its_place(port: str, listeners: str | None, expected: str) -> None:
    written = text(port) if listeners is None else text(port, listeners)
    (found,) = problems(written, plugins=plugins())

    assert expected in found


def test_a_wire_that_cannot_be_recognised_has_no_place_behind_a_port() -> None:
    (found,) = problems(text("port: 1, listeners: [pipe, drum]"), plugins=plugins(drum=None))

    assert found == "2:36: ports.one.listeners[1]: 'drum' speaks drum, which cannot be recognised by its first bytes"


def test_a_listener_must_be_allowed_at_the_host_of_the_port() -> None:
    known = plugins()
    known.change(
        "protocol", "drum", check_listener=lambda host, _: [Misfit(("host",), "loopback only")] if host != "::1" else []
    )

    assert problems(text("port: 1, host: '::1', listeners: [pipe, drum]"), plugins=known) == []
    (found,) = problems(text("port: 1, host: 0.0.0.0, listeners: [pipe, drum]"), plugins=known)
    assert found == "2:51: ports.one.listeners[1]: loopback only"


def test_wires_that_begin_alike_must_be_able_to_share_connections() -> None:
    def cannot(options: object) -> str:
        return "mode: lazy shares none" if options == {"mode": "lazy"} else ""

    known = plugins()
    sharing = Sharing(lambda *_: None, cannot)  # type: ignore[arg-type, return-value]
    known.change("protocol", "pipe", sharing=sharing)
    known.change("protocol", "drum", sharing=sharing)
    lazy = "pipe: {protocol: pipe}\n  drum: {protocol: drum, options: {mode: lazy}}"

    assert problems(text("port: 1, listeners: [pipe, drum]"), plugins=known) == []
    (found,) = problems(text("port: 1, listeners: [pipe, drum]", lazy), plugins=known)
    assert (
        found == "2:36: ports.one.listeners[1]: 'drum' would share connections with 'pipe', and mode: lazy shares none"
    )
    assert problems(text("port: 1, listeners: [drum]", lazy), plugins=known) == []


def test_text_that_two_wires_take_asks_for_a_preference() -> None:
    known = plugins(_texts, _texts)

    unsaid = examined(text("port: 1, listeners: [pipe, drum]"), plugins=known)
    said = examined(text("port: 1, listeners: [pipe, drum], text: drum"), plugins=known)
    needless = examined(text("port: 1, listeners: [drum], text: drum"), plugins=known)

    assert [str(each) for each in unsaid.warnings] == [
        "f.yaml:2:3: ports.one: text that 'pipe' and 'drum' both take for theirs is closed; text: pipe gives it to one"
    ]
    assert (said.problems, said.warnings) == ((), ())
    assert [str(each) for each in needless.warnings] == [
        "f.yaml:2:37: ports.one.text: no text here may be of several listeners"
    ]
