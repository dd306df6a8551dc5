"""Which of the figures a run must reach it did reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.balancing import CHOICE_US, PROVIDERS, ChoiceCost
from bench.cases import (
    ECHO_RATIO,
    ECHO_RATIO_HELD,
    ENDPOINT_BYTES,
    FORWARD_RATIO,
    FORWARD_RATIO_HELD,
    HESSIAN_RATIO,
    HTTP_ADD_RATIO,
    HTTP_ADD_RATIO_HELD,
    HTTP_BRIDGE_RATIO,
    HTTP_BRIDGE_RATIO_HELD,
    IDLE_BYTES,
    MEMCACHED_RATIO,
    MEMCACHED_RATIO_HELD,
    PIPELINED_LOAD,
    REDIS_BRIDGE_RATIO,
    REDIS_PIPELINED_RATIO,
    REDIS_PIPELINED_RATIO_HELD,
    REDIS_RATIO,
    REDIS_RATIO_HELD,
    SOAP_RATIO,
    SOAP_RATIO_HELD,
    TARGET_LOAD,
    THRIFT_ASYNCIO_RATIO,
    THRIFT_ASYNCIO_RATIO_HELD,
    THRIFT_THREADED_RATIO,
    THRIFT_THREADED_RATIO_HELD,
    Case,
    Payload,
    Plan,
)
from bench.idle import IdleCost
from bench.rounds import Results
from bench.scale import ScaleCost
from bench.servers import (
    AIOHTTP,
    ECHO,
    FLOORS,
    FORWARDED,
    HESSIAN_HOSTED,
    HOSTED,
    HTTP_BRIDGE,
    HTTP_HOSTED,
    MEMCACHED_HOSTED,
    REDIS_BRIDGE,
    REDIS_HOSTED,
    SOAP_HOSTED,
    THRIFT_HOSTED,
    THRIFTPY2_ASYNCIO,
    THRIFTPY2_THREADED,
)
from bench.wsdl import METHODS, TYPES, WSDL_MS


@dataclass(frozen=True, slots=True)
class Target:
    """One figure to reach. `found` is None when it could not be measured."""

    name: str
    wanted: str
    found: str | None
    reached: bool


def judge(
    plan: Plan,
    results: Results,
    idle: Mapping[str, IdleCost],
    choices: Mapping[str, ChoiceCost],
    scale: ScaleCost | None,
    wsdl_ms: float,
) -> list[Target]:
    """Every target of a run. Ratios need `plan.margin` of what is wanted or held; memory has no noise and no margin."""

    def judged(
        name: str, case: Case, wanted: float, held: float | None = None, beside: tuple[str, Payload] | None = None
    ) -> Target:
        return _judge_ratio(plan, results, name, case, wanted, held, beside)

    add, bridge = (HTTP_HOSTED, Payload.ADD), (HTTP_BRIDGE, Payload.JSON)
    thrift = Case(THRIFT_HOSTED, Payload.THRIFT, TARGET_LOAD)
    threaded, asyncio = (THRIFTPY2_THREADED, Payload.THRIFT), (THRIFTPY2_ASYNCIO, Payload.THRIFT)
    redis = (REDIS_HOSTED, Payload.REDIS_CALL)
    return [
        judged(
            "string echo through the full route",
            Case(HOSTED, Payload.STRING, TARGET_LOAD),
            ECHO_RATIO,
            ECHO_RATIO_HELD,
        ),
        judged(
            "dubbo to dubbo, forwarded",
            Case(FORWARDED, Payload.STRING, TARGET_LOAD),
            FORWARD_RATIO,
            FORWARD_RATIO_HELD,
        ),
        judged("HTTP/JSON add", Case(*add, TARGET_LOAD), HTTP_ADD_RATIO, HTTP_ADD_RATIO_HELD),
        judged("HTTP/JSON add, 16 under way", Case(*add, PIPELINED_LOAD), HTTP_ADD_RATIO),
        judged("HTTP/JSON to dubbo", Case(*bridge, TARGET_LOAD), HTTP_BRIDGE_RATIO, HTTP_BRIDGE_RATIO_HELD),
        judged("HTTP/JSON to dubbo, 16 under way", Case(*bridge, PIPELINED_LOAD), HTTP_BRIDGE_RATIO),
        judged("Hessian POJO", Case(HESSIAN_HOSTED, Payload.HESSIAN, TARGET_LOAD), HESSIAN_RATIO),
        judged("SOAP add", Case(SOAP_HOSTED, Payload.SOAP, TARGET_LOAD), SOAP_RATIO, SOAP_RATIO_HELD),
        judged("SOAP add, 16 under way", Case(SOAP_HOSTED, Payload.SOAP, PIPELINED_LOAD), SOAP_RATIO),
        judged("thrift string", thrift, THRIFT_THREADED_RATIO, THRIFT_THREADED_RATIO_HELD, threaded),
        judged("thrift string", thrift, THRIFT_ASYNCIO_RATIO, THRIFT_ASYNCIO_RATIO_HELD, asyncio),
        judged("redis call", Case(*redis, TARGET_LOAD), REDIS_RATIO, REDIS_RATIO_HELD),
        judged(
            "redis call, 16 under way", Case(*redis, PIPELINED_LOAD), REDIS_PIPELINED_RATIO, REDIS_PIPELINED_RATIO_HELD
        ),
        judged(
            "redis to dubbo",
            Case(REDIS_BRIDGE, Payload.REDIS_CALL, TARGET_LOAD),
            REDIS_BRIDGE_RATIO,
            beside=(FORWARDED, Payload.STRING),
        ),
        judged(
            "memcached mounted get",
            Case(MEMCACHED_HOSTED, Payload.MEMCACHED_GET, TARGET_LOAD),
            MEMCACHED_RATIO,
            MEMCACHED_RATIO_HELD,
        ),
        _judge_idle("idle connection, dubbo", idle.get(HOSTED)),
        _judge_idle("idle connection, http", idle.get(HTTP_HOSTED)),
        _judge_scale(scale),
        _judge_wsdl(plan, wsdl_ms),
        *(_judge_choice(plan, name, wanted_us, choices.get(name)) for name, wanted_us in CHOICE_US.items()),
    ]


def _judge_ratio(
    plan: Plan,
    results: Results,
    name: str,
    case: Case,
    wanted: float,
    held: float | None,
    beside: tuple[str, Payload] | None,
) -> Target:
    """`held`: what a run must reach where that is less than what is wanted. `beside`: see `Results.ratio`."""
    least = (wanted if held is None else held) * plan.margin
    floor, _ = beside or FLOORS[case.payload]
    floor = {ECHO: "raw echo", AIOHTTP: "bare aiohttp"}.get(floor, floor)
    text = f">= {wanted:.2f} x {floor} by server CPU"
    if least < wanted:
        text += f" (at least {least:.3f})"
    ratio = results.ratio(case, beside)
    if ratio is None:
        return Target(name, text, None, reached=False)
    errors = sum(measurement.errors for measurement in results.rounds[case].values())
    found = f"{ratio:.3f} x" + (f", but {errors} calls failed" if errors else "")
    return Target(name, text, found, reached=ratio >= least and not errors)


def _judge_scale(cost: ScaleCost | None) -> Target:
    what, text = "memory of an endpoint", f"<= {ENDPOINT_BYTES} bytes"
    if cost is None:
        return Target(what, text, None, reached=False)
    return Target(what, text, f"{cost.endpoint_bytes:.0f} bytes", reached=cost.endpoint_bytes <= ENDPOINT_BYTES)


def _judge_wsdl(plan: Plan, found_ms: float) -> Target:
    least = WSDL_MS / plan.margin
    text = f"< {WSDL_MS:g} ms" + (f" (at most {least:.3g})" if plan.margin < 1.0 else "")
    return Target(f"WSDL of {METHODS} methods, {TYPES} types", text, f"{found_ms:.1f} ms", reached=found_ms < least)


def _judge_choice(plan: Plan, name: str, wanted_us: float, cost: ChoiceCost | None) -> Target:
    text = f"< {wanted_us:g} us"
    if plan.margin < 1.0:
        text += f" (at most {wanted_us / plan.margin:.3g})"
    what = f"one of {PROVIDERS} by {name}"
    if cost is None:
        return Target(what, text, None, reached=False)
    return Target(what, text, f"{cost.worst_us:.2f} us", reached=cost.worst_us < wanted_us / plan.margin)


def _judge_idle(name: str, cost: IdleCost | None) -> Target:
    text = f"<= {IDLE_BYTES >> 10} KiB"
    if cost is None:
        return Target(name, text, None, reached=False)
    return Target(name, text, f"{cost.opened_pss / 1024:.2f} KiB", reached=cost.opened_pss <= IDLE_BYTES)
