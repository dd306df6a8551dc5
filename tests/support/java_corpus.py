"""The corpus against a Java provider of demo.Types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import Endpoint
from gateway.model.errors import GatewayError
from gateway.model.generic import TypedList
from gateway.plugins.catalog import Catalog
from gateway.spi.adapter import Reference
from gateway.spi.cluster import Invoker
from protocols.testing import CONTRACT, CORPUS, Case, difference

__all__ = ["corpus_invoker", "echo_corpus"]

_REFUSED: Final = {"decimal/-0"}
"""Values of the corpus that Java has not; the codec refuses them."""


@asynccontextmanager
async def corpus_invoker(address: str, protocol: str = "dubbo", **parameters: Any) -> AsyncIterator[Invoker]:
    """A connection to demo.Types with the contract of the corpus."""
    client = Catalog().protocol(protocol).client()
    endpoint = Endpoint.parse(f"{protocol}://{address}/{CONTRACT.name}")
    reference = Reference(endpoint.service, CONTRACT, timeout_s=10.0, parameters=parameters)
    invoker = client.open(endpoint, reference)
    try:
        yield invoker
    finally:
        await invoker.aclose()
        await client.aclose()


async def echo_corpus(invoker: Invoker) -> AsyncIterator[tuple[Case, str | None]]:
    """Sends every value through its echo method; gives the case and how the answer differs, None when it does not."""
    methods = {method.attribute: method for method in CONTRACT.methods}
    for case in CORPUS:
        if case.name in _REFUSED:
            continue
        method = methods[case.method]
        call = Invocation(invoker.endpoint.service, method.name, case.arguments, signature=method)
        try:
            answer = await invoker(call)
        except GatewayError as exc:
            yield case, str(exc)
            continue
        if isinstance(answer, Ok):
            yield case, difference(_as_java_echoes(case.value), _as_java_echoes(answer.value))
        else:
            yield case, repr(answer)


def _as_java_echoes(value: Any) -> Any:
    """The value after hessian-lite wrote it: -0.0 lost its sign; 3.2 names the class of a plain list."""
    if isinstance(value, float):
        return value + 0.0
    if type(value) is list or (isinstance(value, TypedList) and value.type_name == "java.util.ArrayList"):
        return [_as_java_echoes(item) for item in value]
    if type(value) is dict:
        return {key: _as_java_echoes(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changed = {each.name: _as_java_echoes(getattr(value, each.name)) for each in fields(value)}
        return replace(value, **changed)
    return value
