import pytest

from protocols.http.field import FRAMING_FIELDS, OWN_FIELDS, is_field_name
from protocols.http.head import HeadReader
from protocols.http.limits import DEFAULT_LIMITS


@pytest.mark.parametrize("name", ["a", "X-Tenant", "!#$%&'*+-.^_`|~09AZaz"])
def test_tokens_are_names_of_fields(name: str) -> None:
    assert is_field_name(name)


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\n", "(a)", "a/b", "ü", "a\x00"])
def test_nothing_else_is_a_name(name: str) -> None:
    assert not is_field_name(name)


# The two that are left out say how long the body is: not every value will do.
@pytest.mark.parametrize("name", sorted(FRAMING_FIELDS - {"content-length", "transfer-encoding"}))
def test_framing_fields_do_not_reach_bindings(name: str) -> None:
    block = HeadReader(DEFAULT_LIMITS).block(f"{name}: a\r\nHost: a\r\nX-Other: b\r\n".encode())
    assert block.headers.pairs == (("Host", "a"), ("X-Other", "b"))


def test_framing_fields_are_nobody_elses() -> None:
    assert FRAMING_FIELDS < OWN_FIELDS
