import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, RemoteWireError
from gateway.model.generic import JavaDate, Long, Record, TypedList
from protocols.contract import CallReceived, CallRejected, Drain, ReplyReceived, Send
from protocols.testing import RUBBISH, chunkings, describe_event, difference, equal, feed, feed_rubbish
from tests.support.case_names import steady


@dataclass(frozen=True)
class Box:
    value: Any


class Mode(Enum):
    A = 1


class OtherMode(Enum):
    A = 1


class Broken(Exception):
    pass


NAN = float("nan")


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        1,
        Long(1),
        0.0,
        -0.0,
        NAN,
        float("inf"),
        Decimal("1.10"),
        "a\ud800",
        b"\0",
        [1, [NAN]],
        (1,),
        {1: "a", True + 1: "b"},
        {NAN: NAN},
        {frozenset({"a", "b"}): [1]},
        {"a", "b"},
        Mode.A,
        Box([Box(NAN)]),
        {Box((1,)): 1},
        Record("x.Y", {"a": NAN}),
        TypedList("x", [1]),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1),
    ],
    ids=steady,
)
def test_a_value_equals_one_built_the_same_way(value: Any) -> None:
    rebuilt = (
        eval(repr(value), {**globals(), "nan": float("nan"), "inf": float("inf")}) if type(value) in PLAIN else value
    )
    assert difference(value, rebuilt) is None
    assert equal(value, rebuilt)


PLAIN = {bool, int, float, str, bytes, list, tuple, dict, set}


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (1, True),
        (1, 1.0),
        (1, Long(1)),
        (0.0, -0.0),
        (1.0, NAN),
        (NAN, 1.0),
        (Decimal("1.1"), Decimal("1.10")),
        (Decimal("0"), Decimal("-0")),
        (Decimal("1E+1"), Decimal("10")),
        ("a", "b"),
        ("a", b"a"),
        ([1], (1,)),
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        ({1}, frozenset({1})),
        ({1}, {2}),
        ({1}, {True}),
        ({1: "a"}, {1: "b"}),
        ({1: "a"}, {True: "a"}),
        ({0.0: "a"}, {-0.0: "a"}),
        ({1: "a"}, {1: "a", 2: "b"}),
        (Mode.A, OtherMode.A),
        (Box(1), Box(1.0)),
        (Record("x.Y", {"a": 1}), Record("x.Z", {"a": 1})),
        (Record("x.Y", {"a": 1}), {"a": 1}),
        (TypedList("x", [1]), TypedList("y", [1])),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1)),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
        (JavaDate(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        (Broken("a"), Broken("b")),
        (Broken(), Broken("")),
        (None, 0),
    ],
    ids=repr,
)
def test_values_that_differ_in_anything_differ(expected: Any, found: Any) -> None:
    assert not equal(expected, found)


def test_the_difference_says_where() -> None:
    assert difference([{"a": Box(1)}], [{"a": Box(2)}]) == "value[0]['a'].value: expected 1, found 2"
    assert difference([1], ["1"]) == "value[0]: expected int, found str"
    assert difference({"a": 1}, {"b": 1}) == "value: 'a' is missing"
    assert difference("x" * 99, "y") == f"value: expected 'x{'x' * 58}… (101 characters), found 'y'"


def test_attributes_of_exceptions_count() -> None:
    left, right = Broken("a"), Broken("a")
    left.code = right.code = 1  # type: ignore[attr-defined]
    assert equal(left, right)
    right.code = 2  # type: ignore[attr-defined]
    assert difference(left, right) == "value['code']: expected 1, found 2"


def test_values_may_contain_themselves() -> None:
    left: list[Any] = [1]
    left.append(left)
    right: list[Any] = [1]
    right.append(right)
    assert equal(left, right)
    right.append(2)
    assert not equal(left, right)


