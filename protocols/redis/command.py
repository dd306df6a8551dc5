"""What a command is, and the checks that come before it runs.

Texts of refusals are those of Redis 7 (redis/redis src/server.c, `processCommand`): clients look for them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway.model.call import Invocation
from protocols.contract import Outcome

if TYPE_CHECKING:
    from protocols.redis.context import CallContext
    from protocols.redis.listener import Listener
    from protocols.redis.session import Session

__all__ = ["NO_MULTI", "Command", "Refused", "Run", "Steps", "unknown_command", "unknown_subcommand", "wrong_count"]

Steps = Generator[Sequence[Invocation], Sequence[Outcome], bytes]
"""A command that makes calls: gives those that may run at the same time, gets their outcomes, ends in its reply."""
NO_MULTI: Final = "no-multi"
"""The flag of a command that does not stand behind `MULTI`."""
_SHOWN: Final = 128


class Refused(Exception):
    """A command is answered by this error. `text`: with a code of its own behind a `-`, or else an ERR."""

    def __init__(self, text: str | bytes) -> None:
        super().__init__(text)
        self.text: Final = text


@dataclass(frozen=True, slots=True)
class Run:
    """What a command is run with. `proto`: the version of RESP of its reply, whatever is said before that leaves.
    `received_at`: monotonic seconds."""

    listener: Listener
    session: Session
    context: CallContext
    received_at: float
    proto: int


Handler = Callable[[Run, Sequence[bytes]], "bytes | Steps"]
"""Gets the words of a command, its name among them. Raises `Refused` and `RpcError`."""


def _no_handler(run: Run, words: Sequence[bytes]) -> Any:
    raise AssertionError("only its parts are run")


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `arity`: of words with its name; at least so many where it is negative. `keys`: first key, last key
    (from the end where negative) and step; zeros without keys. `is_open`: strangers may use it, to become known.
    `at_once`: it is not queued behind `MULTI`. `parts`: what stands behind its name, where that names a command."""

    name: str
    arity: int
    handler: Handler = _no_handler
    summary: str = ""
    group: str = "connection"
    flags: tuple[str, ...] = ()
    keys: tuple[int, int, int] = (0, 0, 0)
    is_open: bool = False
    at_once: bool = False
    parts: Mapping[bytes, Command] = field(default_factory=dict)

    def fits(self, count: int) -> bool:
        """Whether it can have so many words."""
        return count == self.arity if self.arity > 0 else count >= -self.arity


def unknown_command(words: Sequence[bytes]) -> Refused:
    """Of a command that there is not."""
    shown = b""
    for word in words[1:]:
        if len(shown) >= _SHOWN:
            break
        shown += b"'%b' " % word[: _SHOWN - len(shown)].partition(b"\0")[0]
    name = words[0][:_SHOWN].partition(b"\0")[0]
    return Refused(b"unknown command '%b', with args beginning with: %b" % (name, shown))


def unknown_subcommand(words: Sequence[bytes]) -> Refused:
    """Of a command with parts, and none of that name."""
    part = words[1][:_SHOWN].partition(b"\0")[0]
    return Refused(b"unknown subcommand '%b'. Try %b HELP." % (part, words[0].upper()))


def wrong_count(name: str) -> Refused:
    """Of a command with too few words, or too many."""
    return Refused(f"wrong number of arguments for '{name}' command")
