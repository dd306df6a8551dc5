"""How the wires speak that are attacked: as much of each as the attacks need that any listener must bear."""

from __future__ import annotations

import base64
from typing import Any, Final, Protocol

from tests.support import memcached_bytes, redis_bytes, rmi_bytes, thrift_bytes
from tests.support.dubbo_bytes import HEADER, OK, REQUEST, Reply, heartbeat, replies, request, text
from tests.support.hessian_bytes import VALUE, hessian_call
from tests.support.http_bytes import HttpAnswer, all_answers, call, first_answer
from tests.support.soap_bytes import soap_call, soap_request, text_of

__all__ = [
    "AIOHTTP",
    "DIALECTS",
    "DUBBO",
    "HESSIAN",
    "HTTP",
    "MEMCACHED",
    "REDIS",
    "REDIS_GUARDED",
    "REDIS_SECRET",
    "RMI",
    "RMI_SECRET",
    "RMI_SIGNED",
    "SOAP",
    "THRIFT",
    "Dialect",
]


REDIS_SECRET: Final = "a secret of a cache"
_SAID_OK: Final = b"+OK\r\n"


class Dialect(Protocol):
    """One wire on one driver.

    Attributes:
        name: As tests are called.
        protocol: Of the listener.
        over_http: It is a wire over HTTP.
        generic: It carries services without a contract.
        options: Of the listener, as in a configuration file.
        count: Asks demo.Catalog how many products there are.
        slow: A call that is answered in a later turn of the loop.
        forever: A call that is not answered as long as anybody waits.
        aside: What a peer may send although it is no call, and `aside_answers` how many answers it gets.
        answers_in_order: Whatever ends first.
        another_driver: The same bytes are taken and refused as on another one, where they are tried more often.
        one_at_a_time: The next call of a connection begins when the one before it was answered.
        one_call: A connection carries one call.
        more: Further sections of the configuration.
    """

    name: str
    protocol: str
    over_http: bool
    generic: bool
    options: str
    aside: bytes
    aside_answers: int
    another_driver: bool
    answers_in_order: bool
    one_at_a_time: bool
    one_call: bool
    more: str

    @property
    def count(self) -> bytes:
        """See the class; so are the next two."""
        ...

    @property
    def slow(self) -> bytes: ...

    @property
    def forever(self) -> bytes: ...

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        """Asks for a text to be given back. `id`: of the call, on wires that have one."""
        ...

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        """Asks for so many bytes to be given back."""
        ...

    def first(self, data: bytes) -> tuple[Any, int] | None:
        """The first answer in `data` and where it ends; None while it is not complete."""
        ...

    def answers(self, data: bytes) -> list[Any]:
        """All answers in `data`, which must end with one; what a listener says by itself is left out."""
        ...

    def is_ok(self, answer: Any) -> bool:
        """Whether the call was answered with a value."""
        ...

    def is_count(self, answer: Any) -> bool:
        """Whether this answers `count`."""
        ...

    def is_echo(self, answer: Any, value: str) -> bool:
        """Whether this answers `echo`."""
        ...


class _Dubbo:
    name = protocol = "dubbo"
    options = "{}"
    count = request()
    slow = request("slow", "J", b"\xe0")
    forever = request("slow", "J", b"L" + (1 << 40).to_bytes(8, "big"))
    aside = heartbeat(1)
    aside_answers = 1
    another_driver = answers_in_order = one_at_a_time = over_http = one_call = False
    generic = True
    more = ""

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        return request("echoString", "Ljava/lang/String;", text(value), group=group, id=id)

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        payload = b"B" + size.to_bytes(2, "big") + bytes(size)
        return request("echoBytes", "[B", payload, group=group, id=id)

    def first(self, data: bytes) -> tuple[Reply, int] | None:
        if len(data) < HEADER.size:
            return None
        end: int = HEADER.size + HEADER.unpack_from(data)[4]
        return (replies(data[:end])[0], end) if len(data) >= end else None

    def answers(self, data: bytes) -> list[Reply]:
        return [each for each in replies(data) if not each.flags & REQUEST]

    def is_ok(self, answer: Reply) -> bool:
        return answer.status == OK

    def is_count(self, answer: Reply) -> bool:
        return answer.status == OK and answer.body[:2] == b"\x94\xe3"

    def is_echo(self, answer: Reply, value: str) -> bool:
        wanted = b"\x94" + text(value)
        return answer.status == OK and answer.body[: len(wanted)] == wanted


