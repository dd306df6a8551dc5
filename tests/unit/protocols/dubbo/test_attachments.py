"""What the attachments of a request say to the framework, and what is left for the service."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.model.call import NO_ATTACHMENTS
from protocols.dubbo.attachments import ADDRESSING, CallAttachments

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_service_sees_only_what_is_not_of_the_wire() -> None:
    values: dict[str, Any] = dict.fromkeys(ADDRESSING, "x") | {"User-Id": "Ann", "user-id": "bob", "n": 7}
    assert CallAttachments(values).user == {"User-Id": "Ann", "user-id": "bob", "n": 7}
    assert CallAttachments(dict.fromkeys(ADDRESSING, "x")).user is NO_ATTACHMENTS


def test_user_attachments_are_read_only() -> None:
    with pytest.raises(TypeError):
        CallAttachments({"a": "b"}).user["a"] = "c"  # type: ignore[index]


def test_route_consumer_and_token() -> None:
    found = CallAttachments(
        {"path": "p", "interface": "i", "group": "g", "version": "v", "remote.application": "shop", "token": "t"}
    )
    assert found.route == ("p", "i", "g", "v")
    assert (found.consumer, found.token) == ("shop", "t")


def test_values_of_another_type_count_as_absent() -> None:
    found = CallAttachments(dict.fromkeys(["path", "interface", "group", "version", "token", "traceparent"], 7))
    assert found.route == ("", "", "", "")
    assert found.token == ""
    assert found.traceparent is None


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, None),
        ({"timeout": "1000"}, 1.0),
        ({"timeout": 1500}, 1.5),
        ({"timeout": "3000", "_TO": "250"}, 0.25),  # the countdown is what is left
        ({"timeout": "3000", "_to": 250}, 0.25),
        ({"timeout": "3000", "_TO": "soon"}, 3.0),
        ({"timeout": "0"}, None),
        ({"timeout": "-1"}, None),
        ({"timeout": True}, None),
        ({"timeout": "1e3"}, None),
        ({"timeout": "٣٠٠"}, None),  # decimal digits, but not of ASCII
        ({"timeout": str(86_400_000)}, 86_400.0),
        ({"timeout": str(86_400_001)}, None),
        ({"timeout": "9" * 5_000}, None),
        ({"timeout": 10**400}, None),
    ],
)
def test_timeout_is_milliseconds_as_number_or_text(values: dict[str, Any], seconds: float | None) -> None:
    assert CallAttachments(values).timeout_s == seconds


@pytest.mark.parametrize(("text", "taken"), [(TRACE, True), (TRACE + "-more", False), ("", False)])
def test_trace_context_of_another_length_is_left_out(text: str, taken: bool) -> None:
    assert CallAttachments({"traceparent": text}).traceparent == (text if taken else None)


@pytest.mark.parametrize(
    ("value", "mode"), [("true", "true"), (True, "true"), ("NativeJava", "nativejava"), (1, None), (None, None)]
)
def test_generic_mode_is_text_or_boolean(value: object, mode: str | None) -> None:
    assert CallAttachments({"generic": value}).generic == mode
