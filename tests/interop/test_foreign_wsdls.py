"""WSDLs that others made (`wsdl/list.txt`): read as contracts, and called, with zeep at the other end.

zeep reads each request, and writes each answer that is read, for all operations that it can play itself. What stands
in a value has to be what stood in the answer. `python -m tests.interop.test_foreign_wsdls` prints the table.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web
from lxml.etree import LxmlError
from zeep.exceptions import Error as ZeepError

from adapters.soap import PLUGIN
from adapters.soap_wsdl import load_wsdl
from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.model.call import Invocation, Ok
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ValueMappingError
from gateway.spi.adapter import Reference
from protocols.soap.foreign.calls import ForeignCalls
from protocols.soap.foreign.reader import ForeignService
from tests.support.peer_program import BUILD_TIMEOUT, require_built
from tests.support.zeep_oracle import Oracle, leaves, sample_arguments

pytestmark = [
    pytest.mark.interop,
    BUILD_TIMEOUT,
    # zeep's own, about schemas that it takes in part.
    pytest.mark.filterwarnings("ignore:.*:UserWarning:zeep"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

_HERE: Final = Path(__file__).parent / "wsdl"
_CACHE: Final = Path(__file__).parents[2] / ".cache" / "interop-wsdl"
_LEAST: Final = 0.9
_INVALID: Final = frozenset({"testAnonEnumList", "testChoiceArray"})
"""Operations whose sample of an answer is not what the schema says: enumerations in lists, choices in choices."""


@dataclass(frozen=True)
class Listed:
    """A line of the list. `reason`: why it is not called; empty for all that are."""

    path: str
    reason: str


@dataclass
class Played:
    """What became of the operations of one WSDL, each with a word."""

    agreed: list[tuple[ForeignService, ServiceContract, MethodContract, bytes]] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def listed() -> Iterator[Listed]:
    for line in (_HERE / "list.txt").read_text().splitlines():
        path, _, reason = line.partition("#")
        if path.strip():
            yield Listed(path.strip(), reason.strip())


def played(path: Path) -> Played:
    """All operations of a WSDL, as far as zeep plays them. Raises what says that it cannot be read."""
    result = Played()
    services = load_wsdl(str(path))
    module = services_of(contract_module([each.contract for each in services.services], path.name))
    oracle = Oracle(str(path))
    for service in services.services:
        contract = contract_of(module[service.contract.name])
        calls = ForeignCalls(contract, service, "Z")
        port = service.ports[0]
        for method in contract.methods:
            if method.oneway or not oracle.knows(port, method.name):
                result.others["not for zeep"] += 1
                continue
            call = calls.by_attribute[method.attribute]
            try:
                request = call.write_request(
                    port.binding.version, "", sample_arguments(service, method.attribute, contract)
                )
            except ValueMappingError:
                # The sample is none: three of something, where one of each was made up.
                result.others["no sample"] += 1
                continue
            try:
                unread = oracle.unread(port, method.name, request)
                answer = oracle.answer(port, method.name)
            except (ZeepError, LxmlError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
                result.others["zeep gives up"] += 1
                continue
            # The text for a union is none of what its members are.
            if unread and "Union" not in method.name:
                result.differing.append(f"{method.name}: {unread}")
            try:
                outcome = call.read_answer(answer, "utf-8", 100_000)
            except ValueMappingError as exc:
                if method.name in _INVALID:
                    result.others["no sample"] += 1
                else:
                    result.differing.append(f"{method.name}: {exc}")
                continue
            assert isinstance(outcome, Ok)
            if sorted(leaves(outcome.value)) == sorted(oracle.leaves(answer)):
                result.agreed.append((service, contract, method, answer))
            else:
                result.differing.append(f"{method.name}: {outcome.value} is not {answer.decode()}")
    return result


@pytest.fixture(scope="module")
def fetched() -> Path:
    require_built(_HERE / "build.sh")
    return _CACHE


@pytest.mark.direction("us → WSDL of others", wire="webservice", peer="zeep", quick=True)
@pytest.mark.parametrize("each", [each for each in listed() if not each.reason], ids=lambda each: each.path)
async def test_it_is_read_and_called(fetched: Path, each: Listed) -> None:
    path = fetched / each.path
    result = played(path)

    assert result.agreed, result.others
    service, contract, method, answer = result.agreed[0]

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=answer, content_type=service.ports[0].binding.version.media_type)

    application = web.Application()
    application.router.add_post("/{any:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    client = PLUGIN.client()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        key = ServiceKey(contract.name)
        endpoint = Endpoint("webservice", "127.0.0.1", runner.addresses[0][1], key)
        parameters = {"wsdl": load_wsdl(str(path)), "zone": "Z"}
        invoker = client.open(endpoint, Reference(key, contract, parameters=parameters))
        arguments = tuple(sample_arguments(service, method.attribute, contract))
        outcome = await invoker(Invocation(key, method.name, arguments, signature=method))
    finally:
        await client.aclose()
        await runner.cleanup()
    assert isinstance(outcome, Ok)
    assert sorted(leaves(outcome.value)) == sorted(Oracle.leaves(answer))
    assert result.differing == []


def test_most_of_the_list_is_called() -> None:
    every = list(listed())

    assert len(every) >= 20
    assert sum(not each.reason for each in every) >= _LEAST * len(every)


def main() -> int:
    """Prints what became of each WSDL of the list."""
    logging.disable()
    warnings.simplefilter("ignore")
    require_built(_HERE / "build.sh")
    called = 0
    every = list(listed())
    for each in every:
        try:
            result = played(_CACHE / each.path)
        except Exception as exc:
            print(f"{each.path:75} {each.reason or 'FAILED'}: {str(exc).splitlines()[0][-120:]}")
            continue
        called += bool(result.agreed)
        rest = "".join(f", {count} {word}" for word, count in sorted(result.others.items()))
        print(
            f"{each.path:75} {len(result.agreed)} called{rest}"
            + "".join(f"\n  {line[:300]}" for line in result.differing)
        )
    print(f"{called} of {len(every)} were read and called")
    return 0 if called >= _LEAST * len(every) else 1


if __name__ == "__main__":
    sys.exit(main())
