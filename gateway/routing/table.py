"""The routing table of a listener: which handler answers for which service."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.call import Invocation, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import NoSuchService
from gateway.model.question import Question
from gateway.spi.handler import Handler, direct
from gateway.telemetry.logs import shorten

__all__ = ["RoutingTable", "Switch", "answered"]

_NO_ROUTES: Final[Mapping[ServiceKey, Handler]] = MappingProxyType({})


async def answered(invocation: Invocation) -> Result:
    """The handler of questions, behind the filters of the service they are about."""
    assert isinstance(invocation, Question)
    return invocation.answer(invocation.arguments())


class RoutingTable:
    """A handler that gives each call to the handler of its service. Immutable: a change is a new table in a `Switch`.

    A service is found by interface, group and version exactly as asked for; who is asked for a neighbour of an
    existing service learns which groups and versions there are.

    `questions`: the handlers of questions about services (`gateway.model.question`); without, they are answered here.
    """

    __slots__ = ("_known", "_questions", "_routes")

    def __init__(
        self, routes: Mapping[ServiceKey, Handler], questions: Mapping[ServiceKey, Handler] = _NO_ROUTES
    ) -> None:
        self._routes = {key: direct(handler) for key, handler in routes.items()}
        self._questions = {key: direct(questions.get(key, answered)) for key in routes}
        self._known: dict[str, list[ServiceKey]] = {}
        for key in self._routes:
            self._known.setdefault(key.interface, []).append(key)

    @property
    def services(self) -> tuple[ServiceKey, ...]:
        """Every service of the table, in the order given."""
        return tuple(self._routes)

    def __call__(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """The call on its way to its service. Awaiting it raises `NoSuchService` where the table has none."""
        handler = (self._questions if type(invocation) is Question else self._routes).get(invocation.service)
        if handler is None:
            return self._refuse(invocation.service)
        return handler(invocation)

    async def _refuse(self, asked: ServiceKey) -> Result:
        raise NoSuchService(_explain(asked, self._known.get(asked.interface, ())))


class Switch:
    """A handler that passes every call to the current one: how a running listener gets a new routing table.

    A call keeps the handler that was current when it came in.
    """

    __slots__ = ("_current", "_direct")

    def __init__(self, current: Handler) -> None:
        self.current = current

    @property
    def current(self) -> Handler:
        """Takes the next call; assign to swap."""
        return self._current

    @current.setter
    def current(self, handler: Handler) -> None:
        self._current, self._direct = handler, direct(handler)

    def __call__(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """The call on its way through the current handler."""
        return self._direct(invocation)


def _explain(asked: ServiceKey, known: Iterable[ServiceKey]) -> str:
    """Why `asked` was not found, where `known` are the services of the same interface."""
    interface = shorten(asked.interface)
    known = tuple(known)
    if not known:
        return f"no service {interface} here"
    versions = sorted({key.version for key in known if key.group == asked.group})
    if versions:
        in_group = f" in group {shorten(asked.group)}" if asked.group else ""
        return f"{interface} exists{in_group} {_alternatives('version', versions, asked.version)}"
    groups = sorted({key.group for key in known})
    return f"{interface} exists {_alternatives('group', groups, asked.group)}"


def _alternatives(what: str, existing: list[str], asked: str) -> str:
    preposition = {"version": "with", "group": "in"}[what]
    named = [each for each in existing if each]
    ways = [f"{preposition} {what} {' or '.join(named)}"] if named else []
    if "" in existing:
        ways.append(f"without {what}")
    if not asked:
        refused = "without"
    else:
        refused = shorten(asked) if named else f"{preposition} {what} {shorten(asked)}"
    return f"{' or '.join(ways)}, not {refused}"
