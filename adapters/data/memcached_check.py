"""A contract as commands of memcached, and what is wrong with that. Without the client library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.data.options import DATA_OPTIONS, bind, check_data
from gateway.model.contract import ServiceContract
from gateway.spi.plugin import Misfit, Option, OptionKind
from protocols.data.binding import DataBinding
from protocols.data.key import check_memcached_key, encode_memcached_key
from protocols.data.memcached import MEMCACHED_VERBS, memcached_values

__all__ = ["MEMCACHED_DATA_OPTIONS", "bind_memcached", "check_memcached_data"]

_REFUSE: Final = "refuse"
_ENCODE: Final = "encode"

MEMCACHED_DATA_OPTIONS: Final = {
    **DATA_OPTIONS,
    "keys": Option(
        OptionKind.TEXT,
        "data: what becomes of keys with blanks or control characters, which memcached cannot have: `encode` "
        "percent-encodes these, `%` and what is not ASCII.",
        _REFUSE,
        choices=(_REFUSE, _ENCODE),
    ),
}


def check_memcached_data(contract: ServiceContract, own: Mapping[str, Any]) -> Sequence[Misfit]:
    """What is wrong with the options of a reference in data mode beside its contract."""
    return check_data(contract, own, bind_memcached(contract, own))


def bind_memcached(contract: ServiceContract | None, own: Mapping[str, Any]) -> DataBinding:
    """The methods as commands. Raises ContractError where there is no contract."""
    check = encode_memcached_key if own.get("keys") == _ENCODE else check_memcached_key
    return bind(contract, own, MEMCACHED_VERBS, memcached_values, check)
