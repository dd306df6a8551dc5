"""Both modes of an outbound text wire behind one client: `call`, towards another gateway, and `data`, a real server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint
from gateway.spi.adapter import ClientAdapter, Reference
from gateway.spi.cluster import Invoker
from gateway.spi.plugin import Misfit, Option, OptionKind

__all__ = ["BOTH_MODES", "CALL", "DATA", "TwoModes", "check_modes", "mode_option"]

CALL: Final = "call"
DATA: Final = "data"
BOTH_MODES: Final = frozenset({"mode", "user", "password", "connect_timeout", "payload", "is_logged"})
"""Options that both have."""

Check = Callable[[ServiceContract, Mapping[str, Any]], Sequence[Misfit]]


def mode_option(server: str) -> Option:
    """The option `mode` of a reference. `server`: what `data` is for."""
    return Option(
        OptionKind.TEXT,
        f"What is at the other end: `call` is a listener of another gateway, `data` is {server} whose commands the "
        "methods are.",
        CALL,
        choices=(CALL, DATA),
    )


class TwoModes:
    """A `gateway.spi.adapter.ClientAdapter`. `data`: makes the other one; only called where some reference wants it."""

    def __init__(self, call: ClientAdapter, data: Callable[[], ClientAdapter]) -> None:
        self._call = call
        self._make_data = data
        self._data: ClientAdapter | None = None

    def open(self, endpoint: Endpoint, reference: Reference) -> Invoker:
        """See `ClientAdapter.open`."""
        if reference.parameters.get("mode", CALL) != DATA:
            return self._call.open(endpoint, reference)
        if self._data is None:
            self._data = self._make_data()
        return self._data.open(endpoint, reference)

    async def aclose(self) -> None:
        """See `ClientAdapter.aclose`."""
        try:
            await self._call.aclose()
        finally:
            if self._data is not None:
                await self._data.aclose()


def check_modes(
    contract: ServiceContract, own: Mapping[str, Any], data_options: Mapping[str, Any], check_data: Check
) -> Sequence[Misfit]:
    """For `ProtocolPlugin.check_reference`. `data_options`: those that only `data` has; `check_data`: its own check."""
    if own.get("mode", CALL) != DATA:
        return [Misfit((name,), "is for `mode: data`") for name in own if name in data_options]
    found = [
        Misfit((name,), "is for `mode: call`") for name in own if name not in data_options and name not in BOTH_MODES
    ]
    return [*found, *check_data(contract, own)]
