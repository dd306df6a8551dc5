"""Servers that are cut off from each other at random agree in the end, and on what their clients want."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from registry.simple.contract import LIVE, Lease, Record
from registry.simple.digest import Digest
from registry.simple.table import Table
from tests.support.fake_clock import FakeClock

LEASE_S = 10.0
STEPS = 300
SERVICE = "demo.Catalog"


class Client:
    """Does what a session does, at the servers it reaches, without one."""

    def __init__(self, name: str, servers: list[Table]) -> None:
        self.name = name
        self.servers = servers
        self.wanted: dict[str, int] = {}
        self._number = 0

    def number(self) -> int:
        self._number += 1
        return self._number

    def lease(self) -> Lease:
        return Lease(self.name, self.number(), round(LEASE_S * 1000), round(LEASE_S * 1000))

    def want(self, key: str) -> None:
        self.wanted[key] = self.number()
        self.tell(self.record(key, self.wanted[key]))

    def drop(self, key: str) -> None:
        del self.wanted[key]
        self.tell(self.record(key, self.number(), 0))

    def tell(self, record: Record) -> None:
        for server in self.servers:
            server.renew(self.lease())
            server.put(record)

    def record(self, key: str, sequence: int, gone_ms: int = LIVE) -> Record:
        return Record(self.name, SERVICE, key, "dubbo://10.0.0.1:1/demo.Catalog", sequence, gone_ms)

    def beat(self) -> None:
        digest = Digest()
        for key, sequence in self.wanted.items():
            digest.add(self.name, key, sequence)
        for server in self.servers:
            server.renew(self.lease())
            if server.knows(self.name, digest.text):
                continue
            for held in server.held(self.name):
                if held.gone_ms < 0 and held.key not in self.wanted:
                    server.put(self.record(held.key, self.number(), 0))
            for key, sequence in self.wanted.items():
                server.put(self.record(key, sequence))


class Link:
    """Passes on from one server to another, as a peering does; after a cut it begins anew."""

    def __init__(self, source: Table, target: Table) -> None:
        self._source, self._target = source, target
        self._since = 0
        self.is_up = True

    def cut(self) -> None:
        self.is_up = False
        self._since = 0

    def exchange(self) -> None:
        while self.is_up:
            changes = self._source.changes(self._since, 3)
            self._since = 0 if self._target.merge(changes) else changes.upto
            if self._since and not changes.more:
                return
            if not changes.records and not changes.leases:
                return


@pytest.mark.parametrize("seed", range(40))
def test_servers_agree_when_a_split_has_healed(seed: int) -> None:
    rng = random.Random(seed)
    clock = FakeClock()
    servers = [Table(None, clock) for _ in range(3)]
    links = [Link(*pair) for pair in permutations(servers, 2)]
    clients = [Client(f"c{number}", rng.sample(servers, rng.choice((1, 1, 2)))) for number in range(5)]
    for _ in range(STEPS):
        step = rng.random()
        client, link = rng.choice(clients), rng.choice(links)
        if step < 0.15:
            client.want(rng.choice("abcdef"))
        elif step < 0.25 and client.wanted:
            client.drop(rng.choice(sorted(client.wanted)))
        elif step < 0.5:
            client.beat()
        elif step < 0.55:
            link.cut()
        elif step < 0.6:
            link.is_up = True
        elif step < 0.9:
            link.exchange()
        else:
            clock.advance(rng.choice((0.5, 2.0, LEASE_S * 0.9)))
            for each in servers:
                each.expire()
    for link in links:
        link.is_up = True
    for _ in range(3):
        for client in clients:
            client.beat()
        for link in links:
            link.exchange()
    wanted = sorted((client.name, key) for client in clients for key in client.wanted)
    for server in servers:
        live = sorted((each.client, each.key) for each in server.records(SERVICE) if each.gone_ms < 0)
        assert live == wanted
    assert len({each.live.text for each in servers}) == 1
