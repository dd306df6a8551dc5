"""What must hold for anything that stands where Dubbo 3 registers by application."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gateway.model.endpoint import Endpoint
from registry.instance import Instance, is_name, read_instance, read_mapping
from registry.metadata import offered_by, read_metadata
from tests.support.dubbo_instance import METADATA, RECORDED, instance, metadata

__all__ = ["check_instance", "check_mapping", "check_metadata", "instance_seeds", "mapping_seeds", "metadata_seeds"]

_HERE = read_instance(RECORDED.encode(), "interop")
_OFFER = read_metadata(METADATA.encode()).offers["demo.Catalog"][0]


def instance_seeds() -> Iterator[bytes]:
    """As Dubbo writes it, and some more."""
    yield RECORDED.encode()
    yield instance("interop", asked_at=20880, tag="grey")
    yield instance("interop", tag="\ud83d\ude00", region="\ud800")


def check_instance(data: bytes) -> None:
    """An instance that names one address, or a ValueError."""
    try:
        found = read_instance(data, "interop")
    except ValueError as exc:
        _check_message(str(exc))
        return
    assert found.revision == "" or is_name(found.revision)
    _check_provider(found, *offered_by(found, _OFFER))


def metadata_seeds() -> Iterator[bytes]:
    """As Dubbo writes it, and some more."""
    yield METADATA.encode()
    yield metadata(("demo.Catalog", "g", "1.0"), ("demo.Types", "", ""), weight="5")
    yield metadata(("demo.Catalog", "\ud83d\ude00", "1.0"), ("demo.Types", "\ud800", ""), tag="\udfff")


def check_metadata(data: bytes) -> None:
    """Offers that are providers of what they say or none, or a ValueError."""
    try:
        found = read_metadata(data)
    except ValueError as exc:
        _check_message(str(exc))
        return
    for interface, offers in found.offers.items():
        for offer in offers:
            endpoint, skipped = offered_by(_HERE, offer)
            _check_provider(_HERE, endpoint, skipped)
            if endpoint is not None:
                assert (endpoint.service.interface, endpoint.protocol) == (interface, offer.protocol)


def mapping_seeds() -> Iterator[bytes]:
    """Names."""
    yield b"interop"
    yield b"shop, stock,lager"


def check_mapping(data: bytes) -> None:
    """Names of nodes, each once, or a ValueError."""
    try:
        names = read_mapping(data)
    except ValueError:
        return
    assert len(set(names)) == len(names)
    assert all(map(is_name, names))


def _check_message(text: str) -> None:
    assert len(text) < 1_000, "a message repeats the data"


def _check_provider(instance: Instance, endpoint: Endpoint | None, skipped: object) -> None:
    if endpoint is not None:
        assert not skipped
        assert endpoint.host == instance.host.lower()
        assert 0 < endpoint.port < 65_536
        json.dumps(endpoint.url).encode()
