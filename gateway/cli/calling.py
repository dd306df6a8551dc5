"""What `polyport call` does: from the words of the command line to an answer that can be printed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from gateway.cli.argument import Argument, bind, generic_values, parse_argument
from gateway.cli.config_file import read_config
from gateway.cli.outcome import Exit, Misuse
from gateway.config import GatewayConfig
from gateway.config.contract_file import contract_target
from gateway.config.sections.service import ServiceConfig
from gateway.config.suggestion import suggestion
from gateway.config.target import import_target, load_contract, service_key
from gateway.contracts import RemoteError, ServiceError, contract_of
from gateway.contracts.fault import fault_of
from gateway.filters.explain import ANSWER_KEY, ASK_KEY
from gateway.jsonform.generic import show_generic
from gateway.jsonform.writer import compile_writer
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import BadRequest, RpcError, ValueMappingError
from gateway.model.explanation import Explanation
from gateway.model.typeref import Kind, TypeRef
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App
from gateway.runtime.connect import connect
from gateway.runtime.proxy import calling

__all__ = ["Answer", "Request", "make_call"]

_METHOD_WITH_TYPES: Final = re.compile(r"([^()\s]+)\(([^()]*)\)\Z")
_ANY_HOST: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class Request:
    """The words of the command line. `contract` is empty when none was named."""

    target: str
    method: str
    arguments: tuple[str, ...]
    config: Path | None
    contract: str
    generic: bool
    group: str
    version: str
    attachments: Mapping[str, str]
    timeout_s: float
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the call. `report`: for `--json`; `text`: for people. `explanation`: why it went where it went, as
    lines for people."""

    exit_code: Exit
    text: str
    report: Mapping[str, Any] = field(default_factory=dict)
    explanation: Sequence[str] = ()

    def as_text(self) -> str:
        """Several lines for a person."""
        return _printable(self.text)

    def as_json(self) -> str:
        """One line of JSON: `ok`, and `value`, `fault` or `error`."""
        return _printable(json.dumps(self.report, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class _Client:
    """A proxy and what is known about its service. `contract`: None for a generic proxy."""

    proxy: Any
    contract: ServiceContract | None


async def make_call(request: Request) -> Answer:
    """Makes the call.

    Raises:
        Misuse: service, method or arguments do not exist or do not fit; nothing was sent.
        ConfigError, ContractError, PluginError: the configuration or the contract cannot be used.
    """
    try:
        arguments = [parse_argument(text) for text in request.arguments]
    except ValueMappingError as exc:
        raise Misuse(str(exc)) from None
    async with _client(request) as client:
        received: dict[str, Any] = {}
        explanation = Explanation() if request.explain else None
        attachments = {**request.attachments, ASK_KEY: "true"} if request.explain else request.attachments
        proxy = calling(client.proxy, attachments=attachments, reply_attachments=received, explanation=explanation)
        if client.contract is None:
            answer = await _call_generic(proxy, request.method, arguments, received)
        else:
            answer = await _call_typed(proxy, client.contract, request.method, arguments, received)
    if explanation is None:
        return answer
    # What a gateway at the other end says for itself, where its listener does.
    there = str(received.get(ANSWER_KEY, "")).splitlines()
    report = {**answer.report, "explanation": {**explanation.as_data(), "there": there}}
    return replace(answer, report=report, explanation=(*explanation.lines(), *(f"there: {line}" for line in there)))


async def _call_typed(
    proxy: Any, contract: ServiceContract, name: str, arguments: list[Argument], received: Mapping[str, Any]
) -> Answer:
    method, values = _bound(contract, name, arguments)
    try:
        value = await getattr(proxy, method.attribute)(*values)
        shown = compile_writer(method.returns, contract)(value)
    except ServiceError as exc:
        return _fault(exc, method, contract)
    except RpcError as exc:
        return _error(exc)
    except ValueMappingError as exc:
        raise Misuse(str(exc)) from None
    return _value(shown, received)


async def _call_generic(proxy: Any, name: str, arguments: list[Argument], received: Mapping[str, Any]) -> Answer:
    with_types = _METHOD_WITH_TYPES.match(name)
    types: tuple[str, ...] | None = None
    if with_types is not None:
        name = with_types.group(1)
        types = tuple(each.strip() for each in with_types.group(2).split(",") if each.strip())
    try:
        value = await proxy.invoke(name, *generic_values(arguments), types=types)
        shown = show_generic(value)
    except ServiceError as exc:
        return _fault(exc, None, None)
    except RpcError as exc:
        return _error(exc)
    except ValueMappingError as exc:
        raise Misuse(str(exc)) from None
    return _value(shown, received)


def _bound(contract: ServiceContract, name: str, arguments: list[Argument]) -> tuple[MethodContract, tuple[Any, ...]]:
    """The overload and its values; methods are found by contract name, then by the name of the Python method."""
    found = contract.overloads(name) or tuple(each for each in contract.methods if each.attribute == name)
    if not found:
        names = [each.name for each in contract.methods]
        raise Misuse(f"{contract.name} has no method {name!r}{suggestion(name, names)}")
    try:
        return bind(found, arguments, contract)
    except (BadRequest, ValueMappingError) as exc:
        raise Misuse(f"{contract.name}.{name}: {exc}") from None


@asynccontextmanager
async def _client(request: Request) -> AsyncIterator[_Client]:
    """The client the request asks for, closed afterwards."""
    cls = import_target(contract_target(request.contract, Catalog(), Path())) if request.contract else None
    if request.config is None:
        async with _connect(request, request.target, cls) as client:
            yield client
        return
    config, catalog = read_config(request.config)
    service = config.services.get(request.target)
    if service is None:
        known = suggestion(request.target, config.services)
        raise Misuse(f"{request.config} has no service {request.target!r}{known}")
    if request.group or request.version:
        raise Misuse("--group and --version belong to a URL; a service of a configuration has its own")
    contract = load_contract(service)
    if cls is None and service.contract is not None:
        cls = import_target(service.contract)
    url = _shown_at(service, service_key(service, contract), config, catalog)
    if url is not None:
        async with _connect(request, url, cls) as client:
            yield client
        return
    alone = config.model_copy(update={"listeners": {}, "services": {request.target: service}})
    async with App(alone, catalog) as app:
        if cls is None or request.generic:
            proxy: Any = app.generic_reference(request.target)
            yield _Client(calling(proxy, deadline_s=request.timeout_s), None)
        else:
            proxy = app.reference(request.target, cls)
            yield _Client(calling(proxy, deadline_s=request.timeout_s), contract_of(cls))


@asynccontextmanager
async def _connect(request: Request, url: str, cls: type[Any] | None) -> AsyncIterator[_Client]:
    if request.generic:
        cls = None
    try:
        opened = connect(
            url,
            cls,
            group=request.group,
            version=request.version,
            timeout_s=request.timeout_s,
            deadline_s=request.timeout_s,
        )
    except ValueError as exc:
        raise Misuse(str(exc)) from None
    async with opened as proxy:
        yield _Client(proxy, None if cls is None else contract_of(cls))


def _shown_at(service: ServiceConfig, key: ServiceKey, config: GatewayConfig, catalog: Catalog) -> str | None:
    """The URL of a service on its first listener, as a client on this machine uses it; None when no listener has one.

    Raises:
        Misuse: the system chooses the listener's port.
    """
    for name in service.listeners:
        listener = config.listeners[name]
        place = config.place(name, catalog.protocol(listener.protocol))
        if place is None:
            continue
        host, port = place
        if port == 0:
            raise Misuse(f"listener {name!r} lets the system choose its port; name the URL that polyport serve printed")
        return str(Endpoint(listener.protocol, _ANY_HOST.get(host, host), port, key))
    return None


def _value(shown: Any, received: Mapping[str, Any]) -> Answer:
    report: dict[str, Any] = {"ok": True, "value": shown}
    attachments = {key: value for key, value in received.items() if key != ANSWER_KEY}
    if attachments:
        report["attachments"] = show_generic(attachments)
    return Answer(Exit.OK, json.dumps(shown, indent=2, ensure_ascii=False), report)


def _fault(exc: ServiceError, method: MethodContract | None, contract: ServiceContract | None) -> Answer:
    fault = fault_of(exc, method, contract)
    fields: dict[str, Any] = {}
    if fault.declared and contract is not None:
        fields = compile_writer(TypeRef(Kind.EXCEPTION, name=fault.type_name), contract)(exc)
        fields.pop("message", None)
    lines = [f"{fault.type_name}: {fault.message}" if fault.message is not None else fault.type_name]
    lines += [f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
    report = {
        "type": fault.type_name,
        "declared": fault.declared,
        "message": fault.message,
        "fields": fields,
        "stack": list(exc.stack) if isinstance(exc, RemoteError) else [],
    }
    return Answer(Exit.FAULT, "\n".join(lines), {"ok": False, "fault": report})


def _error(exc: RpcError) -> Answer:
    report = {"code": exc.code, "message": str(exc), "retry": exc.retry.value}
    return Answer(Exit.FAILED, f"{exc.code}: {exc}", {"ok": False, "error": report})


def _printable(text: str) -> str:
    """The text, with JSON escapes for what standard output cannot carry: lone surrogates, or most of Unicode."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return "".join(each if _fits(each, encoding) else json.dumps(each)[1:-1] for each in text)
    return text


def _fits(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
