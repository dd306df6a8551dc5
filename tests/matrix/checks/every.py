"""What every cell must carry."""

from __future__ import annotations

from typing import Final

from tests.matrix.checks.check import Check
from tests.matrix.checks.context import contexts
from tests.matrix.checks.form import forms
from tests.matrix.checks.native import natives
from tests.matrix.checks.outcome import outcomes
from tests.matrix.checks.value import values

__all__ = ["CHECKS"]

CHECKS: Final[tuple[Check, ...]] = (*natives(), *values(), *outcomes(), *contexts(), *forms())
"""Every check of a cell, in the order they are made."""
