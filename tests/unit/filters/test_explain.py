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
