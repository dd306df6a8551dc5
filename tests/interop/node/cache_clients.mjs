// Uses a store under `store:` and services with ioredis, redis and memcached: see `runAll`.

import { promisify } from "node:util";
import Redis from "ioredis";
import Memcached from "memcached";
import { createClient, RESP_TYPES } from "redis";
import { check, runAll, trouble } from "./shown.mjs";

/** Of redis servers with data; calls of methods need none. */
const PASSWORD = "open sesame";
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const LONG = "0123456789abcdef".repeat(8192);
const KEYS = "a b c n n2 t x bin long app ex nx tx1 tx2 scan:1 scan:2 scan:3".split(" ");

const key = (name) => `store:${name}`;
const between = (low, value, high) => low < value && value <= high;
const same = (found) => Buffer.isBuffer(found) && found.equals(ALL_BYTES);
const inTurn = async (...steps) => {
  const values = [];
  for (const step of steps) values.push(await step());
  return values;
};

const ioredisData = (protocol) => async (port) => {
  const redis = new Redis({ port, host: "127.0.0.1", protocol, connectionName: "peer", password: PASSWORD });
  await redis.del(...KEYS.map(key));
  await check("ping", () => redis.ping());
  await check("echo", () => redis.echo("茶 \r\n"));
  await check("name", () => redis.client("GETNAME"));
  await check("info", async () => /redis_version:(\d+)/.exec(await redis.info())[1]);
  await check("set", () => redis.set(key("a"), "1 Grüße 茶"));
  await check("get", () => redis.get(key("a")));
  await check("get nothing", () => redis.get(key("b")));
  await check("every byte", async () => (await redis.set(key("bin"), ALL_BYTES), same(await redis.getBuffer(key("bin")))));
  await check("long", async () => (await redis.set(key("long"), LONG), (await redis.get(key("long"))) === LONG));
  await check("only new", () => inTurn(() => redis.set(key("a"), "2", "NX"), () => redis.set(key("nx"), "2", "NX")));
  await check("only old", () => inTurn(() => redis.set(key("b"), "2", "XX"), () => redis.set(key("nx"), "3", "XX")));
  await check("set and get", () => inTurn(() => redis.set(key("c"), "5"), () => redis.set(key("c"), "6", "GET")));
  await check("getset, getdel", () => inTurn(() => redis.getset(key("c"), "7"), () => redis.getdel(key("c"))));
  await check("mget", () => redis.mget(key("a"), key("b"), key("nx")));
  await check("append", () => inTurn(() => redis.append(key("app"), "Hello"), () => redis.append(key("app"), " 茶")));
  await check("exists", () => redis.exists(key("a"), key("b"), key("a")));
  await check("del", () => redis.del(key("a"), key("b"), key("nx")));
  await check("incr", () => inTurn(() => redis.incr(key("n")), () => redis.incrby(key("n"), 41)));
  await check("decr", () => inTurn(() => redis.decr(key("n")), () => redis.decrby(key("n"), 50)));
  await check("of a text", async () => (await redis.set(key("t"), "text"), trouble(() => redis.incr(key("t")))));
  await check("for a time", async () =>
    [await redis.set(key("ex"), "1", "EX", 100), between(90, await redis.ttl(key("ex")), 100)]);
  await check("persist", () => inTurn(() => redis.persist(key("ex")), () => redis.ttl(key("ex"))));
  await check("expire", async () => [await redis.expire(key("ex"), 50), between(40, await redis.ttl(key("ex")), 50)]);
  await check("px", async () =>
    [await redis.set(key("ex"), "1", "PX", 90000), between(80000, await redis.pttl(key("ex")), 90000)]);
  await check("pipeline", async () => {
    const pipeline = redis.pipeline();
    for (let number = 0; number < 100; number += 1) pipeline.set(key("x"), number).get(key("x"));
    return (await pipeline.exec()).filter((_, index) => index % 2).every(([, found], index) => found === `${index}`);
  });
  await check("sent at once", () => Promise.all(Array.from({ length: 20 }, () => redis.incr(key("n2")))));
  await check("transaction", () =>
    redis.multi().set(key("tx1"), "1").incrby(key("tx1"), 4).get(key("tx2")).get(key("tx1")).exec());
  await check("discarded", async () => {
    await redis.multi({ pipeline: false });
    await redis.set(key("tx1"), "9");
    return [await redis.discard(), await redis.get(key("tx1"))];
  });
  await check("scan", async () => {
    for (const number of [1, 2, 3]) await redis.set(key(`scan:${number}`), number);
    const found = [];
    for await (const some of redis.scanStream({ match: key("scan:*"), count: 100 })) found.push(...some);
    return found.sort();
  });
  await check("unknown command", () => trouble(() => redis.call("NOSUCH", "a")));
  await check("wrong option", () => trouble(() => redis.call("SET", key("x"), "1", "BOGUS")));
  await check("quit", () => redis.quit());
};

