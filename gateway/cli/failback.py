"""`polyport failback`: look at the calls that wait to be sent again, send them now, or forget them.

It works beside a running gateway, which notices what was changed within `failback.interval`, and without one.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from gateway.cli.config_file import read_config
from gateway.cli.outcome import Misuse
from gateway.cli.table import cells_of, print_table

if TYPE_CHECKING:
    from gateway.spi.failback import CallStore, StoredCall

__all__ = ["failback_commands"]

_T = TypeVar("_T")
_COLUMNS: Final = ("ID", "SERVICE", "METHOD", "STATE", "SINCE", "NEXT", "ATTEMPTS", "LAST TROUBLE")
_KEYS: Final = ("id", "service", "method", "state", "created", "due", "attempts", "error")
_PAGE: Final = 500

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="Configuration file, or the SQLite file that a client's calls wait in.")
]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of calls.")]
All = Annotated[bool, typer.Option("--all", help="All calls.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def failback_commands() -> typer.Typer:
    """The commands below `polyport failback`."""
    commands = typer.Typer(
        help="Calls that got no answer and wait to be sent again.", no_args_is_help=True, rich_markup_mode=None
    )
    commands.command("list")(list_calls)
    commands.command("show")(show)
    commands.command("retry")(retry)
    commands.command("clear")(clear)
    return commands


def list_calls(
    file: File,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Only the calls of this service.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the calls that wait, oldest first, and how many there are for each service."""

    async def read(store: CallStore) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after = ""
        while len(rows) < limit:
            page = await store.page(service, after, min(_PAGE, limit - len(rows)))
            if not page:
                break
            rows += [_row(call) for call in page]
            after = page[-1].handle
        kept = await store.tally()
        return rows, {
            name: {"waiting": each.waiting, "dead": each.dead, "bytes": each.size}
            for name, each in sorted(kept.items())
            if service in (None, name)
        }

    nothing: tuple[list[dict[str, Any]], dict[str, Any]] = ([], {})
    rows, totals = _in_store(file, read, nothing)
    if as_json:
        typer.echo(json.dumps({"calls": rows, "services": totals}, indent=2, ensure_ascii=False))
        return
    if rows:
        print_table(_COLUMNS, [cells_of(row, _KEYS) for row in rows])
    for name, each in totals.items():
        typer.echo(f"{name}: {each['waiting']} waiting, {each['dead']} dead, {each['bytes']} bytes")
    if not totals:
        typer.echo("no calls wait")


def show(file: File, call_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the call.")]) -> None:
    """Print one call with its arguments, as JSON."""

    async def read(store: CallStore) -> StoredCall | None:
        return await store.find(call_id)

    call = _in_store(file, read, None)
    if call is None:
        raise Misuse(f"no call {call_id} waits")
    typer.echo(json.dumps({**_row(call), "call": _content(call)}, indent=2, ensure_ascii=False))


def retry(file: File, ids: Ids = None, every: All = False, as_json: Json = False) -> None:
    """Make calls due at once, dead ones too. A running gateway sends them within `failback.interval`."""
    chosen = _chosen(ids, every)

    async def change(store: CallStore) -> int:
        return sum([await store.revive(each) for each in chosen])

    _report("due now", _in_store(file, change, 0), chosen, as_json)


def clear(
    file: File,
    ids: Ids = None,
    every: All = False,
    dead: Annotated[bool, typer.Option("--dead", help="All calls that are not sent again.")] = False,
    as_json: Json = False,
) -> None:
    """Forget calls. They are not sent any more."""
    chosen = _chosen(ids, every or dead)

    async def change(store: CallStore) -> int:
        return sum([await store.discard(each, dead_only=dead) for each in chosen])

    _report("forgotten", _in_store(file, change, 0), chosen, as_json)


def _chosen(ids: list[str] | None, every: bool) -> list[str | None]:
    if bool(ids) == every:
        raise Misuse("name calls by their ids, or say --all")
    return [*ids] if ids else [None]


def _report(what: str, count: int, chosen: list[str | None], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"calls": count}))
    else:
        typer.echo(f"{count} call{'' if count == 1 else 's'} {what}")
    if chosen != [None] and count < len(chosen):
        raise Misuse(f"{len(chosen) - count} of {len(chosen)} ids are of no call that waits")


def _in_store(file: Path, act: Callable[[CallStore], Awaitable[_T]], nothing: _T) -> _T:
    """What `act` gives for the store of a file; `nothing` where nothing was ever kept."""
    import asyncio

    async def run() -> _T:
        store = _store(file)
        if store is None:
            return nothing
        try:
            await store.start()
            return await act(store)
        finally:
            await store.aclose()

    return asyncio.run(run())


def _store(file: Path) -> CallStore | None:
    from gateway.failback.opening import make_store
    from gateway.failback.sqlite_store import SqliteStore, is_sqlite_file

    if is_sqlite_file(file):
        return SqliteStore(file, 1, 1)
    config, _ = read_config(file)
    section = config.failback
    if section.store == "sqlite" and not Path(section.path or "").exists():
        return None
    password = config.credentials[section.credential].secret.reveal() if section.credential else ""
    return make_store(section, password)


def _row(call: StoredCall) -> dict[str, Any]:
    content = _content(call)
    return {
        "id": call.id,
        "service": call.reference,
        "method": content.get("method") if isinstance(content, dict) else None,
        "state": "dead" if call.dead else "waiting",
        "created": _time(call.created),
        "expires": _time(call.expires),
        "due": None if call.dead else _time(call.due),
        "attempts": call.attempts,
        "error": call.error,
        "bytes": len(call.body),
    }


def _content(call: StoredCall) -> Any:
    try:
        return json.loads(call.body)
    except ValueError:
        return None


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
