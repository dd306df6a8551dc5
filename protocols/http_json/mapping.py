"""Contract types as JSON on http://, and what this wire cannot carry of a contract.

The forms are those of `gateway.jsonform`, compiled once per method:

| type | in a body | in a path, query or header field |
| --- | --- | --- |
| null | `null`; a method that returns it answers 204 without a body | not there |
| bool | `true`, `false` | the same |
| i8 … i64 | a number, exact; range checked | digits |
| f32, f64 | a number, or the texts `"NaN"`, `"Infinity"`, `"-Infinity"` | the same, without quotes |
| bigint, decimal | a text (numbers are read too) | the text |
| char, string | a text; lone surrogates are refused | percent-encoded UTF-8 |
| bytes | base64 | the same |
| date, time, datetime, local_datetime | RFC 3339; datetime in UTC, up to microseconds | the same |
| duration, uuid | ISO 8601, RFC 9562 | the same |
| list, set | an array; a set with an element twice is refused | the name repeated, once per element; in a query only |
| map | an object where keys are scalars, else an array of pairs | JSON, in a query only |
| enum | its constant's name | the same |
| struct | an object by contract field names; unknown ones are refused, or skipped by option | JSON, in a query only |
| exception | `application/problem+json`, member `exception` | not there |
| any, calls without a contract | see `gateway.jsonform.generic` | JSON, in a query only |
| callback | refused when the contract is checked | not there |

Attachments, the deadline, the trace and the caller's name are header fields (`protocols.http.context`). A key that
stands twice in one object, NaN without quotes, a byte order mark and numbers of more than 10,000 digits are refused.
"""

from __future__ import annotations

from typing import Final

from gateway.model.contract import ServiceContract
from protocols.http_json.route import PROTOCOL, check, parse_route

__all__ = ["check_contract"]

_RESERVED: Final = frozenset("/?#")


def check_contract(contract: ServiceContract) -> list[str]:
    """What keeps a contract from being carried by http://; empty means fine. JSON has a form for every value."""
    problems: list[str] = []
    for method in contract.methods:
        problems += (
            f"{method.attribute}({method.params[at].name}): a callback; over http:// a service cannot call its caller"
            for at in method.callbacks
        )
        if not _RESERVED.isdisjoint(method.name):
            problems.append(f"{method.attribute}: the name {method.name!r} cannot be a segment of a path")
        line = method.routes.get(PROTOCOL)
        if line is None:
            continue
        try:
            route = parse_route(line)
        except ValueError as exc:
            problems.append(f"{method.attribute}: its route: {exc}")
        else:
            problems += (f"{method.attribute}: {route}: {each}" for each in check(route, method))
    return problems
