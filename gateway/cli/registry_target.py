"""Which registry a command is about: a URL, or an entry of a configuration file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from gateway.cli.config_file import read_config
from gateway.cli.outcome import Misuse

if TYPE_CHECKING:
    from gateway.plugins.catalog import Catalog
    from gateway.spi.registry import Registry

__all__ = ["CREDENTIAL", "open_registry"]

CREDENTIAL: Final = "POLYPORT_REGISTRY_CREDENTIAL"
"""Environment variable with the secret of a registry that is given as a URL: command lines are seen by everybody."""
_NAME: Final = "given"


def open_registry(target: str, config: Path | None) -> Registry:
    """The registry, built and not started.

    `target`: `<type>://<address>[?<option>=<value>&…]`, or the name of an entry under `registries` of `config`.

    Raises:
        Misuse: there is no such registry, or its options are wrong.
        ConfigError: the file has problems.
    """
    if config is not None:
        return _named(target, config)
    kind, mark, rest = target.partition("://")
    if not mark:
        raise Misuse(f"{target!r} is no URL of a registry; with --config FILE it may be the name of one")
    address, _, query = rest.partition("?")
    return _built(kind, target.partition("?")[0] if kind in _WHOLE else address, dict(parse_qsl(query)))


_WHOLE: Final = frozenset(f"{each}{kind}" for each in ("redis", "rediss") for kind in ("", "+sentinel", "+cluster"))
"""Schemes that are part of the address."""


def _named(name: str, config: Path) -> Registry:
    from gateway.config.sections.listener import revealed

    read, catalog = read_config(config)
    entry = read.registries.get(name)
    if entry is None:
        known = ", ".join(sorted(read.registries)) or "none"
        raise Misuse(f"no registry {name!r} in {config}; there is {known}")
    return _hosted(catalog.registry(entry.type).build(revealed(entry.options)), catalog)


def _built(kind: str, address: str, options: dict[str, Any]) -> Registry:
    from gateway.config.load import examine_text
    from gateway.config.sections.listener import revealed
    from gateway.plugins.catalog import Catalog

    catalog = Catalog()
    kind = kind.partition("+")[0].replace("rediss", "redis")
    if kind not in catalog.names("registry"):
        raise Misuse(f"no kind of registry {kind!r}; there is {', '.join(sorted(catalog.names('registry')))}")
    credentials = {}
    if CREDENTIAL in os.environ and "credential" in catalog.registry(kind).options:
        credentials = {_NAME: {"env": CREDENTIAL}}
        options = {"credential": _NAME, **options}
    section = {_NAME: {"type": kind, "options": {"address": address, **options}}}
    # A file nobody wrote: what is said of it as a whole is nobody's concern.
    examined = examine_text(json.dumps({"registries": section, "credentials": credentials}), "registry", catalog)
    if examined.config is None:
        problems = [f"{each.path.removeprefix(f'registries.{_NAME}.')}: {each.message}" for each in examined.problems]
        raise Misuse(f"the URL of the registry: {'; '.join(problems)}")
    options = revealed(examined.config.registries[_NAME].options)
    return _hosted(catalog.registry(kind).build(options), catalog)


def _hosted(registry: Registry, catalog: Catalog) -> Registry:
    from gateway.runtime.registry_host import DubboRegistryHost
    from gateway.spi.registry_host import HostedRegistry

    if isinstance(registry, HostedRegistry):
        registry.hosted_by(DubboRegistryHost(catalog, _NAME, "polyport-registry", may_serve=False))
    return registry
