"""The plug-in `redis`: its options, without the client library, which is needed when it is built only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.errors import RegistryError
from gateway.spi.plugin import Option, OptionKind, RegistryPlugin
from gateway.spi.registry import Registry
from registry.redis.address import parse_peers
from registry.redis.layout import DEFAULT_GROUP, parse_group

__all__ = ["PLUGIN"]

_DEFAULT_ADDRESS: Final = "redis://127.0.0.1:6379"
_OPTIONS: Final = MappingProxyType(
    {
        "address": Option(
            OptionKind.TEXT,
            "Where it is: `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS, "
            "`redis+sentinel://host,host/service`, `redis+cluster://host,host`; of several, with commas in between, "
            "the first that answers",
            default=_DEFAULT_ADDRESS,
            parse=parse_peers,
        ),
        "credential": Option(OptionKind.CREDENTIAL, "The password, instead of one in `address`"),
        "group": Option(OptionKind.TEXT, "The first part of all keys", default=DEFAULT_GROUP, parse=parse_group),
        "session": Option(
            OptionKind.DURATION,
            "How long a lease is; it is renewed after half of it",
            default=60.0,
            minimum=1.0,
            maximum=3600.0,
        ),
        "timeout": Option(
            OptionKind.DURATION, "For connecting, and for each answer", default=3.0, minimum=0.1, maximum=60.0
        ),
    }
)


def _build(options: Mapping[str, Any]) -> Registry:
    try:
        from registry.redis.registry import RedisRegistry
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] != "redis":
            raise
        raise RegistryError("the registry redis needs the package redis: pip install 'polyport[redis]'") from exc
    named = {"credential": "password", "session": "session_s", "timeout": "timeout_s", "group": "group"}
    return RedisRegistry(
        options.get("address") or parse_peers(_DEFAULT_ADDRESS),
        **{named[name]: value for name, value in options.items() if name in named},
    )


PLUGIN: Final = RegistryPlugin("redis", _OPTIONS, _build, names="java")