class _Http:
    protocol = "http"
    count = call()
    slow = call("slow", 0)
    forever = call("slow", 1 << 40)
    aside = b"\r\n"
    aside_answers = 0
    answers_in_order = over_http = generic = True
    one_call = False
    more = ""

    def __init__(self, name: str, driver: str, *, one_at_a_time: bool, another_driver: bool) -> None:
        self.name = name
        self.options = f"{{driver: {driver}}}"
        self.one_at_a_time = one_at_a_time
        self.another_driver = another_driver

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        return call("echo_string", value, service=_service(group))

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        return call("echo_bytes", base64.b64encode(bytes(size)).decode(), service=_service(group))

    def first(self, data: bytes) -> tuple[HttpAnswer, int] | None:
        return first_answer(data)

    def answers(self, data: bytes) -> list[HttpAnswer]:
        return all_answers(data)

    def is_ok(self, answer: HttpAnswer) -> bool:
        return answer.status == 200

    def is_count(self, answer: HttpAnswer) -> bool:
        return answer.status == 200 and answer.json == 3

    def is_echo(self, answer: HttpAnswer, value: str) -> bool:
        return answer.status == 200 and answer.json == value


class _Hessian(_Http):
    protocol = "hessian"
    count = hessian_call()
    slow = hessian_call("slow", b"\xe0")
    forever = hessian_call("slow", b"L" + (1 << 40).to_bytes(8, "big"))

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        return hessian_call("echoString", text(value), service=_service(group))

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        return hessian_call("echoBytes", b"B" + size.to_bytes(2, "big") + bytes(size), service=_service(group))

    def is_ok(self, answer: HttpAnswer) -> bool:
        return answer.status == 200 and answer.body.startswith(VALUE)

    def is_count(self, answer: HttpAnswer) -> bool:
        return answer.status == 200 and answer.body == VALUE + b"\xe3"

    def is_echo(self, answer: HttpAnswer, value: str) -> bool:
        return answer.status == 200 and answer.body == VALUE + text(value)


class _Soap(_Http):
    protocol = "webservice"
    generic = False
    count = soap_request(soap_call())
    slow = soap_request(soap_call("slow", "<millis>0</millis>"))
    forever = soap_request(soap_call("slow", f"<millis>{1 << 40}</millis>"))

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        return soap_request(soap_call("echo_string", f"<value>{value}</value>"), _service(group))

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        value = base64.b64encode(bytes(size)).decode()
        return soap_request(soap_call("echo_bytes", f"<value>{value}</value>"), _service(group))

    def is_count(self, answer: HttpAnswer) -> bool:
        return answer.status == 200 and text_of(answer.body) == "3"

    def is_echo(self, answer: HttpAnswer, value: str) -> bool:
        return answer.status == 200 and text_of(answer.body) == value


class _Rmi:
    protocol = "rmi"
    generic = True
    aside = b""
    aside_answers = 0
    another_driver = answers_in_order = one_at_a_time = over_http = False
    one_call = True

    def __init__(self, name: str, secret: str = "", options: str = "", more: str = "") -> None:
        self.name = name
        self._secret = secret
        self.options = f"{{{options}}}"
        self.more = more

    def _call(self, *call: Any, group: str = "") -> bytes:
        # A signed call is another one each time.
        payload = rmi_bytes.said(*call, group=group)
        return rmi_bytes.signed(payload, self._secret) if self._secret else rmi_bytes.frame(payload)

    @property
    def count(self) -> bytes:
        return self._call("count")

    @property
    def slow(self) -> bytes:
        return self._call("slow", 0)

    @property
    def forever(self) -> bytes:
        return self._call("slow", 1 << 40)

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        return self._call("echo_string", value, group=group)

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        return self._call("echo_bytes", bytes(size), group=group)

    def first(self, data: bytes) -> tuple[rmi_bytes.RmiAnswer, int] | None:
        return rmi_bytes.first_answer(data)

    def answers(self, data: bytes) -> list[rmi_bytes.RmiAnswer]:
        found = []
        while data:
            complete = rmi_bytes.first_answer(data)
            assert complete is not None, data[:80]
            found.append(complete[0])
            data = data[complete[1] :]
        return found

    def is_ok(self, answer: rmi_bytes.RmiAnswer) -> bool:
        return "ok" in answer.reply

    def is_count(self, answer: rmi_bytes.RmiAnswer) -> bool:
        return answer.reply == {"ok": 3}

    def is_echo(self, answer: rmi_bytes.RmiAnswer, value: str) -> bool:
        return answer.reply == {"ok": value}


