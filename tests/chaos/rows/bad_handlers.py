"""P7: a provider's own code raises, ends, recurses, or returns what it may not."""

from __future__ import annotations

from time import monotonic
from typing import Final

from gateway.contracts import RemoteError
from gateway.model.errors import ProviderFailed
from gateway.runtime.connect import connect
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.row import Outcome, Row
from tests.support.broken_service import KINDS, MESSAGE, Broken, Declined

__all__ = ["ROWS"]

_SERVICE: Final = """
  broken:
    contract: tests.support.broken_service:Broken
    implementation: tests.support.broken_service:Breaking
    listeners: [front]
"""
_EXPECTED: Final[dict[str, tuple[type[Exception], str]]] = {
    "declared": (Declined, MESSAGE),
    "error": (RemoteError, MESSAGE),
    "base": (RemoteError, MESSAGE),
    "exit": (RemoteError, MESSAGE),
    "recursion": (RemoteError, "recursion"),
    "wrong-type": (ProviderFailed, "int"),
    "unencodable": (ProviderFailed, ""),
}
_INTERNALS: Final = ("Traceback", "File ", ".py", "tests", "/")


async def run(ground: Ground) -> Outcome:
    """Every failure, at once and later, while other calls run."""
    node = await ground.provider(more=_SERVICE)
    problems: list[str] = []
    failures = 0
    pid = node.pid
    async with ground.client(node, timeout_s=2.0) as work:
        load = Load(work, callers=2)
        # mypy takes a Protocol for abstract where a class is asked for.
        client = connect(ground.url(node), Broken, timeout_s=2.0)  # type: ignore[type-abstract,unused-ignore]
        async with client as broken, load.running():
            ends = monotonic() + ground.seconds
            while True:
                for kind in KINDS:
                    for call in (broken.fail, broken.fail_later):
                        failures += 1
                        try:
                            answer: object = await call(kind)
                        except Exception as exc:  # whatever arrives is judged
                            problems += _judge(kind, exc)
                        else:
                            problems.append(f"{kind}: answered with {answer!r}")
                if problems or monotonic() > ends:
                    break
            await load.more(20)
    if node.pid != pid:
        problems.append("the provider did not stay up")
    text, more = judge(load, ground.executed())
    return Outcome(f"{failures} failures, each with its error; others: {text}", [*problems, *more])


def _judge(kind: str, found: Exception) -> list[str]:
    wanted, part = _EXPECTED[kind]
    text = str(found)
    if type(found) is not wanted or part not in text:
        return [f"{kind}: expected {wanted.__name__} with {part!r}, found {type(found).__name__}: {text}"]
    return [f"{kind}: {each!r} is shown to callers: {text}" for each in _INTERNALS if each in text]


ROWS: Final = (Row("P7", "handlers that fail in every way", "a typed error each; message kept, nothing leaked", run),)
