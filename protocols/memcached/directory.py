"""Which method a key means: one that is mounted, one that is called by name, or a call that was made by `set`.

| key | meaning |
| --- | --- |
| `demo.Catalog.find(42)` | a call with these arguments: the inside of a JSON array, percent-encoded as in a URL |
| `demo.Catalog.find#<id>` | a call made, or to be made, by `set` (`protocols.memcached.block`) |
| `store:…` | the value under a mount |

Names of methods and services are those of `protocols.texts.service`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.jsonform.text import parse_json
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, NoSuchMethod, NoSuchService, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.http_json.method import MethodBinding
from protocols.http_json.problem import ExceptionForms
from protocols.memcached.found import MountGiver, giver_of
from protocols.memcached.method import BlockMethod, BlockService
from protocols.overloads import OverloadGroup
from protocols.texts.mount import Mount, MountedMethod, MountTable
from protocols.texts.service import Target, TextDirectory

__all__ = ["Directory", "Door", "Getter", "parse_call", "parse_running", "read_arguments"]


class Getter(NamedTuple):
    """What answers `get` under one mount. `read_key`: None where the method takes more than the key."""

    giver: MountGiver
    service: ServiceKey
    signature: MethodContract
    read_key: Callable[[bytes], tuple[Any, ...]] | None
    prefix_bytes: int


class Door:
    """A name of a service's methods, for calls with arguments in JSON and for calls with their bytes."""

    __slots__ = ("_json", "_parts", "exposure", "service", "single")

    def __init__(self, target: Target, service: BlockService) -> None:
        self.exposure: Final = target.exposure
        self.service: Final = service
        candidates, name = target.group.candidates, target.group.name
        self._json: Final[OverloadGroup[MethodBinding]] = OverloadGroup(name, [each.json for each in candidates])
        self._parts: Final[OverloadGroup[BlockMethod]] = OverloadGroup(
            name, [service.of(each.signature) for each in candidates]
        )
        self.single: Final = self._parts.single
        """The method, where there is one of this name."""

    def read_json(self, value: Any) -> tuple[BlockMethod, tuple[Any, ...]]:
        """The method and the arguments that a JSON array or object means. Raises BadRequest."""
        if type(value) is dict:
            method = self._json.named(value)
            return self.service.of(method.signature), method.read_named(value)
        if type(value) is not list:
            raise BadRequest("arguments are an array or an object")
        method, arguments = self._json.read_positional(value)
        return self.service.of(method.signature), arguments

    def read_parts(self, parts: Sequence[bytes | None]) -> tuple[BlockMethod, tuple[Any, ...]]:
        """The same for arguments as their bytes. Raises BadRequest."""
        return self._parts.read_positional(parts)


class Directory:
    """All a listener can be asked for. `flushes`: what empties mounts, with the exceptions of its contract.

    `names_formats`: whether the flags of mounted values that have none of their own do.
    """

    __slots__ = ("_doors", "_forms", "_getters", "_lengths", "_services", "flushes", "mounts", "names")

    def __init__(self, exposures: Sequence[Exposure], *, names_formats: bool = True) -> None:
        self.names: Final = TextDirectory(exposures)
        self.mounts: Final = MountTable(exposures)
        self._services: Final = {id(each.contract): BlockService(each.contract) for each in exposures if each.contract}
        self._doors: Final[dict[bytes, Door]] = {}
        self._forms: Final[dict[bytes, ExceptionForms]] = {}
        self._getters: Final[dict[bytes, tuple[Getter | None, Getter | None]]] = {}
        for prefix, mount in self.mounts.mounts.items():
            plain, versioned = (_getter(mount, versioned=each, names_formats=names_formats) for each in (False, True))
            self._getters[prefix] = (plain, versioned)
            self._forms[prefix] = ExceptionForms(mount.exposure.contract)
        # Longest first, as in `MountTable.find`.
        self._lengths: Final = sorted({len(each) for each in self._getters}, reverse=True)
        flushes = {
            (mount.exposure.service, mount.methods["flush"].signature.attribute): mount.methods["flush"]
            for mount in self.mounts.mounts.values()
            if "flush" in mount.methods
        }
        self.flushes: Final[Sequence[MountedMethod]] = tuple(flushes.values())

    def getter(self, key: bytes, *, versioned: bool = False) -> Getter | None:
        """What answers `get` (or `gets`) of this key, where something is mounted that does."""
        for length in self._lengths:
            found = self._getters.get(key[:length])
            if found is not None:
                return found[versioned]
        return None

    def forms(self, mount: Mount) -> ExceptionForms:
        """The exceptions of what is mounted."""
        return self._forms[mount.prefix]

    def door(self, name: bytes) -> Door:
        """A method by its name in a key. Raises NoSuchService, NoSuchMethod."""
        found = self._doors.get(name)
        if found is None:
            target = self.names.find(name)
            contract = target.exposure.contract
            assert contract is not None
            found = self._doors[name] = Door(target, self._services[id(contract)])
        return found

    def is_named(self, name: bytes) -> bool:
        """Whether a method is called so."""
        try:
            self.door(name)
        except (NoSuchService, NoSuchMethod):
            return False
        return True


def _getter(mount: Mount, *, versioned: bool, names_formats: bool) -> Getter | None:
    giver = giver_of(mount, versioned=versioned, names_formats=names_formats)
    if giver is None:
        return None
    method = giver.method
    return Getter(giver, method.service, method.signature, method.read_key, len(mount.prefix))


def parse_call(key: bytes) -> tuple[bytes, bytes] | None:
    """A key as the name of a method and its arguments; None where it is no call."""
    name, paren, rest = key.partition(b"(")
    if not paren or not rest.endswith(b")"):
        return None
    return unquote_to_bytes(name), rest[:-1]


def read_arguments(text: bytes) -> list[Any]:
    """The arguments between the parentheses of a key. Raises BadRequest."""
    try:
        value = parse_json(b"[%b]" % unquote_to_bytes(text))
    except ValueMappingError as exc:
        raise BadRequest(f"the arguments in a key are JSON, percent-encoded; {exc}") from None
    assert type(value) is list, "nothing but an array begins with a bracket"
    return value


def parse_running(key: bytes) -> bytes | None:
    """The method's name in the key of a call by `set`; None where it is none."""
    name, hash_sign, id = key.partition(b"#")
    return unquote_to_bytes(name) if hash_sign and id and name else None
