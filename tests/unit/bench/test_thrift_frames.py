"""The benchmark's request of Thrift against what thriftpy2 writes and reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import thriftpy2
from thriftpy2.protocol.binary import TBinaryProtocolFactory
from thriftpy2.thrift import TProcessor
from thriftpy2.transport import TMemoryBuffer
from thriftpy2.transport.framed import TFramedTransportFactory

from bench.request import WrongReply
from bench.thrift_frames import SEQID_OFFSET, build_thrift_request

IDL = Path(__file__).parents[3] / "bench" / "floors" / "echo.thrift"
TEXT = "the text that comes back"


class Echo:
    def echo(self, text: str) -> str:
        return text


def answer(request: bytes, text: str | None = None) -> bytes:
    """What a server of thriftpy2 says to these bytes; `text`: in place of the argument."""
    idl: Any = thriftpy2.load(str(IDL), "echo_frames_thrift")
    handler: Any = Echo()
    if text is not None:
        handler.echo = lambda _: text
    incoming, outgoing = TMemoryBuffer(request), TMemoryBuffer()
    framed: Any = TFramedTransportFactory()
    binary: Any = TBinaryProtocolFactory()
    TProcessor(idl.Echo, handler).process(
        *(binary.get_protocol(framed.get_transport(each)) for each in (incoming, outgoing))
    )
    found: bytes = outgoing.getvalue()
    return found


def test_a_server_of_thriftpy2_answers_the_request_and_repeats_its_id() -> None:
    request = build_thrift_request(TEXT)
    request.check_reply(answer(request.frame))
    seqid = b"\x12\x34\x56\x78"
    numbered = request.frame[:SEQID_OFFSET] + seqid + request.frame[SEQID_OFFSET + 4 :]
    assert answer(numbered)[SEQID_OFFSET : SEQID_OFFSET + 4] == seqid


def test_another_answer_is_seen() -> None:
    request = build_thrift_request(TEXT)
    with pytest.raises(WrongReply):
        request.check_reply(answer(request.frame, "another text"))
