"""A plug-in of one's choice: by its name alone, or with options of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from gateway.config.scalar import Name
from gateway.config.sections.section import Options, Section, read_section
from gateway.spi.plugin import BalancerPlugin, ClusterPlugin

__all__ = ["Balance", "BalanceChoice", "Choice", "ChoiceConfig", "Cluster", "ClusterChoice", "chosen", "without"]

_P = TypeVar("_P", BalancerPlugin, ClusterPlugin)


class ChoiceConfig(Section):
    """A name, and what is chosen beside it."""

    type: Name
    """Name of the plug-in."""

    options: Options = Field(default_factory=dict)
    """What only this plug-in knows."""


class ClusterChoice(ChoiceConfig):
    """A fault-tolerance mode with its options."""


class BalanceChoice(ChoiceConfig):
    """A load balancer with its options."""


Choice = str | Mapping[str, Any]
"""A choice as a program writes it: the name alone, or a mapping with `type` and `options`."""


def _by_name(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


Cluster = Annotated[ClusterChoice, BeforeValidator(_by_name)]
"""A fault-tolerance mode: `forking`, or `{type: forking, options: {forks: 3}}`."""

Balance = Annotated[BalanceChoice, BeforeValidator(_by_name)]
"""A load balancer, written the same way."""


def chosen(written: Choice, find: Callable[[str], _P]) -> tuple[_P, Any]:
    """The plug-in that was chosen, and its options.

    Raises:
        LookupError: there is none of that name.
        ValueError: it does not take these options; names the choice.
    """
    kind, given = (written, {}) if isinstance(written, str) else (written.get("type"), written.get("options", {}))
    if not isinstance(kind, str):
        raise ValueError(f"a choice with options needs its type beside them, not {written!r}")
    plugin = find(kind)
    return plugin, read_section(plugin.options, given, f"options of {kind}")


def without(choice: ClusterChoice, refused: Collection[str], why: str) -> ClusterChoice:
    """The choice, if it is none of these modes, nor made of one (option `cluster`); else ValueError says why not."""
    if choice.type in refused:
        raise ValueError(f"{choice.type!r} cannot stand here: {why}")
    inner = choice.options.get("cluster")
    if inner is not None:
        made = None
        # What is wrong with it otherwise is found where it is built.
        with suppress(ValidationError):
            made = ClusterChoice.model_validate(_by_name(inner))
        if made is not None:
            without(made, refused, why)
    return choice
