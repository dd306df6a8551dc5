"""The current call, for methods that want to know more than their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Attachments, Invocation, Peer

__all__ = ["NO_CALL", "Call"]


class Call:
    """What a method learns about the call it serves, handed in as an argument.

    A method of an implementation that declares a parameter with the type `Call` (keyword-only, or the last one) gets
    it from whoever runs the method; callers never see the parameter:

        async def find(self, product_id: I64, *, call: Call = NO_CALL) -> Product

    Attributes:
        attachments: What the caller sent beside the arguments; read-only.
        deadline: When the caller stops waiting, in seconds of `time.monotonic()`; None when it said nothing.
        peer: Where the call came in; None for a call made by this process.
        consumer: Application name of the caller, empty when unknown.
        traceparent: W3C trace context header value, or None.
        reply_attachments: What goes back beside the answer; the method adds to it.
    """

    __slots__ = ("attachments", "consumer", "deadline", "peer", "reply_attachments", "traceparent")

    def __init__(
        self,
        attachments: Attachments = NO_ATTACHMENTS,
        *,
        deadline: float | None = None,
        peer: Peer | None = None,
        consumer: str = "",
        traceparent: str | None = None,
    ) -> None:
        self.attachments: Final[Mapping[str, Any]] = attachments
        self.deadline: Final = deadline
        self.peer: Final = peer
        self.consumer: Final = consumer
        self.traceparent: Final = traceparent
        self.reply_attachments: dict[str, Any] = {}

    @staticmethod
    def of(invocation: Invocation) -> Call:
        """What a method may know about this invocation."""
        return Call(
            invocation.attachments,
            deadline=invocation.deadline,
            peer=invocation.peer,
            consumer=invocation.consumer,
            traceparent=invocation.traceparent,
        )


NO_CALL: Final = Call()
"""The default of a `Call` parameter: the method was called directly, without a gateway. Attachments added to its
`reply_attachments` reach nobody."""
