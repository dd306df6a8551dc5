"""What a reference in data mode may say, on either wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from gateway.model.contract import ServiceContract, StructType
from gateway.model.errors import ContractError
from gateway.model.reachable import reachable
from gateway.spi.plugin import Misfit, Option, OptionKind
from protocols import java
from protocols.data.binding import DataBinding, DataOptions
from protocols.data.command import parse_command
from protocols.data.encoding import ENCODINGS, Bounded, EncodingOptions, Values
from protocols.data.key import KeyCheck
from protocols.data.verb import Verb
from protocols.reader import Limits

__all__ = ["CONNECT_TIMEOUT_S", "DATA_OPTIONS", "MAX_CONNECTIONS", "PAYLOAD_BYTES", "bind", "check_data"]

CONNECT_TIMEOUT_S: Final = 3.0
MAX_CONNECTIONS: Final = 32
PAYLOAD_BYTES: Final = 8_388_608
_ENCODING: Final = "plain"
_NAMES: Final = ("get", "set", "delete")


def _uid(text: str) -> int:
    digits = text.removesuffix("L").removeprefix("-")
    if (
        not (digits.isascii() and digits.isdecimal() and len(digits) <= 19)
        or not -(1 << 63) <= int(text.removesuffix("L")) < 1 << 63
    ):
        raise ValueError(f"{text!r} is no integer of 64 bits, as serialVersionUID is")
    return int(text.removesuffix("L"))


DATA_OPTIONS: Final[Mapping[str, Option]] = MappingProxyType(
    {
        "get": Option(OptionKind.TEXT, "data: the method that is the command get.", "get"),
        "set": Option(OptionKind.TEXT, "data: the method that is the command set; also put, unless this says another."),
        "delete": Option(
            OptionKind.TEXT, "data: the method that is the command delete; also remove, unless this says another."
        ),
        "commands": Option(
            OptionKind.TEXTS,
            "data: which command a method is, by method: `get`, `set(sku, product, ttl=60)`, `get NotFound=miss`.",
            named=True,
            parse=parse_command,
        ),
        "prefix": Option(OptionKind.TEXT, "data: stands in front of every key.", ""),
        "encoding": Option(
            OptionKind.TEXT,
            "data: how values are stored; `java` is what Dubbo wrote there.",
            _ENCODING,
            choices=ENCODINGS,
        ),
        "expiry": Option(
            OptionKind.DURATION,
            "data: how long what is stored lives, where the method does not say so; default: for ever.",
            minimum=0.001,
            maximum=10**10,
        ),
        "serial_version_uids": Option(
            OptionKind.TEXTS,
            "data, encoding java: the serialVersionUID of each class that is written, by the contract's name.",
            named=True,
            parse=_uid,
        ),
        "max_connections": Option(
            OptionKind.COUNT,
            "data: connections to one server, which are calls under way at the same time.",
            MAX_CONNECTIONS,
            minimum=1,
            maximum=10_000,
        ),
    }
)
"""Beside `connect_timeout`, `payload`, `user` and `password`, which both modes have."""

ValuesOf = Callable[[ServiceContract, EncodingOptions], Values]


def bind(
    contract: ServiceContract | None, own: Mapping[str, Any], verbs: Mapping[str, Verb], values_of: ValuesOf,
    check_key: KeyCheck,
) -> DataBinding:  # fmt: skip
    """The methods of a contract as commands, as far as they fit; what does not is in `DataBinding.found`.

    Raises:
        ContractError: there is no contract.
    """
    if contract is None:
        raise ContractError("a service without a contract has no commands: data mode takes a contract")
    expiry = own.get("expiry")
    options = DataOptions(
        names={name: own[name] for name in _NAMES if name in own},
        commands=own.get("commands", {}),
        prefix=own.get("prefix", ""),
        expiry_ms=None if expiry is None else max(1, round(expiry * 1_000)),
    )
    limits = Limits(max_frame_bytes=own.get("payload", PAYLOAD_BYTES))
    encoding = EncodingOptions(own.get("encoding", _ENCODING), own.get("serial_version_uids", {}), limits)
    values = Bounded(values_of(contract, encoding), limits.max_frame_bytes)
    return DataBinding(contract, options, verbs, values, check_key)


def check_data(contract: ServiceContract, own: Mapping[str, Any], binding: DataBinding) -> Sequence[Misfit]:
    """What is wrong with the options of a reference beside its contract; for `ProtocolPlugin.check_reference`."""
    found = [Misfit(path, text) for path, text in binding.found]
    encoding = own.get("encoding", _ENCODING)
    at = ("encoding",) if "encoding" in own else ()
    if encoding != _ENCODING:
        joining = ", ".join(binding.methods_of("append", "prepend"))
        if joining:
            found.append(Misfit(at, f"{joining}: two values behind each other are one in the encoding plain only"))
    if encoding in ("java", "hessian2"):
        found += [Misfit(at, text) for text in java.check_contract(contract)]
    uids = own.get("serial_version_uids", {})
    if encoding != "java":
        if uids:
            found.append(Misfit(("serial_version_uids",), "these are for the encoding java"))
        return found
    structs = {name for name, each in contract.types.items() if isinstance(each, StructType) and not each.is_exception}
    found += [
        Misfit(("serial_version_uids", name), f"{contract.name} has no struct {name!r}; it has {_listed(structs)}")
        for name in uids
        if name not in structs
    ]
    missing = sorted((reachable(binding.written_types(), contract.types) & structs) - uids.keys())
    if missing:
        found.append(
            Misfit(
                ("serial_version_uids",) if uids else at,
                f"Java takes no object without its serialVersionUID; `serial_version_uids` lacks {', '.join(missing)}",
            )
        )
    return found


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
