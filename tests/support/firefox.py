"""Firefox without a screen. Nothing drives it: it opens one page, whose script tells the test what it saw."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from bench.apt import install

__all__ = ["firefox_version", "require_firefox", "shown_in_firefox"]

_PROGRAM: Final = "firefox-esr"
_WAIT_S: Final = 90.0
_PROFILE: Final = """
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "");
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
"""
"""So that it talks to nobody but the page it is given."""
_PAGE: Final = """<!doctype html><meta charset="utf-8"><title>calling</title><script>
const tell = async (seen) => {{
    await fetch("/seen", {{method: "POST", body: JSON.stringify(seen)}});
}};
(async () => {{
    try {{
        {script}
    }} catch (trouble) {{
        await tell({{trouble: String(trouble)}});
    }}
}})();
</script>"""


def require_firefox() -> None:
    """Installs it where it is missing. Raises Unavailable where it cannot be had."""
    install(f"{_PROGRAM}:{_PROGRAM}")


def firefox_version() -> str:
    """What it says its version is."""
    return subprocess.run([_PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


async def shown_in_firefox(script: str, folder: Path, host: str = "127.0.0.1") -> Any:
    """Opens a page with this script, and gives what the script told by `await tell(value)`.

    The page's origin is `http://<host>` and a port of its own, which the script knows as `location.origin`. `folder`:
    an empty one, for the browser's profile.
    """
    loop = asyncio.get_running_loop()
    seen: asyncio.Future[Any] = loop.create_future()

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=_PAGE.format(script=script), content_type="text/html")

    async def tell(request: web.Request) -> web.Response:
        if not seen.done():
            seen.set_result(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_post("/seen", tell)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    (folder / "user.js").write_text(_PROFILE, encoding="ascii")
    url = f"http://{host}:{runner.addresses[0][1]}/"
    browser = await asyncio.create_subprocess_exec(
        _PROGRAM,
        "--headless",
        "--no-remote",
        "--profile",
        str(folder),
        url,
        env={**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_WAIT_S):
            return await seen
    finally:
        browser.terminate()
        await browser.wait()
        await runner.cleanup()
