"""What a mode says when several attempts together give no answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from gateway.model.call import Invocation
from gateway.model.errors import Retry, RpcError, restated
from gateway.spi.cluster import Invoker
from gateway.telemetry.logs import shorten

__all__ = ["Trouble", "all_failed", "attempt_line", "worst_retry"]

Trouble = tuple[Invoker, RpcError]
"""An attempt that got no answer."""

_GRAVITY: Final = {Retry.SAFE: 0, Retry.IF_IDEMPOTENT: 1, Retry.NEVER: 2}


def attempt_line(invoker: Invoker, error: RpcError) -> str:
    """One attempt in a text about several: `dubbo://10.0.0.1:20880 connect-failed after 0.3 ms: refused`."""
    endpoint = invoker.endpoint
    took = "" if error.took_s is None else f" after {error.took_s * 1000:.1f} ms"
    return f"{endpoint.protocol}://{endpoint.address} {error.code}{took}: {shorten(str(error))}"


def worst_retry(errors: Iterable[RpcError]) -> Retry:
    """What holds for a call of which these attempts were made: when one may have run, the call may have."""
    return max((each.retry for each in errors), key=_GRAVITY.__getitem__)


def all_failed(
    invocation: Invocation, troubles: Sequence[Trouble], summary: str, explain: Callable[[], str], *, has_run: bool
) -> RpcError:
    """The error of a call that was attempted several times: of the class that says most, with all attempts in its text.

    `summary`: what became of it (`got no answer`). `has_run`: some provider has carried it out.
    Marked as exhausted where more than one attempt was made: callers further up must not multiply them.
    """
    errors = [error for _, error in troubles]
    retry = worst_retry(errors)
    if has_run and retry is Retry.SAFE:
        retry = Retry.IF_IDEMPOTENT
    gravest = max(errors, key=lambda each: _GRAVITY[each.retry])
    lines = "; ".join(attempt_line(*trouble) for trouble in troubles)
    made = restated(gravest, f"{invocation.service}.{shorten(invocation.method)} {summary}: {lines} [{explain()}]")
    made.retry = retry
    made.explanation = explain
    made.exhausted = has_run or len(errors) > 1 or any(each.exhausted for each in errors)
    return made
