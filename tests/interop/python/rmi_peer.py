"""A client and a provider of rmi:// in plain Python, written from docs/rmi.md: the standard library and its own pickle.

    python rmi_peer.py call PORT SECRET KEY      uses demo.Catalog and demo.Types; an empty secret signs nothing
    python rmi_peer.py serve SECRET KEY          provides demo.Catalog in part; prints READY and its port

Nothing of Polyport is imported. `pickle.loads` is as safe as who is at the other end: it is a test's own gateway here.
"""

import dataclasses
import datetime as dt
import enum
import hashlib
import hmac
import os
import pickle
import socket
import struct
import sys
import threading
import time
from decimal import Decimal
from uuid import UUID

HEAD = struct.Struct(">4sBBBBIQ16s")
CALL, REPLY, REFUSAL = 1, 2, 3


def sign(secret, *parts):
    return hmac.new(secret.encode(), b"".join(parts), hashlib.sha256).digest()


def make_frame(kind, payload, nonce, secret, key):
    name = key.encode() if secret else b""
    made = time.time_ns() // 1_000_000 if secret else 0
    head = HEAD.pack(b"PRMI", 1, kind, len(name), 0, len(payload), made, nonce if secret else bytes(16)) + name
    return head + (sign(secret, head, payload) if secret else b"") + payload


def read_frame(data, secret):
    """Kind, reason, nonce and payload."""
    magic, version, kind, name_bytes, reason, size, _, nonce = HEAD.unpack_from(data)
    assert (magic, version) == (b"PRMI", 1)
    end = HEAD.size + name_bytes
    start = end + 32 if name_bytes else end
    payload = data[start:]
    assert len(payload) == size
    if secret and kind != REFUSAL:
        assert hmac.compare_digest(sign(secret, data[:end], payload), data[end:start]), "signature"
    return kind, reason, nonce, payload


def receive(sock):
    found = b""
    while more := sock.recv(65_536):
        found += more
    return found


class Refused(Exception):
    pass


class Client:
    def __init__(self, port, secret, key, protocol):
        self.port, self.secret, self.key, self.protocol = port, secret, key, protocol

    def __call__(self, method, *arguments, **more):
        service = "demo.Types" if method.startswith("echo") else "demo.Catalog"
        said = {"service": service, "method": method, "args": arguments, "consumer": "plain", **more}
        nonce = os.urandom(16)
        with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
            sock.sendall(make_frame(CALL, pickle.dumps(said, self.protocol), nonce, self.secret, self.key))
            sock.shutdown(socket.SHUT_WR)
            kind, reason, back, payload = read_frame(receive(sock), self.secret)
        if kind == REFUSAL:
            raise Refused(reason)
        assert back == (nonce if self.secret else bytes(16))
        return pickle.loads(payload)


# Classes that are called as the contract's types are: their objects may be pickled as they are.


class Status(enum.Enum):
    ACTIVE = "active"
    PREORDER = "preorder"
    DISCONTINUED = "discontinued"


@dataclasses.dataclass
class Maker:
    name: str
    country: str | None = None
    parent: "Maker | None" = None


Status.__module__ = Maker.__module__ = "demo"
sys.modules["demo"] = sys.modules[__name__]


VALUES = {
    "echo_bool": True,
    "echo_i64": -(1 << 63),
    "echo_f64": 0.1,
    "echo_bigint": -(1 << 200),
    "echo_decimal": Decimal("1.10"),
    "echo_string": "Grüße 茶 😀\0",
    "echo_bytes": b"\0\xff\x80",
    "echo_date": dt.date(2026, 8, 14),
    "echo_time": dt.time(9, 26, 53, 589_793),
    "echo_datetime": dt.datetime(2026, 8, 14, 9, 26, 53, 589_793, tzinfo=dt.UTC),
    "echo_local_datetime": dt.datetime(2026, 3, 29, 2, 30),
    "echo_duration": dt.timedelta(-1, 2, 3),
    "echo_uuid": UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    "echo_int_list": [1, -(1 << 31)],
    "echo_string_set": {"a", "b"},
    "echo_string_map": {"a": 1, "b": -1},
    "echo_nested_list": [[], ["x"]],
    "echo_nullable": None,
    "echo_any": {"a": [1, 2.5, None, {"b": b"c"}]},
    "echo_struct": {"__class__": "demo.Maker", "name": "m", "country": None, "parent": None},
}


