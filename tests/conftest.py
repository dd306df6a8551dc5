"""What holds for every test run: a closing line that counts, and no skipped test in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings

from bench.apt import Unavailable

_IN_CI = os.environ.get("CI") == "true"

# How long an example takes, or making one, says how busy the machine is.
settings.register_profile("busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(scope="session", autouse=True)
def _no_state_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What gateways keep from one start to the next goes into a folder of the run."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends every run with `N of M tests passed`."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    stats = reporter.stats
    passed, skipped = len(stats.get("passed", ())), len(stats.get("skipped", ()))
    total = passed + skipped + sum(len(stats.get(kind, ())) for kind in ("failed", "error"))
    line = f"{passed} of {total} tests passed"
    if skipped:
        line += f", {skipped} skipped" + (" (which counts as failed in CI)" if _IN_CI else "")
    print(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skipped test fails the run: what is not run is not proved."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _IN_CI and exitstatus == 0 and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """What cannot be had here skips the tests that need it."""
    with _skipping():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """As above."""
    with _skipping():
        return (yield)


@contextmanager
def _skipping() -> Iterator[None]:
    try:
        yield
    except Unavailable as exc:
        pytest.skip(str(exc))
