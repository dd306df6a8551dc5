from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.call import NO_ATTACHMENTS, Invocation
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, LocalWireError, ProviderFailed, Retry, ValueMappingError
from protocols.http.context import (
    NO_CONTEXT,
    Context,
    name_caller,
    read_context,
    read_reply_attachments,
    reply_headers,
    request_headers,
    token_headers,
)
from protocols.http.message import Headers
from protocols.testing import ATTACHMENTS, AttachmentsCase

# RFC 9110, sections 5.6.2 (token) and 5.5 (field value without blanks and obs-text).
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VISIBLE = re.compile(r"[!-~]*")
# The examples of Trace Context, section 3.2.3.1, and of a later version (section 3.2.4).
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LATER = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like"

encodable = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def call(**attributes: Any) -> Invocation:
    return Invocation(ServiceKey("demo.Catalog"), "find", (), **attributes)


def sent(**attributes: Any) -> Headers:
    timeout_s, consumer = attributes.pop("timeout_s", None), attributes.pop("as_consumer", "")
    return Headers(request_headers(call(**attributes), timeout_s, consumer))


@pytest.mark.parametrize("case", ATTACHMENTS, ids=lambda case: case.name)
def test_attachments_survive_in_both_directions(case: AttachmentsCase) -> None:
    assert read_context(sent(attachments=case.attachments)).attachments == case.attachments
    assert read_reply_attachments(Headers(reply_headers(case.attachments))) == case.attachments


@given(st.dictionaries(encodable, encodable, max_size=8), encodable)
def test_any_text_arrives_as_it_was_and_never_ends_a_field(attachments: dict[str, str], consumer: str) -> None:
    fields = request_headers(call(attachments=attachments), None, consumer)

    assert len({name.lower() for name, _ in fields}) == len(fields)
    assert all(TOKEN.fullmatch(name) and VISIBLE.fullmatch(value) for name, value in fields)
    assert read_context(Headers(fields)) == Context(attachments or NO_ATTACHMENTS, consumer=consumer)


def test_what_goes_over_the_line_is_percent_encoded_utf8() -> None:
    attachments = {"plain": "a,b;c=d", "schlüssel": "50 % mehr\r\nX-Evil: 1\0", "%41": "%"}

    assert reply_headers(attachments) == (
        ("Polyport-Attachment-plain", "a,b;c=d"),
        ("Polyport-Attachment-schl%C3%BCssel", "50%20%25%20mehr%0D%0AX-Evil:%201%00"),
        ("Polyport-Attachment-%2541", "%25"),
    )


@pytest.mark.parametrize(
    ("timeout_s", "text"),
    [(1.0, "1.000"), (0.25, "0.250"), (0.00001, "0.001"), (-1.0, "0.001"), (3600.0, "3600.000")],
)
def test_a_timeout_is_told_in_seconds(timeout_s: float, text: str) -> None:
    assert request_headers(call(), timeout_s, "") == (("Polyport-Timeout", text),)


@pytest.mark.parametrize("timeout_s", [None, float("inf"), float("nan")])
def test_a_wait_without_end_is_not_told(timeout_s: float | None) -> None:
    assert request_headers(call(), timeout_s, "") == ()


@pytest.mark.parametrize(("text", "timeout_s"), [("2", 2.0), ("0.25", 0.25), ("0", 0.0), ("007.5", 7.5)])
def test_a_timeout_is_read_as_seconds(text: str, timeout_s: float) -> None:
    assert read_context(Headers([("polyport-TIMEOUT", text)])).timeout_s == timeout_s


@pytest.mark.parametrize("text", ["", "-1", "+1", "1e3", "1s", ".5", "5.", "nan", "1, 2", "1_0", "٣", "9" * 10])
def test_a_malformed_timeout_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="Polyport-Timeout"):
        read_context(Headers([("Polyport-Timeout", text)]))


@pytest.mark.parametrize("trace", [TRACE, LATER])
def test_a_trace_goes_in_and_out(trace: str) -> None:
    assert read_context(Headers([("Traceparent", trace)])).traceparent == trace
    assert request_headers(call(traceparent=trace), None, "") == (("traceparent", trace),)


@pytest.mark.parametrize(
    "trace",
    [
        "",
        TRACE.upper(),
        TRACE[:-1],
        f"{TRACE}-more",
        f"{TRACE}, {TRACE}",
        f"{LATER}, {TRACE}",
        f"{LATER}\r\nX-Evil: 1",
        f"{TRACE}\n",
        f"ff{TRACE[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        TRACE.replace("-", "_"),
    ],
)
def test_a_malformed_trace_counts_as_absent_in_both_directions(trace: str) -> None:
    assert read_context(Headers([("traceparent", trace)])).traceparent is None
    assert request_headers(call(traceparent=trace), None, "") == ()


def test_a_message_without_fields_of_ours_has_the_empty_context() -> None:
    headers = Headers([("Host", "a"), ("Accept", "*/*"), ("Polyport-Attachments", "no")])

    assert read_context(headers) is NO_CONTEXT
    assert read_reply_attachments(headers) is NO_ATTACHMENTS


def test_fields_are_read_once_per_headers() -> None:
    headers = sent(attachments={"a": "b"}, timeout_s=1.0)

    assert read_context(headers) is read_context(headers)


