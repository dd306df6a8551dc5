"""Part `mock` of a remote or a method: an answer that no provider gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from gateway.config.scalar import Scalar, Text, one_of, resolve
from gateway.config.sections.section import Data, Section

__all__ = ["BareText", "Mock", "MockChoice", "MockConfig", "mock_config"]

_FORM: Final = re.compile(r"(?:(force|fail)\s*:?\s*)?(return|throw)(?:\s+(.*))?\Z", re.DOTALL)


class BareText(str):
    """A value written without quotes: the type it is for decides what it is. `empty` is that type's empty value."""

    __slots__ = ()


def _value(written: Any) -> Any:
    if isinstance(written, Scalar) and written.plain:
        return BareText(written)
    return written if isinstance(written, BareText) else resolve(written)


class MockConfig(Section):
    """What callers get without an answer of a provider. As a text it is what Dubbo's `mock` takes:
    `force:return null`, `fail:return {"id": 1}`, `return empty`, `throw demo.ProductNotFound`; `false` for none."""

    when: Annotated[Literal["fail", "force", "never"], one_of("fail", "force", "never")] = "fail"
    """`fail`: when a call got no answer; an exception that the service's own code threw is an answer. `force`: always,
    and no provider is called. `never`: a method goes without the mock of its remote."""

    value: Annotated[Any, BeforeValidator(_value)] = Field(default=None, alias="return")
    """What is returned, as JSON of the return type; nothing for null."""

    throw: Text | None = None
    """Name of the exception that is thrown: one of the contract, or any other class. Empty: the call fails as if there
    were nobody to answer it."""

    message: Text = "mocked"
    """Text of that exception."""

    fields: Data = Field(default_factory=dict)
    """Fields of an exception of the contract, by name."""

    @model_validator(mode="after")
    def _one_of_both(self) -> MockConfig:
        if self.throw is not None and "value" in self.model_fields_set:
            raise ValueError("a mock returns or throws, not both")
        if self.throw is None and (self.fields or "message" in self.model_fields_set):
            raise ValueError("message and fields are for a mock that throws")
        return self


def _by_text(written: Any) -> Any:
    if written is False:
        return {"when": "never"}
    return _parse(written) if isinstance(written, str) and not getattr(written, "is_null", False) else written


def _parse(text: str) -> Mapping[str, Any]:
    if text == "false":
        return {"when": "never"}
    found = _FORM.match(text.strip())
    if found is None:
        raise ValueError(
            f"{text.strip()[:60]!r} is no mock; write [force:|fail:]return <value>, [force:|fail:]throw [<exception>], "
            "or a mapping with when and return (classes that mock a service are not supported)"
        )
    when, verb, rest = found.groups()
    rest = (rest or "").strip()
    if verb == "throw":
        return {"when": when or "fail", "throw": rest}
    return {"when": when or "fail", "return": BareText(rest or "null")}


Mock = Annotated[MockConfig, BeforeValidator(_by_text)]
"""A mock: as a text, or as a mapping `{when: fail, return: …}`."""

MockChoice = str | Mapping[str, Any] | MockConfig
"""A mock as a program writes it."""


def mock_config(written: MockChoice | bool) -> MockConfig:
    """The section of a mock that a program wrote. Raises ValueError that says what is wrong with it."""
    if isinstance(written, MockConfig):
        return written
    try:
        return MockConfig.model_validate(_by_text(written))
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors())
        raise ValueError(f"mock: {wrong}") from None
    except ValueError as exc:
        raise ValueError(f"mock: {exc}") from None
