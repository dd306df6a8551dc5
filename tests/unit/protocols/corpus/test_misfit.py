from gateway.model.typeref import Kind
from protocols.testing import CONTRACT, MISFITS


def test_names_are_unique() -> None:
    assert len({misfit.name for misfit in MISFITS}) == len(MISFITS)


def test_null_is_a_misfit_of_every_required_type() -> None:
    required = {
        method.attribute.removeprefix("echo_")
        for method in CONTRACT.methods
        if method.attribute.startswith("echo_") and not method.returns.nullable and method.returns.kind is not Kind.NULL
    }
    assert {misfit.name.removesuffix("/null") for misfit in MISFITS if misfit.name.endswith("/null")} == required
