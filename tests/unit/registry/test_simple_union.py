"""What several servers say, made into one list. The lease is of 10 s."""

from __future__ import annotations

from gateway.model.endpoint import ServiceKey
from registry.entries import provider_url
from registry.simple.contract import LIVE, Record
from registry.simple.union import Union
from tests.support.fake_clock import FakeClock
from tests.support.simple_registry import SERVICE, provider

LEASE_S = 10.0
NAME = SERVICE.interface


def record(port: int, sequence: int = 1, *, client: str = "c", gone_ms: int = LIVE, weight: int = 100) -> Record:
    url = provider_url(provider(port, weight=weight))
    return Record(client, NAME, f"dubbo://10.0.0.1:{port}", url, sequence, gone_ms)


def union(clock: FakeClock, *servers: str) -> Union:
    made = Union(servers, LEASE_S, clock)
    for each in servers:
        made.found(each)
    return made


def ports(made: Union) -> list[int]:
    return sorted(each.port for each in made.providers(SERVICE)[0])


def gone(made: Union) -> list[int]:
    return sorted(each[2] for each in made.providers(SERVICE)[1])


def test_the_lists_of_all_servers_count() -> None:
    made = union(FakeClock(), "a", "b")
    made.put("a", NAME, [record(1), record(2)])
    assert not made.is_known(NAME)
    made.put("b", NAME, [record(2), record(3)])
    assert made.is_known(NAME)
    assert ports(made) == [1, 2, 3]


def test_a_provider_that_one_server_has_seen_withdrawn_later_is_gone() -> None:
    made = union(FakeClock(), "a", "b")
    made.put("a", NAME, [record(1, 5), record(2, 9)])
    made.put("b", NAME, [record(1, 7, gone_ms=3), record(2, 8, gone_ms=3)])
    assert (ports(made), gone(made)) == ([2], [1])


def test_of_two_clients_at_one_address_the_later_one_is_shown_and_one_of_them_is_enough() -> None:
    made = union(FakeClock(), "a")
    made.put("a", NAME, [record(1, 5, client="old", weight=1), record(1, 9, client="new", weight=2)])
    assert [each.weight for each in made.providers(SERVICE)[0]] == [2]
    made.put("a", NAME, [record(1, 5, client="old", weight=1), record(1, 10, client="new", gone_ms=0)])
    assert (ports(made), gone(made)) == ([1], [])


def test_a_server_that_restarts_empty_does_not_empty_the_list_until_a_lease_has_passed() -> None:
    clock = FakeClock()
    made = union(clock, "a")
    made.put("a", NAME, [record(1), record(2, 3)])
    made.lost("a")
    clock.advance(10 * LEASE_S)
    assert not made.settle()
    assert ports(made) == [1, 2]
    made.found("a")
    assert not made.is_known(NAME)
    made.put("a", NAME, [record(2, 4, gone_ms=0)])
    assert made.is_known(NAME)
    assert (ports(made), gone(made)) == ([1], [2])
    clock.advance(LEASE_S - 1)
    assert not made.settle()
    clock.advance(1)
    assert made.settle()
    assert ports(made) == []


def test_what_a_lost_server_said_counts_for_one_lease_while_another_can_be_asked() -> None:
    clock = FakeClock()
    made = union(clock, "a", "b")
    made.put("a", NAME, [record(1)])
    made.put("b", NAME, [record(2)])
    made.lost("a")
    assert made.is_known(NAME)
    assert ports(made) == [1, 2]
    clock.advance(LEASE_S)
    assert made.settle()
    assert ports(made) == [2]
    made.lost("b")
    assert not made.is_online
    clock.advance(LEASE_S)
    assert not made.settle()
    assert ports(made) == [2]


def test_a_server_that_cannot_be_asked_at_the_start_is_not_waited_for() -> None:
    made = Union(["a", "b"], LEASE_S, FakeClock())
    made.found("a")
    made.put("a", NAME, [])
    assert not made.is_known(NAME)
    made.lost("b")
    assert made.is_known(NAME)


def test_only_what_the_service_covers_is_shown() -> None:
    made = union(FakeClock(), "a")
    red = provider_url(provider(2, ServiceKey(NAME, "red")))
    made.put("a", NAME, [record(1), Record("c", NAME, "red", red, 2), Record("c", NAME, "odd", "ftp", 3)])
    assert ports(made) == [1]
    assert [each.port for each in made.providers(ServiceKey(NAME, "*"))[0]] == [1, 2]
    made.drop(NAME)
    assert ports(made) == []
