"""What users of Thrift know: the echo on thriftpy2's threaded server, a thread for each connection, codec in Cython.

Framed, binary. Prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any, Final

import thriftpy2
from thriftpy2.rpc import make_server
from thriftpy2.transport import TFramedTransportFactory

from bench.floors.free_port import HOST, announce, free_port

_FOR_EVER: Final[Any] = None
"""With a time limit every read costs a system call more; its type has no word for none."""


class Echo:
    """Gives back what it gets."""

    def echo(self, text: str) -> str:
        """The same text."""
        return text


def main() -> None:
    """Serves until standard input ends."""
    port = free_port()
    idl = thriftpy2.load(str(Path(__file__).with_name("echo.thrift")), "echo_thrift")
    server = make_server(
        idl.Echo,
        Echo(),
        HOST,
        port,
        trans_factory=TFramedTransportFactory(),
        client_timeout=_FOR_EVER,
    )
    server.daemon = True
    threading.Thread(target=server.serve, daemon=True).start()
    announce(port)
    sys.stdin.read()


if __name__ == "__main__":
    main()
