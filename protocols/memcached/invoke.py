"""Calls of any method: `get` with a call as its key, and `set` with a block, whose answer `get` of the key fetches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gateway.model.call import NO_ATTACHMENTS, Invocation
from gateway.model.errors import BadRequest, NoSuchMethod, NoSuchService, RpcError
from protocols.memcached.block import NO_BLOCK, Block, read_block
from protocols.memcached.directory import Door, parse_call, parse_running, read_arguments
from protocols.memcached.failure import error_line
from protocols.memcached.found import MethodGiver
from protocols.memcached.method import BlockMethod
from protocols.memcached.running import RunningCall
from protocols.memcached.slot import STORED
from protocols.memcached.ticket import Slot
from protocols.memcached.unreadable import Unreadable

if TYPE_CHECKING:
    from protocols.memcached.server import MemcachedServerCodec as Codec

__all__ = ["call_or_fetch", "start_call"]

_Arguments = tuple[BlockMethod, tuple[Any, ...] | None, Unreadable | None]


def _read(door: Door, read: Callable[[], tuple[BlockMethod, tuple[Any, ...]]]) -> _Arguments:
    """The method and its arguments, or what is wrong with these. Raises BadRequest where they do not tell the method.

    A call that cannot be read is made all the same: whether its caller may make it is not ours to know.
    """
    try:
        return *read(), None
    except BadRequest as exc:
        if door.single is None:
            raise
        return door.single, None, Unreadable(exc)


def call_or_fetch(codec: Codec, key: bytes, part: Any, now: float) -> bool:
    """Makes the call that a key is, or gives the answer of one made by `set`. Gives whether the key was either."""
    return (key[-1:] == b")" and _call_by_key(codec, key, part)) or (b"#" in key and _fetch(codec, key, part, now))


def _call_by_key(codec: Codec, key: bytes, part: Any) -> bool:
    """Calls the method that a key names. Gives whether the key was a call: one that nobody has, under no mount, is."""
    parsed = parse_call(key)
    directory = codec.wire.directory
    if parsed is None:
        return False
    name, text = parsed
    try:
        door = directory.door(name)
    except (NoSuchService, NoSuchMethod) as exc:
        if directory.mounts.find(key) is not None:
            return False
        _tell(codec, part, exc)
        return True
    try:
        method, arguments, raw = _read(door, lambda: door.read_json(read_arguments(text)))
    except BadRequest as exc:
        codec.reject(part, exc)
        return True
    part.giver = MethodGiver(method, names_formats=codec.wire.style.names_formats)
    signature = method.signature
    invocation = Invocation(
        door.exposure.service, signature.name, arguments, signature, raw, NO_ATTACHMENTS, None, None, codec.peer,
        codec.consumer,
    )  # fmt: skip
    codec.call(part, invocation)
    return True


def _tell(codec: Codec, part: Any, error: RpcError) -> None:
    slot = part.fill(None, error_line(error))
    if slot is not None:
        codec.leave(slot)


def _fetch(codec: Codec, key: bytes, part: Any, now: float) -> bool:
    """Gives the answer of a call made by `set`, or waits for it. Gives whether there was such a call."""
    running = codec.calls.get(key)
    if running is not None and running.waiting is None:
        running.waiting = part
        return True
    kept = codec.wire.answers.take(codec.owner, key, now)
    if kept is None:
        return False
    slot = part.fill(None if kept.trouble else (kept.flags, kept.data, 0), kept.trouble)
    if slot is not None:
        codec.leave(slot)
    return True


def start_call(codec: Codec, key: bytes, data: bytes, now: float, *, quiet: bool, stored: bytes = STORED) -> bool:
    """Runs the call in a block. Gives whether the key was one of a call. `stored`: what is said when it has ended."""
    name = parse_running(key)
    directory = codec.wire.directory
    if name is None or (directory.mounts.find(key) is not None and not directory.is_named(name)):
        return False
    slot = None if quiet else Slot()
    if slot is not None:
        codec.queue(slot)
    block = NO_BLOCK
    try:
        door = directory.door(name)

        def read() -> tuple[BlockMethod, tuple[Any, ...]]:
            nonlocal block
            block = read_block(data)
            return door.read_parts(block.parts) if block.args is None else door.read_json(block.args)

        method, arguments, raw = _read(door, read)
    except RpcError as exc:
        codec.reject(RunningCall(codec, key, None, slot, block.head, stored), exc)
        return True
    _run(codec, key, door, method, arguments, raw, block, slot, stored, now)
    return True


def _run(
    codec: Codec,
    key: bytes,
    door: Door,
    method: BlockMethod,
    arguments: tuple[Any, ...] | None,
    raw: Unreadable | None,
    block: Block,
    slot: Slot | None,
    stored: bytes,
    now: float,
) -> None:
    signature = method.signature
    oneway = block.oneway or signature.oneway
    if oneway and slot is not None:
        slot.answer = stored
        codec.leave(slot)
    invocation = Invocation(
        door.exposure.service, signature.name, arguments, signature, raw, block.attachments,
        None if block.timeout_s is None else now + block.timeout_s, block.traceparent, codec.peer,
        block.consumer or codec.consumer, oneway, None, None, block.token,
    )  # fmt: skip
    codec.call(None if oneway else RunningCall(codec, key, method, slot, block.head, stored), invocation)
