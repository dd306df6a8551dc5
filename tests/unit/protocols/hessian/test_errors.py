"""Messages of the codec's errors."""

from __future__ import annotations

from gateway.model.errors import WireError
from protocols.hessian.errors import HessianError, shorten, tag_name


def test_an_error_says_path_message_and_offset() -> None:
    error = HessianError("expected int, found 0x4e (null)", 17).within("[3]").within("tags").within("args[0]")
    assert str(error) == "args[0].tags[3]: expected int, found 0x4e (null) at offset 17"
    assert isinstance(error, WireError)


def test_an_error_without_place_is_its_message() -> None:
    assert str(HessianError("nothing left")) == "nothing left"


def test_a_name_of_the_peer_is_shortened_and_escaped() -> None:
    assert shorten("demo.Product$Line") == "demo.Product$Line"
    assert shorten("a\n\x1b[31m\u202e") == "a\\n\\x1b[31m\\u202e"
    assert len(shorten("x" * 1_000_000)) == 81


def test_every_tag_has_a_name() -> None:
    assert tag_name(0x49) == "0x49 (int)"
    assert tag_name(0x60) == "0x60 (object)"
    assert tag_name(0x40) == "0x40 (reserved)"
    assert tag_name(0xFF) == "0xff (long)"
