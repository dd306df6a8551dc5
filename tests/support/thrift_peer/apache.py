"""A client and a server of Apache's Python library, in every protocol and transport it has."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from thrift.protocol import TBinaryProtocol, TCompactProtocol, THeaderProtocol, TJSONProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException, TMessageType
from thrift.transport import TSocket, TTransport
from thrift.transport.THeaderTransport import THeaderClientType, THeaderSubprotocolID

from tests.support.thrift_peer.idl import ApacheTypes, parsed

__all__ = ["STYLES", "ApacheClient", "apache_server"]

_PROTOCOLS: Final[dict[str, Any]] = {
    "binary": TBinaryProtocol.TBinaryProtocolFactory(),
    "accelerated": TBinaryProtocol.TBinaryProtocolAcceleratedFactory(),
    "compact": TCompactProtocol.TCompactProtocolFactory(),
    "json": TJSONProtocol.TJSONProtocolFactory(),
    "unversioned": TBinaryProtocol.TBinaryProtocolFactory(strictRead=False, strictWrite=False),
}
_TRANSPORTS: Final[dict[str, Any]] = {
    "buffered": TTransport.TBufferedTransportFactory(),
    "framed": TTransport.TFramedTransportFactory(),
}
_HEADER_IDS: Final = {"binary": THeaderSubprotocolID.BINARY, "compact": THeaderSubprotocolID.COMPACT}
STYLES: Final = (
    *((protocol, transport) for protocol in _PROTOCOLS for transport in _TRANSPORTS),
    ("binary", "header"),
    ("compact", "header"),
)
"""Protocol and transport, as Apache's library calls them; `unversioned` is the binary protocol without a version."""


def _protocol(style: tuple[str, str], trans: Any) -> Any:
    name, transport = style
    if transport == "header":
        return THeaderProtocol.THeaderProtocol(trans, (THeaderClientType.HEADERS,), _HEADER_IDS[name])
    return _PROTOCOLS[name].getProtocol(_TRANSPORTS[transport].getTransport(trans))


class ApacheClient:
    """Calls one service. `service`: the name in front of methods, empty for none."""

    def __init__(self, host: str, port: int, interface: str, style: tuple[str, str], service: str = "") -> None:
        self._interface = getattr(parsed(), interface)
        self.types = ApacheTypes()
        self.socket = TSocket.TSocket(host, port)
        self.socket.setTimeout(5_000)
        protocol = _protocol(style, self.socket)
        self.protocol = TMultiplexedProtocol(protocol, service) if service else protocol
        self.socket.open()
        self._seqid = 0

    def struct(self, name: str, /, **values: Any) -> Any:
        """An instance of a struct of the IDL."""
        return self.types.of(getattr(parsed(), name))(**values)

    def send(self, method: str, *arguments: Any, kind: int | None = None) -> int:
        """Sends a call; gives its sequence id."""
        self._seqid += 1
        args = self.types.of(getattr(self._interface, f"{method}_args"))()
        for (_, spec), value in zip(sorted(args_of(self._interface, method).items()), arguments, strict=False):
            setattr(args, spec[1], value)
        oneway = getattr(self._interface, f"{method}_result").oneway
        self.protocol.writeMessageBegin(
            method, kind or (TMessageType.ONEWAY if oneway else TMessageType.CALL), self._seqid
        )
        args.write(self.protocol)
        self.protocol.writeMessageEnd()
        self.protocol.trans.flush()
        return self._seqid

    def receive(self, method: str) -> tuple[int, Any]:
        """The next answer: its sequence id and value. Raises what it says."""
        name, kind, seqid = self.protocol.readMessageBegin()
        if kind == TMessageType.EXCEPTION:
            error = TApplicationException()
            error.read(self.protocol)
            self.protocol.readMessageEnd()
            raise error
        result = self.types.of(getattr(self._interface, f"{method}_result"))()
        result.read(self.protocol)
        self.protocol.readMessageEnd()
        assert (name, kind) == (method, TMessageType.REPLY)
        specs = [each for each in result.thrift_spec if each is not None]
        for spec in specs:
            value = getattr(result, spec[2])
            if value is not None and spec[0] > 0:
                raise value
        return seqid, getattr(result, "success", None)

    def call(self, method: str, *arguments: Any) -> Any:
        """Calls and waits for the answer, unless there is none."""
        seqid = self.send(method, *arguments)
        if getattr(self._interface, f"{method}_result").oneway:
            return None
        answered, value = self.receive(method)
        assert answered == seqid
        return value

    def __enter__(self) -> ApacheClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def args_of(interface: Any, method: str) -> dict[int, Any]:
    """The parameters of a method: number to spec."""
    found: dict[int, Any] = getattr(interface, f"{method}_args").thrift_spec
    return found


class _Processor:
    """What generated code would be: reads a call, asks the handler, writes the answer."""

    def __init__(self, interface: str, handler: Callable[..., Any], types: ApacheTypes) -> None:
        self._interface = getattr(parsed(), interface)
        self._handler = handler
        self._types = types
        self.headers: list[dict[bytes, bytes]] = []

    def process(self, source: Any, sink: Any) -> bool:
        name, _, seqid = source.readMessageBegin()
        name = name.rpartition(":")[2]
        if hasattr(source, "get_headers"):
            self.headers.append(dict(source.get_headers()))
        cls = getattr(self._interface, f"{name}_args")
        args = self._types.of(cls)()
        args.read(source)
        source.readMessageEnd()
        result_cls = getattr(self._interface, f"{name}_result")
        result = self._types.of(result_cls)()
        kind = TMessageType.REPLY
        try:
            result.success = self._handler(
                name, *(getattr(args, spec[1]) for _, spec in sorted(cls.thrift_spec.items()))
            )
        except TApplicationException as exc:
            kind, result = TMessageType.EXCEPTION, exc
        except Exception as exc:
            field = next((each for each in result.thrift_spec if each and each[3] and each[3][0] is type(exc)), None)
            if field is None:
                kind, result = TMessageType.EXCEPTION, TApplicationException(6, "Internal error")
            else:
                setattr(result, field[2], exc)
        if not result_cls.oneway:
            sink.writeMessageBegin(name, kind, seqid)
            result.write(sink)
            sink.writeMessageEnd()
            sink.trans.flush()
        return True


@contextmanager
def apache_server(
    interface: str, handler: Callable[..., Any], style: tuple[str, str], types: ApacheTypes
) -> Iterator[tuple[int, _Processor]]:
    """A server of Apache's library; gives its port. `handler(method, *arguments)` answers."""
    listening = TSocket.TServerSocket("127.0.0.1", 0)
    listening.listen()
    port = listening.handle.getsockname()[1]
    processor = _Processor(interface, handler, types)
    threads: list[threading.Thread] = []
    accepted: list[Any] = []

    def serve(client: Any) -> None:
        protocol = _protocol(style, client)
        try:
            while True:
                processor.process(protocol, protocol)
        except (TTransport.TTransportException, OSError, EOFError):
            pass
        finally:
            client.close()

    def accept() -> None:
        while True:
            try:
                client = listening.accept()
            except OSError:
                return
            if client is None:
                return
            accepted.append(client)
            threads.append(threading.Thread(target=serve, args=(client,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield port, processor
    finally:
        handle = listening.handle
        handle.shutdown(socket.SHUT_RDWR)
        listening.close()
        acceptor.join(5)
        for client in accepted:
            # Its thread closes it, which must not happen under its reads.
            if (handle := client.handle) is not None:
                with contextlib.suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
