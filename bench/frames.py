"""The requests that are sent: dubbo:// frames put together by hand; those of HTTP are in `http_frames.py`,
those of Thrift in `thrift_frames.py`, those of redis and memcached in `text_frames.py`.

Written from the specification and not with the product's codec, so that a mistake in the codec cannot hide in the
benchmark, and so that a change of the codec cannot change what is measured.

Source: Hessian 2.0 Serialization Protocol; dubbo:// header and body as in apache/dubbo:
dubbo-remoting/dubbo-remoting-api/src/main/java/org/apache/dubbo/remoting/exchange/codec/ExchangeCodec.java and
dubbo-rpc/dubbo-rpc-dubbo/src/main/java/org/apache/dubbo/rpc/protocol/dubbo/DubboCodec.java.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from bench.cases import Payload
from bench.hessian_frames import build_hessian_request, encode_old_pojo
from bench.http_frames import build_http_request
from bench.request import Request, WrongReply
from bench.soap_frames import build_soap_request
from bench.text_frames import build_text_request
from bench.thrift_frames import build_thrift_request

SERVICE = "bench.Echo"
POJO_CLASS = "bench.Pojo"
ID_OFFSET = 4

_HEADER = struct.Struct(">HBBqI")
_MAGIC = 0xDABB
_TWO_WAY_HESSIAN = 0xC2
_HEARTBEAT = 0xE2
_OK = 20
_RESULT_VALUES = (0x91, 0x94)
_CHUNK_UNITS = 0x8000
_TEXT = "The quick brown fox jumps over the lazy dog, and the gateway answers. "
_TAG = "tag-%028d"
_ATTACHMENTS = {
    "path": SERVICE,
    "remote.application": "bench",
    "interface": SERVICE,
    "version": "0.0.0",
    "timeout": "30000",
}


def build_request(payload: Payload, size: int) -> Request:
    """The request for a payload of `size` bytes. Its id, eight bytes at `ID_OFFSET`, is 0 and meant to be replaced."""
    if payload is Payload.HESSIAN:
        return build_hessian_request(payload, encode_pojo(size))
    if payload is Payload.OLD_HESSIAN:
        return build_hessian_request(payload, encode_old_pojo(size))
    if payload is Payload.SOAP:
        return build_soap_request()
    if payload.is_http:
        return build_http_request(payload, size)
    if payload.is_text:
        return build_text_request(payload, size)
    if payload is Payload.THRIFT:
        return build_thrift_request(_text(size))
    if payload is Payload.BYTES:
        frame = bytes(_HEADER.size) + _text(size - _HEADER.size).encode()
        return Request(frame, payload, _check_echo(frame))
    if payload is Payload.STRING:
        value = encode_string(_text(size))
        body = _body("echo", "Ljava/lang/String;", value)
    else:
        value = encode_pojo(size)
        body = _body("echoPojo", f"L{POJO_CLASS.replace('.', '/')};", value)
    return Request(_HEADER.pack(_MAGIC, _TWO_WAY_HESSIAN, 0, 0, len(body)) + body, payload, _check_answer(value))


def heartbeat(number: int) -> bytes:
    """A two-way heartbeat frame."""
    return _HEADER.pack(_MAGIC, _HEARTBEAT, 0, number, 1) + b"N"


def frame_bytes(head: bytes) -> int:
    """The length of the whole frame that starts with these 16 bytes."""
    magic, _, _, _, body = _HEADER.unpack(head)
    if magic != _MAGIC:
        raise WrongReply(f"a reply starts with {head[:4].hex()} and not with the magic number")
    return _HEADER.size + int(body)


def encode_string(text: str) -> bytes:
    """A Hessian string. ASCII only, so that characters, UTF-16 units and bytes are the same number."""
    data = text.encode("ascii")
    chunks = []
    while len(data) > _CHUNK_UNITS:
        chunks.append(struct.pack(">cH", b"R", _CHUNK_UNITS) + data[:_CHUNK_UNITS])
        data = data[_CHUNK_UNITS:]
    if len(data) < 0x20:
        head = bytes([len(data)])
    elif len(data) < 0x400:
        head = bytes([0x30 + (len(data) >> 8), len(data) & 0xFF])
    else:
        head = struct.pack(">cH", b"S", len(data))
    return b"".join(chunks) + head + data


def _encode_int(number: int) -> bytes:
    if -16 <= number <= 47:
        return bytes([0x90 + number])
    if -2048 <= number <= 2047:
        return bytes([0xC8 + (number >> 8), number & 0xFF])
    return struct.pack(">ci", b"I", number)


def _encode_long(number: int) -> bytes:
    return struct.pack(">cq", b"L", number)


def _encode_list(items: list[bytes]) -> bytes:
    head = bytes([0x78 + len(items)]) if len(items) < 8 else b"\x58" + _encode_int(len(items))
    return head + b"".join(items)


def encode_pojo(size: int) -> bytes:
    """A `bench.Pojo` whose encoding is about `size` bytes: beyond the fixed fields, half tags and half note."""
    fields: dict[str, bytes] = {
        "id": _encode_long(4_611_686_018_427_387_905),
        "name": encode_string("Ada"),
        "email": encode_string("a@b.cd"),
        "age": _encode_int(36),
        "score": struct.pack(">cd", b"D", 0.1),
        "active": b"T",
        "visits": _encode_long(2**33),
        "city": encode_string("Bern"),
    }
    definition = encode_string(POJO_CLASS) + _encode_int(len(fields) + 2)
    definition += b"".join(encode_string(name) for name in [*fields, "tags", "note"])
    fixed = b"C" + definition + b"\x60" + b"".join(fields.values())
    room = max(size - len(fixed), 0)
    tags = [encode_string(_TAG % number) for number in range(room // 2 // len(encode_string(_TAG % 0)))]
    encoded_tags = _encode_list(tags)
    note = encode_string(_text(max(room - len(encoded_tags) - 3, 0)))
    return fixed + encoded_tags + note


def _check_echo(frame: bytes) -> Callable[[bytes], None]:
    def check(reply: bytes) -> None:
        if reply != frame:
            raise WrongReply(f"the echo of {len(frame)} bytes differs from them")

    return check


def _check_answer(value: bytes) -> Callable[[bytes], None]:
    """For replies that give back the argument, of which `value` is the encoding.

    A value may be encoded in more than one way (chunks of strings, order of fields), so a call's reply is checked for
    its status, its result flag, and a length that leaves room for nothing but the value.
    """

    def check(reply: bytes) -> None:
        status, flag, length = reply[3], reply[_HEADER.size], len(reply) - _HEADER.size
        if status != _OK:
            raise WrongReply(f"status {status}: {reply[_HEADER.size :][:300]!r}")
        if flag not in _RESULT_VALUES:
            raise WrongReply(f"result flag {flag:#x}: {reply[_HEADER.size :][:300]!r}")
        if not 0.8 * len(value) <= length <= 1.25 * len(value) + 512:
            raise WrongReply(f"a body of {length} bytes for a value of {len(value)}")

    return check


def _encode_map(entries: Mapping[str, str]) -> bytes:
    return b"H" + b"".join(encode_string(key) + encode_string(value) for key, value in entries.items()) + b"Z"


def _body(method: str, descriptor: str, argument: bytes) -> bytes:
    head = b"".join(encode_string(text) for text in ("2.0.2", SERVICE, "0.0.0", method, descriptor))
    return head + argument + _encode_map(_ATTACHMENTS)


def _text(length: int) -> str:
    return (_TEXT * (length // len(_TEXT) + 1))[:length]
