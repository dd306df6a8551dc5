"""The table of peers in the README is what the tests say, and who counts in it."""

from __future__ import annotations

import subprocess
import sys

from tests.interop.peers import PEERS
from tests.interop.rows import Row, libraries_and_languages
from tests.interop.run import LEAST_LIBRARIES, PeerTable, Plan, Tally
from tests.support.program import ROOT


def test_the_table_is_current() -> None:
    checked = subprocess.run([sys.executable, "-m", "tests.interop.table", "--check"], cwd=ROOT, check=False)
    assert checked.returncode == 0, "write it: .venv/bin/python -m tests.interop.table"


def test_a_library_counts_once_and_what_we_wrote_does_not() -> None:
    names = (
        "thrift go",
        "thrift java",
        "redis-cli",
        "redis-server",
        "Dubbo 2.7",
        "dubbo thrift",
        "node",
        "plain python",
    )

    assert libraries_and_languages(PEERS[each] for each in names) == (
        {"Apache Thrift", "Redis", "Dubbo"},
        {"Go", "Java", "C"},
    )


def test_a_run_of_few_libraries_fails_though_all_passed() -> None:
    plan = Plan(quick=True)
    seen: set[str] = set()
    for peer in PEERS.values():
        if peer.counted and peer.library not in seen:
            assert not PeerTable(plan).is_passed or len(seen) >= LEAST_LIBRARIES
            seen.add(peer.library)
            plan.tallies[Row("wire", peer, "there → us")] = Tally(1, 1)

    assert PeerTable(plan).is_passed
    plan.tallies[Row("wire", PEERS["curl"], "us → there")] = Tally(1, 0)
    assert not PeerTable(plan).is_passed
