"""Instances and mappings that Dubbo 3 registers by application: what is read of them, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.instance import MAX_INSTANCE, MAX_MAPPING, is_name, read_instance, read_mapping
from tests.support.dubbo_instance import RECORDED, instance


def changed(**changes: Any) -> bytes:
    """An instance of the application shop with other values at the top."""
    return json.dumps({**json.loads(instance()), **changes}).encode()


def test_what_dubbo_writes_is_read() -> None:
    found = read_instance(RECORDED.encode(), "interop")

    assert (found.host, found.port) == ("2130706433", 23992)
    assert found.revision == "3b804922bc691c7b713a69f41e19effe"
    assert not found.is_remote
    assert found.ports == {"dubbo": 23992}
    assert found.metadata_service == ("dubbo", 20880, "1.0.0")
    assert found.parameters == {"timestamp": "1795945984458"}


@pytest.mark.parametrize(("storage", "is_remote"), [("remote", True), ("local", False), (None, False), ("moon", False)])
def test_metadata_is_in_the_registry_only_where_it_is_said(storage: str | None, is_remote: bool) -> None:
    assert read_instance(instance(storage=storage), "shop").is_remote is is_remote


@pytest.mark.parametrize("revision", ["0", "", None])
def test_an_instance_without_services_has_no_revision(revision: str | None) -> None:
    assert read_instance(instance(dubbo_metadata_revision=revision), "shop").revision == ""


def test_parameters_of_the_instance_are_kept_but_for_those_that_are_about_it() -> None:
    found = read_instance(instance(tag="grey", number=7), "shop")
    assert found.parameters == {"tag": "grey", "timestamp": "1795945984458"}


def test_an_address_may_be_one_of_ipv6() -> None:
    assert read_instance(changed(address="fe80::1"), "shop").host == "fe80::1"


@pytest.mark.parametrize(
    "params",
    [
        "{",
        "[]",
        "7",
        7,
        "{}",
        '{"port":"20880"}',
        '{"protocol":"dubbo","port":"-1"}',
        '{"protocol":"dubbo","port":"x"}',
        '{"protocol":"dubbo","port":"99999999999999999999"}',
        '{"protocol":["dubbo"],"port":"1"}',
        '{"dubbo":{"version":"1.0.0","port":"20881"}}',
        "[" * 50_000,
    ],
)
def test_where_it_cannot_be_asked_its_metadata_may_stand_elsewhere(params: object) -> None:
    # The last but one is of Dubbo 2.7, whose service knows nothing of revisions.
    found = read_instance(instance(dubbo_metadata_service_url_params=params), "shop")
    assert found.metadata_service is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b"{", "no JSON"),
        (b"[]", "no JSON object"),
        (b"null", "no JSON object"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"a":' * 10_000, "nested too deeply"),
        (b" " * (MAX_INSTANCE + 1), "65536 are read"),
        (b'{"x":' + b"9" * 10_000 + b"}", "no JSON"),
        (instance("other"), "belongs to 'other'"),
        (changed(payload=None), "none of Dubbo's"),
        (changed(payload={"metadata": []}), "none of Dubbo's"),
        # As Spring Cloud registers in the same place.
        (changed(payload={"@class": "org.springframework.cloud.zookeeper.discovery.ZookeeperInstance"}), "of Dubbo's"),
        (changed(port=-1), "no port"),
        (changed(port=0), "no port"),
        (changed(port=65_536), "no port"),
        (changed(port="20880"), "no port"),
        (changed(port=True), "no port"),
        (changed(port=None), "no port"),
        (changed(port=1e3), "no port"),
        (changed(address=None), "no host"),
        (changed(address=""), "not host:port"),
        (changed(address="10.0.0.1/x"), "not host:port"),
        (changed(address="me@10.0.0.1"), "not host:port"),
        (changed(address="10.0.0.1\n"), "no host"),
        (instance(dubbo_endpoints="{"), "no JSON"),
        (instance(dubbo_endpoints="{}"), "no list"),
        (instance(dubbo_endpoints=[]), None),
        (instance(dubbo_endpoints=[{"port": 1, "protocol": "dubbo"}]), "no text"),
        (instance(dubbo_endpoints='[{"port":-5,"protocol":"dubbo"}]'), "no port"),
        (instance(dubbo_endpoints='[{"port":5}]'), "no protocol"),
        (instance(dubbo_endpoints="[7]"), "no protocol"),
        (instance(dubbo_endpoints=json.dumps([{"port": 5, "protocol": str(n)} for n in range(100)])), "at most 64"),
        (instance(revision="../../secret"), "no name"),
        (instance(dubbo_metadata_revision=7), "no name"),
        (instance(revision="\ud800"), "no name"),
        (instance(revision="x" * 1_000), "no name"),
    ],
)
def test_what_is_no_instance_is_refused_with_the_reason(data: bytes, reason: str | None) -> None:
    if reason is None:
        assert read_instance(data, "shop").ports == {}
        return
    with pytest.raises(ValueError, match=reason) as refused:
        read_instance(data, "shop")
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"interop", ["interop"]),
        (b"shop,stock", ["shop", "stock"]),
        (b" shop , stock,,shop", ["shop", "stock"]),
        (b"", []),
        ("lager-größe".encode(), ["lager-größe"]),
    ],
)
def test_a_mapping_names_applications(data: bytes, names: list[str]) -> None:
    assert read_mapping(data) == names


@pytest.mark.parametrize(
    "data",
    [b"..", b"shop,../zookeeper", b"a/b", b"a\x00b", b"\xff", b"x" * 300, b"x" * (MAX_MAPPING + 1), b"a\nb"],
)
def test_a_mapping_that_names_what_cannot_be_a_node_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"is no name|are read|decode"):
        read_mapping(data)


def test_a_mapping_of_too_many_applications_is_refused() -> None:
    with pytest.raises(ValueError, match="256 are read"):
        read_mapping(",".join(map(str, range(257))).encode())


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a\tb", "\ud800", 7, None])
def test_not_everything_is_the_name_of_a_node(text: object) -> None:
    assert not is_name(text)
