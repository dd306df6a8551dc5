"""The Java peers among themselves: what fails elsewhere and passes here is not their fault."""

import pytest

from tests.support.java_peer import BUILD_TIMEOUT, Peers

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

GUARDED = "group=g&version=1.2.3&token=secret"


@pytest.mark.direction("Java → Java (control)", quick=True)
@pytest.mark.parametrize(("consumer", "provider"), [("26", "33"), ("27", "26"), ("33", "27")])
async def test_java_calls_java(consumer: str, provider: str, peers: Peers) -> None:
    report = await peers.consumer(consumer).run("basic", peers.provider(provider, GUARDED), GUARDED)
    report.check()


async def test_a_failed_check_is_reported(peers: Peers) -> None:
    report = await peers.consumer("27").run("nulls", peers.provider("27", GUARDED), GUARDED.replace("secret", "wrong"))
    assert report.summary.startswith("0 of ")
    assert any("token" in line for line in report.failures)
    with pytest.raises(pytest.fail.Exception, match="token"):
        report.check()
