from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from gateway.filters.order import ORDER, arrange
from gateway.model.call import Invocation, Ok, Result
from gateway.plugins.builtin import BUILTIN
from gateway.plugins.catalog import Catalog
from gateway.spi.handler import Handler, compose
from tests.support.fake_invoker import FakeInvoker, invocation


class Named:
    def __init__(self, name: str, seen: list[str]) -> None:
        self.name = name
        self.seen = seen

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        self.seen.append(self.name)
        return handler(invocation)


async def test_a_call_passes_the_filters_in_the_one_order_and_unknown_ones_last_as_written() -> None:
    seen: list[str] = []
    written = ["zebra", "concurrency", "tracing", "ant", "deadline", "access_log"]
    filters = arrange((name, Named(name, seen)) for name in written)
    await compose(filters, FakeInvoker(1, Ok(1)))(invocation())
    assert seen == ["tracing", "access_log", "deadline", "concurrency", "zebra", "ant"]


def test_every_filter_that_comes_with_the_gateway_has_a_place_and_a_reason() -> None:
    assert sorted(name for name, _ in ORDER) == sorted(BUILTIN["filter"])
    assert all(reason for _, reason in ORDER)


NEEDED: Mapping[str, Mapping[str, str]] = {"concurrency": {"limit": "5"}, "rate_limit": {"rate": "5"}}
"""Options that a filter cannot do without."""


@pytest.mark.parametrize("name", BUILTIN["filter"])
async def test_every_filter_is_built_from_its_options_and_passes_an_ordinary_call(name: str) -> None:
    plugin, given = Catalog([]).filter(name), NEEDED.get(name, {})
    options = plugin.options.model_validate(given)
    answer = Ok(1)
    assert await plugin.build(options)(invocation(), FakeInvoker(1, answer)) is answer
    with pytest.raises(ValueError, match="unheard"):
        plugin.options.model_validate(given | {"unheard": 1})
    with pytest.raises(ValueError, match="frozen"):
        options.anything = 1
