"""Where a service lives: service keys and endpoints with their URL text form.

The URL form is Dubbo's (`apache/dubbo: dubbo-common/.../common/URL.java`):
`protocol://host:port/path?interface=..&group=..&version=..&weight=..`. It is parsed once, at the border;
inside the gateway nobody reads string maps.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode, urlsplit

__all__ = [
    "DEFAULT_WEIGHT",
    "MAX_WEIGHT",
    "Endpoint",
    "Identity",
    "ServiceKey",
    "format_address",
    "format_query",
    "masked",
    "parse_address",
]

DEFAULT_WEIGHT: Final = 100
_MAX_WEIGHT_DIGITS: Final = 9
MAX_WEIGHT: Final = 1_000_000
"""What a service may ask for."""
_EMPTY_VERSIONS: Final = frozenset({"", "0.0.0", "*"})
_TOKEN: Final = re.compile(r"((?:^|[?&])token=)[^&#\s]+", re.IGNORECASE)
_OWN_KEYS: Final = frozenset({"interface", "group", "version", "weight"})
_AS_IT_STANDS: Final = "*,/:@"


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """Names one service: interface, group and version. Empty group or version means none.

    The versions `0.0.0` and `*` mean none as well (that is how Dubbo writes "no version").
    Text form, as Dubbo's service key: `[group/]interface[:version]`.
    """

    interface: str
    group: str = ""
    version: str = ""
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.version in _EMPTY_VERSIONS and self.version:
            object.__setattr__(self, "version", "")
        object.__setattr__(self, "_hash", hash((self.interface, self.group, self.version)))

    def __hash__(self) -> int:
        # Looked up several times per call, always the same few keys.
        return self._hash

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that are meant, where a reference means several: `("*",)` for any, else those written with commas
        in between, as in Dubbo; empty where `group` is the one it is."""
        if self.group == "*":
            return ("*",)
        return tuple(each.strip() for each in self.group.split(",")) if "," in self.group else ()

    def covers(self, other: ServiceKey) -> bool:
        """Whether a reference to this service may call providers of `other`: they are equal, but for a group that
        stands for several."""
        if self == other:
            return True
        groups = self.groups
        if not groups or (self.interface, self.version) != (other.interface, other.version):
            return False
        return groups == ("*",) or other.group in groups

    def __str__(self) -> str:
        group = f"{self.group}/" if self.group else ""
        version = f":{self.version}" if self.version else ""
        return f"{group}{self.interface}{version}"

    @staticmethod
    def parse(text: str) -> ServiceKey:
        """Reads the text form. Raises ValueError when the interface is empty."""
        group, slash, rest = text.rpartition("/")
        interface, _, version = rest.partition(":")
        if not interface or (slash and not group):
            raise ValueError(f"not a service key: {text!r}")
        return ServiceKey(interface, group, version)


