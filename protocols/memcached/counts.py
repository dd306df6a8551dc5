"""What `stats` tells: counters of a listener, and the tables of its subcommands, by the names that clients read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from protocols.memcached.word import ERROR

__all__ = ["VERSION", "Counts", "stats_answer"]

VERSION: Final = "1.6.18"
"""The memcached whose answers these are; clients tell by it what they may ask for."""
_POINTER_BITS: Final = 64
_COMMANDS: Final = ("get", "set", "flush", "touch", "meta")
_HITS: Final = ("get", "delete", "incr", "decr", "cas", "touch")


class Counts:
    """Counters since the start or the last `stats reset`; connections since the start."""

    __slots__ = (
        "auth_cmds", "auth_errors", "bytes_read", "bytes_written", "cmd_flush", "cmd_get", "cmd_meta", "cmd_set",
        "cmd_touch", "get_hits", "get_misses", "total_calls",
    )  # fmt: skip

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """All counters begin anew."""
        self.cmd_get = self.cmd_set = self.cmd_flush = self.cmd_touch = self.cmd_meta = 0
        self.get_hits = self.get_misses = self.total_calls = 0
        self.auth_cmds = self.auth_errors = self.bytes_read = self.bytes_written = 0


def stats_answer(words: list[bytes], counts: Counts, known: Mapping[str, int | float], peer: str) -> bytes:
    """What `stats`, with these words behind it, is answered with.

    `known`: `pid`, `uptime`, `time`, `max_bytes` of a value, `max_keys`, `answers` kept.
    """
    what = words[0] if words else b""
    if what == b"reset":
        counts.reset()
        return b"RESET\r\n"
    if what == b"":
        return _table(_general(counts, known))
    if what == b"settings":
        return _table(_settings(known))
    if what == b"conns":
        return _table([("1:addr", f"tcp:{peer}"), ("1:state", "conn_parse_cmd"), ("1:secs_since_last_cmd", "0")])
    if what == b"sizes":
        return _table([("sizes_status", "disabled")])
    if what == b"slabs":
        return _table([("active_slabs", "0"), ("total_malloced", "0")])
    # Nothing is stored here, so there is nothing to list.
    return b"END\r\n" if what in (b"items", b"extstore") else ERROR


def _general(counts: Counts, known: Mapping[str, int | float]) -> Iterator[tuple[str, str]]:
    yield "pid", str(known["pid"])
    yield "uptime", str(int(known["uptime"]))
    yield "time", str(int(known["time"]))
    yield "version", VERSION
    yield "pointer_size", str(_POINTER_BITS)
    yield "curr_connections", str(known["connections"])
    yield "total_connections", str(known["total_connections"])
    for name in _COMMANDS:
        yield f"cmd_{name}", str(getattr(counts, f"cmd_{name}"))
    yield "get_hits", str(counts.get_hits)
    yield "get_misses", str(counts.get_misses)
    yield "auth_cmds", str(counts.auth_cmds)
    yield "auth_errors", str(counts.auth_errors)
    yield "bytes_read", str(counts.bytes_read)
    yield "bytes_written", str(counts.bytes_written)
    yield "limit_maxbytes", str(known["max_bytes"])
    yield "threads", "1"
    # What is stored lies in the services.
    for name in ("bytes", "curr_items", "total_items", "evictions", "reclaimed"):
        yield name, "0"
    yield "polyport_calls", str(counts.total_calls)
    yield "polyport_answers", str(known["answers"])


def _settings(known: Mapping[str, int | float]) -> Iterator[tuple[str, str]]:
    yield "maxbytes", str(known["max_bytes"])
    yield "maxconns", str(known["max_connections"])
    yield "udpport", "0"
    yield "verbosity", "0"
    yield "evictions", "off"
    yield "num_threads", "1"
    yield "cas_enabled", "yes"
    yield "item_size_max", str(known["max_bytes"])
    yield "flush_enabled", "yes" if known["flush"] else "no"
    yield "auth_enabled_ascii", "yes" if known["auth"] else "no"
    yield "binding_protocol", "ascii"
    yield "polyport_max_keys", str(known["max_keys"])


def _table(rows: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> bytes:
    return b"".join(f"STAT {name} {value}\r\n".encode() for name, value in rows) + b"END\r\n"
