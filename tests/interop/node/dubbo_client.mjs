// Uses demo.Catalog and demo.Types with stock dubbo2.js: `node dubbo_client.mjs direct ADDRESS`,
// `… registry ZOOKEEPER`, `… idle ADDRESS`. Its codec is the hessian.js that it brings along.

import { deepStrictEqual, ok, strictEqual } from "node:assert";
import { createRequire } from "node:module";
import { check, same, summary } from "./checks.mjs";

const HEARTBEAT_MS = 500;
const CONCURRENT = 100;
const [how, address] = process.argv.slice(2);

if (how === "idle") {
  // It sends a heartbeat every three minutes, and has no setting for it.
  const { setInterval: repeat } = globalThis;
  globalThis.setInterval = (step, pause, ...rest) => repeat(step, pause === 180_000 ? HEARTBEAT_MS : pause, ...rest);
}

const require = createRequire(import.meta.url);
const { Dubbo, DirectlyDubbo, java, setting } = require("dubbo2.js");
const hessian = createRequire(require.resolve("dubbo2.js"))("hessian.js");

const decimal = (text) => java("java.math.BigDecimal", { value: text });
const integer = (signum, ...words) => java("java.math.BigInteger", { signum, mag: java.array("int", words) });
const handle = (name, fields) => java(`com.alibaba.com.caucho.hessian.io.java8.${name}Handle`, fields);
const instant = (seconds, nanos) => handle("Instant", { seconds: java.long(seconds), nanos });
const maker = (name, country, parent) => java("demo.Maker", { name, country, parent });

const catalogMethods = {
  count() {},
  find: (key) => [typeof key === "number" ? java.long(key) : java.String(key)],
  search: (text, limit, tags) => [java.String(text), java.int(limit), java.Set(tags)],
  put: (product) => [java("demo.Product", product)],
  remove: (id) => [java.long(id)],
  nothing() {},
};
const typesMethods = Object.fromEntries(
  [
    "echoBool", "echoI8", "echoI16", "echoI32", "echoI64", "echoBoxedI64", "echoF32", "echoF64", "echoString", "echoBytes",
    "echoDecimal", "echoBigint", "echoDate", "echoDatetime", "echoJavaDate", "echoUuid", "echoStringList", "echoIntList",
    "echoNestedList", "echoStringSet", "echoStringMap", "echoStringArray", "echoLongArray", "echoEnum", "echoStruct",
    "echoNullable", "echoAny", "echoAttachments", "failDeclared", "failUndeclared",
  ].map((name) => [name, (value) => [value]]),
);
typesMethods.echoNothing = () => {};

/** Both services; what they give is the value, and what they throw the error that dubbo2.js gives. */
function direct() {
  const dubbo = DirectlyDubbo.from({ dubboAddress: address, dubboVersion: "2.0.2", dubboInvokeTimeout: 10 });
  const proxy = (dubboInterface, methods) =>
    opened(dubbo.proxyService({ dubboInterface, version: "0.0.0", timeout: 10_000, methods }));
  return { catalog: proxy("demo.Catalog", catalogMethods), types: proxy("demo.Types", typesMethods) };
}

/** The same as ZooKeeper names them, with a middleware that adds attachments and keeps those that come back. */
async function found() {
  const proxy = (dubboInterface, methods) => (dubbo) =>
    dubbo.proxyService({ dubboInterface, version: "0.0.0", timeout: 10_000, methods });
  const dubbo = Dubbo.from({
    application: { name: "interop" },
    register: address,
    dubboSetting: setting.match(["demo.Catalog", "demo.Types"], { version: "0.0.0" }),
    service: { catalog: proxy("demo.Catalog", catalogMethods), types: proxy("demo.Types", typesMethods) },
  });
  const attachments = { sent: {}, back: {} };
  dubbo.use(async (context, next) => {
    context.attachments = attachments.sent;
    await next();
    attachments.back = context.providerAttachments;
  });
  await dubbo.ready();
  return { catalog: opened(dubbo.service.catalog), types: opened(dubbo.service.types), attachments };
}

const opened = (service) =>
  Object.fromEntries(
    Object.entries(service).map(([name, call]) => [
      name,
      async (...args) => {
        const { res, err } = await call(...args);
        if (err !== null) throw err;
        return res;
      },
    ]),
  );

