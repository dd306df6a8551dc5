from __future__ import annotations

import pytest

from gateway.model.endpoint import Endpoint, ServiceKey
from registry.multicast.hearsay import MAX_OTHERS, MAX_PER_INTERFACE, Hearsay, Verdict, same_host

SERVICE = ServiceKey("demo.Catalog")
HOST, OTHER_CARD, STRANGER = "10.0.0.5", "192.168.1.5", "10.0.0.66"
SESSION_S = 60.0


def java(port: int = 1, host: str = HOST, stamp: int = 1000, more: str = "") -> str:
    return f"dubbo://{host}:{port}/demo.Catalog?interface=demo.Catalog&side=provider&timestamp={stamp}{more}"


def ours(port: int = 1, revision: int = 1000, session_ms: int = 60_000, more: str = "") -> str:
    return java(port, stamp=5, more=f"&polyport.revision={revision}&polyport.session={session_ms}{more}")


def heard() -> Hearsay:
    hearsay = Hearsay(SESSION_S)
    hearsay.watch(SERVICE)
    return hearsay


def ports(hearsay: Hearsay, service: ServiceKey = SERVICE) -> list[int]:
    return [each.port for each in hearsay.providers(service)]


def test_providers_come_and_go_by_their_own_word() -> None:
    hearsay = heard()
    assert hearsay.registered(java(1), HOST, 0.0) == Verdict(changed=SERVICE)
    assert hearsay.registered(java(2), HOST, 0.0) == Verdict(changed=SERVICE)
    verdict = hearsay.unregistered(java(1), HOST, 1.0)
    assert verdict == Verdict(SERVICE, ("dubbo", HOST, 1, SERVICE))
    assert ports(hearsay) == [2]


def test_a_duplicate_is_no_news() -> None:
    hearsay = heard()
    hearsay.registered(java(), HOST, 0.0)
    assert hearsay.registered(java(), HOST, 0.1) == Verdict()
    assert hearsay.registered(java(), STRANGER, 0.1) == Verdict()
    hearsay.unregistered(java(), HOST, 1.0)
    assert hearsay.unregistered(java(), HOST, 1.0) == Verdict()


def test_only_its_host_or_who_registered_it_first_takes_a_provider_back() -> None:
    hearsay = heard()
    hearsay.registered(java(), HOST, 0.0)
    hearsay.registered(java(), STRANGER, 0.5)  # Having repeated it gives no right to it.
    assert "takes back" in hearsay.unregistered(java(), STRANGER, 1.0).refused
    assert ports(hearsay) == [1]
    assert hearsay.unregistered(java(), HOST, 1.0).withdrawn is not None

    hearsay.registered(java(2), OTHER_CARD, 2.0)
    assert hearsay.unregistered(java(2), STRANGER, 3.0).refused
    assert hearsay.unregistered(java(2), OTHER_CARD, 3.0).withdrawn is not None


def test_nobody_else_changes_what_a_host_said_of_itself() -> None:
    hearsay = heard()
    hearsay.registered(java(), HOST, 0.0)
    for forged in (java(stamp=9000, more="&weight=0"), java(stamp=9000, more="&enabled=false")):
        assert hearsay.registered(forged, STRANGER, 1.0).refused
    assert [each.weight for each in hearsay.providers(SERVICE)] == [100]


def test_the_host_itself_is_believed_over_who_spoke_of_it_before() -> None:
    hearsay = heard()
    hearsay.registered(java(stamp=10**15, more="&weight=0"), STRANGER, 0.0)
    assert hearsay.registered(java(stamp=1000), HOST, 1.0) == Verdict(changed=SERVICE)
    assert [each.weight for each in hearsay.providers(SERVICE)] == [100]
    assert hearsay.unregistered(java(stamp=10**15), STRANGER, 2.0).refused


def test_what_is_older_than_what_is_known_does_not_count() -> None:
    hearsay = heard()
    hearsay.registered(java(stamp=2000, more="&weight=7"), HOST, 0.0)
    assert hearsay.registered(java(stamp=1000, more="&weight=8"), HOST, 0.1) == Verdict()
    assert hearsay.unregistered(java(stamp=1000), HOST, 0.1) == Verdict()
    assert [each.weight for each in hearsay.providers(SERVICE)] == [7]


