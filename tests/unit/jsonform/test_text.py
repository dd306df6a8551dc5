import json
import time
from decimal import Decimal
from typing import Any

import pytest

from gateway.jsonform.text import format_json, parse_json
from gateway.model.errors import ValueMappingError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a":1,"b":2}', {"a": 1, "b": 2}),
        (b' \t\r\n[1 , {"a": {"b": []}}, ":"] \n', [1, {"a": {"b": []}}, ":"]),
        (b'{"a":":"}', {"a": ":"}),
        (b"1.10", Decimal("1.10")),
        (b"1e3", Decimal("1E+3")),
        (b"-0", Decimal("-0")),
        (b"[-0, -0.0, -1]", [Decimal("-0"), Decimal("-0.0"), -1]),
        (b"9007199254740993", 9007199254740993),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"0.1000000000000000055511151231257827", Decimal("0.1000000000000000055511151231257827")),
        (b"1e999", Decimal("1e999")),
        (b'"\\ud83d\\ude00 \\u00e9 \\\\ud800"', "😀 é \\ud800"),
        ('"é😀"'.encode(), "é😀"),
        ('{"é": [true, false, null]}', {"é": [True, False, None]}),
        (b'"\x7f"', "\x7f"),
        (b'{"":0}', {"": 0}),
        (b"7" * 5000, int(Decimal("7" * 5000))),
    ],
    ids=lambda value: ascii(value)[:30] if isinstance(value, bytes | str) else "",
)
def test_numbers_and_texts_are_exact(text: bytes | str, value: Any) -> None:
    read = parse_json(text)
    assert read == value
    assert type(read) is type(value)
    if isinstance(value, Decimal):
        assert read.as_tuple() == value.as_tuple()
    # The same behind the limit up to which text is read in another way.
    padded = b"[%b%b]" % (text.encode() if isinstance(text, str) else text, b" " * 5000)
    assert parse_json(padded) == [value]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not JSON: Expecting value at line 1, column 1"),
        (b"\n {", "not JSON: .* at line 2, column 3"),
        (b"[1,]", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"1 2", "not JSON: Extra data at line 1, column 3"),
        (b"01", "not JSON"),
        (b"+1", "not JSON"),
        (b".5", "not JSON"),
        (b"tru", "not JSON"),
        (b'"\t"', "not JSON: Invalid control character at line 1, column 2"),
        (b'"a', "not JSON: Unterminated string starting at line 1, column 1"),
        (b'"\x00"', "not JSON: Invalid control character"),
        (b'"\\x"', "not JSON"),
        (b"\x0c1", "not JSON"),
        (b"NaN", "NaN is no number; write it as a text"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"\xef\xbb\xbf1", "it starts with a byte order mark"),
        (b"\xff\xfe1\x00", "no UTF-8 at byte 0"),
        (b'"\xc0\x80"', "no UTF-8 at byte 1"),
        (b'"\xed\xa0\x80"', "no UTF-8 at byte 1"),
        (b'"\\ud800"', "a lone surrogate is no text"),
        (b'{"a": ["\\uDC00x"]}', "a lone surrogate is no text"),
        (b'{"\\ud800": 1}', "a lone surrogate is no text"),
        ('"\ud800"', "a lone surrogate is no text"),
        (b'{"a":1,"a":2}', "the key 'a' stands twice in one JSON object"),
        (b'[{"b":{"a":1,"a":1}}]', "the key 'a' stands twice"),
        (b'{"a":1,"\\u0061":2}', "the key 'a' stands twice"),
        (b'{"a":":","a":2}', "the key 'a' stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"1" * 100_001, "at most 10000"),
        (b"0." + b"1" * 100_000, "at most 10000"),
        (b"1e99999999999999999999", "exponent is beyond reach"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_is_no_json_is_refused(text: bytes | str, message: str) -> None:
    with pytest.raises(ValueMappingError, match=message):
        parse_json(text)


def test_bad_input_takes_no_longer_than_good() -> None:
    keys = b",".join(b'"%d":0' % number for number in range(100_000))
    digits = b"[" + b",".join([b"1" * 4000] * 100) + b"]"
    began = time.process_time()
    with pytest.raises(ValueMappingError, match="the key '99999' stands twice"):
        parse_json(b"{" + keys + b',"99999":1}')
    parse_json(digits)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("value", [{"a": [1, 1.5, -0.0, "é\u2028\x00", None, True]}, 1 << 200, 1e300, [], "😀"])
def test_what_is_written_is_json(value: Any) -> None:
    assert json.loads(format_json(value)) == value


def test_what_json_cannot_hold_is_not_written() -> None:
    with pytest.raises(ValueMappingError, match="lone surrogate"):
        format_json(["\ud800"])
    with pytest.raises(ValueMappingError, match="digits"):
        format_json([10**20_000])


@pytest.mark.parametrize(
    "text", [b"[%b[]]" % (b"[]," * 120_000), b"[%b{}]" % (b"{}," * 120_000), b"[%b0]" % (b"0," * 1_000_001)]
)
def test_more_values_than_a_message_may_have(text: bytes) -> None:
    with pytest.raises(ValueMappingError, match="too many values"):
        parse_json(text)


def test_what_stands_inside_of_texts_is_no_value() -> None:
    text = ',"[\\{:' * 200_000
    assert parse_json(json.dumps([text])) == [text]
