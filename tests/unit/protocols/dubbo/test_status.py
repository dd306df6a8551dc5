"""Errors as Dubbo statuses and texts, and back."""

import pytest

from gateway.model.errors import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
)
from protocols.dubbo.status import caller_gave_up, certainly_not_run, error_of_status, format_error, status_of

ALL = [
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    Forbidden,
    NoProvider,
    NoSuchMethod,
    NoSuchService,
    Overloaded,
    ProviderFailed,
    Unauthenticated,
]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("exhausted", [False, True])
@pytest.mark.parametrize("retry", [None, *Retry])
def test_another_gateway_reads_back_what_was_raised(kind: type[RpcError], exhausted: bool, retry: Retry | None) -> None:
    sent = kind("the reason", retry=retry, exhausted=exhausted)
    read = error_of_status(status_of(sent), format_error(sent))
    assert type(read) is kind
    assert str(read) == "the reason"
    assert read.exhausted is exhausted
    assert read.retry is (kind.default_retry if retry is None else retry)


def test_tag_names_only_what_differs() -> None:
    assert format_error(NoProvider("x")) == "[no-provider] x"
    assert format_error(ProviderFailed("x", retry=Retry.NEVER)) == "[provider-failed never] x"
    assert format_error(ConnectionLost("x", exhausted=True)) == "[connection-lost exhausted] x"


class Throttled(Overloaded):
    """Of a third party."""

    code = "throttled"
    default_retry = Retry.IF_IDEMPOTENT


class Odd(RpcError):
    """A kind of nothing that wires know."""

    code = "odd"
    default_retry = Retry.SAFE


@pytest.mark.parametrize(("error", "kind"), [(Throttled("x"), Overloaded), (Odd("x"), ProviderFailed)])
@pytest.mark.parametrize("exhausted", [False, True])
def test_errors_of_third_parties_keep_what_they_say_about_repeating(
    error: RpcError, kind: type[RpcError], exhausted: bool
) -> None:
    error.exhausted = exhausted
    read = error_of_status(status_of(error), format_error(error))
    assert type(read) is kind
    assert read.retry is error.retry
    assert read.exhausted is exhausted


def test_long_texts_of_our_own_errors_are_cut() -> None:
    assert len(format_error(ProviderFailed("x" * 100_000))) < 3_000


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (BadRequest, 40),
        (NoSuchMethod, 40),
        (NoSuchService, 70),
        (Overloaded, 100),
        (DeadlineExceeded, 31),
        (NoProvider, 80),
    ],
)
def test_statuses_are_those_a_java_provider_uses(kind: type[RpcError], status: int) -> None:
    assert status_of(kind("x")) == status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (25, ProviderFailed),
        (30, DeadlineExceeded),
        (31, DeadlineExceeded),
        (35, ConnectionLost),
        (40, BadRequest),
        (50, ProviderFailed),
        (60, NoSuchService),
        (70, ProviderFailed),
        (80, ProviderFailed),
        (90, ProviderFailed),
        (100, Overloaded),
        (77, ProviderFailed),
    ],
)
def test_statuses_of_java_providers_become_errors(status: int, kind: type[RpcError]) -> None:
    read = error_of_status(status, "java.lang.Exception: why")
    assert type(read) is kind
    assert "why" in str(read)


def test_service_that_java_does_not_export_is_no_such_service() -> None:
    text = "org.apache.dubbo.remoting.RemotingException: Not found exported service: demo.X:20880 in []"
    read = error_of_status(70, text)
    assert type(read) is NoSuchService
    assert read.retry is Retry.SAFE


def test_long_stack_traces_are_cut() -> None:
    assert len(str(error_of_status(80, "x" * 100_000))) < 3_000


def test_long_texts_behind_a_tag_are_cut() -> None:
    assert len(str(error_of_status(80, "[overloaded] " + "x" * 100_000))) < 2_100


def test_only_calls_that_did_not_run_may_be_repeated_by_the_caller() -> None:
    assert certainly_not_run(Overloaded("x"))
    assert certainly_not_run(BadRequest("x"))
    assert not certainly_not_run(Overloaded("x", exhausted=True))
    assert not certainly_not_run(ConnectionLost("x"))
    assert not certainly_not_run(DeadlineExceeded("x"))
    assert certainly_not_run(DeadlineExceeded("x", retry=Retry.SAFE))


def test_who_gives_up_by_itself_is_told_a_status() -> None:
    late = DeadlineExceeded("x")
    assert not caller_gave_up(late)
    late.is_callers = True
    assert caller_gave_up(late)
    assert not caller_gave_up(ConnectionLost("x"))
