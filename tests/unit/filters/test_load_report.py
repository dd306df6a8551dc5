from typing import Any

from gateway.filters.load_report import LoadReporting
from gateway.model.call import Fault, Invocation, Ok, Result
from tests.support.fake_invoker import invocation

REPORT = "curTime:1,load:2.00"


class Behind:
    def __init__(self, answer: Result) -> None:
        self.answer = answer
        self.seen: list[Invocation] = []

    async def __call__(self, call: Invocation) -> Result:
        self.seen.append(call)
        return self.answer


async def test_who_asks_gets_a_report_beside_the_answer_and_the_service_does_not_see_the_question() -> None:
    behind = Behind(Ok(1, {"mine": "x"}))
    call = invocation("find", attachments={"lb_adaptive": "mem,load", "tag": "a"})
    result = await LoadReporting(report=lambda: REPORT)(call, behind)
    assert isinstance(result, Ok)
    assert (result.value, dict(result.attachments)) == (1, {"mine": "x", "lb_adaptive": REPORT})
    assert dict(behind.seen[0].attachments) == {"tag": "a"}


async def test_exceptions_of_the_service_carry_a_report_too() -> None:
    behind = Behind(Fault("demo.Broken", "no", {"part": 1}, declared=True, stack=("at x",)))
    call = invocation("find", attachments={"lb_adaptive": "mem,load"})
    result: Any = await LoadReporting(report=lambda: REPORT)(call, behind)
    assert (result.type_name, result.fields, result.stack) == ("demo.Broken", {"part": 1}, ("at x",))
    assert result.attachments == {"lb_adaptive": REPORT}


async def test_who_does_not_ask_pays_nothing() -> None:
    behind = Behind(Ok(1))
    call = invocation("find")
    assert await LoadReporting(report=lambda: REPORT)(call, behind) is behind.answer
    assert behind.seen[0] is call
