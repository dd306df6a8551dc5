"""Addresses of Redis servers, as the option `address` writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.model.endpoint import format_address

__all__ = ["Peer", "PeerKind", "parse_peers"]

_DEFAULT_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_MAX_PEERS: Final = 32


class PeerKind(Enum):
    """What stands behind an address."""

    SERVER = "redis"
    SENTINEL = "redis+sentinel"
    CLUSTER = "redis+cluster"


_SCHEMES: Final = {
    "redis": (PeerKind.SERVER, False),
    "rediss": (PeerKind.SERVER, True),
    "redis+sentinel": (PeerKind.SENTINEL, False),
    "rediss+sentinel": (PeerKind.SENTINEL, True),
    "redis+cluster": (PeerKind.CLUSTER, False),
    "rediss+cluster": (PeerKind.CLUSTER, True),
}


@dataclass(frozen=True, slots=True)
class Peer:
    """One place where the registry may be.

    `hosts`: one for a server, those to ask for the others. `service`: what Sentinel calls the server. `user`,
    `password`: for the server itself; Sentinel is asked without.
    """

    kind: PeerKind
    hosts: tuple[tuple[str, int], ...]
    user: str = ""
    password: str = field(default="", repr=False)
    database: int = 0
    tls: bool = False
    service: str = ""

    def __str__(self) -> str:
        """The address without user and password."""
        scheme = self.kind.value.replace("redis", "rediss", 1) if self.tls else self.kind.value
        hosts = ",".join(format_address(host, port) for host, port in self.hosts)
        path = f"/{self.service}" if self.service else ""
        return f"{scheme}://{hosts}{path}" + (f"/{self.database}" if self.database else "")


def parse_peers(text: str) -> tuple[Peer, ...]:
    """Reads one or several addresses with commas in between, in the order in which they are to be tried.

    `redis://[user:password@]host[:port][/database]`, `rediss://…` for TLS, `redis+sentinel://host,…/service/database`,
    `redis+cluster://host,…`. A host without a scheme belongs to the address before it.

    Raises:
        ValueError: with what is wrong; never with a password.
    """
    urls: list[str] = []
    for part in (each.strip() for each in text.split(",")):
        if "://" in part or not urls:
            urls.append(part)
        else:
            # Hosts follow each other before the path; `a/0,b` would say of b what is meant for a.
            urls[-1] += f",{part}"
    peers = [peer for url in urls for peer in _parse(url)]
    if len(peers) > _MAX_PEERS:
        raise ValueError(f"{len(peers)} addresses are too many: at most {_MAX_PEERS}")
    return tuple(peers)


def _parse(url: str) -> list[Peer]:
    try:
        parts = urlsplit(url)
        kind, tls = _SCHEMES[parts.scheme]
    except (ValueError, KeyError):
        raise ValueError(f"an address begins with one of {', '.join(f'{each}://' for each in _SCHEMES)}") from None
    if parts.query or parts.fragment:
        raise ValueError("an address has no ? and no #")
    credentials, _, netloc = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    default_port = _SENTINEL_PORT if kind is PeerKind.SENTINEL else _DEFAULT_PORT
    hosts = tuple(_host(each, default_port) for each in netloc.split(","))
    service, database = _path(kind, parts)
    found = Peer(kind, hosts, unquote(user), unquote(password), database, tls, service)
    if kind is not PeerKind.SERVER:
        return [found]
    return [Peer(kind, (each,), found.user, found.password, database, tls) for each in hosts]


def _host(text: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{text!r} is not host:port") from None
    if not host:
        raise ValueError(f"{text!r} is not host:port")
    return host, default_port if port is None else port


def _path(kind: PeerKind, parts: SplitResult) -> tuple[str, int]:
    """The name of the service and the number of the database."""
    steps = [unquote(each) for each in parts.path.split("/") if each]
    service = ""
    if kind is PeerKind.SENTINEL:
        if not steps:
            raise ValueError(
                "an address of Sentinel ends with the name of the service: redis+sentinel://host:26379/name"
            )
        service = steps.pop(0)
    if kind is PeerKind.CLUSTER and steps:
        raise ValueError("a cluster has one database and no path")
    number = steps.pop(0) if steps else "0"
    if steps or not (number.isascii() and number.isdecimal() and len(number) <= 4):
        raise ValueError("the path of an address is the number of the database")
    return service, int(number)
