"""What registries tell of services with callbacks."""

from __future__ import annotations

from typing import Protocol

from gateway.contracts import contract_of
from gateway.contracts.declaration import method, service
from gateway.demo.catalog import Catalog
from gateway.demo.reports import ReportListener, Reports
from protocols.dubbo.announcement import announced_parameters


def test_arguments_that_are_callbacks_are_named_as_java_names_them() -> None:
    # As tests/interop/java/app/src/app/ReportsScenario.java configures Dubbo for the same interface.
    assert announced_parameters(contract_of(Reports), 10) == {
        "build.3.callback": "true",
        "forget.0.callback": "false",
        "callbacks": "10",
        "methods": "build,forget",
    }


def test_services_without_callbacks_have_nothing_to_tell() -> None:
    assert announced_parameters(contract_of(Catalog), 10) == {}
    assert announced_parameters(None, 10) == {}


@service("test.Overloaded")
class Overloaded(Protocol):
    async def tell_all(self, listener: ReportListener) -> None: ...

    @method(name="tell_all")
    async def tell_all_named(self, listener: ReportListener, name: str) -> None: ...

    async def tell(self, listener: ReportListener) -> None: ...

    @method(name="tell")
    async def tell_by_name(self, name: str) -> None: ...


def test_a_position_that_is_something_else_in_an_overload_is_left_out() -> None:
    assert announced_parameters(contract_of(Overloaded), 1) == {
        "tellAll.0.callback": "true",
        "callbacks": "1",
        "methods": "tellAll,tell",
    }