class _Memcached:
    name = protocol = "memcached"
    options = "{half_close: 1s}"
    count = memcached_bytes.run_call("demo.Catalog.count")
    slow = memcached_bytes.get_call("demo.Catalog.slow", "0")
    forever = memcached_bytes.get_call("demo.Catalog.slow", str(1 << 40))
    aside = b"mn\r\n"
    aside_answers = 1
    answers_in_order = True
    another_driver = one_at_a_time = over_http = one_call = generic = False
    more = ""

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        return memcached_bytes.run_call(f"{_service(group)}.echo_string", value.encode(), id=id)

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        return memcached_bytes.run_call(f"{_service(group)}.echo_bytes", bytes(size), id=id)

    def first(self, data: bytes) -> tuple[memcached_bytes.MemcachedAnswer, int] | None:
        return memcached_bytes.first_answer(data)

    def answers(self, data: bytes) -> list[memcached_bytes.MemcachedAnswer]:
        return memcached_bytes.all_answers(data)

    def is_ok(self, answer: memcached_bytes.MemcachedAnswer) -> bool:
        return answer.data is not None

    def is_count(self, answer: memcached_bytes.MemcachedAnswer) -> bool:
        return answer.data == b"3"

    def is_echo(self, answer: memcached_bytes.MemcachedAnswer, value: str) -> bool:
        return answer.data == value.encode()


class _Thrift:
    name = protocol = "thrift"
    options = "{half_close: 1s}"
    # With a field that no method has, so that it is as long as those of the others.
    count = thrift_bytes.call(
        "demo.Catalog:count", thrift_bytes.field(thrift_bytes.STRING, 9, thrift_bytes.text("more"))
    )
    slow = thrift_bytes.call("demo.Catalog:slow", thrift_bytes.field(thrift_bytes.I64, 1, bytes(8)))
    forever = thrift_bytes.call(
        "demo.Catalog:slow", thrift_bytes.field(thrift_bytes.I64, 1, (1 << 40).to_bytes(8, "big"))
    )
    aside = b""
    aside_answers = 0
    answers_in_order = True
    another_driver = one_at_a_time = over_http = one_call = generic = False
    more = ""

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        argument = thrift_bytes.field(thrift_bytes.STRING, 1, thrift_bytes.text(value))
        return thrift_bytes.call(f"{_service(group)}:echo_string", argument, id=id)

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        argument = thrift_bytes.field(thrift_bytes.STRING, 1, thrift_bytes.text(bytes(size)))
        return thrift_bytes.call(f"{_service(group)}:echo_bytes", argument, id=id)

    def first(self, data: bytes) -> tuple[thrift_bytes.ThriftAnswer, int] | None:
        return thrift_bytes.first_answer(data)

    def answers(self, data: bytes) -> list[thrift_bytes.ThriftAnswer]:
        return thrift_bytes.answers(data)

    def is_ok(self, answer: thrift_bytes.ThriftAnswer) -> bool:
        return answer.kind == thrift_bytes.REPLY

    def is_count(self, answer: thrift_bytes.ThriftAnswer) -> bool:
        wanted = thrift_bytes.field(thrift_bytes.I64, 0, (3).to_bytes(8, "big")) + b"\0"
        return (answer.name, answer.kind, answer.body) == ("count", thrift_bytes.REPLY, wanted)

    def is_echo(self, answer: thrift_bytes.ThriftAnswer, value: str) -> bool:
        wanted = thrift_bytes.field(thrift_bytes.STRING, 0, thrift_bytes.text(value)) + b"\0"
        return answer.kind == thrift_bytes.REPLY and answer.body == wanted


