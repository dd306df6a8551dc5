"""No value goes as one opaque piece: independent readers find each in the form that its wire has for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from gateway.model.call import Ok
from protocols.testing import difference
from tests.matrix.bridge import Bridge
from tests.matrix.checks.check import Check
from tests.matrix.native.reader import FAULT, SAMPLES, Sample
from tests.matrix.native.wires import WIRES
from tests.support.relay import Relay

__all__ = ["natives"]


def natives() -> Iterator[Check]:
    """Each sample, and an exception; both ways, before and behind the gateway."""
    for name, sample in SAMPLES.items():
        yield _native(name, sample)
    yield Check("native", "exception", _exception)


def _native(name: str, sample: Sample) -> Check:
    async def run(bridge: Bridge) -> str | None:
        await bridge.call(sample.method, (sample.value,), Ok(sample.value))
        for wire, relay in _links(bridge):
            native = WIRES[wire]
            result = native.samples[name]
            sent = partial(native.argument, bytes(relay.sent), sample.method)
            received = partial(native.result, bytes(relay.received))
            differs = _differs(f"the argument over {wire}", native.arguments.get(name, result), sent)
            differs = differs or _differs(f"the result over {wire}", result, received)
            if differs:
                return differs
        return None

    return Check("native", name, run)


async def _exception(bridge: Bridge) -> str | None:
    await bridge.call("fail_declared", ("x",), FAULT)
    for wire, relay in _links(bridge):
        native = WIRES[wire]
        received = partial(native.exception, bytes(relay.received))
        if differs := _differs(f"the exception over {wire}", native.fields, received):
            return differs
    return None


def _differs(what: str, expected: Any, read: Callable[[], Any]) -> str | None:
    try:
        found = read()
    except Exception as error:  # Whatever it is, the bytes are not of this form.
        return f"{what} cannot be read: {type(error).__name__}: {error}"
    differs = difference(expected, found)
    return f"{what}: {differs}" if differs else None


def _links(bridge: Bridge) -> tuple[tuple[str, Relay], tuple[str, Relay]]:
    return (bridge.client, bridge.before), (bridge.provider, bridge.behind)
