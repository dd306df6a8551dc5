from __future__ import annotations

import ipaddress

import pytest

from gateway.runtime.own_address import own_address, reachable_host


def test_what_is_written_counts_before_the_environment() -> None:
    environ = {"POLYPORT_HOST": "10.0.0.2", "DUBBO_IP_TO_REGISTRY": "10.0.0.3"}
    assert own_address("10.0.0.1", environ) == "10.0.0.1"
    assert own_address("", environ) == "10.0.0.2"
    assert own_address("", {"DUBBO_IP_TO_REGISTRY": "10.0.0.3"}) == "10.0.0.3"


def test_otherwise_it_is_an_address_of_this_machine() -> None:
    assert not ipaddress.ip_address(own_address("", {})).is_unspecified


@pytest.mark.parametrize(
    ("host", "announced"),
    [
        ("0.0.0.0", "10.0.0.1"),
        ("::", "10.0.0.1"),
        ("[::]", "10.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("10.0.0.9", "10.0.0.9"),
        ("shop.example", "shop.example"),
    ],
)
def test_a_listener_on_all_addresses_is_announced_under_one(host: str, announced: str) -> None:
    assert reachable_host(host, "10.0.0.1") == announced
