import pytest

from gateway.model.call import Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import NoSuchService
from gateway.model.question import Question
from gateway.routing.table import RoutingTable, Switch
from tests.support.fake_invoker import FakeInvoker, invocation


def table(*keys: str) -> RoutingTable:
    return RoutingTable({ServiceKey.parse(key): FakeInvoker(1, Ok(key)) for key in keys})


async def test_a_call_goes_to_the_service_with_its_interface_group_and_version() -> None:
    routes = table("demo.Catalog", "demo.Catalog:1.0.0", "blue/demo.Catalog:1.0.0", "demo.Types")
    for key in ("demo.Catalog", "demo.Catalog:1.0.0", "blue/demo.Catalog:1.0.0", "demo.Types"):
        result = await routes(invocation(service=ServiceKey.parse(key)))
        assert isinstance(result, Ok)
        assert result.value == key
    assert [str(each) for each in routes.services][:2] == ["demo.Catalog", "demo.Catalog:1.0.0"]


@pytest.mark.parametrize(
    ("known", "asked", "said"),
    [
        (["demo.Catalog:1.0.0"], "demo.Catalog:2.0.0", "demo.Catalog exists with version 1.0.0, not 2.0.0"),
        (["demo.Catalog:1.0.0"], "demo.Catalog", "demo.Catalog exists with version 1.0.0, not without"),
        (
            ["demo.Catalog:1.1.0", "demo.Catalog:1.0.0"],
            "demo.Catalog:2.0.0",
            "demo.Catalog exists with version 1.0.0 or 1.1.0, not 2.0.0",
        ),
        (["demo.Catalog"], "demo.Catalog:2.0.0", "demo.Catalog exists without version, not with version 2.0.0"),
        (
            ["demo.Catalog", "demo.Catalog:1.0.0"],
            "demo.Catalog:2.0.0",
            "demo.Catalog exists with version 1.0.0 or without version, not 2.0.0",
        ),
        (["blue/demo.Catalog"], "demo.Catalog", "demo.Catalog exists in group blue, not without"),
        (["demo.Catalog"], "red/demo.Catalog", "demo.Catalog exists without group, not in group red"),
        (
            ["blue/demo.Catalog:1.0.0", "demo.Catalog:3.0.0"],
            "blue/demo.Catalog:2.0.0",
            "demo.Catalog exists in group blue with version 1.0.0, not 2.0.0",
        ),
        (["demo.Types"], "demo.Catalog", "no service demo.Catalog here"),
        ([], "demo.Catalog", "no service demo.Catalog here"),
    ],
)
async def test_an_unknown_service_is_refused_with_what_there_is(known: list[str], asked: str, said: str) -> None:
    call = table(*known)(invocation(service=ServiceKey.parse(asked)))
    with pytest.raises(NoSuchService) as caught:
        await call
    assert str(caught.value) == said


async def test_the_name_a_peer_made_up_is_shortened_and_escaped() -> None:
    with pytest.raises(NoSuchService) as caught:
        await table()(invocation(service=ServiceKey("evil\r\n" + "x" * 1_000_000)))
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


async def test_a_table_does_not_change_with_the_mapping_it_was_made_from() -> None:
    routes = {ServiceKey("demo.Catalog"): FakeInvoker(1, Ok(1))}
    made = RoutingTable(routes)
    routes.clear()
    assert isinstance(await made(invocation()), Ok)


async def test_a_switch_gives_later_calls_to_the_new_table_and_leaves_earlier_ones_alone() -> None:
    old, new = FakeInvoker(1, Ok("old")), FakeInvoker(1, Ok("new"))
    switch = Switch(RoutingTable({ServiceKey("demo.Catalog"): old}))
    early = switch(invocation())
    switch.current = RoutingTable({ServiceKey("demo.Catalog"): new})
    late = switch(invocation())
    results = [await early, await late]
    assert [result.value for result in results if isinstance(result, Ok)] == ["old", "new"]


async def test_questions_about_a_service_go_to_their_own_handler() -> None:
    key = ServiceKey("demo.Catalog")
    question = Question(invocation(service=key), lambda arguments: Ok(f"asked with {arguments}"))
    alone = await table("demo.Catalog")(question)
    assert isinstance(alone, Ok)
    assert alone.value == f"asked with {question.arguments()}"

    behind = RoutingTable({key: FakeInvoker(1, Ok("called"))}, {key: FakeInvoker(2, Ok("refused"))})
    # Filters pass on copies.
    refused = await behind(question.replace(consumer="shop"))
    assert isinstance(refused, Ok)
    assert refused.value == "refused"
    with pytest.raises(NoSuchService):
        await table("demo.Types")(question)
