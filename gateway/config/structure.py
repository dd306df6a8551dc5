"""Plain data to sections: what pydantic reports, in the words and positions of the file.

A file with one bad value is still checked for everything else: bad parts are left out, and what remains is handed
on with the list of problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.config.document import Document, Path
from gateway.config.model import GatewayConfig
from gateway.config.suggestion import suggestion
from gateway.config.units import (
    format_bytes,
    format_seconds,
    format_share,
    parse_bytes,
    parse_seconds,
    parse_share,
)
from gateway.model.errors import Problem

__all__ = ["read_sections", "validation_problems"]

_ENTRY_DEPTH: Final = 2
_QUOTES: Final = "'"
_CONTAINERS: Final = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
_BOUNDS: Final = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}


def read_sections(document: Document) -> tuple[GatewayConfig, list[Problem], frozenset[Path]]:
    """The configuration without the parts that are wrong, the problems, and the paths of the parts left out."""
    data = document.data
    try:
        return GatewayConfig.model_validate(data), [], frozenset()
    except ValidationError as exc:
        problems = validation_problems(exc, document, GatewayConfig)
        left_out = [document.resolvable(_location(error)) for error in exc.errors(include_url=False)]
    # First without the wrong values alone, so that what stands beside them is still checked; then, where something
    # required is missing, without the whole entry.
    try:
        return GatewayConfig.model_validate(_without(data, left_out)), problems, frozenset(left_out)
    except ValidationError as exc:
        left_out += [document.resolvable(_location(error))[:_ENTRY_DEPTH] for error in exc.errors(include_url=False)]
    try:
        config = GatewayConfig.model_validate(_without(data, left_out))
    except ValidationError:
        config, left_out = GatewayConfig(), [()]
    return config, problems, frozenset(left_out)


def validation_problems(
    exc: ValidationError, document: Document, model: type[BaseModel], base: Path = ()
) -> list[Problem]:
    """What pydantic found, in the words of the file. `base`: where the data of `model` stands in it."""
    return [_problem(error, document, model, base) for error in exc.errors(include_url=False)]


def _problem(error: ErrorDetails, document: Document, model: type[BaseModel], base: Path) -> Problem:
    location = _location(error)
    path = (*base, *document.resolvable((*base, *location))[len(base) :])
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        owner = _model_at(model, location[:-1])
        known = owner.model_fields if owner is not None else ()
        return document.problem(path, f"unknown key{suggestion(str(path[-1]), known)}", at_key=True)
    if kind == "missing":
        # Where not even its section was written, the path ends there.
        what = "is required" if path[-1:] == location[-1:] else f"{location[-1]!r} is required"
        return document.problem(path, what)
    at_key = bool(error["loc"]) and error["loc"][-1] == "[key]"
    if kind == "value_error":
        return document.problem(path, str(context["error"]), at_key=at_key)
    shown = document.shown(path)
    if kind in _CONTAINERS:
        return document.problem(path, f"expected {_CONTAINERS[kind]}, found {shown}")
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return document.problem(path, f"{shown} {words} {_in_unit_of(shown.strip(_QUOTES), context[key])}")
    message = error["msg"]
    return document.problem(path, message[:1].lower() + message[1:], at_key=at_key)


def _location(error: ErrorDetails) -> Path:
    return tuple(part for part in error["loc"] if part != "[key]")


def _in_unit_of(text: str, bound: float) -> str:
    """A bound as one would write it beside `text`: `1KiB` beside a size, `5m` beside a duration."""
    for parse, form in ((parse_bytes, format_bytes), (parse_seconds, format_seconds), (parse_share, format_share)):
        try:
            parse(text)
        except ValueError:
            continue
        return form(int(bound))
    return str(bound)


def _model_at(model: type[BaseModel], location: Path) -> type[BaseModel] | None:
    """The section that describes the mapping at `location`; keys of entries, indexes and tags are passed over."""
    current: type[BaseModel] | None = model
    for part in location:
        field = current.model_fields.get(str(part)) if current is not None else None
        if field is not None:
            current = _section_in(field.annotation)
    return current


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section inside `Mapping[str, Section]`, `Section | None` or `tuple[Section, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _section_in(argument)
        if found is not None:
            return found
    return None


def _without(data: Any, paths: list[Path]) -> Any:
    """A copy of mappings and lists without what stands at `paths`; parts that do not exist are ignored."""
    if () in paths:
        return {}
    inside: dict[str | int, list[Path]] = {}
    for path in paths:
        inside.setdefault(path[0], []).append(path[1:])
    if isinstance(data, Mapping):
        return {
            key: _without(value, inside[key]) if key in inside else value
            for key, value in data.items()
            if () not in inside.get(key, ())
        }
    if isinstance(data, list):
        return [
            _without(value, inside[index]) if index in inside else value
            for index, value in enumerate(data)
            if () not in inside.get(index, ())
        ]
    return data
