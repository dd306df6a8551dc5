import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.model.call import Peer
from gateway.model.endpoint import ServiceKey
from gateway.telemetry.background import BackgroundHandler
from gateway.telemetry.logs import ROOT, JsonFormatter, TextFormatter, call_fields, configure, shorten
from tests.support.fake_invoker import invocation

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    logger = logging.getLogger(ROOT)
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    for handler in logger.handlers:
        if isinstance(handler, BackgroundHandler):
            handler.close()
    logger.handlers[:], level, logger.propagate = before
    logger.setLevel(level)


def record(text: str, *arguments: Any, error: BaseException | None = None, **fields: Any) -> logging.LogRecord:
    exc_info = None
    try:
        if error is not None:
            raise error
    except BaseException as raised:
        exc_info = (type(raised), raised, raised.__traceback__)
    made = logging.LogRecord("polyport.calls", logging.WARNING, "file.py", 1, text, arguments, exc_info)
    # 2026-01-02T03:04:05.678Z in seconds since 1970.
    made.created = 1_767_323_045.678
    vars(made).update(fields)
    return made


def test_a_json_line_is_one_object_with_message_and_fields() -> None:
    line = JsonFormatter().format(record("%s failed", "find", call=7, peer="dubbo 10.0.0.9:1", odd={1}))
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05.678Z",
        "level": "warning",
        "logger": "polyport.calls",
        "message": "find failed",
        "call": 7,
        "peer": "dubbo 10.0.0.9:1",
        "odd": "{1}",
    }


def test_fields_cannot_replace_what_every_line_has() -> None:
    line = json.loads(JsonFormatter().format(record("text", level="fine", time="never")))
    assert (line["level"], line["time"]) == ("warning", "2026-01-02T03:04:05.678Z")


def test_a_text_line_has_its_fields_at_the_end() -> None:
    line = TextFormatter().format(
        record("no answer", call=7, reason="", peer="dubbo 10.0.0.9:1", quote='a"b', eq="a=b")
    )
    assert line == (
        "2026-01-02T03:04:05.678Z WARNING polyport.calls no answer "
        'call=7 reason="" peer="dubbo 10.0.0.9:1" quote="a\\"b" eq="a=b"'
    )


def test_no_text_of_a_peer_can_pass_for_a_line_of_ours() -> None:
    evil = "x\n2026-01-02T03:04:05.678Z ERROR polyport forged\x1b[31m\u2028\ud800"
    text = TextFormatter().format(record("%s", evil, service=evil))
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text
    text.encode()
    line = JsonFormatter().format(record("%s", evil, service=evil))
    assert len(line.splitlines()) == 1
    assert json.loads(line)["service"] == evil
    lines = TextFormatter().format(record("failed", error=ValueError(evil))).splitlines()
    assert all(each.startswith("    ") for each in lines[1:])
    assert any("forged" in each for each in lines)


def test_a_traceback_is_part_of_the_line() -> None:
    line = json.loads(JsonFormatter().format(record("failed", error=ValueError("bad"))))
    assert line["traceback"].startswith("Traceback (most recent call last):\n")
    assert line["traceback"].endswith("ValueError: bad")


def test_the_fields_of_a_call() -> None:
    plain = invocation("find", call_id=7)
    assert call_fields(plain) == {"call": 7, "service": "demo.Catalog", "method": "find"}
    full = invocation(
        "find",
        call_id=8,
        service=ServiceKey("demo.Catalog", "blue", "1.0.0"),
        peer=Peer("dubbo", "10.0.0.9:1"),
        consumer="shop",
        traceparent=f"00-{TRACE}-b7ad6b7169203331-01",
    )
    assert call_fields(full) == {
        "call": 8,
        "service": "blue/demo.Catalog:1.0.0",
        "method": "find",
        "peer": "dubbo 10.0.0.9:1",
        "consumer": "shop",
        "trace": TRACE,
    }


def test_text_of_a_peer_is_cut_and_escaped() -> None:
    assert shorten("demo.Catalog") == "demo.Catalog"
    assert shorten("grün ✓") == "grün ✓"
    assert shorten("a\0b\r\n") == "a\\x00b\\r\\n"
    assert shorten("x" * 1_000_000) == "x" * 200 + "…"


def test_configure_sends_the_gateways_logs_to_the_stream() -> None:
    stream = io.StringIO()
    handler = configure("json", "info", stream)
    logging.getLogger("polyport.calls").info("hello", extra={"call": 7})
    logging.getLogger("polyport.calls").debug("too fine")
    handler.close()
    (line,) = stream.getvalue().splitlines()
    assert (json.loads(line)["message"], json.loads(line)["call"]) == ("hello", 7)


def test_configuring_again_replaces_what_was_there() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure("text", logging.INFO, first)
    handler = configure("text", logging.WARNING, second)
    logging.getLogger("polyport.calls").warning("hello")
    logging.getLogger("polyport.calls").info("too fine")
    handler.close()
    assert first.getvalue() == ""
    assert second.getvalue().endswith("WARNING polyport.calls hello\n")
