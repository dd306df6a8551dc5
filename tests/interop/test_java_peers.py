"""The Java peers among themselves: what fails elsewhere and passes here is not their fault."""

import pytest

from tests.support.java_peer import BUILD_TIMEOUT, DUBBO_VERSIONS, Consumer, java_provider

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]


@pytest.mark.parametrize(("consumer", "provider"), [("26", "33"), ("27", "26"), ("33", "27")])
async def test_java_calls_java(consumer: str, provider: str) -> None:
    assert {consumer, provider} <= DUBBO_VERSIONS.keys()
    with java_provider(provider, "group=g&version=1.2.3&token=secret") as address:
        report = await Consumer.run(consumer, "basic", address, "group=g&version=1.2.3&token=secret")
        report.check()


async def test_a_failed_check_is_reported() -> None:
    with java_provider("27", "token=secret") as address:
        report = await Consumer.run("27", "nulls", address, "token=wrong")
    assert report.code == 1
    assert any("token" in line for line in report.failures)
