"""Chromium without a screen, as a visitor of pages."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest
from playwright.async_api import ConsoleMessage, Page, Request, async_playwright

from bench.apt import INSTALL_S, install

__all__ = ["INSTALL_TIMEOUT", "Visit", "require_browser", "visiting"]

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
"""The first because Chromium refuses to run as root with its sandbox; the others keep it from talking to anybody."""
_PATIENCE_MS: Final = 20_000

INSTALL_TIMEOUT: Final = pytest.mark.timeout(INSTALL_S + 120)
"""For tests that may be the first to need the browser."""


def require_browser() -> str:
    """The path of the browser, installed where it is missing. Raises Unavailable where it cannot be had."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        install(f"{_NAMES[0]}:{_NAMES[0]}")
    return found or _NAMES[0]


@dataclass
class Visit:
    """A page, and what went wrong on it. `troubles`: errors and warnings of its console, scripts and requests."""

    page: Page
    troubles: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    """Whom the page asked for anything, as `host:port`."""


@asynccontextmanager
async def visiting() -> AsyncIterator[Visit]:
    """An empty page in a browser of its own."""
    executable = require_browser()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))
        try:
            page = await browser.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            visit = Visit(page)

            def note(message: ConsoleMessage) -> None:
                if message.type in ("error", "warning"):
                    visit.troubles.append(f"{message.type}: {message.text}")

            def note_request(request: Request) -> None:
                scheme, _, rest = request.url.partition("://")
                if scheme in ("http", "https"):
                    visit.hosts.add(rest.partition("/")[0])

            page.on("console", note)
            page.on("pageerror", lambda error: visit.troubles.append(f"uncaught: {error}"))
            page.on("requestfailed", lambda request: visit.troubles.append(f"failed: {request.url} {request.failure}"))
            page.on("request", note_request)
            yield visit
        finally:
            await browser.close()
