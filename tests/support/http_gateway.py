"""A gateway that serves the demo services over a wire over HTTP, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.support.demo_gateway import hosted
from tests.support.running import running

__all__ = ["DRIVERS", "LISTENER", "serving"]

DRIVERS: Final = ("httptools", "aiohttp")
"""What can carry a binding."""

LISTENER: Final = "web"
"""The listener that services name."""


@asynccontextmanager
async def serving(
    driver: str = "httptools", services: str = "", options: str = "", protocol: str = "http", more: str = ""
) -> AsyncIterator[str]:
    """The address, `host:port`, of a running gateway.

    `services`: sections of the configuration, by default the demo services that HTTP carries, answered by Python;
    `options`: more options of the listener, as YAML's `key: value, …`; `more`: further sections.
    """
    text = f"""
application: {{name: interop}}
listeners:
  {LISTENER}: {{protocol: {protocol}, port: 0, options: {{driver: {driver}{options and f", {options}"}}}}}
registries:
  local: {{type: embedded}}
services:{services or hosted(listener=LISTENER, callbacks=False)}
{more}
"""
    async with running(text) as app:
        yield app.listening[0].address
