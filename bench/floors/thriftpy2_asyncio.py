"""What users of Thrift on asyncio know: the echo on thriftpy2's asyncio server, on the loop it makes by default.

Framed, binary. Prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

import thriftpy2
from thriftpy2.contrib.aio.rpc import make_server
from thriftpy2.contrib.aio.transport.framed import TAsyncFramedTransportFactory

from bench.floors.free_port import HOST, free_port

_FOR_EVER: Final[Any] = None
"""With a time limit every read costs a system call more; its type has no word for none."""


class Echo:
    """Gives back what it gets."""

    async def echo(self, text: str) -> str:
        """The same text."""
        return text


def main() -> None:
    """Serves until standard input ends."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    port = free_port()
    idl = thriftpy2.load(str(Path(__file__).with_name("echo.thrift")), "echo_thrift")
    server = make_server(
        idl.Echo,
        Echo(),
        HOST,
        port,
        trans_factory=TAsyncFramedTransportFactory(),
        client_timeout=_FOR_EVER,
        loop=loop,
    )
    # It listens, and gives the loop back.
    server.init_server()  # type: ignore[no-untyped-call]
    print(f"LISTENING {HOST}:{port}", flush=True)
    loop.add_reader(sys.stdin.fileno(), loop.stop)
    loop.run_forever()


if __name__ == "__main__":
    main()
