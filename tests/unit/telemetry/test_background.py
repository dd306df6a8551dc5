import io
import logging
import threading

import pytest

from gateway.telemetry.background import BackgroundHandler

WAIT_S = 5.0


def record(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelno": logging.INFO})


class StuckStream(io.StringIO):
    """A reader that reads nothing until ``free`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.free = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        assert self.free.wait(WAIT_S)
        return super().write(text)


class FullDisk(io.StringIO):
    """Refuses the first line."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = threading.Event()

    def write(self, text: str) -> int:
        if not self.refused.is_set():
            self.refused.set()
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_close_writes_what_is_left_in_order_and_can_be_repeated() -> None:
    stream = io.StringIO()
    handler = BackgroundHandler(stream)
    for number in range(100):
        handler.handle(record(f"line {number}"))
    handler.close()
    handler.close()
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(100)]
    assert not stream.closed


def test_a_stuck_reader_holds_up_nobody_and_the_loss_is_reported() -> None:
    stream = StuckStream()
    handler = BackgroundHandler(stream, max_waiting=2)
    handler.handle(record("first"))
    assert stream.entered.wait(WAIT_S)
    for text in ("second", "third", "lost", "lost"):
        handler.handle(record(text))
    assert handler.dropped == 2
    stream.free.set()
    handler.close()
    assert stream.getvalue().splitlines() == ["first", "second", "2 log lines were lost", "third"]


def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    stream = FullDisk()
    handler = BackgroundHandler(stream)
    handler.handle(record("lost"))
    assert stream.refused.wait(WAIT_S)
    handler.handle(record("kept"))
    handler.close()
    assert handler.dropped == 1
    assert stream.getvalue().splitlines() == ["kept", "1 log lines were lost"]


def test_what_is_logged_after_the_end_is_lost_and_counted() -> None:
    stream = io.StringIO()
    handler = BackgroundHandler(stream)
    handler.close()
    handler.handle(record("late"))
    assert handler.dropped == 1
    assert stream.getvalue() == ""


def test_a_line_that_cannot_be_formatted_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    stream = io.StringIO()
    handler = BackgroundHandler(stream)
    handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("text",)}))
    handler.handle(record("fine"))
    handler.close()
    assert stream.getvalue() == "fine\n"
