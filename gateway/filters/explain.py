"""Filter `explain`: tells callers who ask for it why their call went where it went.

A caller asks with the attachment `polyport-explain`, whatever its value, and finds the explanation in the attachment
`polyport-explanation` of the answer, one line each for the counts and every attempt, as far as an answer's header has
room for them; where there is no answer, the error's text ends with it. `polyport call --explain` asks. Explanations
name providers by address, so only a listener for people who run the gateway should have this filter.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Final

from gateway.config.sections.section import NoOptions
from gateway.model.call import Fault, Invocation, Ok, Result
from gateway.model.errors import RpcError, restated
from gateway.model.explanation import Explanation
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin

__all__ = ["ANSWER_KEY", "ASK_KEY", "PLUGIN", "Explain"]

ASK_KEY: Final = "polyport-explain"
ANSWER_KEY: Final = "polyport-explanation"
_MAX_TEXT: Final = 6_000
"""Characters. An explanation too long for a header field would cost the answer that it is about, and clients of HTTP
take fields of 8 KiB."""


class Explain:
    """Answers `polyport-explain`; the service does not see that attachment."""

    __slots__ = ()

    def __init__(self, options: NoOptions | None = None) -> None:
        """Takes no options."""

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        """The call on its way, explained where that is asked for."""
        return self._explain(invocation, handler) if ASK_KEY in invocation.attachments else handler(invocation)

    async def _explain(self, invocation: Invocation, handler: Handler) -> Result:
        explanation = Explanation()
        attachments = {key: value for key, value in invocation.attachments.items() if key != ASK_KEY}
        try:
            result = await handler(invocation.replace(attachments=attachments, explanation=explanation))
        except RpcError as error:
            raise restated(error, f"{error} [explained: {'; '.join(_lines(explanation))}]") from error
        answer = {ANSWER_KEY: "\n".join(_lines(explanation))}
        if isinstance(result, Fault):
            fault = result.decoded()
            return fault.with_attachments({**fault.attachments, **answer})
        return Ok(result.value, {**result.attachments, **answer})


def _lines(explanation: Explanation) -> Sequence[str]:
    lines = explanation.lines()
    length = 0
    for number, line in enumerate(lines):
        length += len(line) + 2
        if length > _MAX_TEXT:
            return (*lines[:number], f"and {len(lines) - number} lines more")
    return lines


PLUGIN: Final = FilterPlugin("explain", NoOptions, Explain)
