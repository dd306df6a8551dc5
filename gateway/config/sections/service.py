"""Section `services`: what is hosted here, and what is reached elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from gateway.config.scalar import ContractTarget, Count, Flag, Name, Target, Text, Word
from gateway.config.sections.remote import RemoteConfig
from gateway.config.sections.section import Data, Options, Section
from gateway.config.units import Seconds
from gateway.model.endpoint import DEFAULT_WEIGHT, MAX_WEIGHT

__all__ = ["RANDOM_TOKEN", "ServiceConfig"]

RANDOM_TOKEN: Final = "random"
"""Stands for a secret that is made at each start."""


class ServiceConfig(Section):
    """One service: hosted (`implementation`) or reached elsewhere (`remote`)."""

    contract: ContractTarget | None = None
    """Class that describes the service, `package.module:Class`; or a file that does, from the folder of the
    configuration file: `idl/shop.thrift`, with `#shop.Catalog` behind it where the file has several services."""

    generic: Flag = False
    """The service has no contract: values pass as they are, on wires that describe themselves. Needs `interface`."""

    interface: Word | None = None
    """Name callers use. Default: the contract's name."""

    implementation: Target | None = None
    """Class or function that is called with `options` and gives the object that answers, or the object itself."""

    options: Data = Field(default_factory=dict)
    """Keyword arguments for the implementation."""

    remote: RemoteConfig | None = None
    """Where the service lives when it is not hosted here."""

    group: Text = ""
    """Group under which it is shown."""

    version: Text = ""
    """Version under which it is shown."""

    listeners: tuple[Name, ...] = ()
    """Listeners that show it. Without any, only this process can call it."""

    protocols: Mapping[Name, Options] = Field(default_factory=dict)
    """How it looks on the listeners of a protocol, by protocol: what only that protocol knows."""

    announce: tuple[Name, ...] = ()
    """Registries where it is registered, at the addresses of its listeners."""

    token: Name | None = None
    """What callers must show on every wire: the name of a credential, or `random` for a new secret at each start. It is
    announced with the service, so that consumers who ask a registry know it, and nobody else."""

    filters: tuple[Name, ...] = ()
    """Filters for every call of this service: names from `filters`, or types of filters that need no options."""

    weight: Annotated[Count, Field(ge=0, le=MAX_WEIGHT)] = DEFAULT_WEIGHT
    """Share of the calls it asks registries for; 0 means draining."""

    warmup: Annotated[Seconds, Field(ge=0, le=86400)] | None = None
    """How long after a start consumers shall give it less than its share; `0s` for not at all. Default: whatever they
    do by themselves."""
