"""The registry on three servers that are one."""

from __future__ import annotations

from pathlib import Path

from gateway.model.endpoint import ServiceKey
from tests.support.zookeeper_client import at, fresh_ports, next_that, provider_and_watch
from tests.support.zookeeper_server import zookeeper_ensemble

SERVICE = ServiceKey("demo.Catalog")


async def test_one_server_of_three_may_go(tmp_path: Path) -> None:
    with zookeeper_ensemble(tmp_path) as servers:
        address = ",".join(each.address for each in servers)
        async with provider_and_watch(address, SERVICE, session_s=4.0) as (provider, snapshots):
            for number, each in enumerate(servers, 2):
                each.kill()
                await provider.register(at(number, SERVICE))
                await next_that(snapshots, fresh_ports(*range(1, number + 1)))
                each.start()
