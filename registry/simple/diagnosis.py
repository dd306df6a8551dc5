"""Looks at the servers of a simple registry, one thing after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid4

from gateway.model.errors import RpcError, Unauthenticated
from gateway.spi.registry_ability import Finding
from gateway.telemetry.logs import shorten
from registry.simple.contract import Lease, SimpleRegistryService, Standing

__all__ = ["diagnose"]

_SLOW_S: Final = 0.5
_SKEW_S: Final = 2.0
_PROBE_LEASE_MS: Final = 1_000


async def diagnose(remotes: Mapping[str, SimpleRegistryService], lease_s: float) -> Sequence[Finding]:
    """Asks each server, by name. `lease_s`: how long the leases of this client are."""
    findings: list[Finding] = []
    answered: dict[str, Standing] = {}
    for name, remote in remotes.items():
        probe = Lease(f"probe-{uuid4().hex}", 1, _PROBE_LEASE_MS, _PROBE_LEASE_MS)
        began = time.monotonic()
        try:
            standing = await remote.heartbeat(probe, "")
        except Unauthenticated as exc:
            text = "write the credential of the server as the option credential"
            findings.append(Finding(f"server {name}: reachable", True, "it answers"))
            findings.append(Finding(f"server {name}: credential", False, shorten(str(exc)), text))
            continue
        except RpcError as exc:
            text = "see whether the gateway that serves there runs, and whether this address is the one it serves at"
            findings.append(Finding(f"server {name}: reachable", False, shorten(str(exc)), text))
            continue
        took_s = time.monotonic() - began
        answered[name] = standing
        findings.append(Finding(f"server {name}: reachable", True, f"{standing.entries} entries"))
        findings.append(Finding(f"server {name}: credential", True, "accepted"))
        findings.append(_round_trip(name, took_s, lease_s))
        findings.append(_clock(name, standing, took_s))
    if len(answered) > 1:
        findings.append(_same_list(answered))
    return findings


def _round_trip(name: str, took_s: float, lease_s: float) -> Finding:
    detail = f"round trip {took_s * 1000:.1f} ms, leases of {lease_s:g} s"
    is_well = took_s < min(_SLOW_S, lease_s / 6)
    return Finding(f"server {name}: lease", is_well, detail, "" if is_well else "choose a longer lease")


def _clock(name: str, standing: Standing, took_s: float) -> Finding:
    ahead_s = standing.wall_ms / 1000 - (time.time() - took_s / 2)
    is_well = abs(ahead_s) < _SKEW_S + took_s
    advice = "" if is_well else "synchronise the clocks; until then the older of two runs of a program may be shown"
    return Finding(f"server {name}: clock", is_well, f"{ahead_s:+.3f} s against this machine", advice)


def _same_list(answered: Mapping[str, Standing]) -> Finding:
    lists = {each.digest for each in answered.values()}
    detail = ", ".join(f"{name} {standing.entries}" for name, standing in answered.items())
    advice = "" if len(lists) == 1 else "ask again in a moment; then see which gateways do not reach all servers"
    return Finding("the same list at all servers", len(lists) == 1, f"entries: {detail}", advice)
