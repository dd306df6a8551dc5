"""What answers the commands of mounts: each turns what became of its call into the line that memcached would say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.call import Fault, Ok
from gateway.model.typeref import Kind
from protocols.contract import Outcome
from protocols.http_json.problem import ExceptionForms
from protocols.memcached.counts import Counts
from protocols.memcached.found import Found, Giver, trouble_of
from protocols.memcached.ticket import Slot
from protocols.texts.mount import MountedMethod

__all__ = [
    "END",
    "NOT_FOUND",
    "NOT_STORED",
    "STORED",
    "Filled",
    "FlushSlot",
    "GatherSlot",
    "GetSlot",
    "Said",
    "SaidSlot",
    "TouchPart",
    "ValuePart",
    "below_zero",
    "read_answer",
    "said_of",
    "trouble_of_sum",
    "value_line",
]

END: Final = b"END\r\n"
STORED: Final = b"STORED\r\n"
NOT_STORED: Final = b"NOT_STORED\r\n"
NOT_FOUND: Final = b"NOT_FOUND\r\n"
NO_NUMBER: Final = b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
_TOO_MUCH: Final = b"SERVER_ERROR RPCERR provider-failed/never the values exceed the limit of %d bytes\r\n"
_NO_FORMS: Final = ExceptionForms(None)

Said = Mapping[bool | None, bytes]
"""The line for yes, for no, and for None: there is nothing under the key."""
SAID: Final[Mapping[str, Said]] = MappingProxyType(
    {
        "set": {True: STORED, False: NOT_STORED, None: NOT_STORED},
        "add": {True: STORED, False: NOT_STORED, None: NOT_STORED},
        "replace": {True: STORED, False: NOT_STORED, None: NOT_STORED},
        "append": {True: STORED, False: NOT_STORED, None: NOT_STORED},
        "prepend": {True: STORED, False: NOT_STORED, None: NOT_STORED},
        "cas": {True: STORED, False: b"EXISTS\r\n", None: NOT_FOUND},
        "delete": {True: b"DELETED\r\n", False: NOT_FOUND, None: NOT_FOUND},
        "expire": {True: b"TOUCHED\r\n", False: NOT_FOUND, None: NOT_FOUND},
    }
)
_COUNTING: Final = frozenset({"append", "prepend"})
"""Verbs whose methods may return a length; one of 0 is one all the same."""


def said_of(verb: str, method: MountedMethod, result: Any) -> bool | None:
    """What a returned value says: it was done, it was not, or there was nothing (None)."""
    if verb == "set" or method.signature.returns.kind is Kind.NULL:
        return result is not False
    if result is None or type(result) is bool:
        return result
    return True if verb in _COUNTING else bool(result)


def value_line(key: bytes, found: Found, *, versioned: bool) -> bytes:
    """What `get` says of one key."""
    flags, data, version = found
    if versioned:
        return b"VALUE %b %d %d %d\r\n%b\r\n" % (key, flags, len(data), version, data)
    return b"VALUE %b %d %d\r\n%b\r\n" % (key, flags, len(data), data)


def read_answer(giver: Giver | None, outcome: Outcome) -> tuple[Found | None, bytes]:
    """What a call found, or the line that says why there is nothing to say. `giver`: None for one that was refused."""
    if giver is None:
        return None, trouble_of(outcome, _NO_FORMS)
    if type(outcome) is Ok:
        return giver.found(outcome.value), b""
    if isinstance(outcome, Fault) and giver.is_miss(outcome := outcome.decoded()):
        return None, b""
    return None, trouble_of(outcome, giver.forms)


class GetSlot(Slot):
    """`get` or `gets` of one key. `giver`: None where what it waits for is no call of its own."""

    __slots__ = ("_counts", "_key", "_versioned", "giver")

    def __init__(self, key: bytes, giver: Giver | None, counts: Counts, *, versioned: bool = False) -> None:
        self.answer = None
        self._key = key
        self.giver = giver
        self._counts = counts
        self._versioned = versioned

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        giver = self.giver
        if giver is not None and type(outcome) is Ok and not self._versioned:
            found = giver.found(outcome.value)
            if found is not None:
                # What most answers are, in as few steps as there can be.
                flags, data, _ = found
                self._counts.get_hits += 1
                self.answer = b"VALUE %b %d %d\r\n%b\r\nEND\r\n" % (self._key, flags, len(data), data)
                return self
        return self.fill(*read_answer(giver, outcome))

    def fill(self, found: Found | None, trouble: bytes) -> Slot:
        """What is under the key is known."""
        if trouble:
            self.answer = trouble
        elif found is None:
            self._counts.get_misses += 1
            self.answer = END
        else:
            self._counts.get_hits += 1
            self.answer = value_line(self._key, found, versioned=self._versioned) + END
        return self


class GatherSlot(Slot):
    """`get` of several keys: the values in order of the keys, and `END`.

    Where a key had trouble, the line that says so stands in place of `END`, behind the values of the other keys, so
    that nothing is taken for a miss that was none. The first trouble is told, in order of the keys. `most_bytes`: of
    all values; a short line may name a large one many times.
    """

    __slots__ = ("_counts", "_left", "_lines", "_most_bytes", "_size", "_troubles", "_versioned")

    def __init__(self, counts: Counts, keys: int, most_bytes: int, *, versioned: bool) -> None:
        self.answer = None
        self._counts = counts
        self._most_bytes = most_bytes
        self._size = 0
        self._lines = [b""] * keys
        self._troubles: dict[int, bytes] = {}
        self._left = 1
        """Parts that are not there; one more until all of them are known."""
        self._versioned = versioned

    def add(self) -> None:
        """One more part is waited for."""
        self._left += 1

    def note(self, index: int, key: bytes, found: Found | None, trouble: bytes) -> Slot | None:
        """What is under one key is known."""
        if trouble:
            self._troubles.setdefault(index, trouble)
        elif found is None:
            self._counts.get_misses += 1
        else:
            self._counts.get_hits += 1
            self._size += len(found[1])
            if self._size > self._most_bytes:
                self._troubles.setdefault(index, _TOO_MUCH % self._most_bytes)
            else:
                self._lines[index] = value_line(key, found, versioned=self._versioned)
        return self.close()

    def close(self) -> Slot | None:
        """One part less."""
        self._left -= 1
        if self._left:
            return None
        end = self._troubles[min(self._troubles)] if self._troubles else END
        self.answer = b"".join((*self._lines, end))
        return self


class ValuePart:
    """One key of a `GatherSlot`."""

    __slots__ = ("_index", "_key", "_slot", "giver")

    def __init__(self, slot: GatherSlot, index: int, key: bytes, giver: Giver | None) -> None:
        self._slot = slot
        self._index = index
        self._key = key
        self.giver = giver
        slot.add()

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        return self.fill(*read_answer(self.giver, outcome))

    def fill(self, found: Found | None, trouble: bytes) -> Slot | None:
        """What is under the key is known."""
        return self._slot.note(self._index, self._key, found, trouble)


class TouchPart:
    """The time to live that is set of a key of a `GatherSlot`; only trouble is told."""

    __slots__ = ("_forms", "_index", "_method", "_slot")

    def __init__(self, slot: GatherSlot, index: int, method: MountedMethod, forms: ExceptionForms) -> None:
        self._slot = slot
        self._index = index
        self._method = method
        self._forms = forms
        slot.add()

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        if type(outcome) is Ok or (isinstance(outcome, Fault) and self._method.is_miss(outcome.decoded())):
            return self._slot.close()
        return self._slot.note(self._index, b"", None, trouble_of(outcome, self._forms))


Filled = GetSlot | ValuePart
"""What waits for a value that is no call of its own."""


def below_zero(number: bytes) -> bytes:
    """The line for a sum that clients would read without its sign, or as the end of the connection; else nothing."""
    return b"SERVER_ERROR the sum is %b, and there are no numbers below 0\r\n" % number if number[:1] == b"-" else b""


def trouble_of_sum(outcome: Outcome, method: MountedMethod, forms: ExceptionForms) -> bytes:
    """The line for a sum that there is not; of other commands, for their trouble."""
    return NO_NUMBER if isinstance(outcome, Fault) and method.is_no_number(outcome) else trouble_of(outcome, forms)


class SaidSlot(Slot):
    """A command that is answered with a word: whether something was done; or with a number (`incr`)."""

    __slots__ = ("_forms", "_method", "_verb")

    def __init__(self, verb: str, method: MountedMethod, forms: ExceptionForms) -> None:
        self.answer = None
        self._verb = verb
        self._method = method
        self._forms = forms

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        verb, method = self._verb, self._method
        if type(outcome) is Ok:
            if verb == "incr":
                data = method.write(outcome.value)
                if outcome.value is None or data is None:
                    self.answer = NOT_FOUND
                else:
                    self.answer = below_zero(data) or data + b"\r\n"
            else:
                self.answer = SAID[verb][said_of(verb, method, outcome.value)]
        elif isinstance(outcome, Fault) and method.is_miss(outcome := outcome.decoded()):
            self.answer = NOT_FOUND if verb == "incr" else SAID[verb][None]
        else:
            self.answer = trouble_of_sum(outcome, method, self._forms)
        return self


class FlushSlot(Slot):
    """`flush_all`: as many calls as there are mounts that can be emptied."""

    __slots__ = ("_left", "_trouble")

    def __init__(self, calls: int) -> None:
        self.answer = None
        self._left = calls
        self._trouble = b""

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        if type(outcome) is not Ok:
            self._trouble = self._trouble or trouble_of(outcome, _NO_FORMS)
        self._left -= 1
        if self._left:
            return None
        self.answer = self._trouble or b"OK\r\n"
        return self
