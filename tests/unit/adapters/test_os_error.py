"""What the system's errors say to people."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from adapters.os_error import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "Connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (
            ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
            "[SSL: WRONG_VERSION_NUMBER] wrong version number",
        ),
        (OSError("Multiple exceptions: one, two"), "Multiple exceptions: one, two"),
        (ConnectionResetError(), "the peer reset the connection"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_reason_is_the_systems(error: OSError, reason: str) -> None:
    assert reason_of(error) == reason
