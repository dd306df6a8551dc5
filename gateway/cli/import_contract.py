"""`polyport import`: contracts out of the languages that the installed wires know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.completion import import_languages
from gateway.cli.outcome import Misuse

__all__ = ["import_contract"]


def import_contract(
    language: Annotated[
        str, typer.Argument(metavar="LANGUAGE", help="What `polyport plugins` lists.", autocompletion=import_languages)
    ],
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="Where the services are described.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Python file to write. Default: standard output.")
    ] = None,
) -> None:
    """Turn the description of services into contracts in Python.

    \b
        polyport import thrift shop.thrift --output shop.py

    A configuration can also name such a file itself (`contract: shop.thrift`) and needs no Python then.
    """
    from gateway.config.contract_file import importers, omissions
    from gateway.config.suggestion import suggestion
    from gateway.contracts.document import open_document
    from gateway.contracts.module import contract_module
    from gateway.contracts.source import python_source
    from gateway.plugins.catalog import Catalog

    known = importers(Catalog())
    if language not in known:
        raise Misuse(f"no installed protocol imports {language!r}{suggestion(language, known)}")
    document = open_document(source, web=True)
    contracts = known[language](document)
    if not contracts:
        raise Misuse(f"{source} describes no service")
    # What stands behind a path of the web may be a secret.
    path = source.partition("?")[0] if "://" in source else source
    name = path.rstrip("/").rpartition("/")[2].rpartition("@")[2]
    # Whether the text is a contract shows when it is read.
    contract_module(contracts, name)
    text = python_source(contracts, f"Contracts of {name}.")
    for each in omissions(language, document, Catalog()):
        typer.echo(f"left out: {each}", err=True)
    if output is None:
        typer.echo(text, nl=False)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8", newline="\n")
    typer.echo(str(output))
