"""Which protocol a call takes to its providers: decided by its consumer, never by lot.

Everything a gateway decides is one immutable `SelectionTable`; a `Selector` holds the current one, and to change
anything is to put another table there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.routing.providers import Providers
from gateway.spi.cluster import Invoker

__all__ = ["ProtocolOrder", "SelectionTable", "Selector", "ServiceSelection", "narrowed"]


@dataclass(frozen=True, slots=True)
class ProtocolOrder:
    """The protocols that calls may take, best first: the next one only where no provider of those before is known.

    `consumer`: whose order it is; empty for that of everybody else. `written`: somebody asked for the first of them,
    so that taking another one is worth a word.

    Raises:
        ValueError: there is not a single protocol.
    """

    protocols: tuple[str, ...]
    consumer: str = ""
    written: bool = False

    def __post_init__(self) -> None:
        if not self.protocols:
            raise ValueError("an order of protocols needs one at least")

    @property
    def reason(self) -> str:
        """Why these protocols, for errors and logs."""
        return f"consumer {self.consumer}" if self.consumer else "default of the service"


@dataclass(frozen=True, slots=True)
class ServiceSelection:
    """The orders for one service: of the consumers that have one of their own, and of everybody else."""

    default: ProtocolOrder
    consumers: Mapping[str, ProtocolOrder] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def protocols(self) -> frozenset[str]:
        """Every protocol that some call may take."""
        return frozenset(name for order in (self.default, *self.consumers.values()) for name in order.protocols)


class SelectionTable:
    """The selections of all remote services, by their names in the configuration. Immutable."""

    __slots__ = ("services",)

    def __init__(self, services: Mapping[str, ServiceSelection]) -> None:
        self.services: Mapping[str, ServiceSelection] = MappingProxyType(dict(services))
        """By service."""


class Selector:
    """Holds the current table. One per gateway, shared by all its remote services."""

    __slots__ = ("_current", "_swapped")

    def __init__(self, current: SelectionTable) -> None:
        self._current = current
        self._swapped: list[Callable[[], None]] = []

    @property
    def current(self) -> SelectionTable:
        """Decides for the next call."""
        return self._current

    def swap(self, table: SelectionTable) -> None:
        """Puts another table in place, for all services at once; calls in progress end as they began.

        Raises:
            ValueError: the table says nothing about a service that the current one knows; names it.
        """
        if missing := self._current.services.keys() - table.services.keys():
            raise ValueError(f"the table says nothing about {', '.join(sorted(missing))}")
        self._current = table
        for told in self._swapped:
            told()

    def on_swap(self, told: Callable[[], None]) -> None:
        """Calls `told` after each swap."""
        self._swapped.append(told)


def narrowed(providers: Providers, order: ProtocolOrder) -> Providers:
    """The providers of the first protocol of `order` that has any; nobody when none has."""
    groups = _by_protocol(providers.invokers)
    steps = []
    chosen: tuple[Invoker, ...] = ()
    protocol = ""
    for protocol in order.protocols:
        chosen = groups.get(protocol, ())
        steps.append(f"protocol {protocol} {len(chosen)}")
        if chosen:
            break
    first = order.protocols[:1] == (protocol,)
    if not order.consumer and len(chosen) == len(providers.invokers) and (not order.written or (chosen and first)):
        # There was nothing to choose, so there is nothing to explain.
        return Providers(providers.service, chosen, providers.origin, panic=providers.panic)
    if order.written:
        steps[0] += f" ({order.reason})"
    elif chosen:
        # Of an order that nobody wrote only its outcome tells anything.
        steps = steps[-1:]
    missed = order.protocols[0] if order.written and chosen and not first else ""
    return Providers(providers.service, chosen, ", ".join((providers.origin, *steps)), missed, providers.panic)


def _by_protocol(invokers: Iterable[Invoker]) -> dict[str, tuple[Invoker, ...]]:
    groups: dict[str, list[Invoker]] = {}
    for invoker in invokers:
        groups.setdefault(invoker.endpoint.protocol, []).append(invoker)
    return {protocol: tuple(members) for protocol, members in groups.items()}
