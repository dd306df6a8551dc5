"""The four ways a message of hessian:// begins, and what each means for its other half.

| bytes | meaning | arguments | the reply |
| --- | --- | --- | --- |
| `H` 02 00 `C` | a call in Hessian 2 | Hessian 2 | `H` 02 00, then `R` or `F` |
| `c` 02 00 | a call in Hessian 1 by who reads Hessian 2, as every client of Caucho 4.0 is unless told otherwise | Hessian 1 | the same |
| `c` 01 00 | a call in Hessian 1 | Hessian 1 | `r` 01 00 |
| `H` 02 00 `E`, `p` 02 00 | an encrypted envelope, a message of a stream | | refused, as by Caucho's own server |

Source: com.caucho:hessian 4.0: com/caucho/hessian/io/HessianInputFactory.java, HessianProxyFactory.java.
"""  # noqa: E501 - a table has no shorter lines

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["CONTENT_TYPE", "Envelope"]

CONTENT_TYPE: Final = "x-application/hessian"
"""Of requests and replies; what peers send there instead is of no interest."""


class Envelope(Enum):
    """How a call and its reply are written."""

    HESSIAN_2 = "hessian2"
    MIXED = "mixed"
    HESSIAN_1 = "hessian1"

    @property
    def old_call(self) -> bool:
        """Whether the call is written in Hessian 1."""
        return self is not Envelope.HESSIAN_2

    @property
    def old_reply(self) -> bool:
        """Whether the reply is written in Hessian 1."""
        return self is Envelope.HESSIAN_1
