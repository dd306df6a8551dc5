"""What all sections have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema, model_validator

from gateway.config.scalar import Scalar, resolve

__all__ = ["Data", "NoOptions", "Options", "Section", "is_nothing", "read_section"]

_S = TypeVar("_S", bound=BaseModel)


class Section(BaseModel):
    """A part of the configuration: immutable, and closed to keys it does not know.

    A key with nothing behind it (`options:`) counts as not written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nothing(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if not is_nothing(value)}
        return {} if is_nothing(data) else data


def read_section(section: type[_S], given: Any, what: str) -> _S:
    """A section as a program writes it. `what`: what it is called there, for messages.

    Raises:
        ValueError: it does not fit; names every key that is wrong, in one line.
    """
    try:
        return section.model_validate(given)
    except ValidationError as exc:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors())
        raise ValueError(f"{what}: {wrong.removeprefix(': ')}") from None


class NoOptions(Section):
    """Nothing to choose."""


Options = Mapping[str, Any]
"""Options of a plug-in. The loader converts them as the plug-in says (durations to seconds, sizes to bytes)."""

Data = Annotated[Mapping[str, Any], BeforeValidator(resolve), WithJsonSchema({"type": "object"})]
"""Plain data for somebody else's code: None, bool, int, float, str, lists and dicts."""


def is_nothing(value: Any) -> bool:
    """Whether it is what stands behind a key that has nothing behind it."""
    return value is None or (isinstance(value, Scalar) and value.is_null)
