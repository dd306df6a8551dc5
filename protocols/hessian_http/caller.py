"""What the header of a request says about its caller; read once per header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from gateway.model.errors import BadRequest, Forbidden, RpcError
from protocols.dubbo.attachments import CallAttachments
from protocols.http.context import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, Context, read_context
from protocols.http.cross_site import refuse_site
from protocols.http.message import Headers

__all__ = ["DUBBO_PREFIX", "Caller", "read_caller"]

DUBBO_PREFIX: Final = "header"
"""What Dubbo puts before the key of each attachment.

Source: apache/dubbo: dubbo-rpc/dubbo-rpc-hessian/.../protocol/hessian/DubboHessianURLConnectionFactory.java, where the
prefix is the default name of an exchanger.
"""
_MEMO: Final = "hessian"


class Caller:
    """A header, read.

    Attributes:
        context: Attachments, deadline, trace and the caller's name.
        generic: The generic mode that a Dubbo consumer asks for; None for all others.
        group, version: Of the service that is meant, as a Dubbo consumer says them; empty where it does not.
        refusal: Why nothing of this caller becomes a call; None for all others.
        deflates: It takes bare deflate, and no gzip, as Caucho's client does.
    """

    __slots__ = ("context", "deflates", "generic", "group", "refusal", "version")

    def __init__(self, headers: Headers) -> None:
        context, self.group, self.version = read_context(headers), "", ""
        self.generic: str | None = None
        if dubbo := _dubbo_fields(headers):
            said = CallAttachments(dubbo)
            _, _, self.group, self.version = said.route
            self.generic = said.generic
            context = _merged(context, said)
        self.context: Final = context
        foreign = refuse_site(headers)
        self.refusal: Final[RpcError | None] = Forbidden(foreign) if foreign else None
        codings = {each.strip(" \t").lower() for each in headers.get("accept-encoding").split(",")}
        self.deflates: Final = "deflate" in codings and codings.isdisjoint(("gzip", "x-gzip", "br"))


def read_caller(headers: Headers) -> Caller:
    """What a header says.

    Raises:
        BadRequest: as `read_context`; also for more attachments of Dubbo's than of ours are taken.
    """
    found: Caller | None = headers.memo.get(_MEMO)
    if found is None:
        found = headers.memo[_MEMO] = Caller(headers)
    return found


def _dubbo_fields(headers: Headers) -> Mapping[str, str]:
    found: dict[str, str] = {}
    size = 0
    for name, value in headers.pairs:
        key = name[len(DUBBO_PREFIX) :]
        if not key or name[: len(DUBBO_PREFIX)].lower() != DUBBO_PREFIX:
            continue
        size += len(key) + len(value)
        if size > MAX_ATTACHMENT_BYTES or len(found) >= MAX_ATTACHMENTS:
            raise BadRequest(f"{DUBBO_PREFIX}*: more than {MAX_ATTACHMENTS} or {MAX_ATTACHMENT_BYTES} bytes")
        found.setdefault(key, value)
    return found


def _merged(context: Context, said: CallAttachments) -> Context:
    """What we would have been told in fields of ours comes first. Raises BadRequest where it is too much together."""
    attachments = {**said.user, **context.attachments}
    if len(attachments) > MAX_ATTACHMENTS or sum(map(len, (*attachments, *attachments.values()))) > (
        MAX_ATTACHMENT_BYTES
    ):
        raise BadRequest(f"more than {MAX_ATTACHMENTS} attachments, or {MAX_ATTACHMENT_BYTES} bytes of them")
    return replace(
        context,
        attachments=MappingProxyType(attachments),
        timeout_s=said.timeout_s if context.timeout_s is None else context.timeout_s,
        traceparent=context.traceparent or said.traceparent,
        consumer=context.consumer or said.consumer,
        token=context.token or said.token,
    )
