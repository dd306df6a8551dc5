"""`polyport serve`: run a gateway until it is told to stop."""

from __future__ import annotations

import typer

from gateway.cli.config_file import ConfigFile, read_config

__all__ = ["serve"]


def serve(file: ConfigFile) -> None:
    """Run a gateway until Ctrl-C or SIGTERM.

    Calls in progress are finished first, for as long as `application.drain` says; a second Ctrl-C ends them.
    """
    from gateway.cli.process import run
    from gateway.telemetry.logs import configure

    config, catalog = read_config(file, warn=True)
    logs = configure(config.telemetry.logs.format, config.telemetry.logs.level.upper())
    try:
        code = run(file, config, catalog)
    finally:
        logs.close()
    raise typer.Exit(code)
