"""Which of the figures a run must reach it did reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.cases import (
    ECHO_RATIO,
    FORWARD_RATIO,
    HTTP_ADD_RATIO,
    HTTP_ADD_RATIO_ALONE,
    HTTP_BRIDGE_RATIO,
    HTTP_BRIDGE_RATIO_ALONE,
    IDLE_BYTES,
    PIPELINED_LOAD,
    TARGET_LOAD,
    Case,
    Payload,
    Plan,
)
from bench.idle import IdleCost
from bench.rounds import Results
from bench.servers import FORWARDED, HOSTED, HTTP_BRIDGE, HTTP_HOSTED


@dataclass(frozen=True, slots=True)
class Target:
    """One figure to reach. `found` is None when it could not be measured."""

    name: str
    wanted: str
    found: str | None
    reached: bool


def judge(plan: Plan, results: Results, idle: Mapping[str, IdleCost]) -> list[Target]:
    """Every target of a run. Ratios need `plan.margin` of what is wanted; memory has no noise and no margin."""

    def judged(name: str, case: Case, wanted: float) -> Target:
        return _judge_ratio(plan, results, name, case, wanted)

    return [
        judged("string echo through the full route", Case(HOSTED, Payload.STRING, TARGET_LOAD), ECHO_RATIO),
        judged("dubbo to dubbo, forwarded", Case(FORWARDED, Payload.STRING, TARGET_LOAD), FORWARD_RATIO),
        judged("HTTP/JSON add", Case(HTTP_HOSTED, Payload.ADD, PIPELINED_LOAD), HTTP_ADD_RATIO),
        judged("HTTP/JSON add, one at a time", Case(HTTP_HOSTED, Payload.ADD, TARGET_LOAD), HTTP_ADD_RATIO_ALONE),
        judged("HTTP/JSON to dubbo", Case(HTTP_BRIDGE, Payload.JSON, PIPELINED_LOAD), HTTP_BRIDGE_RATIO),
        judged(
            "HTTP/JSON to dubbo, one at a time", Case(HTTP_BRIDGE, Payload.JSON, TARGET_LOAD), HTTP_BRIDGE_RATIO_ALONE
        ),
        _judge_idle("idle connection, dubbo", idle.get(HOSTED)),
        _judge_idle("idle connection, http", idle.get(HTTP_HOSTED)),
    ]


def _judge_ratio(plan: Plan, results: Results, name: str, case: Case, wanted: float) -> Target:
    least = wanted * plan.margin
    floor = "bare aiohttp" if case.payload.is_http else "raw echo"
    text = f">= {wanted:.2f} x {floor} by server CPU" + (f" ({least:.3f} with margin)" if plan.margin < 1 else "")
    ratio = results.ratio(case)
    if ratio is None:
        return Target(name, text, None, reached=False)
    errors = sum(measurement.errors for measurement in results.rounds[case].values())
    found = f"{ratio:.3f} x" + (f", but {errors} calls failed" if errors else "")
    return Target(name, text, found, reached=ratio >= least and not errors)


def _judge_idle(name: str, cost: IdleCost | None) -> Target:
    text = f"<= {IDLE_BYTES >> 10} KiB"
    if cost is None:
        return Target(name, text, None, reached=False)
    return Target(name, text, f"{cost.opened_pss / 1024:.2f} KiB", reached=cost.opened_pss <= IDLE_BYTES)
