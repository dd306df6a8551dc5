"""Where things stand in ZooKeeper, and how they are called there. Pure.

    /<root>/<interface>/{providers,consumers,routers,configurators}/<URL>

Interface and URL are encoded as `java.net.URLEncoder` does; what a node holds does not matter, its name says all.
Source: apache/dubbo: dubbo-registry/dubbo-registry-zookeeper/.../ZookeeperRegistry.java (toUrlPath, toCategoriesPath).

Dubbo 3 registers by application as well, in nodes that hold what they say, under names as they are:

    /<root>/mapping/<interface>                 which applications provide it
    /services/<application>/<host:port>         an instance; /<root>/<application>/… where a root was chosen
    /<root>/metadata/<application>/<revision>   what instances provide, where they do not tell themselves

Source: apache/dubbo: dubbo-registry/dubbo-registry-zookeeper/.../util/CuratorFrameworkUtils.java (getRootPath),
dubbo-metadata/dubbo-metadata-report-zookeeper/.../ZookeeperMetadataReport.java; confirmed with Dubbo 3.3.6.
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
    "ApplicationPaths",
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
_SERVICES: Final = "/services"
_MAX_NAME: Final = 3 * MAX_ENTRY
"""An entry may be all reserved characters, which take three each."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The servers, and the path below which everything stands (`""` for all of it, else `/a/b`)."""

    servers: tuple[tuple[str, int], ...]
    chroot: str = ""

    def __str__(self) -> str:
        return ",".join(format_address(*each) for each in self.servers) + self.chroot


@dataclass(frozen=True, slots=True)
class ApplicationPaths:
    """Where Dubbo 3 registers by application. `root`: of the registry. `folders`: below which applications stand."""

    root: str
    folders: tuple[str, ...]

    @staticmethod
    def below(chroot: str, group: str) -> ApplicationPaths:
        """Those of a registry whose root is `group`, with a slash before it."""
        root = chroot + group
        # Whether the default was chosen or left is not to be seen in the root, but Dubbo makes a difference.
        return ApplicationPaths(root, (chroot + _SERVICES, root) if group == f"/{DEFAULT_ROOT}" else (root,))

    @property
    def has_own_folder(self) -> bool:
        """Whether nothing but applications is in the first of the folders."""
        return self.folders[0] != self.root

    def mapping(self, interface: str) -> str:
        """Of an interface."""
        return f"{self.mappings}/{interface}"

    @property
    def mappings(self) -> str:
        """Where all of them are."""
        return f"{self.root}/mapping"

    def instances(self, application: str) -> tuple[str, ...]:
        """Where the instances of an application may be."""
        return tuple(f"{each}/{application}" for each in self.folders)

    def metadata(self, application: str, revision: str) -> str:
        """Of a revision."""
        return f"{self.root}/metadata/{application}/{revision}"


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