const nodeRedisData = (RESP) => async (port) => {
  const redis = createClient({ RESP, name: "peer", password: PASSWORD, socket: { port, host: "127.0.0.1" } });
  await redis.connect();
  await redis.del(KEYS.map(key));
  const bytes = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  await check("ping", () => redis.ping());
  await check("name", () => redis.clientGetName());
  await check("select", () => redis.select(0));
  await check("info", async () => /redis_version:(\d+)/.exec(await redis.info())[1]);
  await check("set", () => redis.set(key("a"), "1 Grüße 茶"));
  await check("get", () => redis.get(key("a")));
  await check("get nothing", () => redis.get(key("b")));
  await check("every byte", async () => (await redis.set(key("bin"), ALL_BYTES), same(await bytes.get(key("bin")))));
  await check("long", async () => (await redis.set(key("long"), LONG), (await redis.get(key("long"))) === LONG));
  await check("only new", () => inTurn(
    () => redis.set(key("a"), "2", { condition: "NX" }), () => redis.set(key("nx"), "2", { condition: "NX" })));
  await check("only old", () => inTurn(
    () => redis.set(key("b"), "2", { condition: "XX" }), () => redis.set(key("nx"), "3", { condition: "XX" })));
  await check("set and get", () => inTurn(() => redis.set(key("c"), "5"), () => redis.set(key("c"), "6", { GET: true })));
  await check("getdel", () => inTurn(() => redis.getDel(key("c")), () => redis.getDel(key("c"))));
  await check("mget", () => redis.mGet([key("a"), key("b"), key("nx")]));
  await check("append", () => inTurn(() => redis.append(key("app"), "Hello"), () => redis.append(key("app"), " 茶")));
  await check("exists", () => redis.exists([key("a"), key("b"), key("a")]));
  await check("del", () => redis.del([key("a"), key("b"), key("nx")]));
  await check("incr", () => inTurn(() => redis.incr(key("n")), () => redis.incrBy(key("n"), 41)));
  await check("decr", () => inTurn(() => redis.decr(key("n")), () => redis.decrBy(key("n"), 50)));
  await check("of a text", async () => (await redis.set(key("t"), "text"), trouble(() => redis.incr(key("t")))));
  await check("for a time", async () =>
    [await redis.set(key("ex"), "1", { expiration: { type: "EX", value: 100 } }),
      between(90, await redis.ttl(key("ex")), 100)]);
  await check("persist", () => inTurn(() => redis.persist(key("ex")), () => redis.ttl(key("ex"))));
  await check("expire", async () => [await redis.expire(key("ex"), 50), between(40, await redis.ttl(key("ex")), 50)]);
  await check("sent at once", () => Promise.all(Array.from({ length: 20 }, () => redis.incr(key("n2")))));
  await check("transaction", () =>
    redis.multi().set(key("tx1"), "1").incrBy(key("tx1"), 4).get(key("tx2")).get(key("tx1")).exec());
  await check("scan", async () => {
    for (const number of [1, 2, 3]) await redis.set(key(`scan:${number}`), `${number}`);
    const found = [];
    for await (const some of redis.scanIterator({ MATCH: key("scan:*"), COUNT: 100 })) found.push(...some);
    return found.sort();
  });
  await check("unknown command", () => trouble(() => redis.sendCommand(["NOSUCH", "a"])));
  await redis.close();
};

async function redisCalls(call) {
  await check("find", () => call("demo.Catalog.find", "1"));
  await check("overload", () => call("demo.Catalog.find", "Wandleuchte „Grün“ 🌿"));
  await check("general form", () => call("CALL", "demo.Catalog", "find", "1"));
  await check("list", () => call("demo.Catalog.search", "lamp", "1", '["office"]'));
  await check("count", () => call("demo.Catalog.count"));
  await check("struct", () => call("demo.Types.echo_struct", JSON.stringify({ name: "茶" })));
  await check("truth", () => call("demo.Types.echo_bool", "true"));
  await check("float", () => call("demo.Types.echo_f64", "0.1"));
  await check("text", () => call("demo.Types.echo_string", "Grüße \r\n\0"));
  await check("nothing", () => call("demo.Types.echo_nothing"));
  for (const [name, ...command] of [
    ["fault", "demo.Catalog.find", "-5"],
    ["no such method", "demo.Catalog.nothing"],
    ["bad argument", "demo.Catalog.remove", "x"],
  ]) {
    await check(name, () => call(...command).then((value) => `no error, but ${value}`, (error) => error.message));
  }
}

