"""Documents as trees."""

from __future__ import annotations

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
