"""Gateways in this process, from the text of a configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.config.load import load_text
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App

__all__ = ["hosting", "running"]


@asynccontextmanager
async def running(text: str) -> AsyncIterator[App]:
    """The gateway a configuration describes, started; stopped at the end."""
    catalog = Catalog()
    app = App(load_text(text, "test.yaml", catalog), catalog)
    async with app:
        yield app


def hosting(contract: str, implementation: str, *, port: int = 0, more: str = "", listener: str = "") -> str:
    """A configuration that hosts one service on dubbo://.

    `more`: further lines of the service; `listener`: further keys of the listener.
    """
    return f"""
application: {{name: provider, drain: 2s}}
listeners:
  dubbo: {{protocol: dubbo, port: {port}{listener}}}
services:
  hosted:
    contract: {contract}
    implementation: {implementation}
    listeners: [dubbo]
    {more}
"""
