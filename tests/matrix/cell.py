"""The verdict on one cell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gateway.model.errors import GatewayError
from gateway.plugins.catalog import Catalog
from tests.matrix.bridge import TIMEOUT_S, bridge
from tests.matrix.checks.check import Check
from tests.matrix.refusals import REFUSALS, declared

__all__ = ["Cell", "Finding", "run_cell"]

_PATHS = ("args[0]", "result", "attachments[")
"""How the place of a value begins in an error; a refusal without one tells its caller nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that did not arrive as it was sent. `refused`: it was refused, and that is on record."""

    kind: str
    name: str
    text: str
    refused: bool


@dataclass(slots=True)
class Cell:
    """`client` calls through the gateway, `provider` answers. `problem`: why the cell could not run at all."""

    client: str
    provider: str
    total: int = 0
    findings: list[Finding] = field(default_factory=list)
    problem: str = ""

    @property
    def refused(self) -> Sequence[Finding]:
        """Refusals that are on record."""
        return [each for each in self.findings if each.refused]

    @property
    def lost(self) -> Sequence[Finding]:
        """Everything else that went wrong."""
        return [each for each in self.findings if not each.refused]

    @property
    def passed(self) -> int:
        """Checks that arrived exactly."""
        return self.total - len(self.findings)

    @property
    def lossless(self) -> bool:
        """Whether everything arrived, but for what is on record."""
        return bool(self.total) and not self.lost and not self.problem


async def run_cell(
    client: str, provider: str, checks: Iterable[Check], catalog: Catalog, progress: Callable[[int], None]
) -> Cell:
    """Starts the cell and makes every check; `progress` gets how many are done."""
    cell = Cell(client, provider)
    try:
        async with bridge(client, provider, catalog) as made:
            for check in checks:
                cell.total += 1
                text, refused = None, False
                try:
                    async with asyncio.timeout(TIMEOUT_S * 2):
                        text = await check.run(made)
                except GatewayError as error:
                    text = f"{type(error).__name__}: {error}"
                    refused = declared({client, provider}, check.name, text) is not None
                    refused = refused and any(path in text for path in _PATHS)
                except (AssertionError, TimeoutError) as error:
                    text = f"{type(error).__name__}: {error}"
                if text is not None:
                    cell.findings.append(Finding(check.kind, check.name, text, refused))
                progress(cell.total)
    except Exception as error:  # A cell that cannot run is a result like any other.
        cell.problem = f"{type(error).__name__}: {error}"
    _note_stale(cell)
    return cell


def _note_stale(cell: Cell) -> None:
    """A refusal on record that did not happen is a record that is wrong."""
    for each in REFUSALS:
        if each.wire not in (cell.client, cell.provider):
            continue
        other = cell.client if each.wire == cell.provider else cell.provider
        for kind in each.types:
            if other != each.wire and _refused_by(other, cell, kind):
                # Maybe all the values that this wire would have.
                continue
            if not any(each.covers(found.name, found.text) and _type(found.name) == kind for found in cell.refused):
                text = f"on record as refused by {each.wire} ({each.reason}), but nothing was"
                cell.findings.append(Finding("refusal", kind, text, refused=False))
                cell.total += 1


def _refused_by(wire: str, cell: Cell, kind: str) -> bool:
    """Whether this wire has refused values of this type."""
    return any(
        _type(found.name) == kind and each.wire == wire and each.covers(found.name, found.text)
        for each in REFUSALS
        for found in cell.refused
    )


def _type(check: str) -> str:
    return check.partition("/")[0]
