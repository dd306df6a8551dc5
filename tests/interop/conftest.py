"""The programs that all interop tests share, and the mark that puts a test into the table of `make interop`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.java_peer import Peers


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "direction(text, wire=…, peer=…, quick=False): the row of `make interop`; wire and peer follow from parameters "
        "where they are not named. Of those that are quick, one for each row runs with QUICK=1",
    )


@pytest.fixture(scope="session")
def peers() -> Iterator[Peers]:
    shared = Peers()
    yield shared
    shared.close()
