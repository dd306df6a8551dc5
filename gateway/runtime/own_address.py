"""Under which address others reach this process, where it listens on all of its addresses."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

__all__ = ["own_address", "reachable_host"]

_VARIABLES: Final = ("POLYPORT_HOST", "DUBBO_IP_TO_REGISTRY")
"""Environment variables that say it, the first one that is set. Containers use the second for Dubbo
(apache/dubbo: dubbo-common/.../common/constants/CommonConstants.java)."""
_ELSEWHERE: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of nobody (RFC 5737, RFC 3849): only the way to them is asked for, and nothing is sent."""
_LOOPBACK: Final = "127.0.0.1"


def own_address(written: str = "", environ: Mapping[str, str] = os.environ) -> str:
    """The address others use: as written, as the environment says, or that of the way out of this machine; of a machine
    without one the loopback's."""
    if written:
        return written
    for name in _VARIABLES:
        if environ.get(name):
            return environ[name]
    for family, address in _ELSEWHERE:
        # Connecting a datagram socket sends nothing: it only chooses an address.
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as way:
            way.connect((address, 9))
            return str(way.getsockname()[0])
    return _LOOPBACK


def reachable_host(host: str, own: str) -> str:
    """What to announce of a listener on `host`: `own` where it listens on all addresses, else `host` itself."""
    try:
        return own if ipaddress.ip_address(host.strip("[]")).is_unspecified else host
    except ValueError:
        return host
