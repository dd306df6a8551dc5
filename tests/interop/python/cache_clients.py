"""Uses a store under `store:` and services with redis-py and three clients of memcached: see `shown.run_all`."""

import json
from collections.abc import Callable
from typing import Any

import memcache
import redis
from meta_memcache import CacheClient, Key, ServerAddress, SetMode, connection_pool_factory_builder
from pymemcache import serde
from pymemcache.client.base import Client
from redis._parsers import _HiredisParser, _RESP2Parser, _RESP3Parser
from shown import Shown, run_all

PASSWORD = "open sesame"
"""Of redis servers with data; calls of methods need none."""
ALL_BYTES = bytes(range(256))
LONG = b"0123456789abcdef" * 8192
NAMES = ("a", "b", "c", "n", "n2", "t", "x", "bin", "long", "app", "ex", "nx", "tx1", "tx2")
KEYS = (*NAMES, "scan:1", "scan:2", "scan:3", "ключ")


def key(name: str) -> str:
    return f"store:{name}"


def client_of(port: int, protocol: int, parser: Any, **more: Any) -> redis.Redis:
    pool = redis.ConnectionPool(
        host="127.0.0.1", port=port, protocol=protocol, parser_class=parser, socket_timeout=10, **more
    )
    return redis.Redis(connection_pool=pool)


def redis_data(protocol: int, parser: Any) -> Callable[[int, Shown], None]:
    def run(port: int, shown: Shown) -> None:
        with client_of(port, protocol, parser, password=PASSWORD) as client:
            client.delete(*map(key, KEYS))
            connection(client, shown.check)
            strings(client, shown.check)
            numbers(client, shown.check)
            lives(client, shown.check)
            together(client, shown.check)
            refusals(client, shown.check)

    return run


def connection(client: redis.Redis, check: Any) -> None:
    check("ping", client.ping)
    check("echo", lambda: client.echo("茶 \r\n"))
    check("select", lambda: client.execute_command("SELECT", 0))
    check("name", lambda: (client.client_setname("peer"), client.client_getname()))
    check("id", lambda: client.client_id() > 0)
    check("info", lambda: client.info("server")["redis_version"].split(".")[0])
    check("time", lambda: len(client.time()))
    check("config", lambda: isinstance(client.config_get("maxmemory"), dict))
    check("count of commands", lambda: client.command_count() > 10)


def strings(client: redis.Redis, check: Any) -> None:
    check("set", lambda: client.set(key("a"), "1 Grüße 茶"))
    check("get", lambda: client.get(key("a")))
    check("get nothing", lambda: client.get(key("b")))
    check("every byte", lambda: (client.set(key("bin"), ALL_BYTES), client.get(key("bin")) == ALL_BYTES))
    check("long", lambda: (client.set(key("long"), LONG), client.get(key("long")) == LONG))
    check("empty", lambda: (client.set(key("x"), b""), client.get(key("x"))))
    check("key of other letters", lambda: (client.set(key("ключ"), "1"), client.get(key("ключ"))))
    check("only new: is there", lambda: client.set(key("a"), "2", nx=True))
    check("only new: is not", lambda: client.set(key("nx"), "2", nx=True))
    check("only old: is not", lambda: client.set(key("b"), "2", xx=True))
    check("only old: is there", lambda: client.set(key("nx"), "3", xx=True))
    check("setnx", lambda: (client.setnx(key("nx"), "4"), client.setnx(key("c"), "5")))
    check("set and get", lambda: client.set(key("c"), "6", get=True))
    check("getset", lambda: client.getset(key("c"), "7"))
    check("getdel", lambda: (client.getdel(key("c")), client.getdel(key("c"))))
    check("mget", lambda: client.mget(key("a"), key("b"), key("nx")))
    check("append", lambda: (client.append(key("app"), "Hello"), client.append(key("app"), " 茶")))
    check("appended", lambda: client.get(key("app")))
    check("exists", lambda: client.exists(key("a"), key("b"), key("a")))
    check("del", lambda: client.delete(key("a"), key("b"), key("nx")))
    check("unlink", lambda: (client.unlink(key("app")), client.unlink(key("app"))))
    check("exists no more", lambda: client.exists(key("a")))


