"""What a call ends with other than a value: exceptions of the service and trouble on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.model.call import Fault
from gateway.model.errors import (
    BadRequest,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
)
from protocols.testing import FAULTS, FaultCase, difference
from tests.matrix.bridge import Bridge
from tests.matrix.checks.check import Check

__all__ = ["outcomes"]


def outcomes() -> Iterator[Check]:
    """Every exception of the corpus, and every kind of trouble."""
    yield from map(_fault, FAULTS)
    yield from map(_error, _errors())


def _fault(case: FaultCase) -> Check:
    fault = case.fault

    async def run(bridge: Bridge) -> str | None:
        found = await bridge.call(case.method, ("x",), fault)
        if not isinstance(found, Fault):
            return f"expected an exception, found {found!r}"
        found = found.decoded()
        if fault.declared:
            expected = (fault.type_name, fault.message, dict(fault.fields), True)
            return difference(expected, (found.type_name, found.message, dict(found.fields), found.declared))
        # A wire that has no such class carries its name in front of the text.
        text = fault.type_name if fault.message is None else f"{fault.type_name}: {fault.message}"
        shown = found.type_name if found.message is None else f"{found.type_name}: {found.message}"
        return None if shown.endswith(text) else f"expected …{text!r}, found {shown!r}"

    return Check("exception", case.name, run)


def _error(error: RpcError) -> Check:
    async def run(bridge: Bridge) -> str | None:
        try:
            result = await bridge.call("echo_string", ("x",), error)
        except RpcError as found:
            told = (type(found), found.retry, found.exhausted)
            expected = (type(error), error.retry, error.exhausted)
            if str(error) not in str(found):
                return f"expected the text {str(error)!r}, found {str(found)!r}"
            return None if told == expected else f"expected {expected}, found {told}"
        return f"expected {type(error).__name__}, found {result!r}"

    shade = f"/{error.retry.value}{'-exhausted' if error.exhausted else ''}"
    return Check("error", f"{error.code}{shade}", run)


_KINDS: Final = (
    BadRequest,
    Unauthenticated,
    Forbidden,
    NoSuchService,
    NoSuchMethod,
    NoProvider,
    Overloaded,
    DeadlineExceeded,
    ConnectionLost,
    ProviderFailed,
)


def _errors() -> Iterator[RpcError]:
    for kind in _KINDS:
        yield kind('because 茶 "of" it')
    yield ProviderFailed("not again", retry=Retry.NEVER)
    yield Overloaded("tried everywhere", exhausted=True)
    yield ConnectionLost("never sent", retry=Retry.SAFE)