const failing = async (step) => {
  try {
    await step();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

async function useCatalog(catalog) {
  await same("count", 3, () => catalog.count());
  await check("find by id", async () => {
    const { name, price, tags, createdAt, updatedAt, stock, status, maker: made } = await catalog.find(1);
    deepStrictEqual(
      [name, price, tags, createdAt, updatedAt, stock, status, made],
      [
        "Desk lamp", { value: "49.90" }, ["light", "office"], { seconds: 1767342600, nanos: 0 },
        new Date(Date.UTC(2026, 1, 1, 8, 30, 0, 250)), { berlin: 12, oslo: 0 }, { name: "ACTIVE" },
        { name: "Lumen", country: "DE", parent: { name: "Northwind Group", country: "SE", parent: null } },
      ],
    );
  });
  await same("find by name", 1, async () => (await catalog.find("Desk lamp")).id);
  await same("search", [1, 2], async () => (await catalog.search("desk", 10, ["office"])).map((each) => each.id));
  await check("put, find again, remove", async () => {
    const id = await catalog.put({
      id: java.long(0), name: "Teekanne 茶 😀", price: decimal("12.3400"), tags: java.List(["茶"]),
      createdAt: instant(1_700_000_000, 123_456_000), updatedAt: null, stock: java.Map({ oslo: java.int(7) }),
      status: java.enum("demo.Status", "PREORDER"), maker: maker("m", null, null),
    });
    const { name, price, createdAt, updatedAt, stock, status } = await catalog.find(id);
    deepStrictEqual(
      [name, price, createdAt, updatedAt, stock, status],
      [
        "Teekanne 茶 😀", { value: "12.3400" }, { seconds: 1_700_000_000, nanos: 123_456_000 }, null, { oslo: 7 },
        { name: "PREORDER" },
      ],
    );
    strictEqual(await catalog.remove(id), true);
    strictEqual(await catalog.remove(id), false);
  });
  await check("no such method", async () => ok(String(await failing(() => catalog.nothing())).includes("[no-such-method]")));
}

async function useTypes(types) {
  const echo = (method, sent, expected) =>
    same(`${method} ${String(JSON.stringify(expected)).slice(0, 40)}`, expected, () => types[method](sent));
  for (const each of [true, false]) await echo("echoBool", java.boolean(each), each);
  await echo("echoI8", java.byte(-128), -128);
  await echo("echoI16", java.short(-32_768), -32_768);
  for (const each of [0, 48, -2049, 262_144, -(2 ** 31), 2 ** 31 - 1]) await echo("echoI32", java.int(each), each);
  for (const each of [0, -9, 2 ** 31, 2 ** 53 - 1]) await echo("echoI64", java.long(each), each);
  for (const each of ["9223372036854775807", "-9223372036854775808"]) await echo("echoI64", java.long(each), each);
  await echo("echoBoxedI64", java.Long(null), null);
  await echo("echoF32", java.float(0.5), 0.5);
  for (const each of [0.1, 1, -128.5, 32_768, 1e300, Infinity]) await echo("echoF64", java.double(each), each);
  for (const each of ["", "Grüße 茶 😀\0", "é😀".repeat(40_000)]) await echo("echoString", java.String(each), each);
  await echo("echoDecimal", decimal("-12345678901234567890.0100"), { value: "-12345678901234567890.0100" });
  await echo("echoDate", handle("LocalDate", { year: 2026, month: 8, day: 14 }), { year: 2026, month: 8, day: 14 });
  await echo("echoDatetime", instant(-1, 999_999_000), { seconds: -1, nanos: 999_999_000 });
  await echo("echoJavaDate", java("java.util.Date", new Date(1_700_000_000_123)), new Date(1_700_000_000_123));
  await echo("echoUuid", java("java.util.UUID", { value: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" }), { value: "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" });
  await echo("echoStringList", java.List(["a", ""]), ["a", ""]);
  await echo("echoIntList", java.List([1, 2, 3]), [1, 2, 3]);
  await echo("echoNestedList", java.List([["a"], []]), [["a"], []]);
  await echo("echoStringSet", java.Set(["a"]), ["a"]);
  await echo("echoStringMap", java.Map({ a: java.long(1) }), { a: 1 });
  await echo("echoStringArray", java.array("String", ["a", "茶"]), ["a", "茶"]);
  await echo("echoLongArray", java.array("long", [1, -2]), [1, -2]);
  await echo("echoBigint", integer(-1, 1, 0, 5), { signum: -1, mag: [1, 0, 5] });
  await echo("echoEnum", java.enum("demo.Status", "DISCONTINUED"), { name: "DISCONTINUED" });
  await echo("echoStruct", maker("茶", null, maker("p", "DE", null)), { name: "茶", country: null, parent: { name: "p", country: "DE", parent: null } });
  await echo("echoNullable", java.String(null), null);
  await echo("echoAny", java.Map({ a: [1, null, true] }), { a: [1, null, true] });
  await same("nothing", null, () => types.echoNothing());
  await same("no attachment", null, () => types.echoAttachments(java.String("other")));
  await check("an exception", async () => {
    const error = await failing(() => types.failUndeclared(java.String("because")));
    strictEqual(error.name, "java.lang.RuntimeException");
    ok(error.message.includes("because"));
  });
  await check("at once", async () => {
    const numbers = Array.from({ length: CONCURRENT }, (_, at) => at);
    const values = await Promise.all(numbers.map((each) => types.echoI32(java.int(each))));
    strictEqual(String(values), String(numbers));
  });
}

/** What it cannot carry: its own codec loses it before there is a wire. */
async function lose({ catalog, types }) {
  const own = (value) => hessian.decode(hessian.encode(value, "2.0"), "2.0");
  await check("a class that is no …Exception arrives as an object, and dubbo2.js drops its fields", async () => {
    ok(own(java("demo.SomeException", { detailMessage: "x", stackTrace: [] })) instanceof Error);
    ok(!(own(java("demo.ProductNotFound", { detailMessage: "x", stackTrace: [] })) instanceof Error));
    strictEqual((await failing(() => catalog.find(-5))).message, "[object Object]");
    strictEqual((await failing(() => types.failDeclared(java.String("x")))).message, "[object Object]");
  });
  await check("bytes have no type to be sent by", async () => {
    ok((await failing(() => types.echoBytes(java("byte[]", Buffer.from([1]))))) instanceof Error);
  });
}

async function useAttachments({ types, attachments }) {
  attachments.sent = { trace: "茶-42" };
  await same("an attachment there", "茶-42", () => types.echoAttachments(java.String("trace")));
  await same("an attachment back", "茶-42", () => attachments.back.trace);
  attachments.sent = {};
}

if (how === "idle") {
  const { catalog } = direct();
  await same("before", 3, () => catalog.count());
  console.log("idle");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  await same("after", 3, () => catalog.count());
} else if (how === "registry") {
  const services = await found();
  await useCatalog(services.catalog);
  await useAttachments(services);
} else {
  const services = direct();
  await useCatalog(services.catalog);
  await useTypes(services.types);
  await lose(services);
}
summary();
process.exit();
