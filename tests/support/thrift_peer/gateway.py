"""A gateway that shows the demo services over thrift://, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.model.endpoint import parse_address
from tests.support.demo_gateway import hosted
from tests.support.running import running

__all__ = ["thrift_gateway"]


@asynccontextmanager
async def thrift_gateway(
    options: str = "default_service: demo.Catalog", more: str = ""
) -> AsyncIterator[tuple[str, int]]:
    """Host and port of its listener. `options`: of the listener, as YAML; `more`: further keys of the listener."""
    text = f"""
application: {{name: thrift, drain: 2s}}
listeners:
  thrift: {{protocol: thrift, port: 0, options: {{{options}}}{more}}}
registries:
  local: {{type: embedded}}
services:{hosted(listener="thrift", callbacks=False)}
"""
    async with running(text) as app:
        yield parse_address(app.listening[0].address)
