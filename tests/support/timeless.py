"""Texts about attempts without how long they took."""

from __future__ import annotations

import re

__all__ = ["timeless"]


def timeless(text: str) -> str:
    return re.sub(r" after [\d.]+ ms", "", text)
