"""Checks of the section `failback`: what belongs to its store, and that the store can be had."""

from __future__ import annotations

import importlib.util
from typing import Final
from urllib.parse import urlsplit

from gateway.config.document import Path
from gateway.config.findings import Findings
from gateway.config.model import GatewayConfig

__all__ = ["check_failback"]

_SECTION: Final = "failback"
_SCHEMES: Final = ("redis", "rediss")


def check_failback(config: GatewayConfig, findings: Findings) -> None:
    """What is written fits together, and the credential exists."""
    section = config.failback
    redis = section.store == "redis"
    for key in ("path",) if redis else ("url", "credential", "group"):
        if findings.written((_SECTION, key)):
            findings.problem((_SECTION, key), f"is for the store {'sqlite' if redis else 'redis'}", at_key=True)
    if section.max_interval < section.interval:
        findings.problem((_SECTION, "max_interval"), "must not be less than interval")
    if section.credential is not None and section.credential not in findings.names("credentials"):
        path: Path = (_SECTION, "credential")
        findings.unknown(path, "credential", section.credential, findings.names("credentials"))
    if redis:
        _check_url(section.url, findings)
        if importlib.util.find_spec("redis") is None:
            text = "the store redis needs the package redis: pip install 'polyport[redis]'"
            findings.problem((_SECTION, "store"), text)


def _check_url(url: str | None, findings: Findings) -> None:
    if url is None:
        if not findings.is_damaged((_SECTION,)):
            findings.problem((_SECTION,), "the store redis needs a url", at_key=True)
        return
    parts = urlsplit(url)
    try:
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        findings.problem((_SECTION, "url"), "is not redis://host:port/database or rediss://…")
    elif parts.password is not None:
        findings.problem((_SECTION, "url"), "holds a password; name a credential instead")
