"""The floor of SOAP: spyne, what Python users know, as WSGI on granian, which is written in Rust.

Prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from spyne import Application, Integer64, ServiceBase, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

from bench.floors.free_port import HOST, announce, free_port


class Echo(ServiceBase):  # type: ignore[misc] # spyne has no types
    """The one method that is asked."""

    @rpc(Integer64, Integer64, _returns=Integer64)  # type: ignore[untyped-decorator] # spyne has no types
    def add(ctx: Any, a: int, b: int) -> int:  # noqa: N805 - spyne calls it without a self
        """The sum of `a` and `b`."""
        return a + b


app = WsgiApplication(
    Application([Echo], tns="http://bench/", name="Echo", in_protocol=Soap11(), out_protocol=Soap11())
)


def serve() -> None:
    """Serves until standard input ends."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "1", "--no-ws", "--log-level", "warning"]
    granian = subprocess.Popen(
        [*command, "bench.floors.spyne_add:app"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        announce(port)
        sys.stdin.read()
    finally:
        granian.terminate()
        granian.wait()


if __name__ == "__main__":
    serve()
