"""Every bridge between the built-in wires is lossless, and the matrix notices one that is not."""

from __future__ import annotations

import json
from itertools import product

import pytest

from gateway.model.errors import ValueMappingError
from gateway.plugins.builtin import BUILTIN
from gateway.plugins.catalog import Catalog
from tests.matrix.bridge import Bridge
from tests.matrix.cell import Cell, run_cell
from tests.matrix.checks.check import Check
from tests.matrix.checks.every import CHECKS
from tests.matrix.refusals import REFUSALS
from tests.matrix.report import format_html, format_json, format_table

WIRES = list(BUILTIN["protocol"])


@pytest.mark.parametrize(("client", "provider"), list(product(WIRES, WIRES)))
async def test_bridge_is_lossless(client: str, provider: str) -> None:
    cell = await run_cell(client, provider, CHECKS, Catalog(), lambda done: None)

    assert not cell.problem
    assert [f"{each.kind} {each.name}: {each.text}" for each in cell.lost] == []
    assert cell.total >= len(CHECKS)


def test_refusals_on_record_are_few() -> None:
    assert len(REFUSALS) <= 12


async def _differs(bridge: Bridge) -> str | None:
    return "expected 1, found 2"


async def _refuses(bridge: Bridge) -> str | None:
    raise ValueMappingError("there is no form for it", "args[0]")


async def _dies(bridge: Bridge) -> str | None:
    raise AssertionError("no value")


async def _arrives(bridge: Bridge) -> str | None:
    return None


async def cell_of(*runs: object) -> Cell:
    checks = [Check("value", f"case-{index}", run) for index, run in enumerate(runs)]  # type: ignore[arg-type]
    return await run_cell("dubbo", "dubbo", checks, Catalog(), lambda done: None)


@pytest.mark.parametrize("run", [_differs, _refuses, _dies])
async def test_what_does_not_arrive_and_is_not_on_record_is_a_loss(run: object) -> None:
    cell = await cell_of(_arrives, run)

    assert not cell.lossless
    assert "case-1" in [each.name for each in cell.lost]
    assert "case-0" not in [each.name for each in cell.lost]
    assert "LOST" in format_table([cell])
    assert "<h2>Lost</h2>" in format_html([cell])
    assert json.loads(format_json([cell]))["bridges"][0]["lossless"] is False


async def test_a_refusal_on_record_that_does_not_happen_is_a_loss() -> None:
    cell = await cell_of(_arrives)

    assert [each.name for each in cell.lost] == [each.type for each in REFUSALS if each.wire == "dubbo"]


async def test_a_cell_that_cannot_run_is_not_lossless() -> None:
    cell = await run_cell("dubbo", "no-such-wire", CHECKS, Catalog(), lambda done: None)

    assert "no-such-wire" in cell.problem
    assert not cell.lossless
