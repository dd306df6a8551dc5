"""From a request to the call that it asks for."""

from __future__ import annotations

from gateway.model.call import Invocation, RawArguments
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from protocols.http.context import Context
from protocols.http.message import HttpRequest

__all__ = ["make_invocation"]


def make_invocation(
    service: ServiceKey,
    name: str,
    raw: RawArguments,
    signature: MethodContract | None,
    request: HttpRequest,
    context: Context,
    now: float,
    *,
    oneway: bool,
) -> Invocation:
    """The call that a request asks for, `context` being what its header says.

    The answer to a oneway call leaves before the call runs, so its arguments are read at once, raising as `raw.decode`.
    """
    timeout_s = context.timeout_s
    # By position: with keywords, making it takes twice as long.
    return Invocation(
        service,
        name,
        raw.decode() if oneway else None,
        signature,
        raw,
        context.attachments,
        None if timeout_s is None else now + timeout_s,
        context.traceparent,
        request.peer,
        context.consumer,
        oneway,
        None,
        None,
        context.token,
    )
