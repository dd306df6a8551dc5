"""What a process of Dubbo 3 is asked for the metadata of its application, as an ordinary contract.

Source: apache/dubbo: dubbo-metadata/dubbo-metadata-api/.../metadata/{MetadataService,MetadataInfo}.java. Its second
version, `MetadataServiceV2`, is answered over triple alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.contracts import I32, method, service, struct

__all__ = ["MetadataInfo", "MetadataService", "ServiceInfo"]


@struct(names={"java": "org.apache.dubbo.metadata.MetadataInfo$ServiceInfo"})
@dataclass(frozen=True)
class ServiceInfo:
    """One service over one protocol."""

    name: str | None
    group: str | None
    version: str | None
    protocol: str | None
    path: str | None
    params: dict[str, str | None] | None
    port: I32 = -1


@struct(name="org.apache.dubbo.metadata.MetadataInfo")
@dataclass(frozen=True)
class MetadataInfo:
    """All services of a revision."""

    app: str | None
    revision: str | None
    services: dict[str, ServiceInfo | None] | None


@service("org.apache.dubbo.metadata.MetadataService")
class MetadataService(Protocol):
    """Answered by every process of Dubbo 3 whose metadata is "local", in a group called like its application."""

    @method(idempotent=True)
    async def getMetadataInfo(self, revision: str) -> MetadataInfo | None:  # noqa: N802 - the name of the Java method
        """None where it does not know this revision, or not any more."""
        ...
