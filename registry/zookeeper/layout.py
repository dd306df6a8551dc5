"""Where things stand in ZooKeeper, and how they are called there. Pure.

    /<root>/<interface>/{providers,consumers,routers,configurators}/<URL>

Interface and URL are encoded as `java.net.URLEncoder` does; what a node holds does not matter, its name says all.
Source: apache/dubbo: dubbo-registry/dubbo-registry-zookeeper/.../ZookeeperRegistry.java (toUrlPath, toCategoriesPath).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, unquote_plus, urlsplit

from gateway.model.endpoint import format_address
from registry.entries import MAX_ENTRY

__all__ = [
    "DEFAULT_PORT",
    "DEFAULT_ROOT",
    "Ensemble",
    "category_path",
    "decode_name",
    "encode_name",
    "parent_of",
    "parse_ensemble",
    "parse_root",
]

DEFAULT_PORT: Final = 2181
DEFAULT_ROOT: Final = "dubbo"
_MAX_NAME: Final = 3 * MAX_ENTRY
"""An entry may be all reserved characters, which take three each."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The servers, and the path below which everything stands (`""` for all of it, else `/a/b`)."""

    servers: tuple[tuple[str, int], ...]
    chroot: str = ""

    def __str__(self) -> str:
        return ",".join(format_address(*each) for each in self.servers) + self.chroot


def parse_ensemble(text: str) -> Ensemble:
    """Reads `host:port[,host:port…][/chroot]`. Raises ValueError with the reason."""
    servers, slash, chroot = text.strip().partition("/")
    return Ensemble(tuple(_server(each.strip()) for each in servers.split(",")), parse_root(chroot) if slash else "")


def parse_root(text: str) -> str:
    """Reads a path, with or without the slash before it; gives it with one. Raises ValueError with the reason."""
    names = text.strip("/").split("/")
    if not all(each.isprintable() and each not in {"", ".", ".."} for each in names):
        raise ValueError(f"{text!r} is no path in ZooKeeper")
    return "/" + "/".join(names)


def category_path(root: str, interface: str, category: str) -> str:
    """Where the entries of one category of a service are."""
    return f"{root}/{encode_name(interface)}/{category}"


def encode_name(text: str) -> str:
    """The name of a node, as `java.net.URLEncoder.encode(text, "UTF-8")` gives it."""
    return quote_plus(text, safe="*").replace("~", "%7E")


def decode_name(name: str) -> str:
    """What the name of a node says. Raises ValueError when it is too long, or says nothing in UTF-8."""
    if len(name) > _MAX_NAME:
        raise ValueError(f"its name has {len(name)} characters; {_MAX_NAME} are read")
    try:
        return unquote_plus(name, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("its name is not in UTF-8") from None


def parent_of(path: str) -> str:
    """The node that it stands below; `/` for the topmost ones."""
    return path.rpartition("/")[0] or "/"


def _server(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    host, port = parts.hostname, parts.port
    if not host or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{text!r} is not host:port")
    return host, DEFAULT_PORT if port is None else port
