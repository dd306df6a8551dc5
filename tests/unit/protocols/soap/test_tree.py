"""Documents as trees."""

from __future__ import annotations

import tracemalloc

import pytest

from gateway.model.errors import ValueMappingError
from protocols.soap.document import XmlError
from protocols.soap.tree import parse_tree


def test_elements_know_their_line_their_prefixes_and_their_text() -> None:
    root = parse_tree(b'<a xmlns="urn:a"\n xmlns:p="urn:p">x<p:b k="1" xmlns="">y</p:b>z</a>', max_elements=9)
    (child,) = root

    assert (root.tag, root.line, root.text) == ("{urn:a}a", 1, "x")
    assert (child.tag, child.attrib, child.text, child.tail) == ("{urn:p}b", {"k": "1"}, "y", "z")
    assert [root.resolve("c"), root.resolve(" p:c "), root.resolve("xml:lang")] == [
        "{urn:a}c",
        "{urn:p}c",
        "{http://www.w3.org/XML/1998/namespace}lang",
    ]
    # Undeclared inside (Namespaces in XML 1.0, section 6.2).
    assert child.resolve("c") == "c"  # type: ignore[attr-defined]
    with pytest.raises(ValueMappingError, match="the prefix 'q' is not declared"):
        root.resolve("q:c")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_any_encoding_that_messages_may_have(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a>grün</a>'

    assert parse_tree(text.encode(encoding), max_elements=1).text == "grün"


def test_errors_say_the_line() -> None:
    with pytest.raises(XmlError, match=r"no well-formed XML: mismatched tag in line 2"):
        parse_tree(b"<a>\n<b></a>", max_elements=9)
    with pytest.raises(XmlError, match=r"a document type, which no document may have in line 2"):
        parse_tree(b"<?xml version='1.0'?>\n<!DOCTYPE a><a/>", max_elements=9)


def test_a_namespace_is_no_longer_than_anybodys() -> None:
    with pytest.raises(XmlError, match="a namespace of 1025 characters; 1024 are taken in line 1"):
        parse_tree(f'<a xmlns="{"u" * 1_025}"/>'.encode(), max_elements=9)


def test_names_that_are_long_by_their_namespace_are_bounded_together() -> None:
    inside = "".join(f"<a{number}/>" for number in range(20_000))

    with pytest.raises(XmlError, match="different names of more than 16777216 characters together"):
        parse_tree(f'<a xmlns="{"u" * 1_024}">{inside}</a>'.encode(), max_elements=50_000)


def test_elements_of_one_name_and_one_scope_share_them() -> None:
    prefixes = " ".join(f'xmlns:p{number}="urn:{number}"' for number in range(1_000))
    inside = '<b xmlns:q="urn:q"/>' * 1_000
    root = parse_tree(f"<a {prefixes}>{inside}</a>".encode(), max_elements=2_000)
    tracemalloc.start()
    again = parse_tree(f"<a {prefixes}>{inside}</a>".encode(), max_elements=2_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert root[0].tag is root[999].tag
    assert again[999].resolve("p999:c") == "{urn:999}c"  # type: ignore[attr-defined]
    # A table of 1,000 prefixes for each of 1,000 elements would be some 40 MiB.
    assert most < 5 * 2**20
