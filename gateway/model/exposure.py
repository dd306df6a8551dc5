"""A service as a listener shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey

__all__ = ["Exposure"]


@dataclass(frozen=True, slots=True)
class Exposure:
    """One service shown on a listener.

    `contract`: None for a generic service (bytes of self-describing wires pass through unread).
    `forwarded`: the service lives elsewhere, so arguments are better left as bytes until somebody needs them.
    `options`: what this service says about the listener's protocol alone (`ProtocolPlugin.service_options`), checked.
    """

    service: ServiceKey
    contract: ServiceContract | None
    forwarded: bool = False
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)