def test_ours_are_ordered_by_revision_and_shown_without_it() -> None:
    hearsay = heard()
    hearsay.registered(ours(revision=2, more="&weight=7"), HOST, 0.0)
    # The provider replaced its announcement: the old one is taken back after the new one.
    assert hearsay.unregistered(ours(revision=1), HOST, 0.0) == Verdict()
    (shown,) = hearsay.providers(SERVICE)
    assert shown.weight == 7
    assert dict(shown.parameters) == {"side": "provider", "timestamp": "5"}


def test_a_register_that_comes_after_its_unregister_is_doubted_for_a_moment() -> None:
    hearsay = heard()
    hearsay.registered(java(), HOST, 0.0)
    hearsay.unregistered(java(), HOST, 1.0)
    assert hearsay.registered(java(), HOST, 1.1) == Verdict()
    assert hearsay.expire(1.5) == (set(), set())
    assert hearsay.expire(2.5) == (set(), {SERVICE})  # It is asked for, in case it came back.
    assert hearsay.registered(java(), HOST, 2.6).changed == SERVICE
    hearsay.unregistered(java(), HOST, 3.0)
    assert hearsay.registered(java(stamp=2000), HOST, 3.1).changed == SERVICE


def test_ours_vanish_after_a_session_and_a_half_of_silence() -> None:
    hearsay = heard()
    hearsay.registered(ours(1, session_ms=10_000), HOST, 0.0)
    hearsay.registered(ours(2), HOST, 0.0)
    assert hearsay.expire(15.0) == (set(), set())
    assert hearsay.expire(15.1) == ({SERVICE}, set())
    assert ports(hearsay) == [2]
    hearsay.registered(ours(2), HOST, 60.0)
    assert hearsay.expire(150.0) == (set(), set())
    assert hearsay.expire(150.1) == ({SERVICE}, set())


def test_java_vanishes_when_it_does_not_answer_three_times() -> None:
    hearsay = heard()
    hearsay.registered(java(1), HOST, 0.0)
    hearsay.registered(java(2), HOST, 0.0)
    for at in (30.0, 60.0, 90.0):
        assert hearsay.expire(at + 20) == (set(), set())
        hearsay.asked(SERVICE, at)
        hearsay.asked(SERVICE, at + 0.5)  # Another watch of the same service.
        hearsay.registered(java(2), HOST, at + 0.6)
    assert hearsay.expire(90.9) == (set(), set())
    assert hearsay.expire(91.0) == ({SERVICE}, set())
    assert ports(hearsay) == [2]


def test_nobodys_silence_counts_while_nothing_can_be_heard() -> None:
    hearsay = heard()
    hearsay.registered(ours(1), HOST, 0.0)
    hearsay.registered(java(2), HOST, 0.0)
    for at in (30.0, 60.0, 90.0):
        hearsay.asked(SERVICE, at)
    hearsay.excuse(1000.0)
    assert hearsay.expire(1001.0) == (set(), set())
    assert ports(hearsay) == [1, 2]


def test_what_is_announced_here_stays_whatever_others_say() -> None:
    hearsay = heard()
    mine = Endpoint("dubbo", HOST, 1, SERVICE)
    hearsay.put_own(mine)
    hearsay.registered(java(1, stamp=9000, more="&weight=0"), HOST, 0.0)
    hearsay.unregistered(java(1, stamp=9000), HOST, 0.0)
    hearsay.expire(10_000.0)
    assert hearsay.providers(SERVICE) == [mine]
    assert hearsay.drop_own(mine) == Verdict(SERVICE, mine.identity)
    assert hearsay.drop_own(mine) == Verdict()


def test_a_provider_that_is_not_to_be_called_is_none_and_has_not_withdrawn() -> None:
    hearsay = heard()
    hearsay.registered(java(), HOST, 0.0)
    assert hearsay.registered(java(stamp=2000, more="&enabled=false"), HOST, 1.0) == Verdict(changed=SERVICE)
    assert ports(hearsay) == []
    hearsay.registered(java(stamp=3000), HOST, 2.0)
    assert ports(hearsay) == [1]


