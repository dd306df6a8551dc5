"""The registry service of stock Dubbo, in both of its packages: what its `dubbo://` registry client calls.

Source: apache/dubbo (2.6.x and 2.7.x): dubbo-registry/dubbo-registry-api/.../registry/RegistryService.java,
NotifyListener.java; dubbo-registry-default/.../registry/dubbo/DubboRegistryFactory.java. A URL travels as the fields of
the Java class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.contracts import I32, Withdrawn, service, struct

__all__ = [
    "AlibabaNotifyListener",
    "AlibabaRegistryService",
    "AlibabaUrl",
    "ApacheNotifyListener",
    "ApacheRegistryService",
    "ApacheUrl",
]


@struct(name="com.alibaba.dubbo.common.URL")
@dataclass(frozen=True)
class AlibabaUrl:
    """Of Dubbo 2.6."""

    protocol: str | None
    username: str | None
    password: str | None
    host: str | None
    port: I32
    path: str | None
    parameters: dict[str, str] | None


@struct(name="org.apache.dubbo.common.URL")
@dataclass(frozen=True)
class ApacheUrl:
    """Of Dubbo 2.7."""

    protocol: str | None
    username: str | None
    password: str | None
    host: str | None
    port: I32
    path: str | None
    parameters: dict[str, str] | None
    methodParameters: dict[str, dict[str, str]] | None = None  # noqa: N815 - the name of the Java field


@service("com.alibaba.dubbo.registry.NotifyListener")
class AlibabaNotifyListener(Protocol):
    """Of Dubbo 2.6."""

    async def notify(self, urls: list[AlibabaUrl]) -> None:
        """All URLs of a category."""
        ...


@service("org.apache.dubbo.registry.NotifyListener")
class ApacheNotifyListener(Protocol):
    """Of Dubbo 2.7."""

    async def notify(self, urls: list[ApacheUrl]) -> None:
        """All URLs of a category."""
        ...


@service("com.alibaba.dubbo.registry.RegistryService")
class AlibabaRegistryService(Protocol):
    """Of Dubbo 2.6."""

    async def register(self, url: AlibabaUrl) -> None:
        """Announces a provider or a consumer."""
        ...

    async def unregister(self, url: AlibabaUrl) -> None:
        """Takes it back."""
        ...

    async def subscribe(self, url: AlibabaUrl, listener: AlibabaNotifyListener) -> None:
        """Tells the listener of the categories in the URL, at once and whenever they change."""
        ...

    async def unsubscribe(self, url: AlibabaUrl, listener: Withdrawn[AlibabaNotifyListener]) -> None:
        """Tells it no more."""
        ...

    async def lookup(self, url: AlibabaUrl) -> list[AlibabaUrl]:
        """The providers of this moment."""
        ...


@service("org.apache.dubbo.registry.RegistryService")
class ApacheRegistryService(Protocol):
    """Of Dubbo 2.7."""

    async def register(self, url: ApacheUrl) -> None:
        """Announces a provider or a consumer."""
        ...

    async def unregister(self, url: ApacheUrl) -> None:
        """Takes it back."""
        ...

    async def subscribe(self, url: ApacheUrl, listener: ApacheNotifyListener) -> None:
        """Tells the listener of the categories in the URL, at once and whenever they change."""
        ...

    async def unsubscribe(self, url: ApacheUrl, listener: Withdrawn[ApacheNotifyListener]) -> None:
        """Tells it no more."""
        ...

    async def lookup(self, url: ApacheUrl) -> list[ApacheUrl]:
        """The providers of this moment."""
        ...
