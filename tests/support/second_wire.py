"""The protocol dubbo under a second name, for tests that need a choice between two."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Final

from adapters.dubbo import PLUGIN as DUBBO
from gateway.plugins.catalog import Catalog
from gateway.spi.plugin import Option, OptionKind, ProtocolPlugin

__all__ = ["PLUGIN", "with_second_wire"]

_SHOWN_AS: Final = Option(OptionKind.TEXTS, "Numbers by method.", named=True, parse=int)

PLUGIN: Final[ProtocolPlugin] = replace(
    DUBBO,
    name="second",
    service_options={"numbers": _SHOWN_AS, "key": Option(OptionKind.CREDENTIAL, "A secret.")},
    reference_options={**DUBBO.reference_options, "numbers": _SHOWN_AS},
)


def with_second_wire() -> Catalog:
    """What ships with the gateway, and this."""
    return Catalog([EntryPoint("second", "tests.support.second_wire:PLUGIN", "gateway.protocols")])
