"""Answers that cannot be written: what their caller is told instead."""

from __future__ import annotations

from gateway.model.errors import LocalWireError, ProviderFailed, Retry, RpcError, ValueMappingError

__all__ = ["unwritable"]


def unwritable(problem: Exception) -> tuple[RpcError, str]:
    """What a caller is told whose answer cannot be written, and the place of the value that is to blame.

    `problem`: whatever writing it raised; a value's own code runs then, and may raise anything.
    """
    if isinstance(problem, RpcError):
        return problem, ""
    if isinstance(problem, ValueMappingError):
        return ProviderFailed(f"the answer cannot be sent: {problem}", retry=Retry.NEVER), problem.path
    if isinstance(problem, LocalWireError):
        return ProviderFailed(f"the answer cannot be sent: {problem}", retry=Retry.NEVER), ""
    why = f"writing it raised {type(problem).__name__}"
    return ProviderFailed(f"the answer cannot be sent: {why}", retry=Retry.NEVER), ""
