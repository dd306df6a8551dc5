"""The registry `zookeeper`. Its client is imported when one is built, not before."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.errors import RegistryError
from gateway.spi.plugin import Option, OptionKind, RegistryPlugin
from gateway.spi.registry import Registry
from registry.zookeeper.layout import DEFAULT_ROOT, parse_ensemble, parse_root

__all__ = ["PLUGIN"]

_OPTIONS: Final = MappingProxyType(
    {
        "address": Option(
            OptionKind.TEXT,
            "The servers, `host:port[,host:port…][/chroot]`; has to be given",
            required=True,
            parse=parse_ensemble,
        ),
        "group": Option(
            OptionKind.TEXT, "The path below which Dubbo keeps everything", default=DEFAULT_ROOT, parse=parse_root
        ),
        "session": Option(
            OptionKind.DURATION,
            "How long the servers keep announcements of a process they cannot hear; they bound it themselves",
            default=30.0,
            minimum=1.0,
            maximum=600.0,
        ),
        "timeout": Option(
            OptionKind.DURATION, "For a connection, and for an answer", default=5.0, minimum=0.1, maximum=60.0
        ),
        "credential": Option(
            OptionKind.CREDENTIAL,
            "`user:password` of the scheme digest. Nodes made with it are for its holders alone, as those of Dubbo 3",
        ),
        "applications": Option(
            OptionKind.FLAG,
            "Whether providers that Dubbo 3 registers by application (register-mode=instance) are found as well",
            default=True,
        ),
    }
)


def _build(options: Mapping[str, Any]) -> Registry:
    if ":" not in (credential := options.get("credential", "user:")):
        raise RegistryError("the credential of the registry zookeeper is not user:password")
    try:
        from registry.zookeeper.registry import ZookeeperRegistry
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] != "kazoo":
            raise
        raise RegistryError(
            "the registry zookeeper needs the package kazoo: pip install 'polyport[zookeeper]'"
        ) from exc
    return ZookeeperRegistry(
        options["address"],
        group=options.get("group", DEFAULT_ROOT),
        session_s=options.get("session", _OPTIONS["session"].default),
        timeout_s=options.get("timeout", _OPTIONS["timeout"].default),
        credential=credential if "credential" in options else "",
        applications=options.get("applications", True),
    )


PLUGIN: Final = RegistryPlugin("zookeeper", _OPTIONS, _build, names="java")
