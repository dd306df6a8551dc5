from dataclasses import dataclass

from gateway.model.contract import StructType
from gateway.model.fault import ServiceError
from gateway.model.instance import new_exception, new_struct


@dataclass(frozen=True, slots=True)
class Frozen:
    a: int

    def __post_init__(self) -> None:
        raise AssertionError("ran")


@dataclass
class Guarded:
    a: int

    def __setattr__(self, name: str, value: object) -> None:
        raise AssertionError("ran")


class Failure(ServiceError):
    code: int


def test_structs_are_filled_without_running_their_code() -> None:
    assert new_struct(StructType("Frozen", Frozen, ()), {"a": 1}).a == 1
    assert new_struct(StructType("Guarded", Guarded, ()), {"a": 1}).a == 1


def test_exceptions_get_text_and_fields() -> None:
    struct = StructType("Failure", Failure, (), is_exception=True)
    exc = new_exception(struct, "m", {"code": 3})
    assert (type(exc), str(exc), exc.code, exc.args) == (Failure, "m", 3, ("m",))
    assert new_exception(struct, None, {"code": 3}).args == ()
