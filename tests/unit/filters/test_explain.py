from typing import Any

import pytest

from gateway.filters.explain import ANSWER_KEY, ASK_KEY, Explain
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import ConnectFailed, Retry
from gateway.model.explanation import AttemptReport
from tests.support.fake_invoker import invocation


def provider(answer: Result | Exception) -> Any:
    async def handler(call: Invocation) -> Result:
        seen.append(call)
        if call.explanation is not None:
            call.explanation.candidates = "registry 2"
            call.explanation.attempts.append(AttemptReport("dubbo://h:1", "random: weight 1 of 2", 0.0))
        if isinstance(answer, Exception):
            raise answer
        return answer

    seen: list[Invocation] = []
    handler.seen = seen  # type: ignore[attr-defined]
    return handler


TEXT = ("registry 2", "attempt 1: dubbo://h:1 (random: weight 1 of 2) at 0.0 ms: still running")


async def test_calls_that_do_not_ask_pass_unchanged() -> None:
    handler, call = provider(Ok(7)), invocation()

    assert (await Explain()(call, handler)).attachments == {}
    assert handler.seen == [call]


async def test_the_answer_bears_the_explanation_and_the_service_does_not_see_the_question() -> None:
    handler = provider(Ok(7, {"own": "x"}))

    answer = await Explain()(invocation(attachments={ASK_KEY: "true", "user": "ann"}), handler)

    assert isinstance(answer, Ok)
    assert answer.value == 7
    assert answer.attachments == {"own": "x", ANSWER_KEY: "\n".join(TEXT)}
    assert handler.seen[0].attachments == {"user": "ann"}


async def test_a_fault_bears_it_too() -> None:
    answer = await Explain()(invocation(attachments={ASK_KEY: ""}), provider(Fault("demo.Missing", "no")))

    assert isinstance(answer, Fault)
    assert (answer.type_name, answer.attachments) == ("demo.Missing", {ANSWER_KEY: "\n".join(TEXT)})


async def test_an_error_ends_with_it_and_stays_what_it_is() -> None:
    error = ConnectFailed("refused", retry=Retry.NEVER, exhausted=True)

    with pytest.raises(ConnectFailed) as caught:
        await Explain()(invocation(attachments={ASK_KEY: ""}), provider(error))

    assert str(caught.value) == f"refused [explained: {'; '.join(TEXT)}]"
    assert (caught.value.retry, caught.value.exhausted) == (Retry.NEVER, True)
    assert str(error) == "refused"


async def test_however_many_attempts_there_were_the_explanation_has_room_in_a_header() -> None:
    async def broadcast(call: Invocation) -> Result:
        assert call.explanation is not None
        for number in range(1000):
            call.explanation.attempts.append(AttemptReport(f"dubbo://h:{number}", "", 0.0))
        return Ok(7)

    answer = await Explain()(invocation(attachments={ASK_KEY: ""}), broadcast)

    text = str(answer.attachments[ANSWER_KEY])
    assert len(text) < 7_000
    lines = text.splitlines()
    assert lines[1].startswith("attempt 1: dubbo://h:0 ")
    assert lines[-1] == f"and {1001 - len(lines) + 1} lines more"
