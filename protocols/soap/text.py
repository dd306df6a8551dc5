"""Text in XML 1.0: what it can carry, and how it is written.

Everything that is not a `Char` is refused, not replaced: U+0000 to U+001F but for tab, line feed and carriage return,
lone surrogates, U+FFFE and U+FFFF have no form, not even as references. A carriage return is written as `&#13;`,
because parsers turn a literal one into a line feed.

Source: Extensible Markup Language (XML) 1.0 (Fifth Edition), sections 2.2, 2.4, 2.11.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.model.errors import ValueMappingError

__all__ = ["BLANKS", "NO_FORM", "escape", "escape_attribute", "is_name", "readable"]

BLANKS: Final = " \t\r\n"
"""What counts as white space (section 2.3)."""
NO_FORM: Final = "has no form in XML 1.0"
"""Part of every refusal of a text."""

_MARKUP: Final = "&<>\r"
_CHAR: Final = "\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff"
_NOT_PLAIN: Final = re.compile(f"[^{_CHAR}]|[{_MARKUP}]")
_ILLEGAL: Final = re.compile(f"[^\r{_CHAR}]")
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)
# Namespaces in XML 1.0, section 3, but for the few characters that Python allows in identifiers and XML does not.
_NAME: Final = re.compile(r"[^\W\d][\w.\-]*")


def escape(text: str) -> str:
    """A text as the content of an element.

    Raises:
        ValueMappingError: a character has no form; says which.
    """
    found = _NOT_PLAIN.search(text)
    if found is None:
        return text
    illegal = _ILLEGAL.search(text, found.start())
    if illegal is not None:
        raise ValueMappingError(f"the character U+{ord(illegal[0]):04X} at {illegal.start()} {NO_FORM}")
    return text.translate(_ESCAPES)


def escape_attribute(text: str) -> str:
    """A text as the value of an attribute between double quotes. Raises like `escape`."""
    escape(text)
    return text.translate(_IN_ATTRIBUTE)


def readable(text: str) -> str:
    """A text for people as the content of an element: what has no form is U+FFFD."""
    return _ILLEGAL.sub("\ufffd", text).translate(_ESCAPES)


def is_name(name: str) -> bool:
    """Whether it can name an element or a type."""
    return _NAME.fullmatch(name) is not None
