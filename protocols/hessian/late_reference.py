"""What may still be referred to in a message after its first UUID: the values written before it, and no others.

Readers of hessian-lite 3 (Dubbo 2.6 and 2.7) give a UUID no slot, although its writers and both sides of hessian-lite 4
do. From the first UUID on a slot thus means one value to one line and another value to the other line; both agree on
the slots in front of it.

Source: apache/dubbo-hessian-lite: hessian-lite/src/main/java/com/alibaba/com/caucho/hessian/io/UUIDDeserializer.java,
where only version 4 has `in.addRef`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gateway.model.errors import ValueMappingError

if TYPE_CHECKING:
    from protocols.hessian.writer import Writer

__all__ = ["EarlyReferences"]


class EarlyReferences(dict[Any, int]):
    """Stands in the place of `Writer.refs` after a UUID: keeps the slots it was made with and takes no more.

    So values that occur again are written again. One that contains itself would have no end, and is refused.
    """

    __slots__ = ("_depths", "_keys", "_writer")

    def __init__(self, writer: Writer, slots: Mapping[Any, int]) -> None:
        super().__init__(slots)
        self._writer = writer
        # What is being written, outermost first, and the depth at which each began.
        self._keys: list[Any] = []
        self._depths: list[int] = []

    def __setitem__(self, key: Any, slot: int) -> None:
        """Notes that the value `key` begins, in place of giving it the slot.

        Raises:
            ValueMappingError: it has begun before and has not ended.
            LocalWireError: the message is too large; values that are written again may double at every level.
        """
        writer, keys, depths = self._writer, self._keys, self._depths
        writer.check_size()
        depth = writer.depth
        while depths and depths[-1] <= depth:  # began beside this one or inside its neighbours, so it has ended
            depths.pop()
            keys.pop()
        if key in keys:
            raise ValueMappingError(
                "expected a value without cycles after a UUID, where Dubbo 2 and 3 count references differently, "
                "found one that contains itself"
            )
        depths.append(depth)
        keys.append(key)
