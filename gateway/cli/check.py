"""`polyport check`: everything that is wrong with a file, without starting anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.outcome import Exit

if TYPE_CHECKING:
    from gateway.model.errors import Problem

__all__ = ["check"]


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Configuration files (YAML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array of all findings.")] = False,
) -> None:
    """Check configuration files.

    Prints all problems as FILE:LINE:COLUMN: PATH: WHAT. Imports the contracts and implementations the files name and
    reads their credentials. Exits with 2 when there are problems; warnings alone are fine.
    """
    import json

    from gateway.config import examine
    from gateway.model.errors import Problem
    from gateway.plugins.catalog import Catalog, PluginError
    from gateway.plugins.collision import foreign_packages

    installation = foreign_packages()
    problems: list[Problem] = []
    warnings: list[Problem] = []
    try:
        catalog = Catalog()
    except PluginError as exc:
        # What a name in a file stands for is not known while two plug-ins bear one name.
        installation += str(exc).splitlines()
    else:
        for path in files:
            examined = examine(path, catalog)
            problems += examined.problems
            warnings += examined.warnings
    problems[:0] = [Problem("installation", 0, 0, "", message) for message in installation]
    if as_json:
        found = [_as_json("problem", each) for each in problems] + [_as_json("warning", each) for each in warnings]
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        for each in problems:
            typer.echo(str(each))
        for each in warnings:
            typer.echo(f"warning: {each}")
        typer.echo(_summary(len(files), len(problems), len(warnings)), err=True)
    if problems:
        raise typer.Exit(Exit.MISUSED)


def _as_json(severity: str, problem: Problem) -> dict[str, str | int]:
    return {
        "severity": severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
    }


def _summary(files: int, problems: int, warnings: int) -> str:
    def count(number: int, noun: str) -> str:
        return f"{number} {noun}{'' if number == 1 else 's'}"

    found = f"{count(problems, 'problem')} in {count(files, 'file')}" if problems else f"{count(files, 'file')} ok"
    return f"{found}, {count(warnings, 'warning')}" if warnings else found
