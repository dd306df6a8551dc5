"""Which bodies are JSON, and which callers take it."""

from __future__ import annotations

import pytest

from protocols.http_json.media import JSON, JSON_RPC, accepts, body_refusal, media_type


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "Application/JSON",
        "application/json; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/vnd.shop.v2+json",
        "text/json",
        "application/json-rpc",
        "application/jsonrequest",
    ],
)
def test_body_that_says_it_is_json_is_read(content_type: str) -> None:
    assert body_refusal(content_type) == ""


@pytest.mark.parametrize(
    ("content_type", "reason"),
    [
        ("text/plain", "found text/plain"),
        ("application/x-www-form-urlencoded", "found application/x-www-form-urlencoded"),
        ("application/jsonx", "found application/jsonx"),
        ("image/svg+json", "found image/svg"),
        ("; charset=utf-8", "no media type"),
        ("application/json; charset=iso-8859-1", "charset=iso-8859-1"),
        ("application/json, application/json", "found application/json, application/json"),
    ],
)
def test_other_body_is_refused(content_type: str, reason: str) -> None:
    assert reason in body_refusal(content_type)


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("", True),
        ("*/*", True),
        ("application/json", True),
        ("text/html, application/*;q=0.2", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("text/html", False),
        ("application/json;q=0", False),
        ("application/json;q=0.0, */*", False),
        ("*/*;q=0", False),
        ("application/problem+json", False),
        (",", True),
    ],
)
def test_accept_is_weighed(accept: str, taken: bool) -> None:
    assert accepts(accept, JSON) is taken


def test_one_offered_type_is_enough() -> None:
    assert accepts("application/json-rpc", JSON, JSON_RPC)
    assert not accepts("application/json-rpc", JSON)


def test_media_type_is_without_parameters() -> None:
    assert media_type(" Application/JSON ; charset=utf-8") == JSON
