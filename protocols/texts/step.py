"""How much of a pipeline a codec of a text wire takes at a time (`protocols.contract.PacedServerCodec`)."""

from __future__ import annotations

from typing import Final

__all__ = ["STEP", "STEP_BYTES"]

STEP: Final = 256
"""Commands, or calls, after which others have their turn."""
STEP_BYTES: Final = 65_536
"""Of answers that need no call, after which they leave before more are made."""