def parse_address(text: str) -> tuple[str, int]:
    """Splits `host:port` (`[::1]:20880` for IPv6). Raises ValueError with the reason."""
    parts = urlsplit(f"//{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise ValueError(f"{text!r}: {exc}") from None
    if not host or port is None or parts.path or parts.query or parts.username:
        raise ValueError(f"{text!r} is not host:port")
    return host, port


def format_address(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 host."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def masked(url: str) -> str:
    """A provider's URL as it may be shown: with stars for its token."""
    return _TOKEN.sub(r"\1***", url)


Identity = tuple[str, str, int, ServiceKey]
"""Protocol, host, port and service of a provider."""


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """One provider of one service over one protocol.

    `service`: what it provides. `weight`: 0 or more, 0 means "draining: choose it only if all others are 0".
    `parameters`: what the URL carries beyond that (token, timestamp, application …), values as text. `path`: that of
    the URL, as it stands there without its first slash, where it is not the interface alone: Dubbo puts a provider's
    context path in front of it, or another path in its place (`shop/demo.Catalog`). Not checked.
    """

    protocol: str
    host: str
    port: int
    service: ServiceKey
    weight: int = DEFAULT_WEIGHT
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    path: str = ""

    @property
    def address(self) -> str:
        """`host:port`."""
        return format_address(self.host, self.port)

    @property
    def identity(self) -> Identity:
        """Which provider it is: of several groups at one address, each is one. What else is said of it may change."""
        return self.protocol, self.host, self.port, self.service

    def __hash__(self) -> int:
        return hash(self.identity)

    def __str__(self) -> str:
        """The URL as it may be shown: without the token."""
        return masked(self.url)

    def __repr__(self) -> str:
        return f"<Endpoint {self}>"

    @property
    def url(self) -> str:
        """The URL as a registry gets it, with the token. Never for a log or an error."""
        query = dict(self.parameters)
        query["interface"] = self.service.interface
        if self.service.group:
            query["group"] = self.service.group
        if self.service.version:
            query["version"] = self.service.version
        if self.weight != DEFAULT_WEIGHT:
            query["weight"] = str(self.weight)
        path = self.path or quote(self.service.interface)
        return f"{self.protocol}://{self.address}/{path}?{format_query(query)}"

    @staticmethod
    def parse(url: str) -> Endpoint:
        """Reads a provider URL.

        Raises:
            ValueError: no protocol, host, port or interface, or a weight that is no number; the text says which.
        """
        parts = urlsplit(url)
        if not parts.scheme or not parts.netloc:
            raise ValueError(f"{masked(url)!r} is not protocol://host:port/interface")
        host, port = parse_address(parts.netloc.rpartition("@")[2])
        own = _own_parameters(parts.query)
        path = parts.path.lstrip("/")
        interface = own.get("interface") or path
        if not interface:
            raise ValueError(f"{masked(url)!r} names no interface after the address")
        weight = own.get("weight", str(DEFAULT_WEIGHT))
        if not (weight.isascii() and weight.isdecimal() and len(weight) <= _MAX_WEIGHT_DIGITS):
            # One entry of a registry must not overflow what is multiplied with weights.
            raise ValueError(
                f"{masked(url)!r}: the weight is not a whole number of at most {_MAX_WEIGHT_DIGITS} digits"
            )
        service = _service_key(interface, own.get("group", ""), own.get("version", ""))
        if path == interface or unquote(path) == interface:
            path = ""
        return Endpoint(intern(parts.scheme), host, port, service, int(weight), _QueryParameters(parts.query), path)


def format_query(parameters: Mapping[str, str]) -> str:
    """Parameters as they stand in a URL of a registry, in the order of their names.

    What need not be encoded is not: Java writes values as they are, and Dubbo 2.6 and 2.7 read them so, lists for one.
    """
    return urlencode(sorted(parameters.items()), safe=_AS_IT_STANDS)


class _QueryParameters(Mapping[str, str]):
    """What a URL carries beside its own keys, read when somebody asks.

    Registries name providers by the ten thousand; as a dict each would take four times the memory.
    """

    __slots__ = ("_query",)

    def __init__(self, query: str) -> None:
        self._query = query

    def _read(self) -> dict[str, str]:
        pairs = parse_qsl(self._query, keep_blank_values=True)
        return {key: value for key, value in pairs if key not in _OWN_KEYS}

    def __getitem__(self, key: str) -> str:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def items(self) -> ItemsView[str, str]:
        """Reads once, other than `dict(…)` of this, which reads for each key."""
        return self._read().items()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _QueryParameters) and self._query == other._query:
            return True
        return self._read() == dict(other.items()) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{masked(self._query)}>"


def _own_parameters(query: str) -> dict[str, str]:
    """The values of the keys that are not left to `parameters`."""
    found = {}
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if "%" in key or "+" in key:
            key = unquote_plus(key)
        if key in _OWN_KEYS:
            found[key] = unquote_plus(value)
    return found


@lru_cache(maxsize=4_096)
def _service_key(interface: str, group: str, version: str) -> ServiceKey:
    """One object for all providers of a service."""
    return ServiceKey(interface, group, version)
