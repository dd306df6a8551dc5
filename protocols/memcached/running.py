"""A call by `set`, from the block to the answer that is fetched by `get`."""

from __future__ import annotations

from typing import Any, Final

from gateway.model.call import Ok
from protocols.contract import Outcome
from protocols.http_json.problem import ExceptionForms
from protocols.memcached.block import AnswerHead, write_answer
from protocols.memcached.form import HEAD, TEXT
from protocols.memcached.found import Found, trouble_of
from protocols.memcached.method import BlockMethod
from protocols.memcached.ticket import Slot

__all__ = ["RunningCall"]

_NO_FORMS: Final = ExceptionForms(None)


class RunningCall:
    """One call in progress, or one that was refused.

    `codec`: of the connection it came over. `slot`: the `set`, where it waits for an answer; None with `noreply`.
    `with_head`: its answer may have a head. `stored`: the line for a call that got an answer.

    Attributes:
        waiting: The `get` that waits for it on the same connection.
        fetched: That `get`, once it has its answer and the `set` has one, too.
    """

    __slots__ = ("_codec", "_key", "_method", "_slot", "_stored", "_with_head", "fetched", "waiting")

    def __init__(
        self, codec: Any, key: bytes, method: BlockMethod | None, slot: Slot | None, with_head: bool, stored: bytes
    ) -> None:
        self._codec: Final = codec
        self._key: Final = key
        self._method: Final = method
        self._slot: Final = slot
        self._with_head: Final = with_head
        self._stored: Final = stored
        self.waiting: Any = None
        self.fetched: Slot | None = None
        codec.calls[key] = self

    def settle(self, outcome: Outcome) -> Slot | None:
        """See `Ticket.settle`."""
        found, trouble = self._answer(outcome)
        codec, key, slot, waiting = self._codec, self._key, self._slot, self.waiting
        if codec.calls.get(key) is self:
            del codec.calls[key]
        got: Slot | None = None if waiting is None else waiting.fill(found, trouble)
        if slot is not None:
            slot.answer = trouble or self._stored
            self.fetched = got
        if waiting is None and (slot is None or not trouble):
            flags, data = (0, b"") if found is None else found[:2]
            codec.wire.answers.put(codec.owner, key, flags, data, trouble, codec.wire.clock())
        return got if slot is None else slot

    def _answer(self, outcome: Outcome) -> tuple[Found | None, bytes]:
        if not isinstance(outcome, Ok):
            method = self._method
            forms = _NO_FORMS if method is None else method.forms
            return None, trouble_of(outcome, forms, beside=self._with_head)
        assert self._method is not None, "what was refused has no value"
        flags, data = self._method.write_result(outcome.value)
        attachments = outcome.attachments
        if self._with_head and (attachments or self._codec.is_draining):
            head = AnswerHead(flags, attachments, self._codec.is_draining)
            return (HEAD, write_answer(head, data), 0), b""
        # Those who send a head know what stands in flags.
        return (flags if self._with_head or self._codec.wire.style.names_formats else TEXT, data, 0), b""
