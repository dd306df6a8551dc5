import pytest

from gateway.contracts import Call, check_implementation, contract_of
from gateway.contracts.values import Checker
from gateway.demo.catalog import Maker, Status
from gateway.demo.types import DemoTypes, Everything, Point, Types, TypesFailure
from protocols.testing import CORPUS, Case, difference


async def test_the_implementation_fits() -> None:
    check_implementation(contract_of(Types), DemoTypes())


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
async def test_every_echo_gives_back_what_it_gets(case: Case) -> None:
    answer = await getattr(DemoTypes(), case.method)(*case.arguments)
    assert difference(case.value, answer) is None


async def test_its_own_classes_fit_its_contract() -> None:
    contract = contract_of(Types)
    checker = Checker(contract)
    values = {
        "echo_everything": Everything(bytes_=b"x", enum_map={Status.ACTIVE: "a"}, struct_map={Point(1, 2): "p"}),
        "echo_struct": Maker("m", None, Maker("p")),
        "echo_enum": Status.PREORDER,
    }
    for name, value in values.items():
        (method,) = contract.overloads(name)
        assert checker.compile(method.returns)(value) is value


async def test_attachments_come_from_the_call() -> None:
    types = DemoTypes()
    call = Call({"user": "ann"})
    assert await types.echo_attachments("user", call=call) == "ann"
    assert call.reply_attachments == {"user": "ann"}
    assert await types.echo_attachments("other", call=call) is None
    assert call.reply_attachments == {"user": "ann"}
    assert await types.echo_attachments("user") is None


async def test_failures_carry_their_text() -> None:
    types = DemoTypes()
    with pytest.raises(TypesFailure, match="broken") as caught:
        await types.fail_declared("broken")
    assert (caught.value.code, caught.value.culprit) == (42, Maker("Acme", "US"))
    with pytest.raises(ValueError, match="worse"):
        await types.fail_undeclared("worse")