class Lines:
    """A wire for tests: `!`, a length in two bytes, that many bytes."""

    def __init__(self) -> None:
        self._held = b""
        self.broken: RemoteWireError | None = None

    def receive(self, data: bytes) -> Sequence[Any]:
        self._held += data
        events: list[bytes] = []
        while self._held:
            if self._held[0] != ord("!"):
                self.broken = RemoteWireError("not a message")
                break
            if len(self._held) < 3:
                break
            size = struct.unpack_from(">H", self._held, 1)[0]
            if len(self._held) < 3 + size:
                break
            events.append(self._held[3 : 3 + size])
            self._held = self._held[3 + size :]
        return events


def message(text: bytes) -> bytes:
    return b"!" + struct.pack(">H", len(text)) + text


class Impatient(Lines):
    """Takes what is there for the whole message."""

    def receive(self, data: bytes) -> Sequence[Any]:
        return [data[3:]] if data else []


class Forgetful(Lines):
    """Loses complete messages in front of bad bytes."""

    def receive(self, data: bytes) -> Sequence[Any]:
        events = super().receive(data)
        return events if self.broken is None else []


class Hopeful(Lines):
    """Waits for rubbish to become a message."""

    def receive(self, data: bytes) -> Sequence[Any]:
        events = super().receive(data)
        self.broken = None
        return events


DATA = message(b"one") + message(b"") + message(b"two")


def test_a_codec_that_obeys_the_rules_passes() -> None:
    assert feed(Lines, DATA) == [b"one", b"", b"two"]
    assert str(feed_rubbish(Lines, DATA)) == "not a message"


def test_a_codec_that_does_not_wait_is_found() -> None:
    with pytest.raises(AssertionError, match="fed byte by byte, the events are not those of feeding it whole: value: "):
        feed(Impatient, message(b"one"))


@pytest.mark.parametrize(("codec", "reason"), [(Forgetful, "the events differ"), (Hopeful, "the codec is not broken")])
def test_a_codec_that_mistakes_rubbish_is_found(codec: Callable[[], Lines], reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        feed_rubbish(codec, DATA)


def test_rubbish_can_be_chosen() -> None:
    with pytest.raises(AssertionError, match="the codec is not broken"):
        feed_rubbish(Lines, DATA, b"!")
    assert RUBBISH == b"\xff" * 64


def test_short_data_is_cut_everywhere() -> None:
    ways = dict(chunkings(b"abcd"))
    assert ways == {
        "byte by byte": [b"a", b"b", b"c", b"d"],
        "cut at 1": [b"a", b"bcd"],
        "cut at 2": [b"ab", b"cd"],
        "cut at 3": [b"abc", b"d"],
    }


def test_long_data_is_cut_at_both_ends_and_in_between() -> None:
    data = bytes(range(256)) * 400
    ways = dict(chunkings(data))
    assert all(b"".join(chunks) == data for chunks in ways.values())
    cuts = [len(chunks[0]) for name, chunks in ways.items() if name.startswith("cut")]
    assert {1, 64, len(data) - 64, len(data) - 1} <= set(cuts)
    assert 200 < len(cuts) < 400
    assert "in pieces of 1021" in ways


def test_events_are_described_by_what_matters() -> None:
    invocation = Invocation(ServiceKey("a.B"), "c", (1,), attachments={"k": "v"})
    assert describe_event(CallReceived("ticket", invocation)) == ("call", False, "a.B", "c", (1,), {"k": "v"}, False)
    assert describe_event(CallReceived(None, invocation))[1] is True
    assert describe_event(CallRejected(1, BadRequest("no"))) == ("rejected", "bad-request", "no")
    assert describe_event(ReplyReceived(3, Ok(7, {"k": "v"}))) == ("reply", 3, ("ok", 7, {"k": "v"}))
    fault = Fault("E", "m", {"a": 1}, declared=True)
    assert describe_event(ReplyReceived(3, fault)) == ("reply", 3, ("fault", "E", "m", {"a": 1}, True, {}))
    assert describe_event(ReplyReceived(3, BadRequest("no"))) == ("reply", 3, ("error", "bad-request", "no"))
    assert describe_event(Send(b"x")) == ("send", b"x")
    assert describe_event(Drain(True)) == ("drain", True)
    assert describe_event("other") == "other"
