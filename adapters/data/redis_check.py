"""A contract as commands of Redis, and what is wrong with that. Without the client library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.data.options import bind, check_data
from gateway.model.contract import ServiceContract
from gateway.spi.plugin import Misfit
from protocols.data.binding import DataBinding
from protocols.data.encoding import values_of
from protocols.data.redis import REDIS_VERBS

__all__ = ["bind_redis", "check_redis_data"]


def check_redis_data(contract: ServiceContract, own: Mapping[str, Any]) -> Sequence[Misfit]:
    """What is wrong with the options of a reference in data mode beside its contract."""
    return check_data(contract, own, bind_redis(contract, own))


def bind_redis(contract: ServiceContract | None, own: Mapping[str, Any]) -> DataBinding:
    """The methods as commands. Raises ContractError where there is no contract."""
    return bind(contract, own, REDIS_VERBS, values_of, bytes)