def numbers(client: redis.Redis, check: Any) -> None:
    check("incr", lambda: (client.incr(key("n")), client.incr(key("n"))))
    check("incrby", lambda: client.incrby(key("n"), 40))
    check("decr", lambda: client.decr(key("n")))
    check("decrby", lambda: client.decrby(key("n"), 50))
    check("its text", lambda: client.get(key("n")))
    check("of a text", lambda: (client.set(key("t"), "text"), trouble(lambda: client.incr(key("t")))))


def lives(client: redis.Redis, check: Any) -> None:
    check("set for a time", lambda: (client.set(key("ex"), "1", ex=100), 90 < client.ttl(key("ex")) <= 100))
    check("pttl", lambda: 90_000 < client.pttl(key("ex")) <= 100_000)
    check("persist", lambda: (client.persist(key("ex")), client.ttl(key("ex")), client.persist(key("ex"))))
    check("expire", lambda: (client.expire(key("ex"), 50), 40 < client.ttl(key("ex")) <= 50))
    check("set forgets it", lambda: (client.set(key("ex"), "2"), client.ttl(key("ex"))))
    check("setex", lambda: (client.execute_command("SETEX", key("ex"), 60, "3"), 50 < client.ttl(key("ex")) <= 60))
    check("psetex", lambda: (client.set(key("ex"), "4", px=70_000), 60 < client.ttl(key("ex")) <= 70))
    check("px and nx", lambda: client.set(key("ex"), "5", px=5000, nx=True))
    check("ttl of nothing", lambda: (client.ttl(key("b")), client.expire(key("b"), 5)))
    check("expire at once", lambda: (client.expire(key("ex"), -1), client.get(key("ex"))))


def together(client: redis.Redis, check: Any) -> None:
    def pipelined() -> Any:
        with client.pipeline(transaction=False) as pipeline:
            for number in range(100):
                pipeline.set(key("x"), number)
                pipeline.get(key("x"))
            return [int(each) for each in pipeline.execute()[1::2]] == list(range(100))

    def transaction() -> Any:
        with client.pipeline(transaction=True) as pipeline:
            pipeline.set(key("tx1"), "1").incrby(key("tx1"), 4).get(key("tx2")).get(key("tx1"))
            return pipeline.execute()

    def discarded() -> Any:
        with client.client() as one:
            begun = one.execute_command("MULTI"), one.execute_command("INCR", key("tx1"))
            return *begun, one.execute_command("DISCARD"), one.get(key("tx1"))

    def watched() -> Any:
        with client.pipeline() as pipeline:
            pipeline.watch(key("tx1"))
            pipeline.multi()
            pipeline.get(key("tx1"))
            return pipeline.execute()

    def scan() -> Any:
        for number in (1, 2, 3):
            client.set(key(f"scan:{number}"), number)
        return sorted(client.scan_iter(key("scan:*"), count=100)), sorted(client.keys(key("scan:?")))

    check("pipeline", pipelined)
    check("transaction", transaction)
    check("discarded", discarded)
    check("watched", watched)
    check("scan", scan)


def refusals(client: redis.Redis, check: Any) -> None:
    def refused(*command: Any) -> Callable[[], Any]:
        def step() -> Any:
            try:
                return client.execute_command(*command)
            except redis.ResponseError as error:
                return f"{type(error).__name__}: {error}".partition(",")[0]

        return step

    check("unknown command", refused("NOSUCH", "a"))
    check("too few arguments", refused("GET"))
    check("wrong option", refused("SET", key("x"), "1", "BOGUS"))
    check("no time", refused("SET", key("x"), "1", "EX", "0"))
    check("no transaction", refused("EXEC"))
    check("still good", client.ping)


def redis_calls(protocol: int, parser: Any) -> Callable[[int, Shown], None]:
    def run(port: int, shown: Shown) -> None:
        with client_of(port, protocol, parser) as client:
            call = client.execute_command

            def told(*command: Any) -> str:
                try:
                    return f"no error, but {call(*command)}"
                except redis.ResponseError as error:
                    return str(error)

            shown.check("find", lambda: call("demo.Catalog.find", 1))
            shown.check("overload", lambda: call("demo.Catalog.find", "Wandleuchte „Grün“ 🌿"))
            shown.check("general form", lambda: call("CALL", "demo.Catalog", "find", 1))
            shown.check("list", lambda: call("demo.Catalog.search", "lamp", 1, '["office"]'))
            shown.check("count", lambda: call("demo.Catalog.count"))
            shown.check("struct", lambda: call("demo.Types.echo_struct", json.dumps({"name": "茶"})))
            shown.check("truth", lambda: call("demo.Types.echo_bool", "true"))
            shown.check("float", lambda: call("demo.Types.echo_f64", "0.1"))
            shown.check("text", lambda: call("demo.Types.echo_string", "Grüße \r\n\0"))
            shown.check("bytes", lambda: call("demo.Types.echo_bytes", ALL_BYTES) == ALL_BYTES)
            shown.check("as JSON", lambda: json.loads(call("WITH", "reply", "json", "--", "demo.Catalog.find", 1)))
            shown.check("nothing", lambda: call("demo.Types.echo_nothing"))
            shown.check("fault", lambda: told("demo.Catalog.find", -5))
            shown.check("no such method", lambda: told("demo.Catalog.nothing"))
            shown.check("bad argument", lambda: told("demo.Catalog.remove", "x"))

    return run