const ioredisCalls = (protocol) => async (port) => {
  const redis = new Redis({ port, host: "127.0.0.1", protocol });
  await redisCalls((...command) => redis.call(...command));
  await redis.quit();
};

const nodeRedisCalls = (RESP) => async (port) => {
  const redis = createClient({ RESP, socket: { port, host: "127.0.0.1" } });
  await redis.connect();
  await redisCalls((...command) => redis.sendCommand(command));
  await redis.close();
};

function memcachedClient(port) {
  const client = new Memcached(`127.0.0.1:${port}`, { retries: 0, poolSize: 3 });
  const asked = {};
  for (const name of ["get", "gets", "getMulti", "set", "add", "replace", "append", "prepend", "cas", "del", "incr",
    "decr", "touch", "version", "stats"]) asked[name] = promisify(client[name].bind(client));
  return { client, asked };
}

async function memcachedData(port) {
  const { client, asked } = memcachedClient(port);
  const { get, set } = asked;
  for (const name of KEYS) await asked.del(key(name));
  await check("version", async () => (await asked.version())[0].version.split(".")[0]);
  await check("set", () => set(key("a"), "1 Grüße 茶", 0));
  await check("get", () => get(key("a")));
  await check("get nothing", () => get(key("b")));
  await check("every byte", async () => (await set(key("bin"), ALL_BYTES, 0), same(await get(key("bin")))));
  await check("long", async () => (await set(key("long"), LONG, 0), (await get(key("long"))) === LONG));
  await check("number", async () => (await set(key("n2"), 123.5, 0), get(key("n2"))));
  await check("object", async () => (await set(key("x"), { a: [1, 2.5, null] }, 0), get(key("x"))));
  await check("add", () => inTurn(() => trouble(() => asked.add(key("a"), "2", 0)), () => asked.add(key("nx"), "3", 0)));
  await check("replace", () => inTurn(() => trouble(() => asked.replace(key("b"), "2", 0)), () => asked.replace(key("nx"), "4", 0)));
  await check("append", () => inTurn(() => asked.append(key("nx"), "5"), () => trouble(() => asked.append(key("b"), "5"))));
  await check("prepend", () => inTurn(() => asked.prepend(key("nx"), "3"), () => get(key("nx"))));
  await check("many", () => asked.getMulti([key("a"), key("b"), key("nx")]));
  await check("cas", async () => {
    await set(key("c"), "1", 0);
    const { cas } = await asked.gets(key("c"));
    return inTurn(() => asked.cas(key("c"), "2", cas, 0), () => asked.cas(key("c"), "3", cas, 0), () => get(key("c")));
  });
  await check("delete", () => inTurn(() => asked.del(key("c")), () => asked.del(key("c"))));
  await check("incr", async () => (await set(key("n"), 10, 0), inTurn(() => asked.incr(key("n"), 32), () => asked.incr(key("b"), 1))));
  await check("decr", () => inTurn(() => asked.decr(key("n"), 2), () => asked.decr(key("n"), 100)));
  await check("touch", () => inTurn(() => asked.touch(key("n"), 100), () => asked.touch(key("b"), 100)));
  await check("for a time", async () => (await set(key("ex"), "1", 100), get(key("ex"))));
  await check("statistics", async () => {
    const [found] = await asked.stats();
    return ["pid", "uptime", "version", "cmd_get", "get_hits"].every((each) => each in found);
  });
  client.end();
}

async function memcachedCalls(port) {
  const { client, asked } = memcachedClient(port);
  await check("find", async () => {
    const found = await asked.get("demo.Catalog.find(1)");
    return typeof found === "string" ? JSON.parse(found) : found;
  });
  await check("count", () => asked.get("demo.Catalog.count()"));
  await check("text", () => asked.get('demo.Types.echo_string("%e8%8c%b6")'));
  client.end();
}

await runAll({
  "ioredis, RESP2:data": ioredisData(2),
  "ioredis, RESP3:data": ioredisData(3),
  "node-redis, RESP2:data": nodeRedisData(2),
  "node-redis, RESP3:data": nodeRedisData(3),
  "ioredis, RESP2:calls": ioredisCalls(2),
  "ioredis, RESP3:calls": ioredisCalls(3),
  "node-redis, RESP2:calls": nodeRedisCalls(2),
  "node-redis, RESP3:calls": nodeRedisCalls(3),
  "memcached:data": memcachedData,
  "memcached:calls": memcachedCalls,
});
