"""Bridges between the built-in wires are lossless, and the matrix notices one that is not."""

from __future__ import annotations

import json
from itertools import pairwise, product

import pytest

from gateway.model.call import Ok
from gateway.model.errors import ValueMappingError
from gateway.plugins.builtin import BUILTIN
from gateway.plugins.catalog import Catalog
from protocols.testing import difference
from tests.matrix.bridge import Bridge, bridge
from tests.matrix.cell import Cell, run_cell
from tests.matrix.checks.check import Check
from tests.matrix.checks.every import CHECKS
from tests.matrix.native.wires import WIRES as WIRES_READ
from tests.matrix.readme import README, table_in
from tests.matrix.refusals import REFUSALS
from tests.matrix.report import format_html, format_json, format_markdown, format_table

WIRES = list(BUILTIN["protocol"])


@pytest.mark.parametrize(
    ("client", "provider"),
    [(wire, other) for pair in pairwise([*WIRES, WIRES[0]]) for wire, other in (pair, pair[:1] * 2)],
)
async def test_bridge_is_lossless(client: str, provider: str) -> None:
    """Each wire on both sides, with itself and with another; `make matrix` runs every pair."""
    cell = await run_cell(client, provider, CHECKS, Catalog(), lambda done: None)

    assert not cell.problem
    assert [f"{each.kind} {each.name}: {each.text}" for each in cell.lost] == []
    assert cell.total >= len(CHECKS)


def test_refusals_on_record_are_few() -> None:
    assert len(REFUSALS) <= 12


def test_the_table_in_the_readme_is_that_of_these_wires() -> None:
    """That every bridge is lossless, and refuses what it is said to refuse, `make matrix` proves."""
    cells = [Cell(*pair, total=1) for pair in product(WIRES, WIRES)]
    written = table_in(README.read_text("utf-8"))

    assert written == format_markdown(cells), "write it: .venv/bin/python -m tests.matrix.run --readme"


@pytest.mark.parametrize("wire", WIRES)
async def test_one_opaque_piece_is_not_what_a_wire_has_for_a_struct(wire: str) -> None:
    opaque = '{"name": "Zwölf", "country": "DE", "parent": {"name": "Mutter", "country": null, "parent": null}}'
    native = WIRES_READ[wire]
    async with bridge("rmi" if wire == "http" else "http", wire, Catalog()) as started:
        await started.call("echo_string", (opaque,), Ok(opaque))
        result = native.result(bytes(started.behind.received))
        await started.call("echo_bytes", (opaque.encode(),), Ok(opaque.encode()))
        packed = native.result(bytes(started.behind.received))

    assert difference(native.samples["struct"], result)
    assert difference(native.samples["struct"], packed)


async def test_a_value_that_cannot_be_read_is_a_loss() -> None:
    (check,) = (each for each in CHECKS if (each.kind, each.name) == ("native", "struct"))
    async with bridge("http", "rmi", Catalog()) as started:
        started.client = "thrift"

        assert "the argument over thrift cannot be read" in str(await check.run(started))


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

    assert [each.name for each in cell.lost] == ["decimal"]


async def test_a_cell_that_cannot_run_is_not_lossless() -> None:
    cell = await run_cell("dubbo", "no-such-wire", CHECKS, Catalog(), lambda done: None)

    assert "no-such-wire" in cell.problem
    assert not cell.lossless
