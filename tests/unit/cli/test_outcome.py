"""Exit codes and the one line that explains them."""

from __future__ import annotations

import pytest

from gateway.cli.outcome import Exit, Misuse, explain
from gateway.model.errors import ConfigError, ContractError, GatewayError, NoProvider, Problem
from gateway.plugins.catalog import PluginError
from gateway.runtime.app import StartError


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (Misuse("name a URL"), Exit.MISUSED, "error: name a URL"),
        (ConfigError([Problem("f", 1, 2, "a", "x")]), Exit.MISUSED, "f:1:2: a: x\n1 problem"),
        (ConfigError([Problem("f", 0, 0, "", "x")] * 2), Exit.MISUSED, "f: x\nf: x\n2 problems"),
        (ContractError("X.y: no"), Exit.MISUSED, "error: X.y: no"),
        (NoProvider("none"), Exit.FAILED, "no-provider: none"),
        (StartError("taken"), Exit.FAILED, "error: taken"),
        (PluginError("twice"), Exit.FAILED, "error: twice"),
        (GatewayError("g"), Exit.FAILED, "error: g"),
        (PermissionError(13, "Permission denied", "/x"), Exit.FAILED, "error: /x: Permission denied"),
        (
            ZeroDivisionError("oops"),
            Exit.FAILED,
            "internal error: ZeroDivisionError: oops; run with --debug for details",
        ),
        (AssertionError(), Exit.FAILED, "internal error: AssertionError; run with --debug for details"),
    ],
)
def test_errors_are_explained(error: Exception, code: Exit, text: str) -> None:
    assert explain(error) == (code, text)
