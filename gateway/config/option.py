"""Options of plug-ins: from what the file says to what the plug-in takes, each mistake at its own place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

from pydantic import TypeAdapter, ValidationError

from gateway.config.document import Path
from gateway.config.findings import Findings
from gateway.config.scalar import Count, Flag, Text, describe
from gateway.config.secret import Secret
from gateway.config.sections.credential import CredentialConfig
from gateway.config.suggestion import suggestion
from gateway.config.units import Bytes, Seconds, format_bytes, format_seconds
from gateway.spi.plugin import Option, OptionKind

__all__ = ["OptionReader", "missing_options", "parse_options"]

_READERS: Final[Mapping[OptionKind, TypeAdapter[Any]]] = {
    OptionKind.DURATION: TypeAdapter(Seconds),
    OptionKind.SIZE: TypeAdapter(Bytes),
    OptionKind.COUNT: TypeAdapter(Count),
    OptionKind.FLAG: TypeAdapter(Flag),
    OptionKind.TEXT: TypeAdapter(Text),
    OptionKind.CREDENTIAL: TypeAdapter(Text),
    OptionKind.CREDENTIALS: TypeAdapter(Text),
    OptionKind.TEXTS: TypeAdapter(Text),
    OptionKind.TABLES: TypeAdapter(Text),
}

_TYPES: Final[Mapping[OptionKind, tuple[Any, str]]] = {
    OptionKind.DURATION: ((int, float), "seconds"),
    OptionKind.SIZE: (int, "bytes"),
    OptionKind.COUNT: (int, "a whole number"),
    OptionKind.FLAG: (bool, "true or false"),
    OptionKind.TEXT: (str, "a text"),
    OptionKind.CREDENTIAL: (str, "a secret"),
    OptionKind.CREDENTIALS: (Mapping, "secrets by name"),
    OptionKind.TEXTS: ((Mapping, list, tuple), "texts"),
    OptionKind.TABLES: (Mapping, "mappings of texts by name"),
}
"""What programs give where a file has a text, and how that is called."""

_Read = Callable[[Path, Option, Any], Any]


class OptionReader:
    """Reads the options of one file. `credentials`: with their secrets, for options that name some.

    `used_credentials`: the names of those, as far as options were read.
    """

    def __init__(self, findings: Findings, credentials: Mapping[str, CredentialConfig]) -> None:
        self.used_credentials: set[str] = set()
        self._findings = findings
        self._credentials = credentials

    def read(self, path: Path, written: Mapping[str, Any], known: Mapping[str, Option]) -> dict[str, Any]:
        """The converted options; what is wrong is reported and left out."""
        made = {}
        for name, value in written.items():
            option = known.get(name)
            if option is None:
                self._findings.problem((*path, name), f"unknown option{suggestion(name, known)}", at_key=True)
                continue
            try:
                made[name] = self._option((*path, name), option, value)
            except _Wrong:
                continue
        if not self._findings.is_left_out(path):
            is_there = self._findings.written(path)
            for name in missing_options(written, known):
                # Where not even the section was written, the path ends there.
                at, what = ((*path, name), "is required") if is_there else (path, f"{name!r} is required")
                self._findings.problem(at, what)
        return made

    def _option(self, path: Path, option: Option, value: Any) -> Any:
        if option.kind is OptionKind.CREDENTIALS:
            return self._credentials_by_name(path, value)
        if option.kind is OptionKind.TABLES:
            return self._by_name(path, option, value, self._texts_by_name)
        if option.kind is not OptionKind.TEXTS:
            return self._one(path, option, value)
        if not option.named:
            return tuple(self._each(path, option, enumerate(self._list(path, value)), self._one))
        return self._texts_by_name(path, option, value)

    def _texts_by_name(self, path: Path, option: Option, value: Any) -> dict[str, Any]:
        return self._by_name(path, option, value, self._one)

    def _by_name(self, path: Path, option: Option, value: Any, read: _Read) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self._refuse(path, f"expected a mapping, found {describe(value)}")
        return dict(zip(value, self._each(path, option, value.items(), read), strict=True))

    def _each(self, path: Path, option: Option, items: Any, read: _Read) -> list[Any]:
        """Every item converted; all that are wrong are reported before the option is given up."""
        made, wrong = [], False
        for key, item in items:
            try:
                made.append(read((*path, key), option, item))
            except _Wrong:
                wrong = True
        if wrong:
            raise _Wrong
        return made

    def _credentials_by_name(self, path: Path, value: Any) -> dict[str, Secret | str]:
        option = Option(OptionKind.CREDENTIAL, "")
        found: dict[str, Secret | str] = {}
        wrong = False
        for index, item in enumerate(self._list(path, value)):
            at = (*path, index)
            try:
                secret = self._one(at, option, item)
                if str(item) in found:
                    self._refuse(at, f"{describe(item)} is listed twice")
            except _Wrong:
                wrong = True
            else:
                found[str(item)] = secret
        if wrong:
            raise _Wrong
        return found

    def _list(self, path: Path, value: Any) -> Sequence[Any]:
        if not isinstance(value, list | tuple):
            self._refuse(path, f"expected a list, found {describe(value)}")
        items: Sequence[Any] = value
        return items

    def _one(self, path: Path, option: Option, value: Any) -> Any:
        try:
            found = _READERS[option.kind].validate_python(value)
        except ValidationError as exc:
            self._refuse(path, str(exc.errors()[0]["ctx"]["error"]))
        if option.kind is OptionKind.CREDENTIAL:
            return self._secret(path, found, value)
        for problem in _out_of_bounds(option, found, value):
            self._refuse(path, problem)
        if option.parse is None:
            return found
        try:
            return option.parse(found)
        except ValueError as exc:
            self._refuse(path, str(exc))

    def _secret(self, path: Path, name: str, value: Any) -> Secret | str:
        credential = self._credentials.get(name)
        if credential is None:
            names = self._findings.names("credentials")
            if name in names:
                return name
            self._refuse(path, f"there is no credential {describe(value)}{suggestion(name, names)}")
        self.used_credentials.add(name)
        return credential.secret if credential.is_read else name

    def _refuse(self, path: Path, message: str) -> NoReturn:
        self._findings.problem(path, message)
        raise _Wrong


class _Wrong(Exception):
    """The option cannot be used; that was reported."""


def missing_options(written: Mapping[str, Any], known: Mapping[str, Option]) -> list[str]:
    """The names of those that are required and not written."""
    return [name for name, option in known.items() if option.required and name not in written]


def parse_options(options: Mapping[str, Any], known: Mapping[str, Option]) -> dict[str, Any]:
    """Options given by a program, in a plug-in's own terms; only texts that a plug-in reads itself are read.

    Raises:
        ValueError: there is no such option, its value is of another kind or out of bounds, or its text cannot be read;
            names it.
    """
    made = {}
    for name, value in options.items():
        option = known.get(name)
        if option is None:
            raise ValueError(f"unknown option {name!r}{suggestion(name, known)}")
        _check(name, option, value)
        made[name] = value if option.parse is None else _parsed(name, value, option.parse)
    return made


def _check(name: str, option: Option, value: Any) -> None:
    types, expected = _TYPES[option.kind]
    # What a plug-in reads from a text may be given as what it reads it to.
    is_read = option.kind is OptionKind.TEXT and option.parse is not None
    if not is_read and (not isinstance(value, types) or isinstance(value, bool) is not (types is bool)):
        # The type alone: the value may be a secret.
        raise ValueError(f"{name}: expected {expected}, found {type(value).__name__}")
    for problem in _out_of_bounds(option, value, value):
        raise ValueError(f"{name}: {problem}")


def _parsed(name: str, value: Any, parse: Callable[[str], Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: _parsed(f"{name}[{key!r}]", each, parse) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_parsed(f"{name}[{index}]", each, parse) for index, each in enumerate(value))
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except ValueError as exc:
        raise ValueError(f"{name}: {exc}") from None


def _out_of_bounds(option: Option, found: Any, value: Any) -> Iterator[str]:
    if option.choices and found not in option.choices:
        near = suggestion(str(found), option.choices, listed=0)
        yield f"{describe(value)} is not one of {', '.join(option.choices)}{near}"
    if option.minimum is not None and found < option.minimum:
        yield f"{describe(value)} must be at least {_form(option, option.minimum)}"
    if option.maximum is not None and found > option.maximum:
        yield f"{describe(value)} must be at most {_form(option, option.maximum)}"


def _form(option: Option, bound: float) -> str:
    if option.kind is OptionKind.DURATION:
        return format_seconds(bound)
    return format_bytes(int(bound)) if option.kind is OptionKind.SIZE else f"{bound:g}"
