"""The metadata of Dubbo 3 applications, and the providers that follow from it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.model.endpoint import ServiceKey
from registry.entries import MAX_ENTRY
from registry.instance import Instance, read_instance
from registry.metadata import MAX_METADATA, offered_by, read_metadata, read_metadata_info
from registry.metadata_service import MetadataInfo, MetadataService, ServiceInfo
from tests.support.dubbo_instance import METADATA, RECORDED, instance, metadata


def service(**changes: Any) -> bytes:
    """Metadata with one service, changed."""
    found = json.loads(metadata(("demo.Catalog", "", "")))
    for each in found["services"].values():
        each.update(changes)
    return json.dumps(found).encode()


def here(**changes: Any) -> Instance:
    return read_instance(instance(**changes), "shop")


def test_what_dubbo_writes_becomes_the_provider_it_would_register_by_interface() -> None:
    found = read_metadata(METADATA.encode())
    assert found.skipped == []
    (offer,) = found.offers["demo.Catalog"]
    endpoint, skipped = offered_by(read_instance(RECORDED.encode(), "interop"), offer)
    assert skipped == []
    assert endpoint is not None
    # A revision says the port where all of its instances have the same.
    assert endpoint.identity == ("dubbo", "2130706433", 23014, ServiceKey("demo.Catalog", "g1", "2.0.0"))
    assert endpoint.weight == 200
    assert endpoint.parameters["token"] == "tt"
    assert endpoint.parameters["application"] == "interop"
    # For warming up.
    assert endpoint.parameters["timestamp"] == "1795945984458"
    assert endpoint.parameters["methods"] == "count,find,priceHistory,put,remove,reserve,search,slow,touch"


def test_a_process_says_the_same_as_a_node() -> None:
    listed = json.loads(METADATA)
    info = MetadataInfo(
        listed["app"], listed["revision"], {key: ServiceInfo(**each) for key, each in listed["services"].items()}
    )
    there = here()
    (asked,), (read,) = (
        each.offers["demo.Catalog"] for each in (read_metadata_info(info), read_metadata(METADATA.encode()))
    )
    assert offered_by(there, asked) == offered_by(there, read)


def test_the_service_that_is_asked_has_the_names_of_java() -> None:
    described = contract_of(MetadataService)
    assert described.name == "org.apache.dubbo.metadata.MetadataService"
    (asked,) = described.methods
    assert asked.name == "getMetadataInfo"


@pytest.mark.parametrize(
    ("port", "ports", "expected"),
    [(23014, '[{"port":2,"protocol":"dubbo"}]', 23014), (-1, '[{"port":2,"protocol":"dubbo"}]', 2), (None, None, 1)],
)
def test_the_port_is_that_of_the_revision_or_of_the_protocol_or_of_the_instance(
    port: int | None, ports: str | None, expected: int
) -> None:
    (offer,) = read_metadata(service(port=port)).offers["demo.Catalog"]
    endpoint, _ = offered_by(here(port=1, dubbo_endpoints=ports), offer)
    assert endpoint is not None
    assert endpoint.port == expected


def test_services_say_more_than_their_instance_and_neither_says_what_they_are() -> None:
    (offer,) = read_metadata(metadata(("demo.Catalog", "g", "1.0"), tag="service")).offers["demo.Catalog"]
    endpoint, _ = offered_by(here(tag="instance", region="x", group="other", version="9", interface="evil.I"), offer)
    assert endpoint is not None
    assert endpoint.service == ServiceKey("demo.Catalog", "g", "1.0")
    assert (endpoint.parameters["tag"], endpoint.parameters["region"]) == ("service", "x")


def test_one_that_is_disabled_is_no_provider_and_no_mistake() -> None:
    (offer,) = read_metadata(metadata(("demo.Catalog", "", ""), disabled="true")).offers["demo.Catalog"]
    assert offered_by(here(), offer) == (None, [])


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"weight": "much"}, "weight"),
        ({"category": "routers"}, "category"),
        ({"methods": "x" * MAX_ENTRY}, "are read"),
    ],
)
def test_the_rules_of_entries_hold(params: dict[str, str], reason: str) -> None:
    (offer,) = read_metadata(metadata(("demo.Catalog", "", ""), **params)).offers["demo.Catalog"]
    endpoint, (skipped,) = offered_by(here(), offer)
    assert endpoint is None
    assert reason in skipped.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None},
        {"name": 7},
        {"protocol": None},
        {"protocol": "dubbo://evil:1/x?y="},
        {"protocol": "a b"},
        {"port": "20880"},
        {"port": 65_536},
        {"port": True},
        {"params": ["a"]},
        {"params": {"a": 1}},
        {"params": {"a": {"b": "c"}}},
        {"group": ["g"]},
        {"path": 7},
    ],
)
def test_one_service_that_cannot_be_read_leaves_the_others(changes: dict[str, Any]) -> None:
    found = json.loads(metadata(("demo.Catalog", "", ""), ("demo.Types", "", "")))
    found["services"]["/demo.Catalog::dubbo"].update(changes)
    read = read_metadata(json.dumps(found).encode())
    assert set(read.offers) == {"demo.Types"}
    assert [each.entry for each in read.skipped] == ["/demo.Catalog::dubbo"]


@pytest.mark.parametrize("changes", [{"group": "\ud800"}, {"version": "\ud800"}, {"path": "a\udfff"}])
def test_half_a_character_makes_no_provider(changes: dict[str, Any]) -> None:
    (offer,) = read_metadata(service(**changes)).offers["demo.Catalog"]
    endpoint, (skipped,) = offered_by(here(), offer)
    assert endpoint is None
    assert "surrogates" in skipped.reason
    (skipped.entry + skipped.reason).encode()


def test_half_a_character_in_parameters_makes_no_provider() -> None:
    (offer,) = read_metadata(metadata(("demo.Catalog", "", ""), tag="\ud800")).offers["demo.Catalog"]
    assert offered_by(here(), offer)[0] is None
    (offer,) = read_metadata(metadata(("demo.Catalog", "", ""))).offers["demo.Catalog"]
    assert offered_by(here(tag="\ud800"), offer)[0] is None
    assert offered_by(here(**{"\udfff": "x"}), offer)[0] is None


def test_an_interface_has_no_more_offers_than_are_read_for_every_instance() -> None:
    services = [("demo.Catalog", "", str(n)) for n in range(1, 1_001)]
    read = read_metadata(metadata(*services, ("demo.Types", "", "")))
    assert len(read.offers["demo.Catalog"]) == 256
    assert len(read.offers["demo.Types"]) == 1
    assert {each.reason for each in read.skipped} == {"256 services of its interface are read"}


@pytest.mark.parametrize(
    "data",
    [
        metadata(("demo.Catalog", "", ""), **{f"{n:x}": "" for n in range(70_000)}),
        metadata(("demo.Catalog", "", ""), x="\u00e9" * 170_000),
        service(path="\u00e9" * 170_000),
    ],
    ids=["many", "long", "path"],
)
def test_what_is_too_long_is_not_written_for_every_instance(data: bytes) -> None:
    assert 0.7 * MAX_METADATA < len(data) <= MAX_METADATA
    there = here()
    offers = read_metadata(data).offers.get("demo.Catalog", ())
    started = time.thread_time()
    for _ in range(100):
        for offer in offers:
            assert offered_by(there, offer)[0] is None
    assert time.thread_time() - started < 0.1


@pytest.mark.parametrize("each", [None, 7, "text", [], [[]]])
def test_what_is_no_description_of_a_service_is_skipped(each: object) -> None:
    read = read_metadata(json.dumps({"services": {"key": each}}).encode())
    assert read.offers == {}
    assert len(read.skipped) == 1


@pytest.mark.parametrize("data", [b"{}", b'{"services":null}', b'{"services":{}}'])
def test_metadata_without_services_is_that(data: bytes) -> None:
    assert read_metadata(data).offers == {}


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b'{"services":[]}', b'{"services":7}', b"{" * 100, b"\x80", b" " * (MAX_METADATA + 1)]
)
def test_what_is_no_metadata_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no JSON|no object|are read"):
        read_metadata(data)


def test_more_services_than_anybody_has_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 10000"):
        read_metadata(json.dumps({"services": {str(n): {} for n in range(10_001)}}).encode())


def test_a_path_with_reserved_characters_stays_a_path() -> None:
    (offer,) = read_metadata(service(path="a/b?c=d#e&f", group="a&weight=9")).offers["demo.Catalog"]
    endpoint, _ = offered_by(here(), offer)
    assert endpoint is not None
    assert (endpoint.service, endpoint.weight) == (ServiceKey("demo.Catalog", "a&weight=9"), 100)


def test_the_longest_metadata_does_not_take_long() -> None:
    services = [("demo.Service" + "x" * 60 + str(n), "", "") for n in range(2_100)]
    data = metadata(*services)
    assert 0.8 * MAX_METADATA < len(data) <= MAX_METADATA
    best = 1.0
    for _ in range(5):
        started = time.thread_time()
        read_metadata(data)
        best = min(best, time.thread_time() - started)
    # In one go: nothing else runs meanwhile.
    assert best < 0.05
