"""Why a call went where it went: the record that one call writes about itself when somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["AttemptReport", "Explanation"]


class AttemptReport:
    """One attempt.

    Attributes:
        provider: `protocol://host:port`.
        choice: What the balancer went by; empty where there was nothing to choose.
        began_ms: Since the call began.
        elapsed_ms: How long it took; None while it runs.
        outcome: `ok`, `fault`, the code of an `RpcError`, `cancelled`; empty while it runs.
        message: The error's text; empty after an answer.
    """

    __slots__ = ("began_ms", "choice", "elapsed_ms", "message", "outcome", "provider")

    def __init__(self, provider: str, choice: str, began_ms: float) -> None:
        self.provider = provider
        self.choice = choice
        self.began_ms = began_ms
        self.elapsed_ms: float | None = None
        self.outcome = ""
        self.message = ""

    def __str__(self) -> str:
        choice = f" ({self.choice})" if self.choice else ""
        began = f" at {self.began_ms:.1f} ms"
        outcome = self.outcome or "still running"
        elapsed = "" if self.elapsed_ms is None else f" after {self.elapsed_ms:.1f} ms"
        return f"{self.provider}{choice}{began}: {outcome}{elapsed}{f': {self.message}' if self.message else ''}"


class Explanation:
    """Is given along with a call (`Invocation.explanation`) and filled on its way.

    Attributes:
        candidates: What registry, rules and health left, with the count after each step; empty where the call never
            came to choose a provider, because the service is hosted here.
        attempts: In the order in which they began.
    """

    __slots__ = ("attempts", "candidates")

    def __init__(self) -> None:
        self.candidates = ""
        self.attempts: list[AttemptReport] = []

    def lines(self) -> Sequence[str]:
        """For people: the counts, then one line for each attempt."""
        return (
            self.candidates or "hosted here, nothing to choose",
            *(f"attempt {number}: {each}" for number, each in enumerate(self.attempts, 1)),
        )

    def as_data(self) -> Mapping[str, Any]:
        """The same as plain data."""
        attempts = [{name: getattr(each, name) for name in AttemptReport.__slots__} for each in self.attempts]
        return {"candidates": self.candidates, "attempts": attempts}
