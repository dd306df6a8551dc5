import copy
import dataclasses
import pickle

import pytest

from gateway.model.fault import RemoteError, ServiceError


class NotFound(ServiceError):
    product_id: int
    tags: list[str] = dataclasses.field(default_factory=list)
    hint: str = "none"


class NotFoundHere(NotFound):
    shelf: str


class MissingKey(ServiceError, KeyError):
    key: str


def test_the_text_comes_first_and_fields_have_names() -> None:
    exc = NotFound("no product 7", product_id=7)
    assert (str(exc), exc.message, exc.args) == ("no product 7", "no product 7", ("no product 7",))
    assert (exc.product_id, exc.tags, exc.hint) == (7, [], "none")
    assert repr(exc) == "NotFound('no product 7', product_id=7, tags=[], hint='none')"


def test_no_text_is_not_an_empty_text() -> None:
    assert (NotFound(product_id=1).message, str(NotFound(product_id=1)), NotFound(product_id=1).args) == (None, "", ())
    assert NotFound("", product_id=1).message == ""
    assert NotFound(message="named", product_id=1).message == "named"


def test_defaults_are_not_shared() -> None:
    first, second = NotFound(product_id=1), NotFound(product_id=2)
    first.tags.append("x")
    assert second.tags == []


def test_fields_are_inherited() -> None:
    exc = NotFoundHere("m", product_id=1, shelf="a")
    assert [each.name for each in dataclasses.fields(exc)] == ["product_id", "tags", "hint", "shelf"]
    assert exc.shelf == "a"


def test_the_constructor_refuses_what_a_function_would() -> None:
    with pytest.raises(TypeError, match=r"NotFound\(\) is missing the argument 'product_id'"):
        NotFound("m")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"NotFound\(\) has no field 'produkt'"):
        NotFound("m", product_id=1, produkt=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        NotFound("m", 1)  # type: ignore[misc]


def test_the_text_reads_the_same_beside_other_bases() -> None:
    exc = MissingKey("no key", key="k")
    assert str(exc) == "no key"
    with pytest.raises(KeyError):
        raise exc


def test_exceptions_are_equal_to_themselves_only() -> None:
    assert NotFound("m", product_id=1) != NotFound("m", product_id=1)
    assert len({NotFound("m", product_id=1), NotFound("m", product_id=1)}) == 2


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_exceptions_survive_pickling(protocol: int) -> None:
    for exc in (NotFound("m", product_id=7, tags=["a"]), NotFound(product_id=7), RemoteError("E", None, ["at"])):
        copied = pickle.loads(pickle.dumps(exc, protocol))
        assert (type(copied), copied.args, vars(copied)) == (type(exc), exc.args, vars(exc))


def test_exceptions_survive_copying() -> None:
    exc = copy.copy(NotFound("m", product_id=7))
    assert (exc.message, exc.product_id) == ("m", 7)


def test_a_remote_error_says_its_class() -> None:
    remote = RemoteError("java.lang.IllegalStateException", "no")
    assert (str(remote), remote.type_name, remote.message, remote.stack) == (
        "java.lang.IllegalStateException: no",
        "java.lang.IllegalStateException",
        "no",
        (),
    )
    assert str(RemoteError("E")) == "E"
    assert repr(RemoteError("E", "m", ["at a"])) == "RemoteError('E', 'm')"
    assert RemoteError("E", "m", ["a", "b"]).stack == ("a", "b")
    assert isinstance(remote, ServiceError)


def test_the_base_can_be_raised_by_itself() -> None:
    assert repr(ServiceError("m")) == "ServiceError('m')"
