"""What the codec of a listener keeps of commands whose replies have not left."""

from __future__ import annotations

from typing import Final

from protocols.contract import Outcome
from protocols.redis.command import Steps
from protocols.redis.key_order import Waiter
from protocols.redis.method import MethodForm
from protocols.texts.mount import MountedMethod

__all__ = ["GetTicket", "MethodTicket", "Part", "Running", "Ticket"]


class Ticket:
    """A command whose reply has not left. `answer`: the reply, once it is there and others must leave before it."""

    __slots__ = ("answer", "is_silent")

    def __init__(self, answer: bytes | None = None, is_silent: bool = False) -> None:
        self.answer = answer
        self.is_silent: Final = is_silent
        """The caller wants no reply."""


class MethodTicket(Ticket):
    """A call that is all of a command. Made for most calls, so it does without `Ticket.__init__`."""

    __slots__ = ("form", "proto", "wants_more")

    def __init__(self, form: MethodForm, proto: int, wants_more: bool) -> None:
        self.answer = None
        self.form = form
        self.proto = proto
        self.wants_more = wants_more


class GetTicket(Ticket):
    """The same for `GET`."""

    __slots__ = ("key", "method", "proto")

    def __init__(self, method: MountedMethod, proto: int, key: bytes) -> None:
        self.answer = None
        self.method = method
        self.proto = proto
        self.key = key


class Running(Ticket):
    """A command in steps. `missing`: outcomes of the step that have not come. `place`: of one about keys."""

    __slots__ = ("missing", "outcomes", "place", "steps")

    def __init__(self, steps: Steps, is_silent: bool, place: Waiter | None) -> None:
        super().__init__(None, is_silent)
        self.place: Final = place
        self.steps: Final = steps
        self.outcomes: list[Outcome] = []
        self.missing = 0


class Part:
    """One call of a step."""

    __slots__ = ("index", "running")

    def __init__(self, running: Running, index: int) -> None:
        self.running: Final = running
        self.index: Final = index