def pymemcache_data(port: int, shown: Shown) -> None:
    client = Client(("127.0.0.1", port), serde=serde.pickle_serde, timeout=10, default_noreply=False)
    plain = Client(("127.0.0.1", port), timeout=10, default_noreply=False)
    check = shown.check
    for name in NAMES:
        client.delete(key(name))

    def cas(value: str, stamp: bytes | None = None) -> Any:
        return plain.cas(key("c"), value, plain.gets(key("c"))[1] if stamp is None else stamp)

    check("version", lambda: client.version().split(b".")[0])
    check("set", lambda: client.set(key("a"), "1 Grüße 茶"))
    check("get", lambda: client.get(key("a")))
    check("get nothing", lambda: client.get(key("b"), "missing"))
    check("every byte", lambda: (client.set(key("bin"), ALL_BYTES), client.get(key("bin")) == ALL_BYTES))
    check("long", lambda: (client.set(key("long"), LONG), client.get(key("long")) == LONG))
    check("integer", lambda: (client.set(key("n2"), 123456789012), client.get(key("n2"))))
    check("pickled", lambda: (client.set(key("x"), {"a": [1, 2.5, None]}), client.get(key("x"))))
    check("flags", lambda: (plain.set(key("x"), b"1", flags=65535), plain.raw_command(f"get {key('x')}", b"END\r\n")))
    check("empty", lambda: (plain.set(key("x"), b""), plain.get(key("x"))))
    check("add", lambda: (client.add(key("a"), "2"), client.add(key("nx"), "3")))
    check("replace", lambda: (client.replace(key("b"), "2"), client.replace(key("nx"), "4")))
    check("append", lambda: (plain.append(key("nx"), "5"), plain.append(key("b"), "5")))
    check("prepend", lambda: (plain.prepend(key("nx"), "3"), plain.prepend(key("b"), "5")))
    check("both", lambda: plain.get(key("nx")))
    check("many", lambda: sorted(plain.get_many([key("b"), key("nx"), key("x")]).items()))
    check("set many", lambda: (plain.set_many({key("tx1"): "1", key("tx2"): "2"}), plain.get(key("tx2"))))
    check("cas", lambda: (plain.set(key("c"), "1"), cas("2"), plain.get(key("c"))))
    check("cas too late", lambda: (cas("3", b"1"), plain.get(key("c"))))
    check("cas of nothing", lambda: plain.cas(key("b"), "1", b"1"))
    check("delete", lambda: (plain.delete(key("c")), plain.delete(key("c"))))
    check("incr", lambda: (plain.set(key("n"), "10"), plain.incr(key("n"), 32), plain.incr(key("b"), 1)))
    check("decr", lambda: (plain.decr(key("n"), 2), plain.decr(key("n"), 100), int(plain.get(key("n")))))
    check("touch", lambda: (plain.touch(key("n"), 100), plain.touch(key("b"), 100)))
    check("for a time", lambda: (plain.set(key("ex"), "1", expire=100), plain.get(key("ex"))))
    check("gone at once", lambda: (plain.set(key("ex"), "1", expire=-1), plain.get(key("ex"))))
    check("no reply", lambda: (plain.set(key("t"), "quiet", noreply=True), plain.get(key("t"))))
    check("no reply to delete", lambda: (plain.delete(key("t"), noreply=True), plain.get(key("t"))))
    check("statistics", lambda: {b"pid", b"uptime", b"version", b"cmd_get", b"get_hits"} <= set(plain.stats()))
    check("of a text", lambda: (plain.set(key("t"), "text"), trouble(lambda: plain.incr(key("t"), 1))))
    check("too long a key", lambda: trouble(lambda: plain.get("x" * 251)))
    check("unknown command", lambda: trouble(lambda: plain.raw_command("nosuch", b"\r\n")))
    check("still good", lambda: plain.get(key("nx")))
    client.close()
    plain.close()


