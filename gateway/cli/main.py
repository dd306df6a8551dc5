"""The program `polyport`: its commands, and what happens when one of them fails."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from gateway.cli.call import call
from gateway.cli.check import check
from gateway.cli.completion import completion
from gateway.cli.demo import demo
from gateway.cli.export import export
from gateway.cli.failback import failback_commands
from gateway.cli.import_contract import import_contract
from gateway.cli.outcome import explain
from gateway.cli.plugins import plugins
from gateway.cli.registry import registry_commands
from gateway.cli.schema import schema
from gateway.cli.serve import serve
from gateway.cli.services import services
from gateway.cli.version import version

__all__ = ["main"]


@dataclass
class _Settings:
    """What is asked of the program rather than of one command."""

    debug: bool = False


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line (`sys.argv` unless given) and ends the process with its exit code."""
    settings = _Settings()
    # Contracts and implementations of users usually lie where the command is run. At the end of the path, so that
    # nothing there can stand in for a module of ours.
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        _program(settings)(args=None if arguments is None else list(arguments), prog_name="polyport")
    except Exception as error:
        if settings.debug:
            traceback.print_exc()
        code, text = explain(error)
        typer.echo(text, err=True)
        raise SystemExit(int(code)) from None


def _program(settings: _Settings) -> typer.Typer:
    program = typer.Typer(
        help="Pluggable protocol gateway: one service model behind interchangeable RPC wires.",
        no_args_is_help=True,
        # Both would import rich, which takes longer than everything else together.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @program.callback()
    def options(
        debug: Annotated[
            bool, typer.Option("--debug", envvar="POLYPORT_DEBUG", help="Show where an error comes from.")
        ] = False,
    ) -> None:
        settings.debug = debug

    program.command()(serve)
    program.command()(check)
    program.command()(call)
    program.command()(services)
    program.add_typer(failback_commands(), name="failback")
    program.add_typer(registry_commands(), name="registry")
    program.command()(plugins)
    program.command()(export)
    program.command("import")(import_contract)
    program.command()(schema)
    program.command()(demo)
    program.command()(completion)
    program.command()(version)
    return program


if __name__ == "__main__":
    main()
