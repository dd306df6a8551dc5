"""What stands under a key: which method knows it, and its answers as values with flags and versions."""

from __future__ import annotations

from typing import Any, Final, Protocol

from gateway.model.call import Fault, Ok
from gateway.model.errors import ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import Outcome
from protocols.http_json.problem import ExceptionForms
from protocols.memcached.failure import error_line, fault_line
from protocols.memcached.form import JSON, NULL, TEXT, format_of
from protocols.memcached.method import BlockMethod
from protocols.texts.mount import Mount, MountedMethod
from protocols.texts.mount_check import entry_fields

__all__ = ["Found", "Giver", "MethodGiver", "MountGiver", "giver_of", "trouble_of"]


Found = tuple[int, bytes, int]
"""A value: its flags, its bytes, and the version that `cas` compares, 0 where none is kept."""


class Giver(Protocol):
    """Reads the answers of one method as what stands under a key."""

    def found(self, result: Any) -> Found | None:
        """What was returned; None for a miss. Raises `ValueMappingError`."""
        ...

    def is_miss(self, fault: Fault) -> bool:
        """Whether an exception means that there is nothing."""
        ...

    @property
    def forms(self) -> ExceptionForms:
        """The exceptions of the contract."""
        ...


class MountGiver:
    """A mounted method that gives a value, or an entry with its version and flags."""

    __slots__ = ("_flags", "_is_entry", "forms", "method", "versioned")

    def __init__(
        self, method: MountedMethod, exposure: Exposure, *, is_entry: bool, names_formats: bool = True
    ) -> None:
        assert exposure.contract is not None
        self.method: Final = method
        self.forms: Final = ExceptionForms(exposure.contract)
        self.versioned: Final = is_entry
        self._is_entry: Final = is_entry
        self._flags: Final = format_of(method.signature.returns, exposure.contract) if names_formats else TEXT

    def found(self, result: Any) -> Found | None:
        """See `Giver.found`."""
        if self._is_entry:
            try:
                entry = self.method.entry(result)
            except ValueMappingError as exc:
                raise exc.within("result") from None
            return None if entry is None else (entry.flags & 0xFFFFFFFF, entry.value, entry.version)
        if result is None:
            return None
        try:
            data = self.method.write(result)
        except ValueMappingError as exc:
            raise exc.within("result") from None
        return None if data is None else (self._flags, data, 0)

    def is_miss(self, fault: Fault) -> bool:
        """See `Giver.is_miss`."""
        return self.method.is_miss(fault)


class MethodGiver:
    """Any method that is called by its name: a null is an answer. `names_formats`: whether flags do."""

    __slots__ = ("_method", "_names_formats", "forms")

    def __init__(self, method: BlockMethod, *, names_formats: bool = True) -> None:
        self._method: Final = method
        self._names_formats: Final = names_formats
        self.forms: Final = method.forms

    def found(self, result: Any) -> Found | None:
        """See `Giver.found`."""
        flags, data = (JSON, NULL) if result is None else self._method.write_result(result)
        return (flags if self._names_formats else TEXT, data, 0)

    def is_miss(self, fault: Fault) -> bool:
        """See `Giver.is_miss`."""
        return False


def giver_of(mount: Mount, *, versioned: bool, names_formats: bool = True) -> MountGiver | None:
    """What answers `get`, or `gets`, for keys of a mount.

    An entry that keeps flags answers `get` as well: clients find out by them what it is that they stored.
    """
    contract = mount.exposure.contract
    assert contract is not None
    entry, plain = mount.methods.get("gets"), mount.methods.get("get")
    if entry is not None and (versioned or plain is None or "flags" in entry_fields(contract, entry.signature.returns)):
        return MountGiver(entry, mount.exposure, is_entry=True)
    if plain is None:
        return None
    return MountGiver(plain, mount.exposure, is_entry=False, names_formats=names_formats)


def trouble_of(outcome: Outcome, forms: ExceptionForms, *, beside: bool = False) -> bytes:
    """The line for what is no answer. Raises `ValueMappingError` where an exception has no form."""
    if isinstance(outcome, Fault):
        return fault_line(outcome.decoded(), forms, beside=beside)
    assert not isinstance(outcome, Ok)
    return error_line(outcome)