def trouble(step: Callable[[], Any]) -> Any:
    try:
        return step()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def python_memcached_data(port: int, shown: Shown) -> None:
    client = memcache.Client([f"127.0.0.1:{port}"], cache_cas=True)
    check = shown.check
    for name in NAMES:
        client.delete(key(name))

    check("version", lambda: client.get_stats()[0][1]["version"].split(".")[0])
    check("set", lambda: client.set(key("a"), "1 Grüße 茶"))
    check("get", lambda: client.get(key("a")))
    check("get nothing", lambda: client.get(key("b"), "missing"))
    check("every byte", lambda: (client.set(key("bin"), ALL_BYTES), client.get(key("bin")) == ALL_BYTES))
    check("compressed", lambda: (client.set(key("long"), LONG, min_compress_len=1000), client.get(key("long")) == LONG))
    check("integer", lambda: (client.set(key("n2"), 123456789012), client.get(key("n2"))))
    check("truth", lambda: (client.set(key("n2"), True), client.get(key("n2"))))
    check("pickled", lambda: (client.set(key("x"), {"a": [1, 2.5, None]}), client.get(key("x"))))
    check("add", lambda: (client.add(key("a"), "2"), client.add(key("nx"), "3")))
    check("replace", lambda: (client.replace(key("b"), "2"), client.replace(key("nx"), "4")))
    check("append", lambda: (client.append(key("nx"), "5"), client.append(key("b"), "5")))
    check("prepend", lambda: (client.prepend(key("nx"), "3"), client.prepend(key("b"), "5")))
    check("both", lambda: client.get(key("nx")))
    check("many", lambda: sorted(client.get_multi(["b", "nx", "x"], key_prefix="store:").items(), key=repr))
    check("set many", lambda: client.set_multi({"tx1": "1", "tx2": 2}, key_prefix="store:"))
    check("cas", lambda: (client.set(key("c"), "1"), client.gets(key("c")), client.cas(key("c"), "2")))
    check("cas too late", lambda: (client.gets(key("c")), client.set(key("c"), "3"), client.cas(key("c"), "4")))
    check("delete many", lambda: client.delete_multi(["tx1", "tx2", "b"], key_prefix="store:"))
    check("incr", lambda: (client.set(key("n"), 10), client.incr(key("n"), 32), client.incr(key("b"))))
    check("decr", lambda: (client.decr(key("n"), 2), client.decr(key("n"), 100), client.get(key("n"))))
    check("touch", lambda: (client.touch(key("n"), 100), client.touch(key("b"), 100)))
    check("for a time", lambda: (client.set(key("ex"), "1", time=100), client.get(key("ex"))))
    check("no reply", lambda: (client.set(key("t"), "quiet", noreply=True), client.get(key("t"))))
    check("delete", lambda: (client.delete(key("t")), client.get(key("t"))))
    client.disconnect_all()


def meta_client(port: int) -> Any:
    """A client that speaks meta commands alone."""
    return CacheClient.cache_client_from_servers(
        servers=[ServerAddress("127.0.0.1", port)],
        connection_pool_factory_fn=connection_pool_factory_builder(recv_timeout=10),
    )


