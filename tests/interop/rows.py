"""The rows of the table of peers, from the marks of tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pytest

from tests.interop.peers import HESSIAN_LITE, PEERS, Peer, dubbo

__all__ = ["Row", "Rows", "libraries_and_languages", "row_of"]


class Row(NamedTuple):
    """`direction`: who calls whom, `Java → us`."""

    wire: str
    peer: Peer
    direction: str


def row_of(item: pytest.Item) -> Row | None:
    """None where the test has no mark. Fails for a peer that the table does not know."""
    mark = item.get_closest_marker("direction")
    if mark is None:
        return None
    direction = mark.args[0]
    if "peer" in mark.kwargs:
        return Row(mark.kwargs["wire"], PEERS[mark.kwargs["peer"]], direction)
    assert isinstance(item, pytest.Function)
    params = {name: str(value) for name, value in item.callspec.params.items()}
    if "module" in params:
        return Row("hessian", HESSIAN_LITE[params["module"]], direction)
    versions = [params[name] for name in ("version", "consumer", "provider") if name in params]
    return Row("dubbo", dubbo(*versions), direction)


def libraries_and_languages(peers: Iterable[Peer]) -> tuple[set[str], set[str]]:
    """Of those that count."""
    counted = [peer for peer in peers if peer.counted]
    return {peer.library for peer in counted}, {peer.language for peer in counted}


class Rows:
    """Collects rows; a pytest plug-in for runs that collect only."""

    def __init__(self) -> None:
        self._rows: set[Row] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self._rows.update(row for item in items if (row := row_of(item)) is not None)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)
