"""A gateway with the demo services, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.config.load import load_text
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App

__all__ = ["TOKEN", "gateway", "hosted", "remote"]

TOKEN: Final = "secret-42"
"""What the listener `guarded` wants to see."""

_SERVICES: Final = {
    "catalog": ("Catalog", "DemoCatalog"),
    "types": ("Types", "DemoTypes"),
    "reports": ("Reports", "DemoReports"),
}

_CALLING_BACK: Final = "reports"


def hosted(
    group: str = "",
    version: str = "",
    listener: str = "dubbo",
    announce: str = "[local]",
    token: bool = False,
    callbacks: bool = True,
) -> str:
    """The section of the demo services, answered by Python. `token`: whether they ask for `TOKEN` themselves.
    `callbacks`: whether the one that calls its callers is among them; not every wire carries it."""
    asked = "\n    token: provider-token" if token else ""
    return "".join(
        f"""
  {group}{module}:
    contract: gateway.demo.{module}:{contract}
    implementation: gateway.demo.{module}:{implementation}
    group: "{group}"
    version: "{version}"
    listeners: [{listener}]
    announce: {announce}{asked}"""
        for module, (contract, implementation) in _SERVICES.items()
        if callbacks or module != _CALLING_BACK
    )


def remote(group: str, source: str, announce: str = "[]", there: str = "", callbacks: bool = True) -> str:
    """The section of the demo services, passed on: `source` says where to (`registries: [local]`), `there` the group
    that they have there. `callbacks`: as in `hosted`."""
    return "".join(
        f"""
  {group}{module}:
    contract: gateway.demo.{module}:{contract}
    group: {group}
    listeners: [dubbo]
    announce: {announce}
    remote: {{{source}, group: "{there}", timeout: 10s, retries: 0}}"""
        for module, (contract, _) in _SERVICES.items()
        if callbacks or module != _CALLING_BACK
    )


@asynccontextmanager
async def gateway(services: str, port: int = 0, registries: str = "", host: str = "127.0.0.1") -> AsyncIterator[App]:
    """A running gateway with these sections; its listeners are `dubbo` and `guarded`, in this order. `registries`:
    further ones, each indented line by line as the registry `local` is. `host`: as it is announced."""
    text = f"""
application: {{name: interop}}
listeners:
  dubbo: {{protocol: dubbo, host: "{host}", port: {port}, options: {{callbacks: 10}}}}
  guarded: {{protocol: dubbo, port: 0, options: {{token: provider-token}}}}
registries:
  local: {{type: embedded}}
{registries}
credentials:
  provider-token: {{env: PROVIDER_TOKEN}}
services:{services}
"""
    catalog = Catalog()
    config = load_text(text, "interop.yaml", catalog, {"PROVIDER_TOKEN": TOKEN})
    async with App(config, catalog) as app:
        yield app
