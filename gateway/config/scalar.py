"""Scalars of a configuration file, and the field types that read them.

YAML guesses types from spelling: `no` is false, `1.10` is 1.1, `12:30:45` is 45045. Here a scalar stays text until
the field it is written for says what it should be, so `version: 1.10` is the version "1.10" and `group: no` is the
group "no". Only values without a declared type (the options of an implementation) are guessed, by the few rules of
`resolve`.

The field types accept plain Python values as well, so that sections can be built without a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from gateway.config.suggestion import suggestion

__all__ = [
    "INTERPOLATED_SCHEMA",
    "ContractTarget",
    "Count",
    "Flag",
    "Name",
    "Number",
    "Port",
    "Scalar",
    "Target",
    "Text",
    "Variable",
    "Word",
    "describe",
    "is_python_target",
    "one_of",
    "resolve",
]

_NULLS: Final = frozenset({"", "~", "null"})
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})\Z", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?\Z", re.ASCII)
_END: Final = r"\Z"
_NAME: Final = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.$-]{0,199}\Z", re.ASCII)
_TARGET: Final = re.compile(r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*\Z")
_CONTRACT_FILE: Final = re.compile(r"^[^\x00-\x1f#]*[^\x00-\x1f#/]\.[A-Za-z0-9]+(#[^\W\d]\w*(\.[^\W\d]\w*)*)?\Z")
_VARIABLE: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?\Z", re.ASCII)
_SHOWN_CHARACTERS: Final = 60

INTERPOLATED_SCHEMA: Final[dict[str, Any]] = {"type": "string", "pattern": r"\$\{env:"}
"""JSON schema of a text that gets its value from the environment; such a text may stand for any type."""


class Scalar(str):
    """One scalar as it was written.

    `plain`: written without quotes. `source`: the text before interpolation; messages show this one, because what
    the environment holds may be secret.
    """

    __slots__ = ("plain", "source")

    plain: bool
    source: str

    def __new__(cls, text: str, *, plain: bool, source: str | None = None) -> Scalar:
        """A scalar; `source` is the text itself unless it was interpolated."""
        made = super().__new__(cls, text)
        made.plain = plain
        made.source = text if source is None else source
        return made

    @property
    def is_null(self) -> bool:
        """Whether it says "nothing": empty, `~` or `null` without quotes."""
        return self.plain and str(self) in _NULLS


def resolve(value: Any) -> Any:
    """Plain data of untyped content: scalars become None, bool, int, float or str; containers are copied.

    Only `true` and `false` are booleans; integers are decimal without leading zeros; everything else is text.
    """
    if isinstance(value, Scalar):
        return _resolve_scalar(value)
    if isinstance(value, Mapping):
        return {key: resolve(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item) for item in value]
    return value


def describe(value: Any) -> str:
    """What was found, for messages: `'12x'`, `a mapping`, `nothing`."""
    if value is None or (isinstance(value, Scalar) and value.is_null and value.source == str(value)):
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = value.source if isinstance(value, Scalar) else value if isinstance(value, str) else repr(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "…"
    return repr(text) if isinstance(value, str) else text


def _resolve_scalar(scalar: Scalar) -> Any:
    text = str(scalar)
    if not scalar.plain:
        return text
    if text in _NULLS:
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _text(value: Any) -> str:
    if isinstance(value, str) and not (isinstance(value, Scalar) and value.is_null):
        return str(value)
    raise ValueError(f"expected text, found {describe(value)}")


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value == "true":
            return True
        if value == "false":
            return False
    raise ValueError(f"expected true or false, found {describe(value)}")


def _count(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        if _INTEGER.match(value):
            return int(value)
        digits = value.replace("_", "").lstrip("0")
        hidden = isinstance(value, Scalar) and value.source != str(value)
        plain = digits.isascii() and digits.isdecimal() and digits != value and not hidden
        hint = f", write {digits}" if plain else ""
        raise ValueError(f"expected a whole number, found {describe(value)}{hint}")
    raise ValueError(f"expected a whole number, found {describe(value)}")


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and _NUMBER.match(value):
        return float(value)
    raise ValueError(f"expected a number such as 2 or 0.5, found {describe(value)}")


def _word(value: Any) -> str:
    text = _text(value)
    if not text:
        raise ValueError("must not be empty")
    return text


def _name(value: Any) -> str:
    text = _text(value)
    if not _NAME.match(text):
        raise ValueError(f"{describe(value)} is not a name (letters, digits and _ . $ -, at most 200)")
    return text


def _target(value: Any) -> str:
    text = _text(value)
    if not _TARGET.match(text):
        raise ValueError(f"{describe(value)} is not package.module:Name")
    return text


def is_python_target(text: str) -> bool:
    """Whether this is `package.module:Name`."""
    return _TARGET.match(text) is not None


def _contract_target(value: Any) -> str:
    text = _text(value)
    if not is_python_target(text) and not _CONTRACT_FILE.match(text):
        raise ValueError(f"{describe(value)} is neither package.module:Name nor a file with contracts")
    return text


def _variable(value: Any) -> str:
    text = _text(value)
    if not _VARIABLE.match(text):
        raise ValueError(f"{describe(value)} is not the name of an environment variable")
    return text


def one_of(*choices: str) -> BeforeValidator:
    """Validator of a `Literal` with the same choices: takes text only, and says what was probably meant."""

    def check(value: Any) -> str:
        text = _text(value)
        if text not in choices:
            raise ValueError(
                f"{describe(value)} is not one of {', '.join(choices)}{suggestion(text, choices, listed=0)}"
            )
        return text

    return BeforeValidator(check)


def _matching(pattern: re.Pattern[str]) -> dict[str, Any]:
    return {"type": "string", "pattern": rf"{pattern.pattern.removesuffix(_END)}$|\$\{{env:"}


def _interpolated(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [schema, INTERPOLATED_SCHEMA]})


Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Any text. Numbers and booleans need no quotes: the text is taken as written."""

Flag = Annotated[bool, BeforeValidator(_flag), _interpolated({"type": "boolean"})]
"""`true` or `false`; nothing else is a boolean."""

Count = Annotated[int, BeforeValidator(_count), _interpolated({"type": "integer"})]
"""A whole number in decimal, at most 19 digits."""

Number = Annotated[float, BeforeValidator(_number), _interpolated({"type": "number"})]
"""A number in decimal, not negative, with or without a fraction."""

Port = Annotated[
    Annotated[int, BeforeValidator(_count), Field(ge=0, le=65535)],
    _interpolated({"type": "integer", "minimum": 0, "maximum": 65535}),
]
"""A port number; 0 lets the system choose."""

Word = Annotated[str, BeforeValidator(_word), WithJsonSchema({"type": ["string", "number"], "minLength": 1})]
"""Text that is not empty."""

Name = Annotated[str, BeforeValidator(_name), WithJsonSchema(_matching(_NAME))]
"""Names an entry of this file or a plug-in: letters, digits and `_ . $ -`."""

Target = Annotated[str, BeforeValidator(_target), WithJsonSchema(_matching(_TARGET))]
"""A Python object: `package.module:Name`."""

ContractTarget = Annotated[
    str,
    BeforeValidator(_contract_target),
    WithJsonSchema({"anyOf": [_matching(_TARGET), _matching(_CONTRACT_FILE)]}),
]
"""A contract: `package.module:Name`, or `FILE` or `FILE#SERVICE` in a language that a protocol reads."""

Variable = Annotated[str, BeforeValidator(_variable), WithJsonSchema(_matching(_VARIABLE))]
"""Name of an environment variable."""
