"""`MULTI … EXEC`: commands that run one after the other, each when the one before has been answered.

It is an order, not a transaction. Calls of others may come in between, what was done stays done when a later command
fails, and a command that fails does not keep the next ones from running, which it does not in Redis either. `WATCH` is
refused: nobody here would know that somebody else changed a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.model.errors import LocalWireError
from protocols.http.unwritable import unwritable
from protocols.redis.command import Command, Refused, Run, Steps
from protocols.redis.error_line import error_line
from protocols.redis.resp import OK, array

__all__ = ["BATCH_COMMANDS", "MAX_QUEUED"]

MAX_QUEUED: Final = 10_000
"""Commands of one batch."""


def _multi(run: Run, words: Sequence[bytes]) -> bytes:
    if run.session.queued is not None:
        raise Refused("MULTI calls can not be nested")
    run.session.queued = []
    return OK


def _exec(run: Run, words: Sequence[bytes]) -> bytes | Steps:
    session = run.session
    queued, is_spoilt = session.queued, session.is_spoilt
    if queued is None:
        raise Refused("EXEC without MULTI")
    session.discard()
    if is_spoilt:
        raise Refused("-EXECABORT Transaction discarded because of previous errors.")
    return _one_by_one(run, queued)


def _one_by_one(run: Run, queued: list[list[bytes]]) -> Steps:
    replies: list[bytes] = []
    most = left = run.listener.limits.max_frame_bytes
    too_much = error_line(unwritable(LocalWireError(f"the replies of the batch exceed {most} bytes"))[0])
    for words in queued:
        found = run.listener.perform(run, words)
        reply = found if isinstance(found, bytes) else (yield from found)
        if words[0].lower() == b"hello":
            run = replace(run, proto=run.session.proto)
        left -= len(reply)
        # Small commands may have large replies, and all of them leave together.
        replies.append(reply if left >= 0 else too_much)
    return array(replies)


def _discard(run: Run, words: Sequence[bytes]) -> bytes:
    if run.session.queued is None:
        raise Refused("DISCARD without MULTI")
    run.session.discard()
    return OK


def _watch(run: Run, words: Sequence[bytes]) -> bytes:
    if run.session.queued is not None:
        raise Refused("WATCH inside MULTI is not allowed")
    raise Refused("WATCH is not supported: nothing here tells when somebody else changes a value")


def _unwatch(run: Run, words: Sequence[bytes]) -> bytes:
    return OK


BATCH_COMMANDS: Final = (
    Command("multi", 1, _multi, "Begins a batch.", "transactions", ("fast",), at_once=True),
    Command("exec", 1, _exec, "Runs a batch, one command after the other.", "transactions", at_once=True),
    Command("discard", 1, _discard, "Forgets a batch.", "transactions", ("fast",), at_once=True),
    Command("watch", -2, _watch, "Is not supported.", "transactions", ("fast",), (1, -1, 1), at_once=True),
    Command("unwatch", 1, _unwatch, "Does nothing, as nothing is watched.", "transactions", ("fast",)),
)
