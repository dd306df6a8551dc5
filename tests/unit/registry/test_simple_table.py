"""What a server of a simple registry knows, and what becomes of it with time. Leases are of 10 s."""

from __future__ import annotations

import pytest

from gateway.model.errors import BadRequest, Overloaded
from registry.simple.contract import LIVE, Lease, Record
from registry.simple.digest import Digest
from registry.simple.table import Bounds, Table
from tests.support.fake_clock import FakeClock

LEASE_S = 10.0
SERVICE = "demo.Catalog"


class Site:
    """Servers that share a clock, and clients with one number after the other."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.number = 0

    def table(self, bounds: Bounds | None = None) -> Table:
        return Table(bounds, self.clock)

    def lease(self, client: str = "c") -> Lease:
        self.number += 1
        return Lease(client, self.number, round(LEASE_S * 1000), round(LEASE_S * 1000))

    def record(self, key: str, client: str = "c", gone_ms: int = LIVE) -> Record:
        self.number += 1
        return Record(client, SERVICE, key, f"dubbo://10.0.0.1:1/{key}", self.number, gone_ms)

    def announce(self, table: Table, *records: Record, client: str = "c") -> None:
        table.check(client, records)
        table.renew(self.lease(client))
        for each in records:
            table.put(each)


def live(table: Table) -> list[str]:
    return [each.key for each in table.records(SERVICE) if each.gone_ms < 0]


def withdrawn(table: Table) -> list[str]:
    return [each.key for each in table.records(SERVICE) if each.gone_ms >= 0]


def pass_on(source: Table, target: Table, since: int = 0) -> bool:
    """Everything since a version, in pages."""
    came_back, more = False, True
    while more:
        changes = source.changes(since, 2)
        came_back |= target.merge(changes)
        since, more = changes.upto, changes.more
    return came_back


@pytest.fixture
def site() -> Site:
    return Site()


def test_entries_live_as_long_as_their_client_is_heard_of(site: Site) -> None:
    table = site.table()
    site.announce(table, site.record("a"), site.record("b"))
    site.announce(table, site.record("x", "other"), client="other")
    site.clock.advance(LEASE_S - 1)
    table.renew(site.lease())
    site.clock.advance(1)
    assert table.expire() == ["other"]
    assert live(table) == ["a", "b"]
    site.clock.advance(LEASE_S - 2)
    assert table.expire() == []
    site.clock.advance(1)
    assert table.expire() == ["c"]
    assert (live(table), withdrawn(table)) == ([], [])
    assert table.live.text == Digest().text


def test_withdrawn_entries_are_kept_for_two_leases(site: Site) -> None:
    table = site.table()
    site.announce(table, entry := site.record("a"))
    site.announce(table, site.record("a", gone_ms=0))
    assert (live(table), withdrawn(table)) == ([], ["a"])
    assert not table.put(entry)
    for _ in range(4):
        site.clock.advance(LEASE_S / 2 - 0.01)
        table.renew(site.lease())
        table.expire()
        assert withdrawn(table) == ["a"]
    site.clock.advance(0.05)
    table.expire()
    assert withdrawn(table) == []
    site.announce(table, site.record("a"))
    assert live(table) == ["a"]


def test_of_one_entry_the_highest_number_counts_in_whatever_order_they_come(site: Site) -> None:
    first, second, gone, last = (site.record("a", gone_ms=each) for each in (LIVE, LIVE, 0, LIVE))
    for order, expected in (
        ([first, second, gone], []),
        ([gone, second, first], []),
        ([last, gone, first], ["a"]),
        ([second, first], ["a"]),
    ):
        table = site.table()
        site.announce(table, *order)
        assert live(table) == expected
        (kept,) = table.records(SERVICE)
        assert kept.sequence == max(each.sequence for each in order)


def test_a_client_is_known_by_the_digest_of_its_entries(site: Site) -> None:
    table, digest = site.table(), Digest()
    table.renew(site.lease())
    assert table.knows("c", digest.text)
    a, b = site.record("a"), site.record("b")
    site.announce(table, a, b)
    for each in (b, a):
        assert not table.knows("c", digest.text)
        digest.add("c", each.key, each.sequence)
    assert table.knows("c", digest.text)
    site.announce(table, site.record("b", gone_ms=0))
    assert not table.knows("c", digest.text)
    digest.discard("c", "b", b.sequence)
    assert table.knows("c", digest.text)
    assert [each.key for each in table.held("c") if each.gone_ms < 0] == ["a"]


def test_a_server_that_has_restarted_knows_nobody(site: Site) -> None:
    digest = Digest()
    digest.add("c", "a", 1)
    table = site.table()
    table.renew(site.lease())
    assert not table.knows("c", digest.text)
    assert table.instance != site.table().instance


def test_peers_pass_on_entries_leases_and_withdrawals(site: Site) -> None:
    a, b = site.table(), site.table()
    site.announce(a, *(site.record(key) for key in "abcde"))
    site.announce(a, site.record("c", gone_ms=0))
    pass_on(a, b)
    assert (live(b), withdrawn(b)) == (["a", "b", "d", "e"], ["c"])
    assert a.live.text == b.live.text
    # What is known already changes nothing, so nothing goes round in circles.
    version = a.version
    pass_on(b, a)
    assert a.version == version
    since = a.version
    site.announce(a, site.record("f"))
    assert [each.key for each in a.changes(since, 10).records] == ["f"]
    pass_on(a, b, since)
    assert a.live.text == b.live.text


def test_two_servers_do_not_keep_a_client_alive_for_each_other(site: Site) -> None:
    a, b = site.table(), site.table()
    site.announce(a, site.record("a"))
    for _ in range(round(LEASE_S)):
        pass_on(a, b)
        pass_on(b, a)
        assert live(a) == live(b) == ["a"]
        site.clock.advance(1)
        a.expire()
        b.expire()
    for _ in range(30):
        pass_on(a, b)
        pass_on(b, a)
        assert live(a) == live(b) == []
        site.clock.advance(1)
        a.expire()
        b.expire()


def test_what_was_withdrawn_during_a_split_does_not_return(site: Site) -> None:
    a, b = site.table(), site.table()
    site.announce(a, site.record("a"), site.record("b"))
    pass_on(a, b)
    # From here on b hears nothing.
    site.announce(a, site.record("a", gone_ms=0))
    site.clock.advance(LEASE_S * 0.9)
    table_still_has = live(b)
    a.renew(site.lease())
    assert table_still_has == ["a", "b"]
    pass_on(b, a)
    assert live(a) == ["b"]
    pass_on(a, b)
    assert (live(b), withdrawn(b)) == (["b"], ["a"])
    # Each counts from the withdrawal, not from when it heard of it.
    site.clock.advance(LEASE_S * 1.15)
    a.renew(site.lease())
    pass_on(a, b, a.version - 1)
    a.expire()
    b.expire()
    assert withdrawn(a) == withdrawn(b) == []
    assert live(a) == live(b) == ["b"]


def test_a_client_that_only_the_other_server_heard_is_told_of_again_after_a_split(site: Site) -> None:
    a, b = site.table(), site.table()
    site.announce(a, site.record("a"))
    pass_on(a, b)
    since = a.version
    for _ in range(4):
        site.clock.advance(LEASE_S / 2)
        a.renew(site.lease())
        b.expire()
    assert live(b) == []
    # Its lease alone: b has forgotten its entries, and says so.
    assert pass_on(a, b, since)
    assert live(b) == []
    assert not pass_on(a, b)
    assert live(b) == ["a"]


def test_a_client_whose_lease_has_ended_is_not_brought_back_by_a_late_peer(site: Site) -> None:
    a, b = site.table(), site.table()
    site.announce(a, site.record("a"))
    late = a.changes(0, 10)
    site.clock.advance(LEASE_S)
    a.expire()
    a.merge(late)
    assert live(a) == []
    # It is new to this one, which gives it what the message says is left.
    b.merge(late)
    assert live(b) == ["a"]


def test_clients_and_withdrawals_are_forgotten_in_the_end(site: Site) -> None:
    table = site.table(Bounds(clients=2))
    site.announce(table, site.record("a"))
    site.announce(table, site.record("a", gone_ms=0))
    table.renew(site.lease("other"))
    with pytest.raises(Overloaded, match="2 clients"):
        table.renew(site.lease("third"))
    for _ in range(4):
        site.clock.advance(LEASE_S)
        table.expire()
    table.renew(site.lease("third"))
    table.renew(site.lease("fourth"))
    assert table.changes(0, 10).records == []


@pytest.mark.parametrize(
    ("record", "error", "text"),
    [
        (Record("other", SERVICE, "a", "x", 1), BadRequest, "another client"),
        (Record("c", SERVICE, "a", "x" * 101, 1), BadRequest, r"has 101 characters; 100 are taken"),
        (Record("c", SERVICE, "k" * 1_025, "x", 1), BadRequest, "key of an entry has 1 to 1024"),
        (Record("c", "", "a", "x", 1), BadRequest, "interface of an entry has 1 to"),
        (Record("c", SERVICE, "third", "x", 1), Overloaded, "a client may have 2 entries"),
    ],
)
def test_what_is_too_much_is_refused(site: Site, record: Record, error: type[Exception], text: str) -> None:
    table = site.table(Bounds(entries_per_client=2, entry_characters=100))
    site.announce(table, site.record("a"), site.record("b"))
    with pytest.raises(error, match=text):
        table.check("c", [record])


def test_all_clients_together_have_a_bound_too(site: Site) -> None:
    table = site.table(Bounds(entries=2))
    site.announce(table, site.record("a"), site.record("b"))
    with pytest.raises(Overloaded, match="may be 2 entries"):
        site.announce(table, site.record("a", "other"), client="other")


@pytest.mark.parametrize("length_ms", [99, 600_001, -1])
def test_leases_have_bounds(site: Site, length_ms: int) -> None:
    with pytest.raises(BadRequest, match="a lease is from 100 to 600000 ms"):
        site.table().renew(Lease("c", 1, length_ms, length_ms))


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb"])
def test_clients_have_names_that_can_be_shown(site: Site, name: str) -> None:
    with pytest.raises(BadRequest, match="name has 1 to 64"):
        site.table().renew(Lease(name, 1, 1_000, 1_000))
