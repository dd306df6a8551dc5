"""Interfaces of calls that are kept until somebody answers them: the record of one, and what keeps records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.model.call import Invocation
from gateway.model.errors import GatewayError, RpcError

__all__ = ["CALL_ID", "CallRecorder", "CallStore", "StoreError", "StoredCall", "Tally"]

CALL_ID: Final = "polyport-call-id"
"""Attachment with the id of a call, the same with its first attempt and each time it is sent again."""


class StoreError(GatewayError):
    """A record cannot be kept, found or changed; says where and why."""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """One call that waits for its answer.

    `reference`: who resends it. `created`, `expires`, `due`: seconds since 1970; `due` is when it may be sent next,
    and the end of the lease while somebody does. `attempts`: how often it was taken for resending. `body`: the call as
    JSON. `digest`: equal for equal calls, whatever their id. `error`: the last trouble in one line. `dead`: it is kept,
    but not sent again unless somebody says so. `handle`: what the store finds it by; empty before it is kept.
    """

    id: str
    reference: str
    created: float
    expires: float
    due: float
    body: bytes
    digest: str
    attempts: int = 0
    error: str = ""
    dead: bool = False
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is kept for one reference: calls that wait, calls that are dead, and the bytes of all bodies."""

    waiting: int
    dead: int
    size: int


class CallStore(Protocol):
    """Keeps calls beyond the life of this process. Belongs to one event loop.

    Several processes may share what is kept. All methods raise `StoreError`. Times are durations in seconds from now:
    each store has a clock of its own.
    """

    @property
    def description(self) -> str:
        """Where it is, for messages; without secrets."""
        ...

    async def start(self) -> None:
        """Opens it. Raises only for what will not pass by itself: a file that is something else, say."""
        ...

    async def add(self, call: StoredCall) -> int:
        """Keeps a call, and returns when it is durable: with how many of the oldest were dropped to make room.

        A call that is kept already, by id and digest, is not kept twice; another one under the same id is refused.
        """
        ...

    async def claim(self, reference: str, limit: int, lease_s: float) -> Sequence[StoredCall]:
        """Takes up to `limit` calls that are due. Nobody else gets them before `lease_s` has passed."""
        ...

    async def finish(self, call: StoredCall) -> None:
        """Forgets a call. One that is gone already is no trouble, here and below."""
        ...

    async def postpone(self, call: StoredCall, delay_s: float, error: str) -> None:
        """Ends the lease: the call is due again after `delay_s`."""
        ...

    async def bury(self, call: StoredCall, error: str) -> None:
        """Keeps the call as dead."""
        ...

    async def tally(self) -> Mapping[str, Tally]:
        """What is kept, by reference."""
        ...

    async def page(self, reference: str | None, after: str, limit: int) -> Sequence[StoredCall]:
        """Up to `limit` calls, oldest first, behind the one whose handle is `after` (empty: from the start); of one
        reference, or of all, reference by reference."""
        ...

    async def find(self, call_id: str) -> StoredCall | None:
        """The call of this id."""
        ...

    async def revive(self, call_id: str | None) -> int:
        """Makes the call due at once, dead or not; None: all calls. Says how many."""
        ...

    async def discard(self, call_id: str | None, *, dead_only: bool = False) -> int:
        """Forgets the call; None: all calls. Says how many."""
        ...

    async def aclose(self) -> None:
        """Finishes what is in progress and closes it."""
        ...


class CallRecorder(Protocol):
    """Takes calls of one reference that got no answer."""

    async def record(self, invocation: Invocation, call_id: str, error: RpcError, expires_s: float | None) -> None:
        """Keeps a call to be sent again; returns when it is durable. `expires_s`: None leaves it to the recorder.

        Raises:
            StoreError: it cannot be kept, or not without losing part of it.
            BadRequest: its arguments do not fit the contract.
        """
        ...
