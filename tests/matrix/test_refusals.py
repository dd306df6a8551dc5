"""Every refusal on record is as narrow as it says: its values are refused with their place, their neighbours pass.

Each wire is once that of the client and once that of the provider; at the other end is rmi://, which refuses nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import pytest
import pytest_asyncio

from gateway.model.call import Ok
from gateway.model.errors import GatewayError
from gateway.plugins.catalog import Catalog
from protocols.testing import Maker, difference
from tests.matrix.bridge import Bridge, bridge
from tests.matrix.checks.check import ok
from tests.matrix.refusals import REFUSALS, Refusal

OTHER: Final = "rmi"


GOOD: Final[Mapping[str, Any]] = {
    "echo_decimal": Decimal(1),
    "echo_string": "x",
    "echo_char": "x",
    "echo_struct": Maker("x"),
    "echo_string_list": [],
    "echo_string_set": set(),
    "echo_string_map": {},
}
"""What passes on every wire, by method of `demo.Types`."""

Values = Sequence[tuple[str, Any]]
"""Each with the method that takes and gives it."""


@dataclass(frozen=True)
class Edge:
    """`refused` and `passing`: values on either side of where a class of values ends."""

    refused: Values
    passing: Values


def _within(*texts: str) -> Values:
    return [
        each
        for text in texts
        for each in (
            ("echo_struct", Maker("x", parent=Maker(text))),
            ("echo_string_list", ["x", text]),
            ("echo_string_set", {text}),
            ("echo_string_map", {text: 1}),
        )
    ]


def _each(method: str, *values: Any) -> Values:
    return [(method, value) for value in values]


_NUMBERS: Final = Edge(
    _each("echo_decimal", *map(Decimal, ("-0", "-0.00", "-0E+3", "-0E-20"))),
    _each("echo_decimal", *map(Decimal, ("0", "0.00", "0E+3", "0E-20", "-0.1", "-1E-300", "-1E+3", "1E-300"))),
)
_SURROGATES: Final = ("\ud800", "\udbff", "\udc00", "\udfff")
_NEARLY: Final = ("\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\0", "\x7f", "\x80")
_PAIRS: Final = ("\U00010000", "\U0010ffff")
_UTF_8: Final = Edge(
    [
        *_each("echo_string", *_SURROGATES, "a\ud800", "\udc00a", "\udc00\ud800", "\ud800\ud800\udc00"),
        *_each("echo_char", *_SURROGATES),
        *_within("\ud800"),
    ],
    [
        *_each("echo_string", *_NEARLY, *_PAIRS, "\ufeff", ""),
        *_each("echo_char", *_NEARLY),
        *_within(*_NEARLY, *_PAIRS),
    ],
)
_UTF_8_WITHIN: Final = Edge(
    _within(*_SURROGATES),
    [
        *_each("echo_string", *_SURROGATES, "\udc00\ud800"),
        *_each("echo_char", *_SURROGATES),
        *_within(*_NEARLY, *_PAIRS),
    ],
)
# XML 1.0, section 2.2: Char ::= #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]
_NO_XML: Final = (*map(chr, range(9)), "\x0b", "\x0c", *map(chr, range(0x0E, 0x20)), *_SURROGATES, "\ufffe", "\uffff")
_XML: Final = (
    *("\t", "\n", "\r", "\r\n", " ", "  both ends \n", "\x7f", "\x80", "\x85", "\x9f", "\xa0", "\u2028"),
    *("\ud7ff", "\ue000", "\ufdd0", "\ufffc", "\ufffd", "\ufeff", "\U00010000", "\U0001fffe", "\U0010ffff"),
    *("]]>", "<![CDATA[x]]>", "&#0;", "&amp;", "<!--", "<?xml?>", ""),
)
EDGES: Final[Mapping[str, Edge]] = {
    "dubbo": _NUMBERS,
    "hessian": _NUMBERS,
    "http": _UTF_8,
    "redis": _UTF_8_WITHIN,
    "memcached": _UTF_8_WITHIN,
    "thrift": _UTF_8,
    "webservice": Edge(
        [*_each("echo_string", *_NO_XML), *_within("\0", "\ufffe", "\ud800")],
        # A character alone is a number there.
        [*_each("echo_string", *_XML), *_each("echo_char", "\0", "\ufffe", "\ud800"), *_within(*_XML)],
    ),
}
"""By wire, each of which has one entry."""


def test_there_is_an_edge_for_every_refusal() -> None:
    assert [each.wire for each in REFUSALS] == list(EDGES)


@pytest.fixture(scope="module")
def refusal(request: pytest.FixtureRequest) -> Refusal:
    found: Refusal = request.param
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["client", "provider"])
async def started(request: pytest.FixtureRequest, refusal: Refusal) -> AsyncIterator[Bridge]:
    wires = (refusal.wire, OTHER) if request.param == "client" else (OTHER, refusal.wire)
    async with bridge(*wires, Catalog()) as made:
        yield made


each_refusal = pytest.mark.parametrize("refusal", REFUSALS, indirect=True, ids=lambda each: each.wire, scope="module")


@each_refusal
@pytest.mark.asyncio(loop_scope="module")
async def test_its_values_are_refused_with_their_place(started: Bridge, refusal: Refusal) -> None:
    for method, value in EDGES[refusal.wire].refused:
        with pytest.raises(GatewayError) as refused:
            await started.call(method, (value,), Ok(GOOD[method]))
        assert refusal.reason in str(refused.value), ascii(value)
        assert "args[0]" in str(refused.value)
        assert started.received == []
        if set(refusal.types) == {"argument-within"}:
            result = await started.call(method, (GOOD[method],), Ok(value))
            assert difference(value, ok(result).value) is None
            continue
        with pytest.raises(GatewayError) as refused:
            await started.call(method, (GOOD[method],), Ok(value))
        assert refusal.reason in str(refused.value), ascii(value)
        assert "result" in str(refused.value)


@each_refusal
@pytest.mark.asyncio(loop_scope="module")
async def test_its_neighbours_pass(started: Bridge, refusal: Refusal) -> None:
    for method, value in EDGES[refusal.wire].passing:
        result = await started.call(method, (value,), Ok(value))
        (received,) = started.received
        assert difference((value,), received.arguments()) is None, (method, ascii(value))
        assert difference(value, ok(result).value) is None, (method, ascii(value))


@pytest.mark.parametrize("wire", [each.wire for each in REFUSALS if "argument-within" in each.types])
async def test_the_place_of_a_text_is_named_wherever_it_stands(wire: str) -> None:
    async with bridge(wire, OTHER, Catalog()) as started:
        with pytest.raises(GatewayError, match=r"args\[0\]\.parent\.name\b"):
            await started.call("echo_struct", (Maker("x", parent=Maker("\ud800")),), Ok(Maker("x")))
        with pytest.raises(GatewayError, match=r"args\[0\]\[1\]"):
            await started.call("echo_string_list", (["x", "\ud800"],), Ok([]))
