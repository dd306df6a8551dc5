"""Names what a peer speaks when it is not what the port serves, for the log line about the closed connection."""

from __future__ import annotations

from typing import Final

__all__ = ["SNIFF_BYTES", "TLS", "sniff"]

SNIFF_BYTES: Final = 8
"""As many bytes as `sniff` looks at."""

TLS: Final = "a TLS ClientHello"

_PREFIXES: Final = (
    (b"\x16\x03", TLS),
    (b"PRI * HT", "HTTP/2"),
    (b"GET ", "HTTP"),
    (b"POST ", "HTTP"),
    (b"PUT ", "HTTP"),
    (b"HEAD ", "HTTP"),
    (b"DELETE ", "HTTP"),
    (b"OPTIONS ", "HTTP"),
    (b"PATCH ", "HTTP"),
    (b"CONNECT ", "HTTP"),
    (b"\xda\xbb", "dubbo"),
    (b"\xac\xed\x00\x05", "Java serialization"),
    (b"JRMI", "Java RMI"),
    (b"PRMI", "rmi"),
    (b"\x80\x01\x00", "Thrift binary"),
    (b"\x80", "memcached (binary)"),
    (b"\x82", "Thrift compact"),
    (b"SSH-", "SSH"),
    (b"PROXY ", "a header of the PROXY protocol"),
    (b"*", "redis (RESP)"),
    (b"$", "redis (RESP)"),
)


def sniff(data: bytes) -> str:
    """What the first bytes look like: a protocol's name, `text`, or `unknown bytes`. Never quotes the bytes."""
    for prefix, name in _PREFIXES:
        if data and data.startswith(prefix[: len(data)]):
            return name
    head = data[:SNIFF_BYTES]
    if head and all(32 <= byte < 127 or byte in b"\r\n\t" for byte in head):
        return "text"
    return "unknown bytes"
