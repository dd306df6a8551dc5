"""Exceptions that are answers: what a service's own code raises, as its callers catch it.

`ServiceError` is the base of every exception a contract declares. The same classes are raised by implementations
and by client proxies, and are built by decoders, so they live below all of them. They are not part of the tree in
`gateway.model.errors`: those say that a call got no answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import MISSING, field
from typing import TYPE_CHECKING, Any, dataclass_transform

__all__ = ["RemoteError", "ServiceError"]


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
class _DataException(Exception):
    """Tells type checkers that subclasses of `ServiceError` get their constructor from their annotations."""


class ServiceError(_DataException):
    """Base of the exceptions a contract declares; catches everything that a service's own code raised.

    A subclass lists its fields like a dataclass and needs no constructor:

        class ProductNotFound(ServiceError):
            product_id: I64

        raise ProductNotFound("no product 7", product_id=7)

    The text comes first, the fields are given by name. `message` is None when there is no text. Decoders fill
    instances without calling `__init__`, so a subclass must not rely on code in it.
    """

    if TYPE_CHECKING:
        message: str | None = field(default=None, kw_only=False)
    else:

        def __init__(self, message: str | None = None, **values: Any) -> None:
            super().__init__(*(() if message is None else (message,)))
            for each in dataclasses.fields(self):
                if each.name in values:
                    setattr(self, each.name, values.pop(each.name))
                elif each.default_factory is not MISSING:
                    setattr(self, each.name, each.default_factory())
                elif each.default is not MISSING:
                    setattr(self, each.name, each.default)
                else:
                    raise TypeError(f"{type(self).__name__}() is missing the argument {each.name!r}")
            if values:
                raise TypeError(f"{type(self).__name__}() has no field {next(iter(values))!r}")

        @property
        def message(self) -> str | None:
            """The exception's text; None when it has none."""
            return self.args[0] if self.args else None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=True)(cls)

    def __str__(self) -> str:
        return "" if self.message is None else self.message

    def __repr__(self) -> str:
        shown = [] if self.message is None else [repr(self.message)]
        shown += [f"{each.name}={getattr(self, each.name, None)!r}" for each in dataclasses.fields(self)]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own form calls the class with `args` alone, which lacks the fields.
        return _restore, (type(self), self.args, dict(self.__dict__))


# ServiceError itself has no fields; without this, dataclasses.fields() would refuse its own instances.
dataclasses.dataclass(init=False, repr=False, eq=False)(ServiceError)


class RemoteError(ServiceError):
    """The service's code raised something its contract does not declare.

    `type_name`: the class as the provider's world calls it (`ValueError`, `java.lang.IllegalStateException`).
    `message`: its text, or None. `stack`: the provider's stack trace as lines, empty when it sent none.
    """

    type_name: str
    stack: tuple[str, ...] = ()

    def __init__(self, type_name: str, message: str | None = None, stack: Sequence[str] = ()) -> None:
        Exception.__init__(self, *(() if message is None else (message,)))
        self.type_name = type_name
        self.stack = tuple(stack)

    def __str__(self) -> str:
        return self.type_name if self.message is None else f"{self.type_name}: {self.message}"

    def __repr__(self) -> str:
        return f"RemoteError({self.type_name!r}, {self.message!r})"


def _restore(cls: type[ServiceError], args: tuple[Any, ...], values: dict[str, Any]) -> ServiceError:
    exc = cls.__new__(cls)
    exc.args = args
    exc.__dict__.update(values)
    return exc
