"""What the attachments of a dubbo:// request say to the framework, apart from what they say to the service.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-api/src/main/java/org/apache/dubbo/rpc/filter/ContextFilter.java (the keys a
provider hides from user code) and dubbo-common/.../common/constants/CommonConstants.java.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from gateway.model.call import NO_ATTACHMENTS, Attachments

__all__ = ["ADDRESSING", "CALLBACK_ARGUMENT", "CALLBACK_INSTANCE", "CallAttachments", "RouteKey", "own_names"]

RouteKey = tuple[str, str, str, str]
"""path, interface, group, version as the attachments give them; empty where absent."""

CALLBACK_INSTANCE: Final = "callback.service.instid"
"""Of a call to a callback: which one is meant."""
CALLBACK_ARGUMENT: Final = "sys_callback_arg-"
"""Followed by the position of an argument: it is a callback, and the value its number.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-dubbo/.../protocol/dubbo/CallbackServiceCodec.java.
"""

ADDRESSING: Final = frozenset(
    {
        CALLBACK_INSTANCE,
        "path",
        "interface",
        "group",
        "version",
        "dubbo",
        "token",
        "timeout",
        "_TO",
        "_to",
        "async",
        "remote.application",
        "traceparent",
        "generic",
        "input",
        "output",
    }
)
"""Keys of the wire itself: read here, written anew on the way out, never shown to the service."""

_MAX_TIMEOUT_MS: Final = 86_400_000
_TRACEPARENT_LENGTH: Final = 55


class CallAttachments:
    """The attachments of one request, taken apart. Immutable; equal bytes share one instance.

    Attributes:
        user: What the service may see.
        route: Which service is meant.
        timeout_s: How long the caller still waits, or None.
        consumer: The caller's application name, empty when it sent none (then it is older than Dubbo 2.7).
        traceparent: W3C trace context, or None.
        token: What the caller shows as Dubbo token; empty when nothing.
        generic: The generic mode asked for, or None.
        callbacks: What was said about arguments that are callbacks: position to number, both as text; or None.
        instance: Which callback is called, as text; empty for other calls.
    """

    __slots__ = ("callbacks", "consumer", "generic", "instance", "route", "timeout_s", "token", "traceparent", "user")

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self.route: Final[RouteKey] = (
            _text(values, "path"),
            _text(values, "interface"),
            _text(values, "group"),
            _text(values, "version"),
        )
        self.timeout_s: Final = _timeout(values)
        self.consumer: Final = _text(values, "remote.application")
        trace = values.get("traceparent")
        self.traceparent: Final = trace if isinstance(trace, str) and len(trace) == _TRACEPARENT_LENGTH else None
        self.token: Final = _text(values, "token")
        generic = values.get("generic")
        self.generic: Final[str | None] = str(generic).lower() if isinstance(generic, str | bool) else None
        self.instance: Final = _text(values, CALLBACK_INSTANCE)
        user = {key: value for key, value in values.items() if key not in ADDRESSING}
        callbacks: dict[str, Any] | None = None
        if user and any(map(_is_callback, user)):
            callbacks = {key[len(CALLBACK_ARGUMENT) :]: user.pop(key) for key in filter(_is_callback, tuple(user))}
        self.callbacks: Final[Mapping[str, Any] | None] = callbacks
        self.user: Final[Attachments] = MappingProxyType(user) if user else NO_ATTACHMENTS


def _is_callback(key: str) -> bool:
    return key.startswith(CALLBACK_ARGUMENT)


def own_names(user: Attachments) -> list[str]:
    """Those of a caller's own attachments that bear a name of the wire, and so cannot be sent; sorted."""
    return sorted(key for key in user if key in ADDRESSING or _is_callback(key))


def _text(values: Mapping[Any, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _timeout(values: Mapping[Any, Any]) -> float | None:
    # The countdown (what is left) is more exact than the timeout (what there was at first).
    for key in ("_TO", "_to", "timeout"):
        value = values.get(key)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_TIMEOUT_MS:
            return value / 1000.0
    return None
