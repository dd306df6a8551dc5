"""What a wire over HTTP is: a mapping between whole HTTP messages and calls, without I/O.

A driver owns sockets, framing, limits, content coding and the connection's life; a binding owns what the messages mean.
Any driver can carry any binding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from gateway.model.call import Invocation
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from protocols.contract import Outcome
from protocols.http.message import HttpRequest, HttpResponse

__all__ = ["HttpBatch", "HttpBinding", "HttpClientBinding", "HttpExchange"]


class HttpExchange(Protocol):
    """A request that became calls: mostly one. One of several calls is an `HttpBatch`."""

    @property
    def calls(self) -> Sequence[Invocation]:
        """What to call, at least one. All of them run at the same time; nobody waits for a `oneway` one."""
        ...

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        """The response, once every call that is not oneway has its outcome.

        `outcomes`: in the order of `calls`, None for oneway ones and for kept ones. Never raises for a value: what
        cannot be encoded becomes an error response.
        """
        ...


class HttpBatch(HttpExchange, Protocol):
    """An exchange of several calls. Each outcome becomes part of the response when it comes.

    Otherwise a batch of which one call does not end would keep the values of all others, whatever their size.
    """

    def keep(self, index: int, outcome: Outcome) -> int:
        """Takes the outcome of the call at `index`; gives how many bytes are kept for it.

        A driver may call it for each call that is not oneway, as outcomes come; `encode_reply` then finds None there.
        A second outcome for a call replaces the first. Never raises for a value.
        """
        ...


class HttpBinding(Protocol):
    """The server's half of a wire over HTTP. The services it knows are fixed when it is built."""

    def decode_call(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        """What a request asks for, or the response to one that asks for no call (a document, a refusal).

        `now` (monotonic seconds) turns a caller's timeout into a deadline. Never raises for what a peer sent.
        """
        ...

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        """The response to a message that the driver itself refuses (413, 431, 415 …), in the form of this wire."""
        ...


class HttpClientBinding(Protocol):
    """The client's half of a wire over HTTP."""

    def bind(
        self, endpoint: Endpoint, service: ServiceKey, contract: ServiceContract | None, token: str, application: str
    ) -> Any:
        """What `encode_call` needs to know about one provider of one reference; opaque to the driver.

        Raises:
            ContractError: the wire cannot carry the contract.
        """
        ...

    def encode_call(self, bound: Any, invocation: Invocation, timeout_s: float | None) -> tuple[HttpRequest, Any]:
        """The request for one call, and what `decode_reply` needs to know about it.

        `timeout_s`: what the provider is told.

        Raises:
            ValueMappingError: an argument has no form on this wire; names its path.
            LocalWireError: the message would exceed a limit.
        """
        ...

    def decode_reply(self, bound: Any, ticket: Any, response: HttpResponse) -> Outcome:
        """What became of the call. Never raises for what a peer sent. `response`: its body without content coding."""
        ...