def meta_memcache_data(port: int, shown: Shown) -> None:
    client, check = meta_client(port), shown.check
    for name in NAMES:
        client.delete(key(name))

    check("set", lambda: client.set(key("a"), "1 Grüße 茶", ttl=100))
    check("get", lambda: client.get(key("a")))
    check("get nothing", lambda: client.get(key("b")))
    check(
        "types", lambda: [(client.set(key("x"), each, 100), client.get(key("x"))) for each in (7, "7", None, [1, 2.5])]
    )
    check("every byte", lambda: (client.set(key("bin"), ALL_BYTES, 100), client.get(key("bin")) == ALL_BYTES))
    check("long", lambda: (client.set(key("long"), LONG, 100), client.get(key("long")) == LONG))
    check("empty", lambda: (client.set(key("x"), "", 100), client.get(key("x"))))
    check("key in base64", lambda: (client.set(Key("store:ключ"), "1", 100), client.get("store:ключ")))
    check("add", lambda: [client.set(key(name), "3", 100, set_mode=SetMode.ADD) for name in ("a", "nx")])
    check("refill", lambda: (client.refill(key("nx"), "4", 100), client.refill(key("tx1"), "4", 100)))
    check("replace", lambda: [client.set(key(name), "4", 100, set_mode=SetMode.REPLACE) for name in ("b", "nx")])
    check("append", lambda: [client.set(key(name), "5", 100, set_mode=SetMode.APPEND) for name in ("b", "nx")])
    check("prepend", lambda: (client.set(key("nx"), "3", 100, set_mode=SetMode.PREPEND), client.get(key("nx"))))
    check("many", lambda: sorted((str(name.key), value) for name, value in many(client)))
    check("cas", lambda: cas(client))
    check("version of what was set", lambda: client.set_cas(key("c"), "5", 100) == client.get_cas(key("c"))[1])
    check("delete", lambda: (client.delete(key("c")), client.delete(key("c")), client.invalidate(key("c"))))
    check("delta", lambda: (client.set(key("n"), 10, 100), client.delta(key("n"), 32), client.delta(key("b"), 1)))
    check("delta and get", lambda: [client.delta_and_get(key("n"), by) for by in (1, -2, -100)])
    check("delta of nothing", lambda: client.delta_and_get(key("b"), 1))
    check("from an initial value", lambda: [client.delta_initialize_and_get(key("n2"), 5, 13, 100) for _ in range(2)])
    check("initial value, unread", lambda: (client.delta_initialize(key("ex"), 1, 7, 100), client.get(key("ex"))))
    check("delta and time to live", lambda: client.delta(key("n2"), 1, refresh_ttl=50))
    check("of a text", lambda: (client.set(key("t"), "text", 100), trouble(lambda: client.delta(key("t"), 1))))
    check(
        "touch", lambda: (client.touch(key("n"), 100), client.touch(key("b"), 100), client.get(key("n"), touch_ttl=9))
    )
    check("no reply", lambda: (client.set(key("t"), "quiet", 100, no_reply=True), client.get(key("t"))))
    check("no reply to delete", lambda: (client.delete(key("t"), no_reply=True), client.get(key("t"))))
    check("no reply to delta", lambda: (client.delta(key("n2"), 4, no_reply=True), client.get(key("n2"))))


def many(client: Any) -> Any:
    return client.multi_get([key("a"), key("b"), key("nx")]).items()


def cas(client: Any) -> Any:
    client.set(key("c"), "1", 100)
    value, version = client.get_cas(key("c"))
    return (
        value,
        client.set(key("c"), "2", 100, cas_token=version),
        client.set(key("c"), "3", 100, cas_token=version),
        client.get(key("c")),
    )


def meta_memcache_calls(port: int, shown: Shown) -> None:
    memcached_calls(meta_client(port).get, shown)


def pymemcache_calls(port: int, shown: Shown) -> None:
    client = Client(("127.0.0.1", port), timeout=10)
    memcached_calls(client.get, shown)
    client.close()


def python_memcached_calls(port: int, shown: Shown) -> None:
    client = memcache.Client([f"127.0.0.1:{port}"])
    memcached_calls(client.get, shown)
    client.disconnect_all()


def memcached_calls(get: Callable[[str], Any], shown: Shown) -> None:
    shown.check("find", lambda: json.loads(get("demo.Catalog.find(1)")))
    shown.check("count", lambda: get("demo.Catalog.count()"))
    shown.check("text", lambda: get('demo.Types.echo_string("%e8%8c%b6")'))


run_all(
    {
        "redis-py, RESP2:data": redis_data(2, _RESP2Parser),
        "redis-py, RESP3:data": redis_data(3, _RESP3Parser),
        "redis-py, hiredis:data": redis_data(3, _HiredisParser),
        "redis-py, RESP2:calls": redis_calls(2, _RESP2Parser),
        "redis-py, RESP3:calls": redis_calls(3, _RESP3Parser),
        "redis-py, hiredis:calls": redis_calls(3, _HiredisParser),
        "meta-memcache:data": meta_memcache_data,
        "meta-memcache:calls": meta_memcache_calls,
        "pymemcache:data": pymemcache_data,
        "pymemcache:calls": pymemcache_calls,
        "python-memcached:data": python_memcached_data,
        "python-memcached:calls": python_memcached_calls,
    }
)
