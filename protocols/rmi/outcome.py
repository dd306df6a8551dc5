"""What became of a call, as the dict in a reply's pickle, and back. The members stand in docs/rmi.md."""

from __future__ import annotations

from typing import Any, Final

from gateway.jsonform.form import Walk
from gateway.model.call import Ok
from gateway.model.errors import RPC_ERRORS, Overloaded, ProviderFailed, Retry, RpcError, ValueMappingError
from protocols.contract import Outcome
from protocols.rmi.service import Method, Service, read_any, read_attachments, write_any, write_attachments

__all__ = ["read_outcome", "write_error", "write_outcome"]

_MAX_TEXT: Final = 2_000
"""Characters of an error's text that are sent or kept."""
_RETRIES: Final = {each.value: each for each in Retry}


def write_outcome(outcome: Outcome, service: Service, method: Method | None) -> dict[str, Any]:
    """The members of a reply. `method`: None for a service without a contract.

    Raises:
        ValueMappingError: the answer has no form; says where.
    """
    if isinstance(outcome, RpcError):
        return write_error(outcome)
    if isinstance(outcome, Ok):
        value = outcome.value
        said: dict[str, Any] = {"ok": write_any(value) if method is None else method.write_result(value)}
    else:
        outcome = outcome.decoded()
        said = service.write_fault(outcome)
    if outcome.attachments:
        said["attachments"] = write_attachments(outcome.attachments)
    return said


def write_error(error: RpcError) -> dict[str, Any]:
    """The members of a reply that tells of trouble."""
    said: dict[str, Any] = {
        "error": error.code,
        "message": str(error)[:_MAX_TEXT],
        "retry": error.retry.value,
        "exhausted": error.exhausted,
    }
    if isinstance(error, Overloaded) and error.retry_after_s is not None:
        said["retry_after"] = float(error.retry_after_s)
    return said


def read_outcome(reply: Any, service: Service, method: Method | None, walk: Walk) -> Outcome:
    """What a reply says; what does not fit is `ProviderFailed`."""
    try:
        if type(reply) is not dict:
            raise ProviderFailed("the provider's answer is no dict")
        attachments = read_attachments(reply.get("attachments", {}), walk)
        if "ok" in reply:
            value = reply["ok"]
            return Ok(read_any(value, walk) if method is None else method.read_result(value, walk), attachments)
        if "fault" in reply:
            return service.read_fault(reply, attachments, walk)
        return _read_error(reply)
    except ProviderFailed as exc:
        return exc
    except ValueMappingError as exc:
        return ProviderFailed(f"the provider's answer does not fit the contract: {exc}")


def _read_error(reply: dict[Any, Any]) -> RpcError:
    code, message, after = reply.get("error"), reply.get("message"), reply.get("retry_after")
    text = message[:_MAX_TEXT] if type(message) is str else ""
    kind = RPC_ERRORS.get(code) if type(code) is str else None
    if kind is None:
        return ProviderFailed(f"the provider answered with an error that is not known here: {text}")
    said = reply.get("retry")
    retry = _RETRIES.get(said) if type(said) is str else None
    exhausted = reply.get("exhausted") is True
    if kind is Overloaded and isinstance(after, int | float) and 0 <= after < 1e6:
        return Overloaded(text, retry=retry, exhausted=exhausted, retry_after_s=float(after))
    return kind(text, retry=retry, exhausted=exhausted)
