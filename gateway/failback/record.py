"""One call as a text that outlives the process: JSON by contract, and back.

Nothing of it is executable, and what a contract no longer has is noticed instead of guessed. Secrets are not part of
it: the token of a reference is added by its adapter with each attempt, and attachments with the names of credentials
are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.filters.explain import ASK_KEY
from gateway.jsonform import format_json, parse_json
from gateway.jsonform.generic import read_generic, to_json_generic
from gateway.jsonform.reader import Readers
from gateway.jsonform.writer import Writers
from gateway.model.call import Invocation
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import GatewayError, ValueMappingError
from gateway.spi.failback import CALL_ID, StoredCall, StoreError

__all__ = ["CallForm", "Unreadable"]

_FORMAT: Final = 1
_INVOKE: Final = "$invoke"
_SECRETS: Final = frozenset(
    {
        "access-token", "access_token", "api-key", "api_key", "apikey", "authorization", "cookie", "password",
        "proxy-authorization", "secret", "token", "x-api-key", "x-auth-token",
    }
)  # fmt: skip
"""Attachments that are not kept, in lower case."""
_NOT_KEPT: Final = frozenset({CALL_ID, ASK_KEY})
"""Attachments that are kept elsewhere, or were for the caller who is gone."""
_CHECKED_BYTES: Final = 64 * 1024
"""What is longer is read once before it is kept: readers have limits that writers do not have."""
_DIGEST_BYTES: Final = 16


class Unreadable(GatewayError):
    """A kept call cannot be made any more: its contract has changed, or the text is damaged. Says what of it."""


class CallForm:
    """Writes and reads the calls of one reference. `contract`: None for a reference without one."""

    def __init__(self, contract: ServiceContract | None) -> None:
        self._contract = contract
        self._writers = None if contract is None else Writers(contract)
        self._readers = None if contract is None else Readers(contract)
        self._write: dict[str, tuple[Callable[[Any], Any], ...]] = {}
        self._parameters = {each.attribute: _types(each) for each in (contract.methods if contract is not None else ())}
        self._read: dict[str, tuple[Callable[[Any], Any], ...]] = {}
        self._methods: Mapping[tuple[str, tuple[str, ...]], MethodContract] = {
            (method.name, _types(method)): method for method in (contract.methods if contract is not None else ())
        }

    def write(self, invocation: Invocation) -> tuple[bytes, str]:
        """The call as JSON, and its digest.

        Raises:
            StoreError: a value of it has no lossless form; says where.
            BadRequest: the arguments do not fit the contract.
        """
        signature = invocation.signature
        if signature is None and invocation.method != _INVOKE:
            # Of such a call the wire knows more than its values: parameter types, which only its bytes hold.
            raise StoreError(f"{invocation.method} came without a contract, and only generic calls can be kept then")
        values = invocation.arguments()
        try:
            arguments = self._arguments(signature, values)
            attachments = {
                key: to_json_generic(value)
                for key, value in invocation.attachments.items()
                if key.lower() not in _SECRETS and key not in _NOT_KEPT
            }
            what = format_json(
                {
                    "service": str(invocation.service),
                    "method": invocation.method,
                    "parameters": None if signature is None else self._parameters[signature.attribute],
                    "arguments": arguments,
                }
            )
            rest = format_json(
                {
                    "format": _FORMAT,
                    "attachments": attachments,
                    "consumer": invocation.consumer,
                    "traceparent": invocation.traceparent,
                    "oneway": invocation.oneway,
                }
            )
            # One object out of two.
            body = what[:-1] + b"," + rest[1:]
            if len(body) > _CHECKED_BYTES:
                parse_json(body)
        except ValueMappingError as exc:
            raise StoreError(f"{invocation.method}: {exc}") from exc
        return body, hashlib.blake2b(what, digest_size=_DIGEST_BYTES).hexdigest()

    def _arguments(self, signature: MethodContract | None, values: tuple[Any, ...]) -> list[Any]:
        if signature is None or self._writers is None:
            return [_within(index, to_json_generic, value) for index, value in enumerate(values)]
        steps = self._write.get(signature.attribute)
        if steps is None:
            steps = tuple(self._writers.compile(param.type) for param in signature.params)
            self._write[signature.attribute] = steps
        return [_within(index, step, value) for index, (step, value) in enumerate(zip(steps, values, strict=True))]

    def read(self, call: StoredCall) -> Invocation:
        """The call, to be made once more: with its id, and without the deadline of whoever made it first.

        Raises:
            Unreadable: it does not fit the contract (any more), or it is none.
        """
        try:
            kept = parse_json(call.body)
        except ValueMappingError as exc:
            raise Unreadable(f"the record is damaged: {exc}") from exc
        if not isinstance(kept, dict) or kept.get("format") != _FORMAT:
            raise Unreadable("the record is none that this version reads")
        try:
            return self._invocation(call, kept)
        except ValueMappingError as exc:
            raise Unreadable(f"{kept['method']} no longer fits: {exc}") from exc
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise Unreadable(f"the record is damaged: {type(exc).__name__}: {exc}") from exc

    def _invocation(self, call: StoredCall, kept: dict[str, Any]) -> Invocation:
        signature, parameters = None, kept["parameters"]
        if parameters is None:
            arguments = tuple(_within(index, read_generic, each) for index, each in enumerate(kept["arguments"]))
        else:
            signature = self._method(kept["method"], tuple(parameters))
            arguments = self._typed(signature, kept["arguments"])
        attachments = {key: read_generic(each) for key, each in kept["attachments"].items()}
        attachments[CALL_ID] = call.id
        return Invocation(
            ServiceKey.parse(kept["service"]),
            kept["method"],
            arguments,
            signature=signature,
            attachments=MappingProxyType(attachments),
            traceparent=kept["traceparent"],
            consumer=kept["consumer"],
            oneway=kept["oneway"],
        )

    def _method(self, name: str, parameters: tuple[str, ...]) -> MethodContract:
        asked = f"{name}({', '.join(parameters)})"
        if self._contract is None:
            raise Unreadable(f"{asked} was called by a contract, and there is none any more")
        found = self._methods.get((name, parameters))
        if found is None:
            raise Unreadable(f"{self._contract.name} has no method {asked} any more")
        return found

    def _typed(self, signature: MethodContract, arguments: list[Any]) -> tuple[Any, ...]:
        assert self._readers is not None
        steps = self._read.get(signature.attribute)
        if steps is None:
            steps = tuple(self._readers.compile(param.type) for param in signature.params)
            self._read[signature.attribute] = steps
        pairs = enumerate(zip(steps, arguments, strict=True))
        return tuple(_within(index, step, each) for index, (step, each) in pairs)


def _types(method: MethodContract) -> tuple[str, ...]:
    return tuple(str(param.type) for param in method.params)


def _within(index: int, step: Callable[[Any], Any], value: Any) -> Any:
    try:
        return step(value)
    except ValueMappingError as exc:
        raise exc.within(f"args[{index}]") from exc
