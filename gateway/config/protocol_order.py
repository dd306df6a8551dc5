"""Which protocols the calls of a consumer take, best first: what the sections `consumers` and `remote` say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.config.document import Path
from gateway.config.model import GatewayConfig
from gateway.config.sections.remote import RemoteConfig

__all__ = ["ConsumerRule", "consumer_rules", "service_order"]


@dataclass(frozen=True, slots=True)
class ConsumerRule:
    """What one consumer's calls of one service take.

    `protocol`: the first choice, as written. `order`: all choices, best first, as far as they can have providers.
    `named`: the protocols that the rule itself names, each with its place in the file. `alone`: there is no fallback.
    `own`: written for this service, not for all services of the consumer.
    """

    protocol: str
    order: tuple[str, ...]
    named: Mapping[str, Path]
    alone: bool
    own: bool


def service_order(remote: RemoteConfig, known: Sequence[str]) -> tuple[str, ...]:
    """The protocols of a service for consumers without a rule. `known`: all protocols in the gateway's own order."""
    if remote.protocol is not None:
        return remote.own_protocols()
    # With addresses as well: which of several protocols comes first is the same everywhere.
    own = remote.address_protocols()
    return tuple(name for name in known if not own or name in own)


def consumer_rules(config: GatewayConfig, service: str, known: Sequence[str]) -> dict[str, ConsumerRule]:
    """The rules for one remote service, by consumer.

    What a consumer says for all services leaves out a service whose addresses are all of other protocols.
    """
    remote = config.services[service].remote
    assert remote is not None, "only remote services are called over a protocol"
    default = service_order(remote, known)
    possible = remote.address_protocols()
    rules = {}
    for name, consumer in config.consumers.items():
        path: Path = ("consumers", name)
        protocol, fallback, at = consumer.protocol, consumer.fallback, path
        own = consumer.services.get(service)
        if own is not None:
            protocol, at = own.protocol, (*path, "services", service)
            fallback = consumer.fallback if own.fallback is None else own.fallback
        if protocol is None:
            continue
        written = [protocol, *(fallback or ())]
        order = dict.fromkeys(written if fallback is not None else [protocol, *default])
        if possible:
            order = dict.fromkeys(each for each in order if each in possible)
        if not own and fallback != () and protocol not in order:
            continue
        named = {protocol: (*at, "protocol")}
        whose = at if own is not None and own.fallback is not None else path
        for index, each in enumerate(fallback or ()):
            named.setdefault(each, (*whose, "fallback", index))
        rules[name] = ConsumerRule(protocol, tuple(order), named, fallback == (), own is not None)
    return rules
