"""`polyport call`: one call from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.completion import call_arguments, call_methods, call_targets
from gateway.cli.outcome import Exit, Misuse

__all__ = ["call"]


def call(
    target: Annotated[
        str,
        typer.Argument(
            metavar="URL|SERVICE",
            help="protocol://host:port/interface, or a service of --config.",
            autocompletion=call_targets,
        ),
    ],
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD", help="Method; without a contract also METHOD(TYPE,...).", autocompletion=call_methods
        ),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARG]...", help="JSON, NAME=VALUE or bare text; after -- also -5.", autocompletion=call_arguments
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Configuration that has the service.")] = None,
    contract: Annotated[
        str, typer.Option(metavar="MODULE:CLASS|FILE", help="Class, or FILE#SERVICE, that describes the service.")
    ] = "",
    generic: Annotated[bool, typer.Option("--generic", help="Call without a contract even if there is one.")] = False,
    group: Annotated[str, typer.Option(help="Group of the service.")] = "",
    version: Annotated[str, typer.Option(help="Version of the service.")] = "",
    attachment: Annotated[
        list[str] | None, typer.Option("--attachment", "-a", metavar="KEY=VALUE", help="Sent beside the arguments.")
    ] = None,
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="How long to wait for the answer.")] = "10s",
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what there was to choose from, what was chosen and why.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for answer, fault or error.")] = False,
) -> None:
    """Call a method and print its answer.

    \b
        polyport call dubbo://127.0.0.1:20880/demo.Catalog find 1
        polyport call demo.Catalog search text=lamp limit=5 --config conf/demo.yaml
        polyport call dubbo://127.0.0.1:20880/demo.Catalog "find(long)" 1 --generic

    A service of a configuration is called where its first listener shows it, as any client would; one that none
    shows is called as the configuration reaches it. --explain also asks the gateway at the other end, if its
    listener has the filter "explain". Exits with 1 when there was no answer, 3 when the service raised.
    """
    import asyncio
    import logging

    from gateway.cli.calling import Request, make_call
    from gateway.config.units import parse_seconds

    try:
        timeout_s = parse_seconds(timeout)
    except ValueError as exc:
        raise Misuse(f"--timeout: {exc}") from None
    if ("://" in target) == (config is not None):
        raise Misuse("name a URL, or a service together with --config")
    request = Request(
        target=target,
        method=method,
        arguments=tuple(arguments or ()),
        config=config,
        contract=contract,
        generic=generic,
        group=group,
        version=version,
        attachments=_attachments(attachment or []),
        timeout_s=timeout_s,
        explain=explain,
    )
    # Trouble on the way is part of the answer; nobody reads a log here.
    logging.getLogger("polyport").addHandler(logging.NullHandler())
    answer = asyncio.run(make_call(request))
    text = answer.as_json() if as_json else answer.as_text()
    # What the service says goes to standard output even if it is an exception and somebody reads JSON.
    typer.echo(text, err=answer.exit_code is not Exit.OK and not as_json)
    if not as_json:
        for line in answer.explanation:
            typer.echo(f"explain: {line}", err=True)
    raise typer.Exit(answer.exit_code)


def _attachments(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise Misuse(f"--attachment {text!r} is not KEY=VALUE")
        found[key] = value
    return found
