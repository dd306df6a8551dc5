"""How commands end: exit codes, and one clear line instead of a traceback."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Exit", "Misuse", "explain"]


class Exit(IntEnum):
    """Exit codes of `polyport`."""

    OK = 0
    FAILED = 1
    """No answer, or it could not be done."""
    MISUSED = 2
    """The command line or a file is wrong; trying again cannot help."""
    FAULT = 3
    """The service answered with an exception."""
    INTERRUPTED = 130
    """Ended by a second Ctrl-C, as shells number it (128 + SIGINT)."""


class Misuse(Exception):
    """The command line asks for something that makes no sense; the text says what would."""


def explain(error: Exception) -> tuple[Exit, str]:
    """The exit code and what to print for an error that ended a command."""
    from gateway.model.errors import ConfigError, ContractError, GatewayError, RpcError

    if isinstance(error, Misuse):
        return Exit.MISUSED, f"error: {error}"
    if isinstance(error, ConfigError):
        count = len(error.problems)
        return Exit.MISUSED, f"{error}\n{count} problem{'s' if count != 1 else ''}"
    if isinstance(error, RpcError):
        return Exit.FAILED, f"{error.code}: {error}"
    if isinstance(error, ContractError):
        return Exit.MISUSED, f"error: {error}"
    if isinstance(error, GatewayError):
        return Exit.FAILED, f"error: {error}"
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return Exit.FAILED, f"error: {name}{error.strerror}"
    kind = f"{type(error).__name__}: {error}".rstrip(": ")
    return Exit.FAILED, f"internal error: {kind}; run with --debug for details"
