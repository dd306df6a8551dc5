"""Ports for servers that come back at the one they had."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from bench.ports import free_port

ROOT = Path(__file__).parents[3]
ASK = "from bench.ports import free_port; print(*(free_port() for _ in range(150)), flush=True); input()"


def test_no_process_gets_a_port_twice_nor_that_of_another() -> None:
    asked = [
        subprocess.Popen(
            [sys.executable, "-c", ASK], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    found = [free_port() for _ in range(150)]
    for each in asked:
        assert each.stdout is not None
        found += map(int, each.stdout.readline().split())
    for each in asked:
        each.communicate("\n", timeout=10)
    assert len(set(found)) == len(found) == 450


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    begin = free_port() + 1
    with socket.create_server(("127.0.0.1", begin)):
        assert free_port() != begin


def test_ports_are_below_those_of_outgoing_connections() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    assert free_port() < first
