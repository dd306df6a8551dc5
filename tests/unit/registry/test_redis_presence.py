"""Who is there, by what a hash holds from look to look. Times are milliseconds of the server."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model.endpoint import Identity, ServiceKey
from registry.redis.lease import FOREVER, LeaseTable
from registry.redis.presence import Presence

SESSION = 60_000
T = 1_700_000_000_000


def url(port: int, more: str = "") -> str:
    return f"dubbo://10.0.0.1:{port}/demo.Catalog?interface=demo.Catalog{more}"


class Hash:
    """A presence, read and looked at."""

    def __init__(self) -> None:
        self.presence = Presence(SESSION)

    def look(self, fields: Mapping[str, int], now: int) -> list[int]:
        """Gives the ports that are gone by their own word."""
        for field in fields:
            if not self.presence.knows(field):
                self.presence.read(field)
        withdrawn, malformed = self.presence.look({field: str(value) for field, value in fields.items()}, now)
        assert malformed == []
        return ports(withdrawn)

    def at(self, now: int) -> list[int]:
        return [each.port for each in self.presence.endpoints(now)]


def ports(identities: frozenset[Identity]) -> list[int]:
    assert all(each[3] == ServiceKey("demo.Catalog") for each in identities)
    return sorted(each[2] for each in identities)


def test_a_lease_holds_to_its_last_millisecond_and_then_a_look_is_due() -> None:
    hash_ = Hash()
    hash_.look({url(1): T + 1_000, url(2): T - 1}, T)
    assert hash_.at(T) == [1]
    hash_.look({url(1): T + 1_000}, T)
    assert hash_.presence.next_look_ms(T) == T + 1_001
    assert hash_.at(T + 1_000) == [1]
    assert hash_.look({url(1): T + 1_000}, T + 1_001) == []
    assert hash_.at(T + 1_001) == []


def test_what_lasts_stays_whatever_its_value_says() -> None:
    table = LeaseTable(SESSION)
    gone, malformed = table.look({url(1, "&dynamic=false"): "0", url(2, "&dynamic=false"): "never", url(3): "x"}, T)
    assert (gone, malformed) == ({}, [url(3)])
    assert len(list(table.alive(T + 10**9))) == 2
    assert table.next_look_ms(T) == FOREVER


def test_a_clock_that_is_late_shows_by_being_refreshed() -> None:
    hash_ = Hash()
    late = T - 300_000
    hash_.look({url(1): late + SESSION}, T)
    assert hash_.at(T) == []
    assert hash_.presence.next_look_ms(T) == T + SESSION / 2
    hash_.look({url(1): late + 90_000}, T + 30_000)
    assert hash_.at(T + 30_000) == [1]
    hash_.look({url(1): late + 120_000}, T + 60_000)
    assert hash_.at(T + 119_000) == [1]
    # It dies: nothing changes any more.
    hash_.look({url(1): late + 120_000}, T + 120_001)
    assert hash_.at(T + 120_001) == []


def test_who_announces_itself_with_a_late_clock_is_seen_at_once() -> None:
    hash_ = Hash()
    hash_.look({}, T)
    hash_.presence.leases.announced()
    hash_.look({url(1): T - 240_000}, T + 10 * SESSION)
    assert hash_.at(T + 10 * SESSION) == [1]


def test_what_another_server_holds_is_not_compared() -> None:
    hash_ = Hash()
    hash_.look({url(1): T - 240_000}, T)
    hash_.presence.leases.forget_looks()
    hash_.presence.leases.announced()
    hash_.look({url(1): T - 230_000}, T + 1_000)
    assert hash_.at(T + 1_000) == []


def test_who_says_so_is_withdrawn() -> None:
    hash_ = Hash()
    hash_.look({url(1): T + SESSION, url(2): T + SESSION}, T)
    hash_.presence.unregistered(T + 5)
    assert hash_.look({url(2): T + SESSION}, T + 10) == [1]
    assert hash_.at(T + 10) == [2]


def test_who_is_gone_before_its_message_comes_is_withdrawn_with_it() -> None:
    hash_ = Hash()
    fields = {url(port): T + SESSION for port in (1, 2, 3)}
    hash_.look(fields, T)
    hash_.presence.unregistered(T)
    assert hash_.look({url(3): T + SESSION}, T + 10) == []
    hash_.presence.unregistered(T + 20)
    assert hash_.look({url(3): T + SESSION}, T + 20) == [1, 2]
    assert hash_.at(T + 20) == [3]


def test_who_is_gone_without_a_word_stays_to_the_end_of_its_lease() -> None:
    hash_ = Hash()
    hash_.look({url(1): T + SESSION, url(2): T + 1_000, url(3, "&dynamic=false"): 0}, T)
    assert hash_.look({}, T + 10) == []
    assert hash_.at(T + 10) == [1, 2]
    assert hash_.presence.next_look_ms(T + 10) == T + 1_001
    # A server that was emptied: others announce themselves, and one of them goes.
    hash_.look({url(2): T + SESSION + 9_000}, T + 9_000)
    assert sorted(hash_.at(T + 9_000)) == [1, 2]
    hash_.presence.unregistered(T + 9_500)
    assert hash_.look({}, T + 9_500) == [2]
    assert hash_.at(T + 9_500) == [1]


def test_leases_that_ended_are_no_farewells() -> None:
    """Dubbo's admin removes dead fields and says `unregister`, too."""
    hash_ = Hash()
    hash_.look({url(1): T + 100, url(2): T + SESSION}, T)
    hash_.presence.unregistered(T + 200)
    assert hash_.look({url(2): T + SESSION}, T + 200) == []
    assert hash_.at(T + 200) == [2]


def test_a_provider_that_changes_what_it_says_is_neither_gone_nor_twice() -> None:
    hash_ = Hash()
    hash_.look({url(1): T + SESSION}, T)
    hash_.look({url(1): T + SESSION, url(1, "&weight=7"): T + SESSION + 1}, T + 1)
    assert [each.weight for each in hash_.presence.endpoints(T + 1)] == [7]
    assert hash_.look({url(1, "&weight=7"): T + SESSION + 1}, T + 2) == []
    hash_.presence.unregistered(T + 3)
    assert hash_.look({}, T + 3) == [1]
    assert hash_.at(T + 3) == []
