"""The order of filters: the one place that decides it, with a reason for each.

Outermost first. It holds among the filters of a listener, among those of a service, and among those of a reference;
which of these a filter stands at is for the configuration to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gateway.spi.handler import Filter

__all__ = ["ORDER", "arrange"]

ORDER: Final[tuple[tuple[str, str], ...]] = (
    ("tracing", "above everything that logs or calls on, so that all of it carries the same trace"),
    ("access_log", "above everything that refuses, so that it sees refusals too, and times the whole call"),
    ("explain", "below what logs, whose lines tell the caller's call; above what refuses, so that it is explained too"),
    ("deadline", "before anything is taken for a call, because nobody waits for this one any more"),
    ("access", "before every limit: those who may not call shall take nobody's place"),
    ("circuit_breaker", "before the limits: a call that cannot get through shall take no token and no place"),
    ("rate_limit", "before the bounds on calls in progress, which a call that came too soon is not one of"),
    ("adaptive_concurrency", "outside of the fixed bound, so that what this refuses is no sign of waiting"),
    ("load_report", "above what refuses for lack of room: only answers carry a report, and this is where they pass"),
    ("concurrency", "after the refusals that cost nothing: a place is only for a call that will run"),
)
"""Names of the filters that come with the gateway, and why each stands where it does. All others follow, in the order
they are written in: they see calls that are traced, logged, in time and within the limits."""


def arrange(filters: Iterable[tuple[str, Filter]]) -> list[Filter]:
    """The filters, given with the names of their plug-ins, in the order in which a call passes them."""
    rank = {name: position for position, (name, _) in enumerate(ORDER)}
    return [each for _, each in sorted(filters, key=lambda pair: rank.get(pair[0], len(rank)))]
