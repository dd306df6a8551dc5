"""What every listener over HTTP has in common: its options, its limits, and what reads its connections."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gateway.model.exposure import Exposure
from gateway.spi.adapter import ListenerOptions, ServerAdapter
from gateway.spi.handler import Handler
from gateway.spi.plugin import Option, OptionKind, Sharing
from protocols.http.access import guarded
from protocols.http.binding import HttpBinding
from protocols.http.cors import parse_origin
from protocols.http.limits import HttpLimits
from protocols.http.recognition import recognize_http

if TYPE_CHECKING:
    from protocols.http.shared import Claim

__all__ = [
    "HTTP_SHARING",
    "LISTENER_OPTIONS",
    "guard",
    "http_limits",
    "listens",
    "make_server",
    "mount",
    "recognize_http",
]

_LEAN: Final = "httptools"
_AIOHTTP: Final = "aiohttp"
_NO_DRIVER: Final = "none"
_CORS_AGE_S: Final = 600.0
_LIMITS: Final = HttpLimits()

MakeBinding = Callable[[Sequence[Exposure]], HttpBinding]


def guard(
    binding: HttpBinding, options: ListenerOptions, open_paths: Collection[str] = (), *, checks_itself: bool = False
) -> HttpBinding:
    """The binding behind the credentials and origins of the listener's options.

    `open_paths`: see `guarded`. `checks_itself`: the binding looks at credentials, which may be inside of its messages.
    """
    own = options.options
    return guarded(
        binding,
        secrets={} if checks_itself else own.get("credentials", {}),
        open_paths=open_paths,
        origins=own.get("cors", ()),
        max_age_s=int(own.get("cors_max_age", _CORS_AGE_S)),
    )


def http_limits(options: ListenerOptions) -> HttpLimits:
    """The limits of messages."""
    own = options.options
    return HttpLimits(
        max_body_bytes=options.max_frame_bytes,
        max_inflated_bytes=own.get("max_inflated", options.max_frame_bytes),
        max_header_bytes=own.get("max_header", _LIMITS.max_header_bytes),
        max_headers=own.get("max_headers", _LIMITS.max_headers),
        max_target_bytes=own.get("max_target", _LIMITS.max_target_bytes),
        max_pipelined=own.get("max_pipelined", _LIMITS.max_pipelined),
    )


def make_server(
    options: ListenerOptions, make_binding: MakeBinding, make_claim: Callable[[Sequence[Exposure]], Claim] | None = None
) -> ServerAdapter:
    """The driver that the options ask for.

    `make_claim(exposures)`: which requests are for this wire, where it answers on one port with other wires over HTTP;
    without it, those that are for none of the others.
    """
    compress = options.options.get("compress", True)
    driver = options.options.get("driver", _LEAN)
    if driver != _LEAN:
        # aiohttp takes a third of a second to import, and most listeners do without.
        from adapters.http.server import AiohttpServer, NoServer

        if driver == _NO_DRIVER:
            return NoServer(options)
        return AiohttpServer(options, make_binding, http_limits(options), compress=compress)
    from adapters.http.lean import LeanServer

    return LeanServer(options, make_binding, http_limits(options), make_claim, compress=compress)


def mount(options: ListenerOptions, handler: Handler, binding: HttpBinding) -> Any:
    """See `ProtocolPlugin.mount`."""
    from adapters.http.site import web_application

    compress = options.options.get("compress", True)
    return web_application(binding, handler, options, http_limits(options), compress=compress)


def listens(options: Mapping[str, Any]) -> bool:
    """See `ProtocolPlugin.listens`."""
    return options.get("driver") != _NO_DRIVER


def _serve_together(options: ListenerOptions, servers: Sequence[ServerAdapter]) -> ServerAdapter:
    from adapters.http.lean import SharedServer

    return SharedServer(options, servers)


def _cannot_share(options: Mapping[str, Any]) -> str:
    driver = options.get("driver", _LEAN)
    return "" if driver == _LEAN else f"driver: {driver} shares no connections, {_LEAN} does"


HTTP_SHARING: Final = Sharing(_serve_together, _cannot_share)
"""What wires over HTTP that are made with `make_server` have as `ProtocolPlugin.sharing`."""

LISTENER_OPTIONS: Final = MappingProxyType(
    {
        "driver": Option(
            OptionKind.TEXT,
            "What reads the connections: httptools, the fast one; aiohttp, whose handlers others can share; none, "
            "where the services are only mounted in somebody's own aiohttp application.",
            default=_LEAN,
            choices=(_LEAN, _AIOHTTP, _NO_DRIVER),
        ),
        "cors": Option(
            OptionKind.TEXTS,
            "Origins whose pages may call, as browsers write them (https://shop.example), or *; none by default.",
            default=(),
            parse=parse_origin,
        ),
        "cors_max_age": Option(
            OptionKind.DURATION,
            "How long browsers may remember what they were allowed.",
            default=_CORS_AGE_S,
            minimum=0,
            maximum=86_400,
        ),
        "credentials": Option(
            OptionKind.CREDENTIALS,
            "Callers must show the secret of one of these, as API key, bearer token or user:password.",
        ),
        "compress": Option(OptionKind.FLAG, "Send long answers as gzip to callers that take it.", default=True),
        "max_header": Option(
            OptionKind.SIZE,
            "All header fields of one request.",
            default=_LIMITS.max_header_bytes,
            minimum=1_024,
            maximum=1_048_576,
        ),
        "max_headers": Option(
            OptionKind.COUNT,
            "Number of header fields of one request.",
            default=_LIMITS.max_headers,
            minimum=16,
            maximum=10_000,
        ),
        "max_target": Option(
            OptionKind.SIZE,
            "Path and query of one request.",
            default=_LIMITS.max_target_bytes,
            minimum=1_024,
            maximum=1_048_576,
        ),
        "max_inflated": Option(
            OptionKind.SIZE,
            "A body after it was inflated, and all that wait on one connection; as much as the listener's "
            "limits.frame by default.",
            minimum=1_024,
            maximum=1024**3,
        ),
        "max_pipelined": Option(
            OptionKind.COUNT,
            "Requests of one connection that wait for their answers.",
            default=_LIMITS.max_pipelined,
            minimum=1,
            maximum=10_000,
        ),
    }
)
"""By name; all values as `ListenerOptions.options` has them."""
