"""Entries in the form that Java writes, and as nobody should."""

from __future__ import annotations

import pytest

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from registry.entries import MAX_ENTRY, provider_url, read_consumers, read_providers, read_rules

SERVICE = ServiceKey("demo.Catalog")
JAVA_27 = (
    "dubbo://10.0.0.1:20880/demo.Catalog?anyhost=true&application=shop&bind.ip=10.0.0.1&bind.port=20880"
    "&deprecated=false&dubbo=2.0.2&dynamic=true&generic=false&interface=demo.Catalog&methods=find,put&pid=77"
    "&release=2.7.23&side=provider&timestamp=1700000000000"
)
JAVA_33 = (
    "dubbo://10.0.0.2:20880/demo.Catalog?application=shop&background=false&deprecated=false&dubbo=2.0.2&dynamic=true"
    "&executor-management-mode=isolation&file-cache=true&generic=false&interface=demo.Catalog&methods=find,put&pid=78"
    "&prefer.serialization=hessian2,fastjson2&release=3.3.6&service-name-mapping=true&side=provider"
    "&timestamp=1700000000001"
)


def test_entries_of_java_providers_are_read() -> None:
    found, skipped = read_providers([JAVA_27, JAVA_33], SERVICE)
    assert [(each.address, each.service, each.parameters["release"]) for each in found] == [
        ("10.0.0.1:20880", SERVICE, "2.7.23"),
        ("10.0.0.2:20880", SERVICE, "3.3.6"),
    ]
    assert skipped == []


def test_what_we_write_is_read_again_and_says_what_java_looks_for() -> None:
    endpoint = Endpoint(
        "dubbo", "::1", 20880, ServiceKey("demo.Catalog", "blue", "1.0"), 50, {"token": "s", "x": "a b&c"}
    )
    text = provider_url(endpoint)
    (found,), skipped = read_providers([text], endpoint.service)
    assert (found.identity, found.weight, found.parameters["x"]) == (endpoint.identity, 50, "a b&c")
    assert {"category=providers", "side=provider", "dynamic=true", "dubbo=2.0.2"} <= set(
        text.partition("?")[2].split("&")
    )
    assert skipped == []


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("", "no URL"),
        ("not a url", "no URL"),
        ("DUBBO://10.0.0.1:1/demo.Catalog", "no URL"),
        ("dubbo://10.0.0.1/demo.Catalog", "not host:port"),
        ("dubbo://10.0.0.1:0/demo.Catalog", "no port"),
        ("dubbo://10.0.0.1:99999/demo.Catalog", "out of range|99999"),
        ("dubbo://10.0.0.1:1/", "no interface"),
        ("dubbo://10.0.0.1:1/demo.Catalog?weight=1e9", "weight"),
        ("empty://0.0.0.0/demo.Catalog?category=providers", "names no provider"),
        ("override://0.0.0.0/demo.Catalog?category=configurators&weight=0", "names no provider"),
        ("script://0.0.0.0/demo.Catalog?rule=System.exit(0)", "names no provider"),
        ("dubbo://10.0.0.1:1/demo.Catalog?category=routers", "category"),
        ("dubbo://10.0.0.1:1/demo.Catalog?x=" + "y" * MAX_ENTRY, "characters"),
        ("dubbo://10.0.0.1:1/demo.Catalog?x=\x00", "cannot be printed"),
        ("dubbo://[::1/demo.Catalog", "."),
    ],
)
def test_what_is_no_provider_is_skipped_with_a_reason(entry: str, reason: str) -> None:
    found, (skipped,) = read_providers([JAVA_27, entry], SERVICE)
    assert len(found) == 1
    assert len(skipped.entry) < 400
    with pytest.raises(ValueError, match=reason):
        raise ValueError(skipped.reason)


def test_secrets_of_skipped_entries_are_not_shown() -> None:
    _, (skipped,) = read_providers(["dubbo://10.0.0.1:1/?token=hunter2"], None)
    assert "hunter2" not in skipped.entry + skipped.reason


def test_others_and_the_disabled_are_left_out_without_a_word() -> None:
    entries = [
        "dubbo://10.0.0.1:1/demo.Other",
        "dubbo://10.0.0.1:2/demo.Catalog?enabled=false",
        "dubbo://10.0.0.1:3/demo.Catalog?disabled=true",
        "dubbo://10.0.0.1:4/demo.Catalog?group=blue",
    ]
    assert read_providers(entries, SERVICE) == ([], [])
    assert len(read_providers(entries, None)[0]) == 2


def test_of_one_provider_that_stands_there_twice_the_last_entry_counts() -> None:
    found, _ = read_providers([JAVA_27, JAVA_27 + "&weight=7"], SERVICE)
    assert [each.weight for each in found] == [7]


def test_consumers_are_written_and_read() -> None:
    consumer = Consumer(ServiceKey("demo.Catalog", "blue", "1.0"), "shop", "10.0.0.9", "dubbo")
    (found,), skipped = read_consumers([consumer.url])
    assert (found.identity, found.protocol) == (consumer.identity, "dubbo")
    assert skipped == []
    java = "consumer://10.0.0.8/demo.Catalog?application=shop&category=consumers&check=false&dubbo=2.0.2&interface=demo.Catalog&side=consumer"
    assert read_consumers([java])[0][0].application == "shop"
    assert "consumer" in read_consumers(["dubbo://10.0.0.1:1/x"])[1][0].reason


def test_rules_are_kept_as_text_and_what_is_none_is_skipped() -> None:
    rules = ["override://0.0.0.0/demo.Catalog?weight=0", "script://0.0.0.0/demo.Catalog?rule=System.exit(0)"]
    found, skipped = read_rules([*rules, "empty://0.0.0.0/demo.Catalog", "x", "route://a\n", "r://" + "y" * MAX_ENTRY])
    assert found == rules
    assert len(skipped) == 3
