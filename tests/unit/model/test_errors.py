"""The tree of errors."""

from __future__ import annotations

from gateway.model import errors
from gateway.model.errors import RPC_ERRORS, ConnectFailed, RpcError, restated


def test_every_error_of_a_call_is_found_by_its_code() -> None:
    kinds = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, RpcError)}

    assert set(RPC_ERRORS.values()) == kinds - {RpcError}
    assert all(kind.code == code for code, kind in RPC_ERRORS.items())


def test_another_text_leaves_the_error_itself_alone() -> None:
    error = ConnectFailed("refused", exhausted=True)
    made = restated(error, "more about it")
    assert (str(made), made.exhausted, str(error)) == ("more about it", True, "refused")
