"""`polyport schema`: what editors need to help with configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["schema"]


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of standard output.")
    ] = None,
) -> None:
    """Print the JSON schema for editors.

    It includes the options of all installed plug-ins. Editors with a YAML language server use it when a file begins
    with `# yaml-language-server: $schema=PATH`.
    """
    from gateway.config.schema import format_schema
    from gateway.plugins.catalog import Catalog

    text = format_schema(Catalog())
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
