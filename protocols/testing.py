"""Tests for wires: the corpus, exact comparison, and feeding a codec in every way a network can.

For everybody who writes a wire, also outside of this project:

    from protocols.testing import CONTRACT, CORPUS, difference, feed

    @pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
    def test_every_value_survives(case):
        data = my_encode(case.arguments, CONTRACT)
        ...
        assert difference(case.value, arrived) is None

`feed` gives a codec the same bytes whole, byte by byte and cut in two at every place, and fails unless it reports the
same events each time; `feed_rubbish` appends what no peer sends. Needs no test framework.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.errors import RemoteWireError, RpcError
from protocols.contract import CallReceived, CallRejected, Drain, ReplyReceived, Send, ServerCodec
from protocols.corpus.contract import CONTRACT, Everything, Maker, Point, Status, TypesFailure
from protocols.corpus.evolution import EVOLUTION, REFUSED, Evolution
from protocols.corpus.fault import ATTACHMENTS, FAULTS, AttachmentsCase, FaultCase
from protocols.corpus.misfit import MISFITS, Misfit
from protocols.corpus.value import CORPUS, KEYS, Case

__all__ = [
    "ATTACHMENTS",
    "CONTRACT",
    "CORPUS",
    "EVOLUTION",
    "FAULTS",
    "KEYS",
    "MISFITS",
    "REFUSED",
    "RUBBISH",
    "AtMoment",
    "AttachmentsCase",
    "Case",
    "Everything",
    "Evolution",
    "FaultCase",
    "Maker",
    "Misfit",
    "Point",
    "Receiver",
    "Status",
    "TypesFailure",
    "chunkings",
    "describe_event",
    "difference",
    "equal",
    "feed",
    "feed_rubbish",
]

RUBBISH: Final = b"\xff" * 64
"""Bytes that begin no message of any wire here."""

_EVERY_SPLIT_UP_TO: Final = 4096
_SAMPLED_SPLITS: Final = 199
_PLAIN: Final = frozenset({int, str, bytes, bool})
"""Classes whose values are the same to the last bit when they are of one class and equal."""


class Receiver(Protocol):
    """What can be fed: the receiving half of a `ClientCodec`, or of a `ServerCodec` at a fixed moment (`AtMoment`)."""

    @property
    def broken(self) -> RemoteWireError | None:
        """Why nothing can be received any more; None while it can."""
        ...

    def receive(self, data: bytes) -> Sequence[Any]:
        """Takes the next bytes, gives the events they complete."""
        ...


def feed(
    codec_factory: Callable[[], Receiver], data: bytes, *, describe: Callable[[Any], Any] | None = None
) -> list[Any]:
    """Feeds `data` in every way of `chunkings`, each to a fresh codec; gives the events of feeding it whole.

    Args:
        codec_factory: Makes a codec in the state in which `data` arrives.
        data: One or more complete messages.
        describe: Turns an event into something `equal` compares; `describe_event` by default.

    Raises:
        AssertionError: the events depend on how the bytes were cut; says how, and what differs.
    """
    describe = describe or describe_event
    events = list(codec_factory().receive(data))
    expected = [describe(each) for each in events]
    for name, chunks in chunkings(data):
        codec = codec_factory()
        found = [describe(event) for chunk in chunks for event in codec.receive(chunk)]
        differs = difference(expected, found)
        if differs is not None:
            raise AssertionError(f"fed {name}, the events are not those of feeding it whole: {differs}")
    return events


def feed_rubbish(
    codec_factory: Callable[[], Receiver],
    data: bytes,
    rubbish: bytes = RUBBISH,
    *,
    describe: Callable[[Any], Any] | None = None,
) -> RemoteWireError:
    """Feeds `data` with rubbish behind it; gives the error the codec ends with.

    The complete messages must be reported all the same, before the error.

    Raises:
        AssertionError: an event is missing or different, or the codec took the rubbish for a message to come.
    """
    describe = describe or describe_event
    expected = [describe(each) for each in codec_factory().receive(data)]
    for name, chunks in (
        ("together", [data + rubbish]),
        ("apart", [data, rubbish]),
        ("bytewise", _bytewise(rubbish, data)),
    ):
        codec = codec_factory()
        found: list[Any] = []
        for chunk in chunks:
            found += [describe(each) for each in codec.receive(chunk)]
            if codec.broken is not None:
                break
        error = codec.broken
        differs = difference(expected, found[: len(expected)])
        if differs is not None:
            raise AssertionError(f"with rubbish behind it ({name}), the events differ: {differs}")
        if error is None:
            raise AssertionError(f"with rubbish behind it ({name}), the codec is not broken")
    assert error is not None
    return error


class AtMoment:
    """A server codec as a `Receiver`: everything arrives at `now`, in seconds of a monotonic clock."""

    def __init__(self, codec: ServerCodec, now: float = 0.0) -> None:
        self._codec = codec
        self._now = now

    @property
    def broken(self) -> RemoteWireError | None:
        """As `ServerCodec.broken`."""
        return self._codec.broken

    def receive(self, data: bytes) -> Sequence[Any]:
        """As `ServerCodec.receive`."""
        return self._codec.receive(data, self._now)


def chunkings(data: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Ways to cut `data`, with a name for each: bytewise, and in two at every place.

    Beyond 4 KiB bytewise becomes pieces of uneven size, and the places are the first and last 64 and some 200 between.
    """
    size = len(data)
    if size <= _EVERY_SPLIT_UP_TO:
        yield "byte by byte", [data[index : index + 1] for index in range(size)]
        places: Sequence[int] = range(1, size)
    else:
        # Three primes, so that the cuts drift across every power of two.
        for step in (1021, 4099, 65_521):
            yield f"in pieces of {step}", [data[index : index + step] for index in range(0, size, step)]
        between = range(64, size - 64, max(1, (size - 128) // _SAMPLED_SPLITS))
        places = sorted({*range(1, 65), *between, *range(size - 64, size)})
    for place in places:
        yield f"cut at {place}", [data[:place], data[place:]]


def describe_event(event: Any) -> Any:
    """An event of `protocols.contract` as values that can be compared; decodes what is still raw.

    Tickets, call ids and reply ids of this process are left out of calls; other objects are returned as they are.
    """
    match event:
        case CallReceived():
            return ("call", event.ticket is None, *_describe_invocation(event.invocation))
        case CallRejected():
            return ("rejected", event.error.code, str(event.error))
        case ReplyReceived():
            return ("reply", event.call_id, _describe_outcome(event.outcome))
        case Send():
            return ("send", event.data)
        case Drain():
            return ("drain", event.active)
    return event


def _describe_invocation(invocation: Invocation) -> tuple[Any, ...]:
    attachments = dict(invocation.attachments)
    return (str(invocation.service), invocation.method, invocation.arguments(), attachments, invocation.oneway)


def _describe_outcome(outcome: Ok | Fault | RpcError) -> tuple[Any, ...]:
    if isinstance(outcome, Ok):
        return ("ok", outcome.value, dict(outcome.attachments))
    if isinstance(outcome, Fault):
        fault = outcome.decoded()
        return ("fault", fault.type_name, fault.message, dict(fault.fields), fault.declared, dict(fault.attachments))
    return ("error", outcome.code, str(outcome))


def _bytewise(rubbish: bytes, data: bytes) -> list[bytes]:
    return [data, *(rubbish[index : index + 1] for index in range(len(rubbish)))]


def equal(expected: Any, found: Any) -> bool:
    """Whether two values are the same to the last bit.

    Stricter than `==`: types are equal too (1 is not True, not 1.0, a list is no tuple, `Long(7)` is not 7), NaN equals
    NaN, -0.0 is not 0.0, decimals agree in scale, datetimes in their offset, structs and exceptions field by field.
    Maps and sets have no order.
    """
    return difference(expected, found) is None


def difference(expected: Any, found: Any) -> str | None:
    """Where two values differ first, as `path: expected …, found …`; None when they are `equal`.

    Values may contain themselves.
    """
    return _difference(expected, found, "value", set())


def _difference(expected: Any, found: Any, path: str, active: set[tuple[int, int]]) -> str | None:
    if type(expected) is not type(found):
        return f"{path}: expected {type(expected).__qualname__}, found {type(found).__qualname__}"
    if expected is found:
        return None
    if type(expected) in _PLAIN:
        return None if expected == found else f"{path}: expected {_shorten(expected)}, found {_shorten(found)}"
    pair = (id(expected), id(found))
    if pair in active:
        return None
    active.add(pair)
    try:
        return _difference_within(expected, found, path, active)
    finally:
        active.discard(pair)


def _difference_within(expected: Any, found: Any, path: str, active: set[tuple[int, int]]) -> str | None:
    if getattr(expected, "type_name", None) != getattr(found, "type_name", None):
        return f"{path}: expected type {expected.type_name}, found {found.type_name}"
    if isinstance(expected, Mapping):
        return _difference_of_maps(expected, found, path, active)
    if isinstance(expected, Set):
        return _difference_of_maps(dict.fromkeys(expected), dict.fromkeys(found), path, active)
    if isinstance(expected, list | tuple):
        if len(expected) != len(found):
            return f"{path}: expected {len(expected)} elements, found {len(found)}"
        if _is_plainly_same(expected, found):
            return None
        return _first(
            _difference(left, right, f"{path}[{index}]", active)
            for index, (left, right) in enumerate(zip(expected, found, strict=True))
        )
    if isinstance(expected, BaseException):
        return _difference_of_exceptions(expected, found, path, active)
    if dataclasses.is_dataclass(expected):
        return _first(
            _difference(getattr(expected, each.name), getattr(found, each.name), f"{path}.{each.name}", active)
            for each in dataclasses.fields(expected)
        )
    same = _same_scalar(expected, found)
    return None if same else f"{path}: expected {_shorten(expected)}, found {_shorten(found)}"


def _is_plainly_same(expected: Sequence[Any], found: Sequence[Any]) -> bool:
    """Whether `==` is enough to tell that these are the same: it is a hundred times as fast as looking at each."""
    kinds = list(map(type, expected))
    return _PLAIN.issuperset(kinds) and kinds == list(map(type, found)) and bool(expected == found)


def _same_scalar(expected: Any, found: Any) -> bool:
    if isinstance(expected, Enum):
        return expected is found
    if isinstance(expected, float):
        if math.isnan(expected) or math.isnan(found):
            return math.isnan(expected) and math.isnan(found)
        return bool(expected == found) and math.copysign(1.0, expected) == math.copysign(1.0, found)
    if isinstance(expected, Decimal):
        return bool(expected.as_tuple() == found.as_tuple())
    if isinstance(expected, datetime | time):
        return bool(expected == found) and expected.utcoffset() == found.utcoffset()
    return bool(expected == found)


def _difference_of_maps(
    expected: Mapping[Any, Any], found: Mapping[Any, Any], path: str, active: set[tuple[int, int]]
) -> str | None:
    if len(expected) != len(found):
        return f"{path}: expected {len(expected)} entries, found {len(found)}"
    # Looking up would take 1 for True, and finds no NaN; keys of one kind and text are compared one by one instead.
    candidates: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for key in found:
        candidates[_bucket(key)].append(key)
    for key, value in expected.items():
        among = candidates[_bucket(key)]
        match = next((index for index, each in enumerate(among) if equal(key, each)), None)
        if match is None:
            return f"{path}: {_shorten(key)} is missing"
        differs = _difference(value, found[among.pop(match)], f"{path}[{_shorten(key)}]", active)
        if differs is not None:
            return differs
    return None


def _difference_of_exceptions(
    expected: BaseException, found: BaseException, path: str, active: set[tuple[int, int]]
) -> str | None:
    return _difference(expected.args, found.args, f"{path}.args", active) or _difference(
        vars(expected), vars(found), path, active
    )


def _first(differences: Iterator[str | None]) -> str | None:
    return next((each for each in differences if each is not None), None)


def _bucket(key: Any) -> tuple[str, str]:
    # Only of scalars is the text the same whenever the value is.
    scalar = isinstance(key, str | int | float | bytes | Decimal | Enum)
    return type(key).__qualname__, repr(key) if scalar else ""


def _shorten(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:60]}… ({len(shown)} characters)"
