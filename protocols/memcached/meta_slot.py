"""What answers meta commands: their words and flags, out of what became of one call or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.model.call import Fault, Ok
from protocols.contract import Outcome
from protocols.http_json.problem import ExceptionForms
from protocols.memcached.counts import Counts
from protocols.memcached.found import Found, Giver, MountGiver, trouble_of
from protocols.memcached.meta_line import Asked
from protocols.memcached.slot import read_answer, trouble_of_sum
from protocols.memcached.ticket import Slot
from protocols.texts.mount import MountedMethod

__all__ = ["CalledPart", "DebugSlot", "MetaPart", "MetaSlot"]


class MetaSlot(Slot):
    """One meta command: its main call, and those that find out what flags ask for. `is_item`: it reads an item."""

    __slots__ = (
        "_aside",
        "_asked",
        "_code",
        "_found",
        "_is_item",
        "_is_value",
        "_left",
        "_quiet_codes",
        "_returned",
        "_trouble",
    )

    def __init__(self, asked: Asked, quiet_codes: tuple[bytes, ...], *, is_item: bool) -> None:
        self.answer = None
        self._asked = asked
        self._code = b""
        self._found: Found | None = None
        self._is_value = b"v" in asked.flags
        self._is_item = is_item
        self._returned: dict[bytes, bytes] = {}
        self._trouble = self._aside = b""
        """Of the main call, and of the others, which matters only where that has an answer."""
        self._left = 1
        self._quiet_codes = quiet_codes if asked.quiet else ()

    def add(self) -> None:
        """One more part is waited for."""
        self._left += 1

    def note(self, code: bytes = b"", found: Found | None = None, trouble: bytes = b"") -> Slot | None:
        """What became of the main call, or the trouble of any."""
        self._code = code or self._code
        self._found = found or self._found
        self._trouble = self._trouble or trouble
        return self.close()

    def lament(self, trouble: bytes) -> Slot | None:
        """Trouble of a call that finds out what a flag asks for."""
        self._aside = self._aside or trouble
        return self.close()

    def said(self, letter: bytes, text: bytes) -> Slot | None:
        """What a flag asked for."""
        self._returned[letter] = text
        return self.close()

    def close(self) -> Slot | None:
        """One part less."""
        self._left -= 1
        if self._left:
            return None
        asked, found, code = self._asked, self._found, self._code
        if code == b"HD" and not self._trouble:
            self._trouble = self._aside
        if self._trouble:
            self.answer = self._trouble
        elif code in self._quiet_codes:
            self.answer = b""
        elif found is None or code != b"HD":
            self.answer = b"%b%b\r\n" % (code, asked.echo(self._returned if code == b"HD" else {}))
        else:
            returned = {**_item_flags(found), **self._returned} if self._is_item else self._returned
            if self._is_value:
                self.answer = b"VA %d%b\r\n%b\r\n" % (len(found[1]), asked.echo(returned), found[1])
            else:
                self.answer = b"HD%b\r\n" % asked.echo(returned)
        return self


class MetaPart:
    """One call of a meta command. `read(result)`: hands what it returned to the slot, `miss()` that there is nothing.

    `is_aside`: it is not the main call.
    """

    __slots__ = ("_forms", "_is_aside", "_method", "_miss", "_read", "_slot")

    def __init__(
        self,
        slot: MetaSlot,
        method: MountedMethod,
        forms: ExceptionForms,
        read: Callable[[Any], Slot | None],
        miss: Callable[[], Slot | None],
        *,
        is_aside: bool = False,
    ) -> None:
        self._slot = slot
        self._method = method
        self._forms = forms
        self._read = read
        self._miss = miss
        self._is_aside = is_aside
        slot.add()

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        if type(outcome) is Ok:
            return self._read(outcome.value)
        if isinstance(outcome, Fault) and self._method.is_miss(outcome := outcome.decoded()):
            return self._miss()
        trouble = trouble_of_sum(outcome, self._method, self._forms)
        return self._slot.lament(trouble) if self._is_aside else self._slot.note(trouble=trouble)


class CalledPart:
    """What `mg` finds where its key is a call, or that of a call made by `ms`."""

    __slots__ = ("_counts", "_slot", "giver")

    def __init__(self, slot: MetaSlot, counts: Counts) -> None:
        self._slot = slot
        self._counts = counts
        self.giver: Giver | None = None
        slot.add()

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        return self.fill(*read_answer(self.giver, outcome))

    def fill(self, found: Found | None, trouble: bytes) -> Slot | None:
        """What is under the key is known."""
        if trouble:
            return self._slot.note(trouble=trouble)
        if found is None:
            self._counts.get_misses += 1
            return self._slot.note(b"EN")
        self._counts.get_hits += 1
        return self._slot.note(b"HD", found)


class DebugSlot(Slot):
    """`me`: what is known of an item, as one line for people."""

    __slots__ = ("_giver", "_shown")

    def __init__(self, shown: bytes, giver: MountGiver) -> None:
        self.answer = None
        self._shown = shown
        self._giver = giver

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        giver = self._giver
        found = giver.found(outcome.value) if type(outcome) is Ok else None
        if found is not None:
            known = (self._shown, found[2], len(found[1]))
            self.answer = b"ME %b exp=-1 la=0 cas=%d fetch=no cls=1 size=%d\r\n" % known
        elif type(outcome) is Ok or (isinstance(outcome, Fault) and giver.is_miss(outcome := outcome.decoded())):
            self.answer = b"EN\r\n"
        else:
            self.answer = trouble_of(outcome, giver.forms)
        return self


def _item_flags(found: Found) -> Mapping[bytes, bytes]:
    flags, data, version = found
    return {b"s": b"%d" % len(data), b"f": b"%d" % flags, b"c": b"%d" % version, b"h": b"0", b"l": b"0"}