def test_names_of_fields_match_without_case_but_keys_keep_theirs() -> None:
    headers = Headers([("POLYPORT-ATTACHMENT-Tenant", "a"), ("polyport-attachment-tenant", "b")])

    assert read_context(headers).attachments == {"Tenant": "a", "tenant": "b"}


def test_keys_that_differ_in_case_alone_have_fields_of_different_names() -> None:
    assert reply_headers({"Key": "1", "key": "2", "KEY": "3"}) == (
        ("Polyport-Attachment-Key", "1"),
        ("Polyport-Attachment-%6B%65%79", "2"),
        ("Polyport-Attachment-%4B%45%59", "3"),
    )


def test_a_caller_without_a_name_can_be_given_one() -> None:
    nameless, named = sent(attachments={"a": "b"}), sent(as_consumer="shop")
    name_caller(nameless, "key-7")
    name_caller(named, "key-7")

    assert read_context(nameless) == Context({"a": "b"}, consumer="key-7")
    assert read_context(named).consumer == "shop"


def test_blanks_inside_a_value_written_by_hand_are_kept() -> None:
    assert read_context(Headers([("Polyport-Attachment-note", "two\twords here")])).attachments == {
        "note": "two\twords here"
    }


@pytest.mark.parametrize("value", ["%", "%4", "%zz", "a%", "Gr\xfc\xdfe", "a\nb", "a\0", "a\x7f", "%C3", "%ED%A0%80"])
def test_what_is_not_encoded_text_is_refused_by_name(value: str) -> None:
    for headers in (
        Headers([("Polyport-Attachment-a", value)]),
        Headers([(f"Polyport-Attachment-{value}", "a")]),
        Headers([("Polyport-Consumer", value)]),
    ):
        with pytest.raises(BadRequest, match=r"^Polyport-(Attachment-|Consumer)"):
            read_context(headers)


def test_a_key_that_is_there_twice_is_refused_also_when_encoded_differently() -> None:
    headers = Headers([("Polyport-Attachment-a", "1"), ("Polyport-Attachment-%61", "1")])

    with pytest.raises(BadRequest, match="Polyport-Attachment-%61: is there twice"):
        read_context(headers)


def test_an_answer_with_malformed_attachments_is_the_provider_s_failure() -> None:
    with pytest.raises(ProviderFailed, match="Polyport-Attachment-a") as caught:
        read_reply_attachments(Headers([("Polyport-Attachment-a", "%")]))

    assert caught.value.retry is Retry.NEVER


def test_number_and_size_of_attachments_are_bounded_in_both_directions() -> None:
    fits = {str(index): "" for index in range(256)}
    assert read_context(sent(attachments=fits)).attachments == fits
    with pytest.raises(LocalWireError, match="256"):
        reply_headers({**fits, "one": "more"})
    with pytest.raises(BadRequest, match="256"):
        read_context(Headers([(f"Polyport-Attachment-{index}", "") for index in range(257)]))
    with pytest.raises(LocalWireError, match="32768"):
        reply_headers({"a": "x" * 32_768})
    with pytest.raises(LocalWireError, match="32768"):
        sent(as_consumer="x" * 32_769)
    with pytest.raises(BadRequest, match="32768"):
        read_context(Headers([("Polyport-Attachment-a", "x" * 32_768)]))
    with pytest.raises(BadRequest, match="32768"):
        read_context(Headers([("Polyport-Consumer", "x" * 32_769)]))
    with pytest.raises(ProviderFailed, match="256"):
        read_reply_attachments(Headers([(f"Polyport-Attachment-{index}", "") for index in range(257)]))


@pytest.mark.parametrize("value", [1, None, b"bytes", ["a"], True])
def test_attachments_that_are_not_text_are_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueMappingError, match=r"attachments\['user'\].*text"):
        reply_headers({"user": value})


def test_half_a_surrogate_pair_is_refused_by_name() -> None:
    with pytest.raises(ValueMappingError, match=r"attachments\['user'\]"):
        reply_headers({"user": "\ud800"})
    with pytest.raises(ValueMappingError, match=r"attachments\['\\ud800'\]"):
        reply_headers({"\ud800": "a"})
    with pytest.raises(ValueMappingError, match="consumer"):
        request_headers(call(), None, "\ud800")


@pytest.mark.parametrize("token", ["t0ken", "with blank", "ü%", 'quo"te'])
def test_a_token_arrives_as_it_was(token: str) -> None:
    assert read_context(Headers(token_headers(token))).token == token
    assert token_headers("") == ()


def test_a_token_is_shown_nowhere_and_is_no_attachment() -> None:
    context = read_context(Headers(token_headers("s3cret")))
    assert "s3cret" not in repr(context)
    assert context.attachments == {}


def test_a_malformed_token_is_refused_by_the_name_of_its_field() -> None:
    for value in ("%zz", "x" * 40_000):
        with pytest.raises(BadRequest, match="Polyport-Token") as caught:
            read_context(Headers([("Polyport-Token", value)]))
        assert value not in str(caught.value)
    with pytest.raises(ValueError, match="the token is longer"):
        token_headers("x" * 40_000)
    with pytest.raises(ValueError, match="surrogate"):
        token_headers("\ud800")