def checks_of(port, secret, key, protocol):
    call = Client(port, secret, key, protocol)
    yield "count", lambda: call("count") == {"ok": 3}
    yield "find", lambda: (call("find", 1)["ok"]["name"], call("find", "Desk lamp")["ok"]["id"]) == ("Desk lamp", 1)
    yield "decimal", lambda: call("find", 1)["ok"]["price"] == Decimal("49.90")
    yield "named", lambda: len(call("search", named={"text": "desk", "limit": 1})["ok"]) == 1
    yield "fault", lambda: call("find", 99)["fault"] == "demo.ProductNotFound"
    yield "fields", lambda: call("find", 99)["fields"]["product_id"] == 99
    yield "no such method", lambda: call("missing")["error"] == "no-such-method"
    yield "bad request", lambda: call("find", [])["error"] == "bad-request"
    yield "attachments", lambda: call("echo_attachments", "k", attachments={"k": "v"})["ok"] == "v"
    for method, value in VALUES.items():
        yield method, lambda method=method, value=value: call(method, value) == {"ok": value}
    yield "instance", lambda: call("echo_struct", Maker("m", "DE", Maker("p")))["ok"]["parent"]["name"] == "p"
    yield "constant", lambda: call("echo_enum", Status.PREORDER) == {"ok": "PREORDER"}
    yield "concurrent", lambda: concurrent(call)
    if secret:
        yield "wrong secret", lambda: refused(Client(port, "another secret of some length", key, protocol))
        yield "unsigned", lambda: refused(Client(port, "", key, protocol))


def concurrent(call):
    found = [None] * 50

    def one(at):
        found[at] = call("echo_i32", at)["ok"]

    threads = [threading.Thread(target=one, args=(at,)) for at in range(50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found == list(range(50))


def refused(call):
    try:
        call("count")
    except Refused as exc:
        return exc.args[0] == 1
    return False


def use(port, secret, key):
    passed = total = 0
    # With 1 Python writes objects in a form of its own, which is refused.
    for protocol in (2, 3, 4, 5):
        for name, check in checks_of(port, secret, key, protocol):
            total += 1
            try:
                good, why = check(), "it is not"
            except Exception as exc:
                good, why = False, repr(exc)
            passed += good
            print(f"ok {protocol} {name}" if good else f"FAIL {protocol} {name}: {why}", flush=True)
    print(f"{passed} of {total} checks")


def answer(call):
    method, (argument, *_) = call["method"], (*call.get("args", ()), None)
    if method == "count":
        return {"ok": 7, "attachments": {"heard": call.get("consumer", "")}}
    if method == "find":
        return {
            "fault": "demo.ProductNotFound",
            "message": "not here",
            "declared": True,
            "fields": {"product_id": argument},
        }
    if method == "slow":
        return {"ok": f"deadline {call['timeout'] > 0}"}
    return {"error": "overloaded", "message": "plain", "retry": "safe", "exhausted": True}


def serve(secret, key):
    listening = socket.create_server(("127.0.0.1", 0))
    print("READY", listening.getsockname()[1], flush=True)

    def accept():
        while True:
            sock, _ = listening.accept()
            with sock:
                data = receive(sock)
                # A connection that is only tried.
                if data:
                    _, _, nonce, payload = read_frame(data, secret)
                    sock.sendall(make_frame(REPLY, pickle.dumps(answer(pickle.loads(payload))), nonce, secret, key))

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1] == "call":
        use(int(sys.argv[2]), *sys.argv[3:5])
    else:
        serve(*sys.argv[2:4])
