"""dubbo:// against the corpus: every value, exception and attachment, in both directions, however the bytes arrive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, ReplyReceived
from protocols.dubbo.client import DubboClientWire
from protocols.dubbo.server import DubboServerCodec, DubboServerWire
from protocols.hessian.typed import compile_writer
from protocols.hessian.writer import Writer
from protocols.reader import Limits
from protocols.testing import (
    ATTACHMENTS,
    CONTRACT,
    CORPUS,
    FAULTS,
    MISFITS,
    AtMoment,
    AttachmentsCase,
    Case,
    FaultCase,
    Misfit,
    describe_event,
    difference,
    feed,
    feed_rubbish,
)

KEY = ServiceKey(CONTRACT.name)
LIMITS = Limits(max_frame_bytes=16 << 20)
REFUSED = {"decimal/-0": "BigDecimal has no negative zero"}
"""What this wire cannot carry, and why; everything else in the corpus must survive."""
SERVER = DubboServerWire([Exposure(KEY, CONTRACT)], LIMITS)
CLIENT = DubboClientWire(LIMITS)
BINDING = CLIENT.bind(KEY, CONTRACT, "", "corpus")
METHODS = {method.attribute: method for method in CONTRACT.methods}


def server() -> DubboServerCodec:
    return SERVER.accept(Peer("dubbo", "corpus"))


def request(method: MethodContract, arguments: tuple[Any, ...], **more: Any) -> tuple[Any, int, bytes]:
    codec = CLIENT.connect()
    invocation = Invocation(KEY, method.name, arguments, signature=method, **more)
    call_id, data = codec.call(BINDING, invocation, 1.0)
    return codec, call_id, data


def answered(method: MethodContract, arguments: tuple[Any, ...], outcome: Ok | Fault) -> tuple[Any, bytes]:
    """A client codec that waits for an answer, and the answer's bytes."""
    client, _, data = request(method, arguments)
    codec = server()
    event = codec.receive(data, 0.0)[0]
    assert isinstance(event, CallReceived)
    return client, codec.reply(event.ticket, outcome)


def outcome_of(client: Any, reply: bytes) -> Any:
    event = client.receive(reply)[0]
    assert isinstance(event, ReplyReceived)
    return event.outcome


CARRIED = [case for case in CORPUS if case.name not in REFUSED]


@pytest.mark.parametrize("name", REFUSED)
def test_what_java_cannot_hold_is_refused_with_its_place(name: str) -> None:
    case = next(case for case in CORPUS if case.name == name)
    with pytest.raises(ValueMappingError, match=rf"^args\[0\]: {REFUSED[name]}"):
        request(METHODS[case.method], case.arguments)


@pytest.mark.parametrize("case", CARRIED, ids=lambda case: case.name)
def test_value_survives_as_argument_and_as_result(case: Case) -> None:
    method = METHODS[case.method]
    client, _, data = request(method, case.arguments)
    codec = server()
    event = codec.receive(data, 0.0)[0]
    assert isinstance(event, CallReceived), event
    assert difference(case.arguments, event.invocation.arguments()) is None
    outcome = outcome_of(client, codec.reply(event.ticket, Ok(case.value)))
    assert isinstance(outcome, Ok), outcome
    assert difference(case.value, outcome.value) is None


SMALL = [case for case in CARRIED if not case.large]
EACH_METHOD = list({case.method: case for case in SMALL}.values())


def messages(case: Case) -> tuple[bytes, bytes, Callable[[], Any]]:
    """Request, reply, and how to make the client codec that waits for it."""
    method = METHODS[case.method]
    _, _, data = request(method, case.arguments)
    _, reply = answered(method, case.arguments, Ok(case.value))
    return data, reply, lambda: request(method, case.arguments)[0]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_messages_may_arrive_byte_by_byte(case: Case) -> None:
    data, reply, client = messages(case)
    for make, stream in ((lambda: AtMoment(server()), data), (client, reply)):
        whole = [describe_event(event) for event in make().receive(stream)]
        codec = make()
        single = [describe_event(event) for byte in stream for event in codec.receive(bytes((byte,)))]
        assert difference(whole, single) is None


@pytest.mark.parametrize("case", EACH_METHOD, ids=lambda case: case.name)
def test_messages_may_be_cut_anywhere_and_have_rubbish_behind(case: Case) -> None:
    data, reply, client = messages(case)
    for make, stream in ((lambda: AtMoment(server()), data), (client, reply)):
        feed(make, stream)
        feed_rubbish(make, stream)


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_exception_survives(case: FaultCase) -> None:
    method = METHODS[case.method]
    outcome = outcome_of(*answered(method, ("x",), case.fault))
    assert isinstance(outcome, Fault)
    if case.fault.declared:
        assert (outcome.type_name, outcome.message, outcome.declared) == (
            case.fault.type_name,
            case.fault.message,
            True,
        )
        assert difference(dict(case.fault.fields), dict(outcome.fields)) is None
    else:
        # Java knows no ValueError: the class travels in front of the text of a RuntimeException.
        text = case.fault.type_name + (f": {case.fault.message}" if case.fault.message is not None else "")
        assert (outcome.type_name, outcome.message, outcome.declared) == ("java.lang.RuntimeException", text, False)


@pytest.mark.parametrize("case", ATTACHMENTS, ids=lambda case: case.name)
def test_attachments_survive_both_ways(case: AttachmentsCase) -> None:
    method = METHODS["echo_string"]
    client, _, data = request(method, ("x",), attachments=case.attachments)
    codec = server()
    event = codec.receive(data, 0.0)[0]
    assert isinstance(event, CallReceived)
    assert dict(event.invocation.attachments) == dict(case.attachments)
    outcome = outcome_of(client, codec.reply(event.ticket, Ok("x", dict(case.attachments))))
    assert dict(outcome.attachments) == dict(case.attachments)


@pytest.mark.parametrize("case", MISFITS, ids=lambda case: case.name)
def test_misfit_is_refused_before_anything_is_sent(case: Misfit) -> None:
    with pytest.raises(ValueMappingError):
        compile_writer(case.type, CONTRACT)(Writer(), case.value)
