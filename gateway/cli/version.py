"""`polyport version`."""

from __future__ import annotations

import typer

__all__ = ["installed_version", "version"]


def version() -> None:
    """Print the version."""
    import platform

    system = f"{platform.system()} {platform.machine()}"
    typer.echo(
        f"polyport {installed_version()} ({platform.python_implementation()} {platform.python_version()}, {system})"
    )


def installed_version() -> str:
    """The version of the installed distribution; `unknown` when it runs from a folder that was never installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of("polyport")
    except PackageNotFoundError:
        return "unknown"
