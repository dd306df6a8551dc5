"""The judge finds what it must, the report shows it, and a row that needs no luck passes on every wire."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.catalogue import ROWS
from tests.chaos.ground import Ground
from tests.chaos.load import Load, judge
from tests.chaos.one import judged
from tests.chaos.report import format_html, format_json, format_table
from tests.chaos.row import WIRES, Outcome, Row, Verdict
from tests.chaos.rows import bad_handlers
from tests.support.work_service import Working, recorded


class _Nobody:
    """Calls are put into the load by hand here."""


def load(*, answered: int = 0, failed: str = "", once: bool = False) -> Load:
    made = Load(_Nobody())  # type: ignore[arg-type]
    kind = made.once if once else made.again
    kind.answered = set(range(1, answered + 1))
    if failed:
        kind.failed = {1_000: failed}
    return made


def test_calls_that_were_answered_and_carried_out_are_as_they_should_be() -> None:
    text, problems = judge(load(answered=3), Counter([1, 2, 2, 3]))
    assert problems == []
    assert text == "3 calls, 0 lost, 0 doubled, 1 idempotent ones repeated"


@pytest.mark.parametrize(
    ("made", "executed", "problem"),
    [
        (load(answered=2), [1], "1 calls answered that no provider carried out: [2]"),
        (load(answered=2, once=True), [1, 2, 2], "1 calls carried out twice that must not be: [2]"),
        (load(failed="connection-lost: gone", once=True), [1_000, 1_000], "1 calls carried out twice that must not"),
        (load(failed="connection-lost: gone"), [], "1 calls lost: connection-lost: gone"),
        (load(failed="connect-failed: away", once=True), [], "1 calls lost: connect-failed: away"),
    ],
)
def test_what_must_not_be_is_found(made: Load, executed: list[int], problem: str) -> None:
    _, problems = judge(made, Counter(executed), may_fail_once=frozenset({"connection-lost"}))
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_calls_that_must_not_run_twice_may_be_reported() -> None:
    text, problems = judge(
        load(failed="connection-lost: gone", once=True), Counter(), may_fail_once=frozenset({"connection-lost"})
    )
    assert problems == []
    assert text == "1 calls, 0 lost, 0 doubled, 1 reported"


def test_modes_that_repeat_nothing_are_owed_less() -> None:
    text, problems = judge(load(failed="ignored: default"), Counter(), may_fail_again=frozenset({"ignored"}))
    assert (text, problems) == ("1 calls, 0 lost, 0 doubled, 1 reported", [])
    assert len(judge(load(failed="stuck: silent"), Counter(), may_fail_again=frozenset({"ignored"}))[1]) == 1


def test_modes_that_call_several_may_carry_a_call_out_several_times() -> None:
    assert judge(load(answered=1, once=True), Counter([1, 1]), most=2)[1] == []
    assert len(judge(load(answered=1, once=True), Counter([1, 1, 1]), most=2)[1]) == 1


class _Ignoring:
    """Every call is answered with what stands for no answer."""

    async def once(self, id: int, hold_ms: int) -> int:
        return -1

    async def again(self, id: int, hold_ms: int) -> int:
        return -1


async def test_answers_that_stand_for_none_are_failures() -> None:
    made = Load(_Ignoring(), callers=2, default=-1)  # type: ignore[arg-type]
    async with made.running():
        await made.more(2)
    assert not made.once.answered | made.again.answered
    assert set(made.again.errors) == {"ignored"}


def test_answers_to_other_calls_are_found() -> None:
    made = load(answered=1)
    made.mixed_up.append(1)
    assert judge(made, Counter([1]))[1] == ["1 calls got the answer to another one: [1]"]


async def test_what_was_carried_out_is_on_record(tmp_path: Path) -> None:
    first, second = Working(str(tmp_path / "a")), Working(str(tmp_path / "b"))
    assert await first.once(7, 0) == 7
    await second.again(7, 0)
    await second.again(8, 0)
    assert recorded(tmp_path / "a", tmp_path / "b", tmp_path / "c") == {7: 2, 8: 1}


async def _survives(ground: Ground) -> Outcome:
    return Outcome("1 call")


async def _raises(ground: Ground) -> Outcome:
    raise RuntimeError("no <way>")


async def test_a_row_that_cannot_run_is_a_fault_not_survived() -> None:
    verdict = await judged(Row("X1", "a fault", "nothing", _raises), "dubbo", 0.0, quick=True)
    assert not verdict.passed
    assert "X1 a fault, dubbo: RuntimeError: no <way>" in format_table([verdict])
    assert "no &lt;way&gt;" in format_html([verdict])
    assert json.loads(format_json([verdict]))["faults"][0]["passed"] is False


async def test_the_report_counts_what_was_survived() -> None:
    verdicts = [await judged(Row("X1", "a fault", "nothing", each), "http", 0.0, quick=True) for each in (_survives,)]
    assert verdicts[0].passed
    assert json.loads(format_json(verdicts))["survived"] == 1
    assert "1 of 1 faults survived" in format_html(verdicts)


def test_a_problem_that_comes_with_every_call_is_shown_a_few_times() -> None:
    verdict = Verdict(ROWS[0], "dubbo", Outcome("many", ["x" * 10_000] * 1_000), 1.0)
    assert len(format_table([verdict])) < 5_000
    assert "and 995 more" in format_table([verdict])


@pytest.mark.parametrize("wire", WIRES)
async def test_handlers_that_fail_in_every_way_end_in_typed_errors(wire: str) -> None:
    (row,) = bad_handlers.ROWS
    verdict = await judged(row, wire, 0.0, quick=True)
    assert list(verdict.outcome.problems) == []