@pytest.mark.parametrize(
    "url",
    [
        "dubbo://10.0.0.5/demo.Catalog",
        "override://0.0.0.0/demo.Catalog?category=configurators&weight=0",
        "nonsense",
        "dubbo://10.0.0.5:99999/demo.Catalog",
        "dubbo://10.0.0.5:1/demo.Catalog?weight=1e9",
        "dubbo://10.0.0.5:1/demo.\u202eCatalog",
        "dubbo://10.0.0.5:1/" + "x" * 20_000,
        "consumer://",
    ],
)
def test_bad_urls_are_skipped_with_a_reason(url: str) -> None:
    hearsay = heard()
    assert hearsay.registered(url, HOST, 0.0).skipped
    assert hearsay.unregistered(url, HOST, 0.0).skipped
    assert len(hearsay.skipped) == 1
    assert not hearsay.all_providers


def test_a_flood_of_skipped_entries_is_bounded() -> None:
    hearsay = heard()
    for number in range(1_000):
        hearsay.registered(f"nonsense {number}", HOST, 0.0)
    assert len(hearsay.skipped) == 100


def test_a_flood_of_providers_of_one_service_is_bounded() -> None:
    hearsay = heard()
    for port in range(1, MAX_PER_INTERFACE + 1):
        assert hearsay.registered(java(port), HOST, 0.0).changed == SERVICE
    assert "known already" in hearsay.registered(java(60_000), HOST, 0.0).refused
    assert len(ports(hearsay)) == MAX_PER_INTERFACE


def test_a_flood_of_other_services_leaves_room_for_those_that_are_watched() -> None:
    hearsay = heard()
    refused = 0
    for number in range(MAX_OTHERS + 5):
        refused += bool(hearsay.registered(f"dubbo://{HOST}:1/x.S{number}", HOST, 0.0).refused)
    assert refused == 5
    assert hearsay.registered(java(), HOST, 0.0).changed == SERVICE
    hearsay.expire(1_000.0)
    assert not hearsay.registered(f"dubbo://{HOST}:1/x.S", HOST, 1_000.0).refused


def test_several_groups_are_one_watch() -> None:
    hearsay = Hearsay(SESSION_S)
    both = ServiceKey("demo.Catalog", "blue,red")
    hearsay.watch(both)
    for port, group in enumerate(("blue", "red", "green"), 1):
        hearsay.registered(java(port, more=f"&group={group}"), HOST, 0.0)
    assert ports(hearsay, both) == [1, 2]
    for at in (30.0, 60.0, 90.0):
        hearsay.asked(both, at)
    # The green one is nobody's and was silent for long enough; the others did not answer.
    assert {each.group for each in hearsay.expire(91.0)[0]} == {"blue", "red", "green"}


def test_consumers_are_kept_and_forgotten_in_the_same_way() -> None:
    hearsay = heard()
    url = "consumer://10.0.0.5/demo.Catalog?application=shop&category=consumers"
    hearsay.registered(url, HOST, 0.0)
    assert [each.application for each in hearsay.all_consumers] == ["shop"]
    assert hearsay.unregistered(url, STRANGER, 1.0).refused
    hearsay.unregistered(url, HOST, 1.0)
    assert not hearsay.all_consumers
    hearsay.registered(url, HOST, 2.0)
    hearsay.expire(2.0 + 1.5 * SESSION_S + 0.1)
    assert not hearsay.all_consumers


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.5", "10.0.0.5", True),
        ("10.0.0.5", "10.0.0.6", False),
        ("::ffff:10.0.0.5", "10.0.0.5", True),
        ("fe80::1%eth0", "fe80:0::1", True),
        ("10.0.0.5", "shop.example", False),
        ("", "10.0.0.5", False),
    ],
)
def test_hosts_are_compared_as_addresses(one: str, other: str, same: bool) -> None:
    assert same_host(one, other) is same
