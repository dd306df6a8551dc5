"""Attachments: text quickly, everything else through the reader."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import ValueMappingError
from gateway.model.generic import Long, Record, TypedList
from protocols.hessian.attachments import read_attachments, write_attachments
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("data", "attachments"),
    [
        ("485a", {}),
        ("4e", {}),
        ("48 0470617468 016f 5a", {"path": "o"}),
        ("48 0161 4e 0162 00 5a", {"a": None, "b": ""}),
        ("48 0161 02c3a9c3a9 5a", {"a": "éé"}),
        ("48 300161 300162 5a", {"a": "b"}),
        ("48 0161 520001620163 5a", {"a": "bc"}),
        ("48 0161 91 0162 e2 5a", {"a": 1, "b": Long(2)}),
        ("48 0161 79 91 5a", {"a": [1]}),
        ("4d 0174 0161 0162 5a", {"a": "b"}),
    ],
)
def test_attachments_are_read(data: str, attachments: dict[str, Any]) -> None:
    raw = bytes.fromhex(data)
    for before, after in ((b"", b""), (b"\x90", b""), (b"\x90", b"\xff\xff")):
        assert read_attachments(before + raw + after, len(before)) == (attachments, len(before) + len(raw))


@given(st.dictionaries(TEXT, TEXT))
def test_text_comes_back(attachments: dict[str, str]) -> None:
    data = write_attachments(attachments)
    assert read_attachments(data, 0) == (attachments, len(data))
    assert Reader(data).read() == attachments


def test_text_has_the_bytes_of_the_specification() -> None:
    assert write_attachments({}) == b"HZ"
    assert write_attachments({"path": "o", "n": "x" * 40}) == b"H\x04path\x01o\x01n\x30\x28" + b"x" * 40 + b"Z"
    assert write_attachments({"k": "v" * 1_024}) == b"H\x01kS\x04\x00" + b"v" * 1_024 + b"Z"


def test_keys_keep_their_case_and_order() -> None:
    data = write_attachments({"b": "1", "A": "2", "a": "3"})
    assert list(read_attachments(data, 0)[0]) == ["b", "A", "a"]


@pytest.mark.parametrize(
    "data", ["90", "79 91", "48 91 0161 5a", "48 79 91 0161 5a", "43 0174 91 0161 60 0162", "48 48 5a 91 5a"]
)
def test_what_is_no_map_of_text_keys_is_refused(data: str) -> None:
    with pytest.raises(HessianError, match="map with text keys"):
        read_attachments(bytes.fromhex(data), 0)


@pytest.mark.parametrize(
    "attachments", [{"path": "o", "a": "b" * 40}, {"ä": "ö"}, {"n": 1}], ids=["ascii", "text", "numbers"]
)
def test_cut_attachments_are_refused(attachments: dict[str, Any]) -> None:
    data = write_attachments(attachments)
    for end in range(len(data)):
        with pytest.raises(HessianError):
            read_attachments(data[:end], 0)


def test_attachments_may_refer_to_what_stands_before_them() -> None:
    writer = Writer()
    shared = ["s"]
    point = Record("t.Point", {"x": 1})
    writer.write([shared, point])
    pos = len(writer.out)
    writer.write({"list": shared, "point": Record("t.Point", {"x": 2}), "typed": TypedList("t", [1])})
    data = writer.finish()
    expected = {"list": ["s"], "point": Record("t.Point", {"x": 2}), "typed": [1]}
    # Either by reading the arguments again, or with the reader that has read them.
    assert read_attachments(data, pos, start=0) == (expected, len(data))
    reader = Reader(data)
    reader.read()
    assert read_attachments(data, pos, reader=reader) == (expected, len(data))
    with pytest.raises(HessianError):
        read_attachments(data, pos)


def test_rewritten_attachments_continue_the_tables_before_them() -> None:
    writer = Writer()
    writer.write(["s", Record("t.Point", {"x": 1}), TypedList("t", [1])])
    body = writer.finish()
    reader = Reader(body)
    reader.read()
    shared = [Long(1)]
    attachments = {"point": Record("t.Point", {"x": 2}), "typed": TypedList("t", [2]), "a": shared, "b": shared}
    data = body + write_attachments(attachments, reader)
    assert read_attachments(data, len(body), start=0) == (attachments, len(data))


def test_a_value_without_form_is_refused_by_key() -> None:
    with pytest.raises(ValueMappingError) as caught:
        write_attachments({"ok": "1", "bad": [object()]})
    assert caught.value.path == "bad[0]"


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        attachments, end = read_attachments(b"H" + data, 0)
    except HessianError:
        return
    assert 0 < end <= len(data) + 1
    assert all(isinstance(key, str) for key in attachments)
