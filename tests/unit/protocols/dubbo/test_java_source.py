"""Escapes in Java source, by JLS §3.3 and §3.10; that the results compile is shown in test_idl.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dubbo.java_source import Scope, ascii_source, javadoc, string_literal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("\n\r\t", '"\\n\\r\\t"'),
        ("\x00" + "1", '"\\0001"'),
        ("\\u0041", '"\\\\u0041"'),
    ],
)
def test_string_literals(text: str, expected: str) -> None:
    assert string_literal(text) == expected


def test_characters_beyond_ascii_become_utf_16_escapes() -> None:
    assert ascii_source("\u00e9 \u4f60 \U0001f600 \ud800") == "\\u00e9 \\u4f60 \\ud83d\\ude00 \\ud800"


@given(st.text(alphabet=st.sampled_from("a\\u0\u4f60\n\"'\x01\ud800\U0001f600")))
def test_a_compiler_reads_back_the_string(text: str) -> None:
    source = ascii_source(string_literal(text))
    assert source.isascii()
    assert "\n" not in source
    assert read_literal(translate_unicode_escapes(source)) == text.encode("utf-16-be", "surrogatepass")


def translate_unicode_escapes(source: str) -> str:
    """JLS §3.3: a backslash starts a Unicode escape when the number of backslashes before it is even."""

    def replace(match: re.Match[str]) -> str:
        slashes, rest = match.groups()
        return slashes[:-1] + chr(int(rest, 16)) if len(slashes) % 2 else match[0]

    return re.sub(r"(\\+)u([0-9a-f]{4})", replace, source)


def read_literal(literal: str) -> bytes:
    """JLS §3.10.7, the escapes of string literals; gives UTF-16."""
    named = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}

    def replace(match: re.Match[str]) -> str:
        return named.get(match[1]) or chr(int(match[1], 8))

    return re.sub(r"\\([0-3][0-7]{2}|.)", replace, literal[1:-1], flags=re.DOTALL).encode("utf-16-be", "surrogatepass")


def test_no_doc_gives_no_comment() -> None:
    assert javadoc("") == []
    assert javadoc(" \n\n ") == []


def test_paragraphs_and_tags() -> None:
    assert javadoc("One.\nTwo.\n\nThree.", [("@param x", "Of\nsome.")], "  ") == [
        "  /**",
        "   * One.",
        "   * Two.",
        "   * <p>",
        "   * Three.",
        "   *",
        "   * @param x Of some.",
        "   */",
    ]
    assert javadoc("", [("@return", "May be null.")]) == ["/**", " * @return May be null.", " */"]


def test_docs_cannot_end_the_comment_or_start_an_escape() -> None:
    (_, line, _) = javadoc("a */ b \\u002a/ {@link x} <i> & \x1a")
    assert line == " * a *&#47; b &#92;u002a/ {&#64;link x} &lt;i&gt; &amp;"


def test_a_field_called_like_a_package_makes_its_class_import() -> None:
    scope = Scope(["java", "x"])
    assert scope.static("java.util.Objects") == "Objects"
    assert scope.static("org.acme.Color") == "org.acme.Color"
    assert scope.imports == {"java.util.Objects"}
