"""`polyport completion`, and what shells are offered while a command line is typed.

Completion reads the names out of the files the line mentions without checking them, and says nothing when they cannot
be read: half a configuration still has services. It asks no registry and no provider.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from gateway.model.contract import ServiceContract
    from gateway.spi.plugin import ProtocolPlugin

__all__ = ["call_arguments", "call_methods", "call_targets", "completion", "export_languages", "import_languages"]


class Shell(StrEnum):
    """Shells for which there is a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# The variables are how typer asks a program for completions; see typer's `_completion_classes.py`.
# Bash cuts words at colons and equals signs too, and puts what it gets behind the last of them. The program is told
# the words between blanks, and what it answers loses the part that bash keeps.
_BASH: Final = r"""_polyport() {
    local line="${COMP_LINE:0:COMP_POINT}" words
    read -ra words <<< "$line"
    local current=$((${#words[@]} - 1)) word=""
    if [[ "$line" == *[[:space:]] ]]; then ((current += 1)); else word="${words[current]}"; fi
    local IFS=$'\n'
    COMPREPLY=($(COMP_WORDS="$line" COMP_CWORD=$current _POLYPORT_COMPLETE=complete_bash "$1" 2>/dev/null))
    local kept="${word%"${COMP_WORDS[COMP_CWORD]}"}"
    [[ "$word" == *[:=] ]] && kept="$word"
    COMPREPLY=("${COMPREPLY[@]#"$kept"}")
    [[ "${COMPREPLY[0]}" == *[=/] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o default -F _polyport polyport
"""

_ZSH: Final = r"""#compdef polyport
_polyport() {
    eval "$(_TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _POLYPORT_COMPLETE=complete_zsh polyport 2>/dev/null)"
}
compdef _polyport polyport
"""

_FISH: Final = r"""function _polyport
    set --local --export _POLYPORT_COMPLETE complete_fish
    set --local --export _TYPER_COMPLETE_FISH_ACTION $argv[1]
    set --local --export _TYPER_COMPLETE_ARGS (commandline --current-process --cut-at-cursor)
    polyport 2>/dev/null
end
complete --command polyport --no-files --condition '_polyport is-args' --arguments '(_polyport get-args)'
"""

_SCRIPTS: Final[Mapping[Shell, str]] = {Shell.BASH: _BASH, Shell.ZSH: _ZSH, Shell.FISH: _FISH}


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="The shell that reads the script.")],
) -> None:
    """Print the script that completes commands in a shell.

    \b
        source <(polyport completion bash)
        polyport completion fish > ~/.config/fish/completions/polyport.fish

    Beside commands and options it completes services, methods and argument names of `polyport call --config FILE`
    or `--contract MODULE:CLASS`, where these stand before what is completed.
    """
    typer.echo(_SCRIPTS[shell], nl=False)


def call_targets(context: typer.Context, incomplete: str) -> list[str]:
    """Services of `--config`; without one, the beginnings of URLs."""

    def names() -> Iterable[str]:
        file = context.params.get("config")
        if file is not None:
            return _services(Path(file))
        from gateway.plugins.registration import registrations

        return [f"{each.name}://" for each in registrations() if each.kind == "protocol"]

    return _offered(names, incomplete)


def call_methods(context: typer.Context, incomplete: str) -> list[str]:
    """Methods of the service that is called, each once."""

    def names() -> Iterable[str]:
        return [method.name for method in _contract(context).methods]

    return _offered(names, incomplete)


def call_arguments(context: typer.Context, incomplete: str) -> list[str]:
    """`name=` for the parameters of the method that is called."""

    def names() -> Iterable[str]:
        methods = _contract(context).overloads(context.params["method"])
        return [f"{param.name}=" for method in methods for param in method.params]

    return _offered(names, incomplete)


def export_languages(incomplete: str) -> list[str]:
    """Languages that the protocols write, as far as they can be imported."""
    return _offered(lambda: (name for plugin in _protocols() for name in plugin.exports), incomplete)


def import_languages(incomplete: str) -> list[str]:
    """Languages that the protocols read, as far as they can be imported."""
    return _offered(lambda: (name for plugin in _protocols() for name in plugin.imports), incomplete)


def _protocols() -> Iterable[ProtocolPlugin]:
    from gateway.plugins.catalog import PluginError, import_plugin
    from gateway.plugins.registration import registrations

    for each in registrations():
        if each.kind == "protocol":
            with contextlib.suppress(PluginError):
                yield import_plugin(each)


def _contract(context: typer.Context) -> ServiceContract:
    from gateway.config.contract_file import contract_target
    from gateway.config.target import import_target
    from gateway.contracts import contract_of
    from gateway.plugins.catalog import Catalog

    target, folder = context.params.get("contract"), Path()
    if not target:
        config = Path(context.params["config"])
        target, folder = _services(config)[context.params["target"]]["contract"], config.parent
    return contract_of(import_target(contract_target(target, Catalog(), folder)))


def _services(file: Path) -> Mapping[str, Any]:
    """The services of a configuration as they are written."""
    import yaml

    services: Mapping[str, Any] = yaml.safe_load(file.read_text("utf-8"))["services"]
    return services


def _offered(names: Callable[[], Iterable[str]], incomplete: str) -> list[str]:
    """The names that go on as the word begins, each once; none where they cannot be found out."""
    try:
        # What the code of others prints would end up in the middle of somebody's command line.
        with contextlib.redirect_stdout(io.StringIO()):
            return list(dict.fromkeys(name for name in names() if name.startswith(incomplete)))
    except Exception:  # A half-written file, or code it names: whoever presses tab wants no traceback.
        return []