class _Redis:
    name = protocol = "redis"
    options = "{half_close: 1s}"
    # In the longer of two forms, so that it is as long as those of the others.
    count = redis_bytes.command("CALL", "demo.Catalog", "count")
    slow = redis_bytes.command("demo.Catalog.slow", "0")
    forever = redis_bytes.command("demo.Catalog.slow", str(1 << 40))
    aside = redis_bytes.command("PING")
    aside_answers = 1
    answers_in_order = True
    another_driver = one_at_a_time = over_http = one_call = generic = False
    more = ""

    def echo(self, value: str, *, group: str = "", id: int = 7) -> bytes:
        return redis_bytes.command(f"{_service(group)}.echo_string", value)

    def large(self, size: int, *, group: str = "", id: int = 7) -> bytes:
        return redis_bytes.command(f"{_service(group)}.echo_bytes", bytes(size))

    def first(self, data: bytes) -> tuple[redis_bytes.RedisAnswer, int] | None:
        return redis_bytes.first_answer(data)

    def answers(self, data: bytes) -> list[redis_bytes.RedisAnswer]:
        return redis_bytes.answers(data)

    def is_ok(self, answer: redis_bytes.RedisAnswer) -> bool:
        return answer.kind != "-"

    def is_count(self, answer: redis_bytes.RedisAnswer) -> bool:
        return (answer.kind, answer.value) == (":", b"3")

    def is_echo(self, answer: redis_bytes.RedisAnswer, value: str) -> bool:
        return (answer.kind, answer.value) == ("$", value.encode())


class _GuardedRedis(_Redis):
    """A listener that asks for a credential. Calls show it, and answers that say OK to it are passed over."""

    name = "redis-guarded"
    options = "{half_close: 1s, credentials: [cache]}"
    more = "credentials:\n  cache: {env: POLYPORT_HOSTILE_REDIS}\n"
    count = redis_bytes.command("AUTH", "cache", REDIS_SECRET) + _Redis.count

    def first(self, data: bytes) -> tuple[redis_bytes.RedisAnswer, int] | None:
        skipped = len(_SAID_OK) if data.startswith(_SAID_OK) else 0
        found = redis_bytes.first_answer(data[skipped:])
        return None if found is None else (found[0], found[1] + skipped)


def _service(group: str) -> str:
    return f"{group}/demo.Types" if group else "demo.Types"


DUBBO: Final[Dialect] = _Dubbo()
HTTP: Final[Dialect] = _Http("http", "httptools", one_at_a_time=False, another_driver=False)
AIOHTTP: Final[Dialect] = _Http("http-aiohttp", "aiohttp", one_at_a_time=True, another_driver=True)
HESSIAN: Final[Dialect] = _Hessian("hessian", "httptools", one_at_a_time=False, another_driver=True)
SOAP: Final[Dialect] = _Soap("webservice", "httptools", one_at_a_time=False, another_driver=True)
THRIFT: Final[Dialect] = _Thrift()
MEMCACHED: Final[Dialect] = _Memcached()
REDIS: Final[Dialect] = _Redis()
REDIS_GUARDED: Final[Dialect] = _GuardedRedis()
"""Asks for `REDIS_SECRET`, which the environment variable in `more` must hold."""
DIALECTS: Final = (DUBBO, HTTP, AIOHTTP, HESSIAN, SOAP, THRIFT, MEMCACHED, REDIS)
"""Those whose connections carry many calls."""
RMI: Final = _Rmi("rmi")
RMI_SECRET: Final = "a secret of more than sixteen bytes"
RMI_SIGNED: Final = _Rmi(
    "rmi-signed",
    RMI_SECRET,
    "secrets: [key], clock_skew: 5s",
    "credentials:\n  key: {env: POLYPORT_HOSTILE_KEY}\n",
)
"""Calls are signed with `RMI_SECRET`, which that variable must hold."""
