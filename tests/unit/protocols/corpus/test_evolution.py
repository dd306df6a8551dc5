import pytest

from protocols.testing import CONTRACT, EVOLUTION, REFUSED, Evolution


@pytest.mark.parametrize("case", EVOLUTION, ids=lambda case: case.name)
def test_a_case_belongs_to_a_method_and_to_two_contracts(case: Evolution) -> None:
    (method,) = CONTRACT.overloads(case.method)
    assert method.returns == case.type
    assert case.read_by is CONTRACT
    assert case.sent_by.types != CONTRACT.types
    assert bool(case.culprit) == (case.expected is REFUSED)


def test_refused_says_so() -> None:
    assert repr(REFUSED) == "REFUSED"


def test_names_are_unique() -> None:
    assert len({case.name for case in EVOLUTION}) == len(EVOLUTION)
