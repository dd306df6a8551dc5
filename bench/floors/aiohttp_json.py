"""The floor of HTTP: bare aiohttp handlers on uvloop, what a Python service without a gateway costs.

Listens on a free port of 127.0.0.1, prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web


async def add(request: web.Request) -> web.Response:
    """The sum of `a` and `b`."""
    numbers = await request.json()
    return web.json_response(numbers["a"] + numbers["b"])


async def echo(request: web.Request) -> web.Response:
    """The text."""
    return web.json_response((await request.json())["text"])


async def serve() -> None:
    """Serves until standard input ends."""
    app = web.Application()
    app.router.add_post("/bench.Echo/add", add)
    app.router.add_post("/bench.Echo/echo", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    host, port = runner.addresses[0]
    print(f"LISTENING {host}:{port}", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve())
