"""Questions about a service that its wire answers itself, such as which interface it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway.model.call import Invocation, Result

__all__ = ["Question"]


class Question(Invocation):
    """A call that no service gets: once all filters have let it through, `answer` gives its result.

    So lists and limits hold for it as for every other call. `answer` is given the arguments.
    """

    __slots__ = ("answer",)

    answer: Final[Callable[[tuple[Any, ...]], Result]]

    def __init__(self, asked: Invocation, answer: Callable[[tuple[Any, ...]], Result]) -> None:
        for name in Invocation.__slots__:
            setattr(self, name, getattr(asked, name))
        self.answer = answer

    def replace(self, **changes: Any) -> Invocation:
        """See `Invocation.replace`; stays a question."""
        return Question(super().replace(**changes), self.answer)
