"""What Dubbo 3 writes into registries by application: which applications provide an interface, and their instances.

    {"name": "shop", "address": "10.0.0.7", "port": 20880, "payload": {"metadata": {
        "dubbo.endpoints": "[{\\"port\\":20880,\\"protocol\\":\\"dubbo\\"}]",
        "dubbo.metadata.revision": "77292d…", "dubbo.metadata.storage-type": "local",
        "dubbo.metadata-service.url-params":
            "{\\"protocol\\":\\"dubbo\\",\\"port\\":\\"20880\\",\\"version\\":\\"1.0.0\\"}"}}}

As in `registry.entries`, whoever may write there chooses what is read: text of bounded length that becomes an
`Instance` or a reason. What an instance provides stands in its metadata (`registry.metadata`). Source: apache/dubbo:
dubbo-registry/dubbo-registry-api/.../registry/client/metadata/ServiceInstanceMetadataUtils.java,
dubbo-registry-zookeeper/.../util/CuratorFrameworkUtils.java; confirmed with what Dubbo 3.3.6 writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.model.endpoint import format_address, parse_address

__all__ = ["MAX_INSTANCE", "MAX_MAPPING", "Instance", "is_name", "read_instance", "read_mapping", "read_object"]

MAX_INSTANCE: Final = 65_536
"""Bytes. Dubbo 3.3 writes some 700; applications may add parameters of their own."""
MAX_MAPPING: Final = 65_536
_MAX_APPLICATIONS: Final = 256
"""Of one interface: each is a folder that is watched."""
_MAX_NAME: Final = 256
_MAX_PORTS: Final = 64
_NO_REVISION: Final = frozenset({"", "0"})
"""What an instance says that provides nothing (yet)."""
_REMOTE: Final = "remote"


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One process of an application.

    `revision`: names its metadata; empty when it provides nothing. `is_remote`: its metadata stands in the registry;
    otherwise it is asked for it. `ports`: by protocol, where they are not `port`. `metadata_service`: protocol, port
    and version of the service that answers for its metadata. `parameters`: what it says for all of its services.
    """

    application: str
    host: str
    port: int
    revision: str
    is_remote: bool
    ports: Mapping[str, int]
    metadata_service: tuple[str, int, str] | None
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.application} at {format_address(self.host, self.port)}"


def is_name(text: object) -> bool:
    """Whether it can be the name of one node: of an application, an interface or a revision."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= _MAX_NAME
        and text.isprintable()
        and "/" not in text
        and text not in {".", ".."}
    )


def read_object(data: bytes | str, most: int) -> dict[str, Any]:
    """A JSON object. Raises ValueError with the reason; `most`: bytes or characters that are read."""
    found = _read_json(data, most)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def read_mapping(data: bytes) -> list[str]:
    """The names of the applications that provide an interface, as `shop,stock`. Raises ValueError with the reason."""
    if len(data) > MAX_MAPPING:
        raise ValueError(f"it has {len(data)} bytes; {MAX_MAPPING} are read")
    names = {each.strip(): None for each in data.decode("utf-8").split(",")}
    names.pop("", None)
    if len(names) > _MAX_APPLICATIONS:
        raise ValueError(f"it names {len(names)} applications; {_MAX_APPLICATIONS} are read")
    for each in names:
        if not is_name(each):
            raise ValueError(f"{each!r} is no name of an application")
    return list(names)


def read_instance(data: bytes, application: str) -> Instance:
    """An instance of this application, from what its node holds. Raises ValueError with the reason."""
    found = read_object(data, MAX_INSTANCE)
    name = found.get("name")
    if name != application:
        raise ValueError(f"it says that it belongs to {name!r:.80}")
    payload = found.get("payload")
    metadata = payload.get("metadata") if isinstance(payload, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError("it has no metadata, so it is none of Dubbo's")
    host, port = _address(found.get("address"), found.get("port"))
    revision = metadata.get("dubbo.metadata.revision") or ""
    if revision and not is_name(revision):
        raise ValueError("its revision is no name")
    return Instance(
        application,
        host,
        port,
        "" if revision in _NO_REVISION else revision,
        # Dubbo takes everything else for "local"; it writes null where it has no place for metadata.
        metadata.get("dubbo.metadata.storage-type") == _REMOTE,
        _ports(metadata.get("dubbo.endpoints")),
        _metadata_service(metadata.get("dubbo.metadata-service.url-params")),
        {
            key: value
            for key, value in metadata.items()
            if isinstance(value, str) and not key.startswith("dubbo.") and key != "meta-v"
        },
    )


def _read_json(data: bytes | str, most: int) -> Any:
    if len(data) > most:
        raise ValueError(f"it has {len(data)} bytes; {most} are read")
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as exc:
        raise ValueError(f"it is no JSON: {exc}") from None


def _address(host: object, port: object) -> tuple[str, int]:
    if not isinstance(host, str) or not host.isprintable():
        raise ValueError("its address is no host")
    return parse_address(format_address(host, _port(port)))


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65_536:
        raise ValueError(f"{value!r:.40} is no port")
    return value


def _ports(text: object) -> dict[str, int]:
    if not text:
        return {}
    if not isinstance(text, str):
        raise ValueError("its endpoints are no text")
    found = _read_json(text, MAX_INSTANCE)
    if not isinstance(found, list) or len(found) > _MAX_PORTS:
        raise ValueError(f"its endpoints are no list of at most {_MAX_PORTS}")
    ports: dict[str, int] = {}
    for each in found:
        if not isinstance(each, dict) or not isinstance(each.get("protocol"), str):
            raise ValueError("one of its endpoints has no protocol")
        ports[each["protocol"]] = _port(each.get("port"))
    return ports


def _metadata_service(text: object) -> tuple[str, int, str] | None:
    """None where it is not said, or not so that it can be read: the metadata may be found elsewhere."""
    if not isinstance(text, str):
        return None
    try:
        found = read_object(text, MAX_INSTANCE)
        port = found.get("port", "")
        # Java writes it as text.
        number = _port(int(port) if isinstance(port, str) and port.isascii() and port.isdecimal() else port)
    except ValueError:
        return None
    protocol, version = found.get("protocol"), found.get("version", "")
    if not isinstance(protocol, str) or not isinstance(version, str):
        return None
    return protocol, number, version
