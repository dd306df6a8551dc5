"""Problem documents, in both directions."""

from __future__ import annotations

import pytest

from gateway.jsonform.text import format_json, parse_json
from gateway.model.call import Fault
from gateway.model.errors import (
    RPC_ERRORS,
    BadRequest,
    DeadlineExceeded,
    NoSuchMethod,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from protocols.http_json.problem import (
    STATUS,
    ExceptionForms,
    error_of_status,
    error_of_type,
    fault_of_exception,
    problem_of,
    problem_of_fault,
    status_of,
)
from tests.support.shop_contract import SHOP

FORMS = ExceptionForms(SHOP)
NOT_FOUND = "shop.ProductNotFound"


@pytest.mark.parametrize("kind", RPC_ERRORS.values(), ids=lambda kind: kind.code)
@pytest.mark.parametrize("retry", Retry)
@pytest.mark.parametrize("exhausted", [False, True])
def test_error_is_the_same_one_at_the_other_end(kind: type[RpcError], retry: Retry, exhausted: bool) -> None:
    error = kind("why", retry=retry, exhausted=exhausted)
    document = parse_json(format_json(problem_of(error)))
    found = error_of_type(document["type"], document)
    assert type(found) is kind
    assert (str(found), found.retry, found.exhausted) == ("why", retry, exhausted)
    assert document["status"] == STATUS[kind] == status_of(error)


def test_document_has_the_members_of_rfc_9457() -> None:
    assert problem_of(BadRequest("no such day"), path="args[0].day") == {
        "type": "urn:polyport:error:bad-request",
        "title": "The call does not fit the contract",
        "status": 400,
        "detail": "no such day",
        "path": "args[0].day",
        "retry": "never",
        "exhausted": False,
    }


def test_error_of_a_class_of_its_own_is_its_base() -> None:
    class Busy(Overloaded):
        pass

    assert problem_of(Busy("later"))["type"] == "urn:polyport:error:overloaded"
    assert status_of(Busy("later")) == 503


def test_text_that_json_cannot_carry_is_shown_and_long_text_is_cut() -> None:
    document = problem_of(ProviderFailed("half \ud800 " + "x" * 5_000))
    assert document["detail"].startswith("half \\ud800 x")
    assert len(document["detail"]) < 2_100
    format_json(document)


def test_declared_exception_has_its_fields_and_comes_back() -> None:
    fault = Fault(NOT_FOUND, "no 7", {"product_id": 2**53 + 1, "hint": None}, declared=True, stack=("at secret",))
    document = parse_json(format_json(problem_of_fault(fault, FORMS)))
    assert document == {
        "type": "urn:polyport:exception:shop.ProductNotFound",
        "title": NOT_FOUND,
        "status": 422,
        "detail": "no 7",
        "exception": {"class": NOT_FOUND, "message": "no 7", "product_id": 2**53 + 1, "hint": None},
    }
    found = fault_of_exception(document["type"], document["exception"], FORMS)
    assert found is not None
    assert (found.type_name, found.message, found.declared) == (NOT_FOUND, "no 7", True)
    assert found.fields == fault.fields


def test_route_gives_declared_exceptions_a_status_and_no_others() -> None:
    declared = Fault(NOT_FOUND, None, {"product_id": 1}, declared=True)
    assert problem_of_fault(declared, FORMS, 404)["status"] == 404
    assert problem_of_fault(Fault("ValueError", "x"), FORMS, 404)["status"] == 500


def test_undeclared_exception_says_class_and_text_alone() -> None:
    document = problem_of_fault(Fault("java.lang.IllegalStateException", None, stack=("at secret",)), FORMS)
    assert document == {
        "type": "urn:polyport:exception",
        "title": "java.lang.IllegalStateException",
        "status": 500,
        "exception": {"class": "java.lang.IllegalStateException", "message": None},
    }
    found = fault_of_exception(document["type"], document["exception"], FORMS)
    assert found is not None
    assert (found.type_name, found.message, found.declared) == ("java.lang.IllegalStateException", None, False)


def test_field_that_does_not_fit_is_refused_with_its_place() -> None:
    with pytest.raises(ValueMappingError) as refused:
        problem_of_fault(Fault(NOT_FOUND, "x", {"product_id": 2**63}, declared=True), FORMS)
    assert refused.value.path == f"{NOT_FOUND}.product_id"
    with pytest.raises(ValueMappingError, match=f"{NOT_FOUND}.product_id: expected i64, found nothing"):
        problem_of_fault(Fault(NOT_FOUND, "x", {}, declared=True), FORMS)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (f"urn:polyport:exception:{NOT_FOUND}", {"class": NOT_FOUND, "message": "m", "product_id": "seven"}),
        ("urn:polyport:exception:shop.Unknown", {"class": NOT_FOUND, "message": "m"}),
        ("urn:polyport:exception", {"class": NOT_FOUND, "message": "m"}),
    ],
)
def test_exception_the_contract_cannot_read_is_an_undeclared_one(kind: str, form: object) -> None:
    found = fault_of_exception(kind, form, FORMS)
    assert found is not None
    assert (found.type_name, found.message, found.declared) == (NOT_FOUND, "m", False)


@pytest.mark.parametrize("kind", ["about:blank", "urn:polyport:error:bad-request", "x:urn:polyport:exception:y", ""])
def test_other_types_are_no_exceptions(kind: str) -> None:
    assert fault_of_exception(kind, {"class": "x"}, FORMS) is None


def test_exception_without_its_member_is_none() -> None:
    assert fault_of_exception("urn:polyport:exception", "text", FORMS) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest), (401, Unauthenticated), (404, NoSuchMethod), (409, BadRequest), (415, BadRequest),
        (429, Overloaded), (500, ProviderFailed), (502, ProviderFailed), (503, Overloaded), (504, DeadlineExceeded),
    ],
)  # fmt: skip
def test_status_of_a_foreign_server_says_what_it_can(status: int, kind: type[RpcError]) -> None:
    error = error_of_status(status, "said so")
    assert type(error) is kind
    assert str(error) == f"status {status}: said so"


@pytest.mark.parametrize("kind", ["urn:polyport:error:", "urn:polyport:error:nonsense", "urn:other:error:overloaded"])
def test_type_that_is_not_ours_is_no_error(kind: str) -> None:
    assert error_of_type(kind, {}) is None
