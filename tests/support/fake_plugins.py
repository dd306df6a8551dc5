"""Plug-ins that exist only in a test: what the config loader needs of them, and nothing that could run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from gateway.config.findings import PluginKind
from gateway.config.scalar import Count, Flag
from gateway.config.sections.section import NoOptions, Section
from gateway.config.units import Seconds
from gateway.model.contract import ServiceContract
from gateway.model.errors import GatewayError
from gateway.spi.plugin import (
    BalancerPlugin,
    ClusterPlugin,
    FilterPlugin,
    Misfit,
    Option,
    OptionKind,
    ProtocolPlugin,
    RegistryPlugin,
)

__all__ = ["FakePlugins", "fake_protocol"]


def _unused(*_: Any) -> Any:
    raise AssertionError("checking a file starts nothing")


def _carries_all(_: ServiceContract) -> list[str]:
    return []


def _parse_even(text: str) -> int:
    if not (text.isdecimal() and int(text) % 2 == 0):
        raise ValueError(f"{text!r} is not an even number")
    return int(text)


_ROUTES = Option(OptionKind.TEXTS, "an even number for each method", named=True, parse=_parse_even)


def _misfits(contract: ServiceContract, options: Mapping[str, Any]) -> list[Misfit]:
    """Routes are for methods of the contract, and none is 0."""
    known = {method.name for method in contract.methods}
    found = [
        Misfit(("routes", name), f"{contract.name} has no method {name!r}")
        for name in options.get("routes", {})
        if name not in known
    ]
    if 0 in options.get("routes", {}).values():
        found.append(Misfit((), "0 is no route"))
    return found


def fake_protocol(name: str, port: int, check: Callable[[ServiceContract], list[str]] = _carries_all) -> ProtocolPlugin:
    """A protocol with one option of each kind."""
    return ProtocolPlugin(
        name=name,
        default_port=port,
        server=_unused,
        client=_unused,
        check_contract=check,
        listener_options={
            "heartbeat": Option(OptionKind.DURATION, "quiet time before a heartbeat", 60.0, minimum=1.0, maximum=3600),
            "chunk": Option(OptionKind.SIZE, "bytes sent at once", 65_536, minimum=1024, maximum=1_048_576),
            "threads": Option(OptionKind.COUNT, "threads", 4, minimum=1, maximum=64),
            "strict": Option(OptionKind.FLAG, "refuse what is merely odd", False),
            "mode": Option(OptionKind.TEXT, "how to listen", "eager", choices=("eager", "lazy")),
            "token": Option(OptionKind.CREDENTIAL, "what callers must show"),
            "keys": Option(OptionKind.CREDENTIALS, "what callers may show"),
            "origins": Option(OptionKind.TEXTS, "even numbers", parse=_parse_even),
            "tables": Option(OptionKind.TABLES, "even numbers by name", parse=_parse_even),
        },
        reference_options={"compress": Option(OptionKind.FLAG, "compress requests", False), "routes": _ROUTES},
        client_snippet=_unused,
        service_options={"routes": _ROUTES, "key": Option(OptionKind.CREDENTIAL, "of this service")},
        check_service=_misfits,
        check_reference=_misfits,
    )


class _LimitOptions(Section):
    limit: Annotated[Count, Field(ge=1)]
    wait: Seconds = 0.0
    per_provider: Flag = False


class _NoteOptions(Section):
    wait: Seconds = 1.0


class FakePlugins:
    """Protocols `pipe` (port 7000) and `drum`, registry `list`, and one of everything else."""

    def __init__(self, check: Callable[[ServiceContract], list[str]] = _carries_all) -> None:
        self._all: dict[str, dict[str, Any]] = {
            "protocol": {"pipe": fake_protocol("pipe", 7000, check), "drum": fake_protocol("drum", 7001)},
            "registry": {"list": RegistryPlugin("list", {"ttl": Option(OptionKind.DURATION, "x", 5.0)}, _unused)},
            "cluster": {
                "failover": ClusterPlugin("failover", NoOptions, _unused),
                "failfast": ClusterPlugin("failfast", NoOptions, _unused),
                "limited": ClusterPlugin("limited", _LimitOptions, _unused),
            },
            "balance": {
                "random": BalancerPlugin("random", NoOptions, _unused),
                "noted": BalancerPlugin("noted", _NoteOptions, _unused),
            },
            "filter": {
                "limit": FilterPlugin("limit", _LimitOptions, _unused, lambda options: options.per_provider),
                "note": FilterPlugin("note", _NoteOptions, _unused),
            },
        }

    def change(self, kind: PluginKind, name: str, **fields: Any) -> None:
        """Gives a plug-in other values for some of its fields."""
        self._all[kind][name] = replace(self._all[kind][name], **fields)

    def names(self, kind: PluginKind) -> Sequence[str]:
        return sorted(self._all[kind])

    def load(self, kind: PluginKind, name: str) -> Any:
        try:
            return self._all[kind][name]
        except KeyError:
            raise GatewayError(f"there is no {kind} {name!r}") from None
